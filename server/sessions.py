"""The sessions that a listener has open, each with its driver in a thread of its own.

A session opens when its counterpart greets and the request is approved; it opens again in the
same way after a restart. A driver that has ended leaves the mailbox behind for a while, so that a
counterpart whose last answer got lost can ask again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from party.artefacts import SessionFolder
from party.card import IdentityCard
from party.contract import Contract
from party.decision import Decision
from party.errors import Breach, PartyError, Refusal, RefusalStatus, SessionSuspended
from party.events import Event, note
from party.link import Link
from party.messages import Hello
from party.parcels.order import ParcelOrder
from party.parcels.seal import Seal
from party.renewals import Statements
from party.request import Request
from party.terms import Terms
from party.turns import Turns
from party.wire.exchanges import EXCHANGES
from party.wire.names import SessionName
from party.wire.refusals import Condition
from server.admission import Queue
from server.errors import DriverFailed, NotNow
from server.far_link import FarLink
from server.intake import Intake
from server.link import ListeningLink
from server.mailbox import Mailbox
from server.meeting import Meeting
from server.parcel_box import ParcelBox
from server.suppression_service import SuppressionDesk

_log: Final = logging.getLogger("commonground.server")
_SHUTTING_DOWN: Final = "this party is shutting down; the session goes on when it is back"


class Desk(Protocol):
    """What a listener needs of the party that it serves; called from several threads."""

    def submit(self, peer: str, request: Request) -> Decision:
        """Take a request, or return how one that is known stands."""

    def offered(self, contract_hash: bytes, peer: str) -> list[Request]:
        """Return own requests that wait for a counterpart that only dials."""

    def decide(self, peer: str, request_id: str, decision: Decision) -> None:
        """Take the counterpart's decision on an own request."""

    def end(self, peer: str, request_id: str, contract_hash: bytes, refusal: Refusal) -> None:
        """Record the counterpart's word that a session has ended without a result."""

    def folder(self, request_id: str) -> SessionFolder:
        """Return the folder of a request's session."""

    def run(self, request: Request, links: Mapping[str, Link]) -> None:
        """Run the session's driver to its end, with a link to each counterpart by its name."""

    def seal(self, request: Request, own: str, peer: str) -> Seal:
        """Return this party's end of what it exchanges with a party that it does not meet."""

    def contracts(self) -> list[Contract]:
        """Return the contracts that are signed and in force."""

    def seen_checkpoint(self, fingerprint: str) -> str:
        """Return the checkpoint that was witnessed last of a counterpart's log, "" for none."""

    def note_breach(self, peer: str, contract_hash: str | None, breach: Breach) -> None:
        """Log what a counterpart did outside of any session, or after one."""

    def require_ready(self) -> None:
        """Raise unless the store answers."""

    def refusal_of(self, request_id: str) -> Refusal | None:
        """Return how a request ended here without a result, None for one that has not."""

    def exchange_statements(self, cards: list[IdentityCard], said: Statements) -> Statements:
        """Take a counterpart's statements of keys, and return this party's."""

    @property
    def suppressions(self) -> SuppressionDesk:
        """Where suppression runs are taken and given out."""


@dataclass(frozen=True)
class Patience:
    """How long a driver waits without a sign, and how long a call waits for the driver."""

    patience_seconds: float
    hold_seconds: float


@dataclass(frozen=True)
class Places:
    """How many sessions run at once: all together, and those of one counterpart."""

    sessions: int
    of_a_peer: int


@dataclass(frozen=True)
class Session:
    """One open session: where its calls and its driver meet.

    `boxes` are for the parties that this one does not meet, by their names.
    """

    meeting: Meeting
    mailbox: Mailbox
    intake: Intake
    boxes: Mapping[str, ParcelBox]
    driver: threading.Thread | None

    @property
    def runs(self) -> bool:
        """Say whether the driver is at work."""
        return self.driver is not None and self.driver.is_alive()

    def box(self, party: str) -> ParcelBox:
        """Return the parcels from and for a party, or refuse."""
        if party not in self.boxes:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                "the session has no such party to which its dialler carries parcels",
            )
        return self.boxes[party]


