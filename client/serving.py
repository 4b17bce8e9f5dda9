"""A desk that says on the log what happens to requests and sessions, an event a line.

A line names the request, the counterpart and the state; never an identifier or a count of people.
How a session ends is said by what listens.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from client.units import shown_seconds
from party.artefacts import SessionFolder
from party.contract import Contract
from party.decision import Decision
from party.desk import Desk
from party.driver import Progress, ProgressHook
from party.errors import Refusal
from party.link import Link
from party.request import Request

_log: Final = logging.getLogger("commonground.serve")


class ServedDesk:
    """What a listener asks of the party that it serves (`server.sessions.Desk`)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def submit(self, peer: str, request: Request) -> Decision:
        """Take a request, and say when its state is another than before."""
        name = request.id[:8]
        try:
            decision = self._desk.submit(peer, request)
        except Refusal as refusal:
            _log.info("request %s from %s: refused, %s", name, peer, refusal.status.value)
            raise
        word: str = decision.state
        if decision.state == "pending":
            word = f"waits for `commonground requests approve {name}`"
        self._say(request.id, f"request {name} with {peer}: {request.kind}, {word}")
        return decision

    def offered(self, contract_hash: bytes, peer: str) -> list[Request]:
        """Return own requests that wait for a counterpart that only dials."""
        return self._desk.offered(contract_hash, peer)

    def decide(self, peer: str, request_id: str, decision: Decision) -> None:
        """Take the counterpart's decision on an own request."""
        self._desk.decide(peer, request_id, decision)
        self._say(request_id, f"request {request_id[:8]} with {peer}: {decision.state} by them")

    def folder(self, request_id: str) -> SessionFolder:
        """Return the folder of a request's session."""
        return self._desk.folder(request_id)

    def run(self, request: Request, link: Link) -> None:
        """Run a session, and say when it begins, what it is at, and when it is done."""
        name, start = request.id[:8], time.monotonic()
        _log.info("session %s with %s: %s begins", name, link.peer, request.kind)
        self._desk.run(request, link, _phases(name))
        took = shown_seconds(time.monotonic() - start)
        _log.info("session %s with %s: finished in %s", name, link.peer, took)

    def contracts(self) -> list[Contract]:
        """Return the contracts that are signed and in force."""
        return self._desk.contracts()

    def _say(self, request_id: str, line: str) -> None:
        """Log a line unless it was the last one about this request: dialling sides ask often."""
        with self._lock:
            if self._said.get(request_id) == line:
                return
            self._said[request_id] = line
        _log.info("%s", line)


def _phases(name: str) -> ProgressHook:
    """Return a hook that says when a phase begins; sizes stay here."""
    last = ""

    def tell(progress: Progress) -> None:
        nonlocal last
        if progress.phase != last:
            last = progress.phase
            _log.info("session %s: %s", name, progress.phase)

    return tell
