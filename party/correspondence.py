"""What was said and heard in a session, on disk, so that a restart repeats it byte for byte.

What was said once is said again as it stands, whatever a restarted party would say now. What was
heard once may be heard again only unchanged. Both are the wire's bytes of one message.
"""

from __future__ import annotations

import threading

from party.artefacts import SessionFolder
from party.errors import Refusal, RefusalStatus


class Correspondence:
    """The exchanges and acknowledgements between this side and one counterpart."""

    def __init__(self, folder: SessionFolder, peer: str) -> None:
        self._folder, self._peer = folder, peer
        self._lock = threading.Lock()

    def say(self, kind: str, data: bytes) -> bytes:
        """Return what is said: `data`, or what was said before under this kind."""
        with self._lock:
            said = self.said(kind)
            if said is None:
                self._folder.write_bytes(self._file("said", kind), data)
                return data
            return said

    def said(self, kind: str) -> bytes | None:
        """Return what was said under this kind, or None."""
        return self._folder.read_bytes(self._file("said", kind))

    def hear(self, kind: str, data: bytes) -> None:
        """Store what was heard.

        Raises:
            Refusal: the counterpart said something else under this kind before.
        """
        with self._lock:
            heard = self.heard(kind)
            if heard is None:
                self._folder.write_bytes(self._file("heard", kind), data)
        if heard is not None and heard != data:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"'{self._peer}' repeated its {kind} with another content; the session ends here",
            )

    def heard(self, kind: str) -> bytes | None:
        """Return what was heard under this kind, or None."""
        return self._folder.read_bytes(self._file("heard", kind))

    def exchanged(self, kind: str) -> bool:
        """Say whether both sides have said theirs of a kind."""
        return self.said(kind) is not None and self.heard(kind) is not None

    def acknowledge(self, step: int) -> None:
        """Store that the counterpart has the artefact of a step on disk."""
        self._folder.mark(self._file("acknowledged", f"{step:02d}"))

    def acknowledged(self, step: int) -> bool:
        """Say whether the counterpart has the artefact of a step on disk."""
        return self._folder.has(self._file("acknowledged", f"{step:02d}"))

    def conclude(self) -> None:
        """Store that nothing of what the counterpart said is left to be done."""
        self._folder.mark(self._file("concluded", "session"))

    @property
    def concluded(self) -> bool:
        """Whether nothing of what the counterpart said is left to be done."""
        return self._folder.has(self._file("concluded", "session"))

    def note_end(self) -> None:
        """Store that the counterpart knows that the session has ended without a result."""
        self._folder.mark(self._file("ended", "told"))

    @property
    def end_is_known(self) -> bool:
        """Whether the counterpart knows that the session has ended without a result."""
        return self._folder.has(self._file("ended", "told"))

    def _file(self, what: str, kind: str) -> str:
        return f"{what}-{self._peer}-{kind}"