class Sessions:
    """Every open session, by counterpart and request."""

    def __init__(
        self,
        desk: Desk,
        *,
        places: Places,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk, self._patience, self._clock = desk, patience, clock
        self._queue = Queue(places.sessions, places.of_a_peer, clock)
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Session] = {}
        self._stopping = False

    def find(self, peer: str, name: SessionName) -> Session:
        """Return an open session, and note that its counterpart is there.

        Raises:
            NotNow: it is not open; the counterpart greets first.
            Refusal: it has ended.
        """
        with self._lock:
            session = self._open.get((peer, name.request_id))
        if session is None:
            raise NotNow(Condition.GREET_FIRST)
        if session.mailbox.name != name:
            raise Breach(RefusalStatus.BAD_REQUEST, "the session was opened under another contract")
        session.meeting.notice()
        return session

    def greet(self, own: str, peer: str, name: SessionName, hello: Hello) -> Session:
        """Return the session that a counterpart greets, opened if it is not open.

        Raises:
            NotNow: nobody has approved the request yet, or too many sessions run.
            Refusal: the request was refused, or the greeting contradicts itself.
        """
        _require_consistent(name, hello)
        session = self._opened(own, peer, name, hello.request)
        session.meeting.notice()
        return session

    def expect(self, own: str, peer: str, request: Request) -> None:
        """Open the session of a request that was approved, since its counterpart greets next.

        So both sides read their people at the same time. Whatever is in the way of it now is said
        to the greeting.
        """
        name = SessionName(request.id, bytes.fromhex(request.contract))
        with suppress(NotNow, Refusal):
            self._opened(own, peer, name, request)

    def refuse(self, peer: str, name: SessionName, refusal: Refusal) -> None:
        """End a session as its counterpart says, open or not; it is on disk before the answer.

        Raises:
            Refusal: there is no such request with this counterpart.
        """
        self._desk.end(peer, name.request_id, name.contract_hash, refusal)
        with self._lock:
            self._queue.leave(peer, name.request_id)
            session = self._open.get((peer, name.request_id))
        if session is not None:
            session.meeting.stop(refusal)

    def end_refused(self) -> None:
        """Stop the sessions whose requests this party has refused since they were opened."""
        with self._lock:
            sessions = dict(self._open)
        for (_, request_id), session in sessions.items():
            refusal = self._desk.refusal_of(request_id)
            if refusal is not None:
                session.meeting.stop(refusal)

    def running(self) -> int:
        """Return the number of drivers at work."""
        return self._by_peer().total()

    def has_room(self) -> bool:
        """Say whether a counterpart that asks now gets a place, or may wait for one."""
        with self._lock:
            return not self._stopping and not self._queue.full

    def stop(self, grace_seconds: float) -> None:
        """Suspend every session, and wait for the drivers for as long as `grace_seconds`."""
        with self._lock:
            self._stopping = True
            sessions = list(self._open.values())
        for session in sessions:
            session.meeting.stop(SessionSuspended(_SHUTTING_DOWN))
        deadline = self._clock() + grace_seconds
        for session in sessions:
            if session.driver is not None:
                session.driver.join(max(0.0, deadline - self._clock()))

    def _opened(self, own: str, peer: str, name: SessionName, request: Request) -> Session:
        with self._lock:
            session = self._open.get((peer, name.request_id))
            if session is None or not (session.runs or session.meeting.stopped is None):
                session = self._reopen(own, peer, name, request)
            return session

    # -- inside, under the lock ------------------------------------------------------------

    def _reopen(self, own: str, peer: str, name: SessionName, request: Request) -> Session:
        """Open a session as the desk has decided on its request."""
        decision = self._desk.submit(peer, request)
        if decision.refusal is not None:
            raise decision.refusal
        if decision.state == "pending":
            raise NotNow(Condition.PENDING)
        meeting = Meeting(
            peer,
            patience_seconds=self._patience.patience_seconds,
            hold_seconds=self._patience.hold_seconds,
            clock=self._clock,
        )
        folder, terms = self._desk.folder(request.id), Terms.of(request)
        mailbox = Mailbox(name, meeting, Turns.of(terms, own, peer), folder)
        boxes = {
            far: ParcelBox(
                self._desk.seal(request, own, far),
                ParcelOrder(Turns.of(terms, own, far)),
                folder,
                meeting,
            )
            for far in request.participants
            if far not in (own, peer)
        }
        needs_driver = decision.state == "approved" or _stopped_at_the_end(mailbox, boxes)
        self._forget_silent()
        if self._stopping:
            raise NotNow(Condition.BUSY)
        if needs_driver and not self._queue.admit(peer, request.id, self._by_peer()):
            raise NotNow(Condition.BUSY)
        driver = self._driver(request, meeting, mailbox, boxes) if needs_driver else None
        session = Session(meeting, mailbox, Intake(mailbox, meeting), boxes, driver)
        self._open[peer, name.request_id] = session
        if driver is not None:
            driver.start()
        return session

    def _driver(
        self, request: Request, meeting: Meeting, mailbox: Mailbox, boxes: Mapping[str, ParcelBox]
    ) -> threading.Thread:
        links: dict[str, Link] = {meeting.peer: ListeningLink(mailbox)}
        links |= {far: FarLink(box) for far, box in boxes.items()}
        return threading.Thread(
            target=self._drive,
            args=(request, meeting, links),
            name=f"session-{request.id[:8]}",
            daemon=True,
        )

    def _drive(self, request: Request, meeting: Meeting, links: Mapping[str, Link]) -> None:
        try:
            self._desk.run(request, links)
        except (Refusal, SessionSuspended) as stop:
            self._note_stop(request, meeting.peer, stop)
            meeting.stop(_without_frames(stop))
        except PartyError as error:
            event = Event("session.stopped", request.id, meeting.peer, reason=str(error))
            sentence = f"session {request.id} stopped: {error}"
            note(_log, event, sentence, level=logging.ERROR)
            meeting.stop(DriverFailed("the session stopped at the other party; ask it to look"))
        except Exception as error:  # noqa: BLE001 - a fault in one leaves the others alone
            if self._stopping:  # its workers and its store are ended under it; it will go on
                self._note_stop(request, meeting.peer, SessionSuspended(_SHUTTING_DOWN))
                return
            event = Event("session.failed", request.id, meeting.peer)
            sentence = f"session {request.id} stopped on a fault of this program"
            note(_log, event, sentence, level=logging.ERROR, fault=error)
            meeting.stop(DriverFailed("the session failed at the other party; ask it to look"))

    def _note_stop(self, request: Request, peer: str, stop: Refusal | SessionSuspended) -> None:
        if isinstance(stop, Refusal):
            status, reason = stop.status.value, stop.message
            event = Event("session.refused", request.id, peer, status=status, reason=reason)
        else:
            event = Event("session.suspended", request.id, peer, reason=str(stop))
        note(_log, event, f"session {request.id}: {stop}")

    def _by_peer(self) -> Counter[str]:
        return Counter(peer for (peer, _), session in self._open.items() if session.runs)

    def _forget_silent(self) -> None:
        """Let go of sessions whose driver has ended and whose counterpart is gone."""
        for key, session in list(self._open.items()):
            silent = session.meeting.silent_seconds() > self._patience.patience_seconds
            if silent and not session.runs:
                del self._open[key]


def _without_frames(stop: Refusal | SessionSuspended) -> Refusal | SessionSuspended:
    """Return an error without the frames that it went through: they hold the session's people."""
    stop.__cause__ = stop.__context__ = None
    return stop.with_traceback(None)


def _stopped_at_the_end(mailbox: Mailbox, boxes: Mapping[str, ParcelBox]) -> bool:
    """Say whether a finished session has something left to do that a counterpart said last.

    Raises:
        Refusal: the session finished and was deleted, so it has no words to repeat.
    """
    letters = [mailbox.letters, *(box.letters for box in boxes.values())]
    if not any(one.exchanged(kind.field) for one in letters for kind in EXCHANGES):
        raise Refusal(
            RefusalStatus.EXPIRED, "the session has finished, and its artefacts are deleted here"
        )
    return not all(one.concluded for one in letters)


def _require_consistent(name: SessionName, hello: Hello) -> None:
    if (
        hello.request.id != name.request_id
        or hello.contract_hash != name.contract_hash
        or bytes.fromhex(hello.request.contract) != name.contract_hash
    ):
        raise Breach(
            RefusalStatus.BAD_REQUEST,
            "the greeting names another request or contract than the call that carries it",
        )
