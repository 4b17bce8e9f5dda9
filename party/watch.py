"""What a session that is being carried out does just now, told where another process reads it.

Either it waits for a counterpart, and for what, or it works. It is said in the lock that the
session's process holds, so it is never older than the process. No size and no count is said.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final, TypeVar

from party.doing import Doing
from party.driver import Progress, ProgressHook
from party.link import Link
from party.messages import (
    Artefact,
    CheckpointOffer,
    Closing,
    Commitment,
    Cosignature,
    Exchange,
    Finish,
    Hello,
    Nonce,
)
from party.tracing import Trace

Message = TypeVar("Message", bound=Exchange)
_WORDS: Final[Mapping[type[Any], str]] = {
    Hello: "greeting",
    Commitment: "commitment",
    Nonce: "nonce",
    Closing: "account of the steps",
    Finish: "transcript",
    CheckpointOffer: "checkpoint",
    Cosignature: "cosignature",
}


class Watch:
    """Tells what a session does; `tell` takes a line, `clock` gives Unix seconds."""

    def __init__(
        self, tell: Callable[[str], None], clock: Callable[[], float], trace: Trace
    ) -> None:
        self._tell, self._clock, self._trace = tell, clock, trace
        self._lock, self._last = threading.Lock(), ("", "")
        self._phase = "reading its own data"
        self._say(self._phase)

    def links(self, links: Mapping[str, Link]) -> dict[str, Link]:
        """Return links that tell when a session waits at them."""
        return {peer: _WatchedLink(link, self) for peer, link in links.items()}

    def progress(self, hook: ProgressHook | None) -> ProgressHook:
        """Return a hook that tells phases too, before `hook`."""

        def tell(progress: Progress) -> None:
            self._phase = progress.phase
            self._say(progress.phase)
            if hook is not None:
                hook(progress)

        return tell

    @contextmanager
    def waiting(self, peer: str, what: str) -> Iterator[None]:
        """Tell that the session waits meanwhile."""
        self._say(what, peer)
        try:
            yield
        finally:
            self._say(self._phase)

    def _say(self, what: str, peer: str = "") -> None:
        with self._lock:
            if self._last != (what, peer):
                self._last = what, peer
                self._trace.turn_to(what, peer)
                self._tell(json.dumps(asdict(Doing(what, int(self._clock()), peer or None))))


class _WatchedLink:
    """A link that tells what is waited for at it."""

    def __init__(self, link: Link, watch: Watch) -> None:
        self._link, self._watch = link, watch

    @property
    def peer(self) -> str:
        return self._link.peer

    def exchange(self, message: Message) -> Message:
        with self._watch.waiting(self.peer, _WORDS[type(message)]):
            return self._link.exchange(message)

    def said(self, kind: type[Message]) -> Message | None:
        return self._link.said(kind)

    def send(self, step: int, artefact: Artefact) -> None:
        with self._watch.waiting(self.peer, f"receipt of step {step}"):
            self._link.send(step, artefact)

    def receive(self, step: int) -> Artefact:
        with self._watch.waiting(self.peer, f"step {step}"):
            return self._link.receive(step)

    def conclude(self) -> None:
        self._link.conclude()

    def refuse(self, status: str, reason: str) -> None:
        self._link.refuse(status, reason)
