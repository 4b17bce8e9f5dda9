"""A desk that says on the log what happens to requests and sessions, an event a line.

A line names the request, the counterpart and the state; never an identifier or a count of people.
How a session ends is said by what listens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from client.key_exchange import note_renewed
from client.units import shown_seconds
from party.artefacts import SessionFolder
from party.card import IdentityCard
from party.contract import Contract
from party.decision import Decision
from party.desk import Desk
from party.driver import Progress, ProgressHook
from party.errors import Breach, Refusal
from party.events import Event, note
from party.link import Link
from party.parcels.seal import Seal
from party.renewals import Statements
from party.request import Request
from party.suppression.desk import SuppressionDesk

_log: Final = logging.getLogger("commonground.serve")


class ServedDesk:
    """What a listener asks of the party that it serves (`server.sessions.Desk`)."""

    def __init__(self, desk: Desk, suppressions: SuppressionDesk) -> None:
        self._desk, self.suppressions = desk, suppressions
        self._said: dict[str | None, Event] = {}
        self._lock = threading.Lock()

    def submit(self, peer: str, request: Request) -> Decision:
        """Take a request, and say when its state is another than before."""
        name = request.id[:8]
        try:
            decision = self._desk.submit(peer, request)
        except Refusal as refusal:
            status = refusal.status.value
            event = Event("request.refused", request.id, peer, str(request.kind), status=status)
            note(_log, event, f"request {name} from {peer}: refused, {status}")
            raise
        word: str = decision.state
        if decision.state == "pending":
            word = f"waits for `commonground requests approve {name}`"
        event = Event("request.taken", request.id, peer, str(request.kind), decision.state)
        self._say(event, f"request {name} with {peer}: {request.kind}, {word}")
        return decision

    def offered(self, contract_hash: bytes, peer: str) -> list[Request]:
        """Return own requests that wait for a counterpart that only dials."""
        return self._desk.offered(contract_hash, peer)

    def decide(self, peer: str, request_id: str, decision: Decision) -> None:
        """Take the counterpart's decision on an own request."""
        self._desk.decide(peer, request_id, decision)
        event = Event("request.decided", request_id, peer, state=decision.state)
        self._say(event, f"request {request_id[:8]} with {peer}: {decision.state} by them")

    def note_breach(self, peer: str, contract_hash: str | None, breach: Breach) -> None:
        """Log what a counterpart did outside of any session, and say so, a few times a day."""
        if self._desk.note_breach(peer, contract_hash, breach):
            status = breach.status.value
            event = Event("peer.breach", peer=peer, status=status, reason=breach.message)
            note(_log, event, f"{peer} broke the protocol: {breach}", level=logging.WARNING)

    def require_ready(self) -> None:
        """Raise unless the store answers."""
        self._desk.require_ready()

    def end(self, peer: str, request_id: str, contract_hash: bytes, refusal: Refusal) -> None:
        """Take the counterpart's word that a session has ended without a result."""
        self._desk.end(peer, request_id, contract_hash, refusal)
        event = Event("session.ended", request_id, peer, status=refusal.status.value)
        self._say(event, f"session {request_id[:8]} with {peer}: ended by them, {refusal}")

    def folder(self, request_id: str) -> SessionFolder:
        """Return the folder of a request's session."""
        return self._desk.folder(request_id)

    def seal(self, request: Request, own: str, peer: str) -> Seal:
        """Return this party's end of what it exchanges with a party that it does not meet."""
        return self._desk.seal(request, own, peer)

    def run(self, request: Request, links: Mapping[str, Link]) -> None:
        """Run a session, and say when it begins, what it is at, and when it is done."""
        start, peer = time.monotonic(), " and ".join(links)
        session = f"session {request.id[:8]} with {peer}"
        begun = Event("session.begun", request.id, peer, str(request.kind))
        note(_log, begun, f"{session}: {request.kind} begins")
        self._desk.run(request, links, _phases(request.id, peer))
        seconds = round(time.monotonic() - start, 3)
        finished = Event("session.finished", request.id, peer, str(request.kind), seconds=seconds)
        note(_log, finished, f"{session}: finished in {shown_seconds(seconds)}")

    def refusal_of(self, request_id: str) -> Refusal | None:
        """Return how a request ended here without a result, None for one that has not."""
        filed = self._desk.known(request_id)
        return None if filed is None else filed.decision.refusal

    def exchange_statements(self, cards: list[IdentityCard], said: Statements) -> Statements:
        """Take a counterpart's statements of keys, and return this party's."""
        new, answer = self._desk.renewals.exchange(cards, said)
        for one in new:
            note_renewed(one)
        return answer

    def contracts(self) -> list[Contract]:
        """Return the contracts that are signed and in force."""
        return self._desk.contracts()

    def seen_checkpoint(self, fingerprint: str) -> str:
        """Return the checkpoint that was witnessed last of a counterpart's log, "" for none."""
        return self._desk.seen_checkpoint(fingerprint)

    def _say(self, event: Event, sentence: str) -> None:
        """Log an event unless it was the last of its request: dialling sides ask often."""
        with self._lock:
            if self._said.get(event.request) == event:
                return
            self._said[event.request] = event
        note(_log, event, sentence)


class Logged:
    """Says on the log how far a session is that this party began (`client.carrying.Observer`)."""

    def __init__(self) -> None:
        self._request = ""

    def begun(self, request_id: str) -> None:
        """Take note of the request that is under way."""
        self._request = request_id

    def say(self, sentence: str) -> None:
        """Say what happens meanwhile."""
        note(_log, Event("report.under_way", self._request, reason=sentence), sentence)

    @contextmanager
    def watching(self, peer: str) -> Iterator[ProgressHook]:
        """Return a hook that says when a phase begins."""
        yield _phases(self._request, peer)


def _phases(request_id: str, peer: str) -> ProgressHook:
    """Return a hook that says when a phase begins; sizes stay here."""
    last = ""

    def tell(progress: Progress) -> None:
        nonlocal last
        if progress.phase != last:
            last = progress.phase
            event = Event("session.phase", request_id, peer, phase=last)
            note(_log, event, f"session {request_id[:8]}: {last}")

    return tell
