"""How a pushed step reaches the folder: sets chunk by chunk, the rest whole.

A stream can outlive the connection that it came on, while the dialler has long opened another.
The newest stream of a session takes the place of any older one, so that two never write at once.
"""

from __future__ import annotations

import threading

from party.artefacts import (
    Chunk,
    IncomingSet,
    SessionFolder,
    SetHeader,
    artefact_digest,
    header_of,
    read_chunk,
)
from party.errors import Refusal, RefusalStatus
from party.messages import Artefact
from party.wire.artefacts import form_of, small_kind
from psi.sets import LabelledSet
from server.errors import Superseded
from server.mailbox import Mailbox
from server.meeting import Meeting


class Intake:
    """The pushed steps of one session; one stream writes at a time."""

    def __init__(self, mailbox: Mailbox, meeting: Meeting) -> None:
        self._mailbox, self._meeting = mailbox, meeting
        self._lock = threading.Lock()
        self._newest: Stream | None = None

    def open(self, step: int, header: SetHeader) -> Stream:
        """Open a stream of a set, in the place of any older stream.

        Raises:
            Refusal: it is not this step's turn, or the header is not the step's.
        """
        leg = self._mailbox.turns.incoming(step)
        if small_kind(leg) is not None or header.width != form_of(leg).value:
            raise _contradiction(step, "carries something else than this stream states")
        with self._lock:
            self._mailbox.require_turn(step)
            self._newest = Stream(self, self._mailbox.folder, step, header)
            return self._newest

    def take(self, step: int, artefact: Artefact) -> bytes:
        """Store an artefact that came whole, and return its digest."""
        kind = small_kind(self._mailbox.turns.incoming(step))
        if kind is None or not isinstance(artefact, kind.artefact):
            raise _contradiction(step, "carries something else than this message states")
        with self._lock:
            self._mailbox.require_turn(step)
            digest = artefact_digest(step, artefact)
            stored = self._mailbox.folder.digest(step)
            if stored is None:
                self._mailbox.folder.store(step, artefact)
            elif stored != digest:
                raise _contradiction(step, "came again with another content")
        self._meeting.wake()
        return digest

    def write(self, stream: Stream, chunk: Chunk) -> None:
        """Let the newest stream write a chunk."""
        with self._lock:
            if stream is not self._newest:
                raise Superseded("a newer stream of this session has taken over")
            stream.write(chunk)
        self._meeting.notice()

    def wake(self) -> None:
        """Tell the driver that a set is whole."""
        self._meeting.wake()


class Stream:
    """One stream of one set: where it goes on, and when the set is whole."""

    def __init__(self, intake: Intake, folder: SessionFolder, step: int, header: SetHeader) -> None:
        self._intake, self._folder, self._step, self._header = intake, folder, step, header
        self._incoming: IncomingSet | None = None
        if folder.digest(step) is not None:
            self._require_same_header()
            return
        self._incoming = folder.incoming(step, header)
        self._finish_if_complete()

    @property
    def first_missing(self) -> int:
        """The first chunk that is not on disk."""
        return self._header.chunks if self._incoming is None else self._incoming.next_chunk

    @property
    def digest(self) -> bytes | None:
        """The digest of the whole set, once it is on disk."""
        return self._folder.digest(self._step)

    def accept(self, chunk: Chunk) -> None:
        """Take one chunk: the next one, or one that is here already, unchanged."""
        self._intake.write(self, chunk)

    def write(self, chunk: Chunk) -> None:
        """Write a chunk; only the intake calls this, under its lock."""
        if self._incoming is None:
            self._require_same_chunk(chunk)
            return
        self._incoming.accept(chunk)
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        if self._incoming is not None and self._incoming.complete:
            self._incoming.finish()
            self._incoming = None
            self._intake.wake()

    def _stored(self) -> LabelledSet:
        stored = self._folder.load(self._step)
        if not isinstance(stored, LabelledSet):
            raise _contradiction(self._step, "came before as something else than a set")
        return stored

    def _require_same_header(self) -> None:
        if header_of(self._stored()) != self._header:
            raise _contradiction(self._step, "came again with another header")

    def _require_same_chunk(self, chunk: Chunk) -> None:
        stored = self._stored()
        if (
            chunk.index >= self._header.chunks
            or read_chunk(stored, self._step, chunk.index) != chunk
        ):
            raise _contradiction(self._step, f"came again with another chunk {chunk.index}")


def _contradiction(step: int, why: str) -> Refusal:
    return Refusal(RefusalStatus.BAD_REQUEST, f"step {step} {why}; the session ends here")
