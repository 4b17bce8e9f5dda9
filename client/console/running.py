"""Requests that the console carries through, each in a thread of its own, never in a page's.

What the console carries stands in the store (`console_runs`), so a console that is stopped suspends
its sessions, and the next one takes them up again: under the account of whoever began them, and
charged once, since the session is the same. A request is carried once at a time, however often
somebody clicks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from client.cancelling import Cancelled, CancelToken
from client.carrying import Carrier
from client.exits import EXPECTED, said_in
from client.progress import FIRST_PHASE, Phase
from languages import message
from party import accounts
from party.decision import FINISHED, OPEN_STATES
from party.desk import Desk
from party.driver import Progress, ProgressHook
from party.errors import PartyError, Refusal, StoreError
from party.events import Event, note
from party.organisation import Organisation
from party.schema import CONSOLE_RUNS, REQUESTS

MOST: Final = 32
"""How many requests are carried at a time; those that wait for somebody are among them."""
STOP_SECONDS: Final = 60.0
_log: Final = logging.getLogger("commonground.console")


@dataclass
class Run:
    """One request under way, as pages are told of it (`client.carrying.Observer`).

    Its `thread` runs before anybody can find it.
    """

    request: str
    account: str
    said: str = ""
    phase: Phase | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    thread: threading.Thread = field(init=False)

    def begun(self, request_id: str) -> None:
        """Nothing: the request is known."""

    def say(self, sentence: str) -> None:
        """Keep the last sentence."""
        self.said, self.phase = sentence, None

    @contextmanager
    def watching(self, peer: str) -> Iterator[ProgressHook]:
        """Keep how far the session is."""
        self.say("")
        self.phase = Phase(FIRST_PHASE)
        yield self._tell

    def _tell(self, progress: Progress) -> None:
        phase = self.phase
        if phase is None or (phase.name, phase.total) != (progress.phase, progress.total):
            phase = Phase(progress.phase, progress.total)
        phase.done = progress.done
        self.phase = phase


class Runner:
    """Carries one party's requests for whoever has signed in."""

    def __init__(self, party: Organisation) -> None:
        self._party = party
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._said: dict[str, str] = {}
        self._kept = 0
        self._stopped = False

    def start(self) -> None:
        """Take up what an earlier console left, and forget what has ended since."""
        with self._lock:
            self._stopped = False
        for row in self._party.store.rows(_open()):
            self._begin(row.request, row.account)
        self._forget(CONSOLE_RUNS.c.request.not_in(_open_ids()))

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Suspend everything that is under way, and wait until it is."""
        with self._lock:
            self._stopped = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel.cancel()
        for run in runs:
            run.thread.join(seconds)

    @contextmanager
    def room(self, more: int = 1) -> Iterator[None]:
        """Keep room for so many more, from before they are filed until they are begun.

        Raises:
            PartyError: so many are under way, or the console is being stopped.
        """
        with self._lock:
            self._require_room(more)
            self._kept += more
        try:
            yield
        finally:
            with self._lock:
                self._kept -= more

    def resume(self, request_id: str, account: str) -> None:
        """Go on with a request that was filed before, unless it is carried already.

        Raises:
            PartyError: as `room`.
        """
        if self.run_of(request_id) is None:
            with self.room():
                self.begin(request_id, account)

    def begin(self, request_id: str, account: str) -> None:
        """Carry a request that is filed, in `room` that is kept, unless it is carried already.

        A console that is being stopped leaves it to the next one.
        """
        now = self._party.now

        def work(connection: Connection) -> None:
            known = sa.select(CONSOLE_RUNS.c.request).where(CONSOLE_RUNS.c.request == request_id)
            if connection.execute(known).first() is None:
                connection.execute(
                    sa.insert(CONSOLE_RUNS).values(
                        request=request_id, account=account, began_at=now
                    )
                )

        self._party.store.write(work)
        self._begin(request_id, account)

    def suspend(self, request_id: str) -> None:
        """Stop carrying a request, which stays as it is on disk, and wait until it has stopped."""
        self._forget(CONSOLE_RUNS.c.request == request_id)
        with self._lock:
            run = self._runs.get(request_id)
        if run is not None:
            run.cancel.cancel()
            run.thread.join(STOP_SECONDS)

    def run_of(self, request_id: str) -> Run | None:
        """Return how a request that is under way here stands, None where it is not."""
        with self._lock:
            return self._runs.get(request_id)

    def said_of(self, request_id: str) -> str:
        """Return why a request is no longer under way here; "" where nothing went wrong."""
        with self._lock:
            return self._said.get(request_id, "")

    def _require_room(self, more: int) -> None:
        if self._stopped:
            raise PartyError(message("the console is being stopped: try again when it is back"))
        if len(self._runs) + self._kept + more > MOST:
            raise PartyError(
                message(
                    "{most} requests are under way here: suspend one, or wait for it",
                    most=MOST,
                )
            )

    def _begin(self, request_id: str, account: str) -> None:
        run = Run(request_id, account)
        run.thread = threading.Thread(
            target=self._carry, args=(run,), name=f"run-{request_id[:8]}", daemon=True
        )
        with self._lock:
            if self._stopped or request_id in self._runs:
                return
            run.thread.start()
            self._runs[request_id] = run
            self._said.pop(request_id, None)

    def _carry(self, run: Run) -> None:
        with accounts.acting_as(run.account):
            ended: str | None
            try:
                carrier = Carrier(self._party, run, wait=True, cancel=run.cancel)
                carrier.go_on(Desk(self._party).find(run.request))
                ended = ""
            except Cancelled:
                ended = None  # it is on disk; whoever cancelled says whether it is taken up
            except Refusal as refusal:
                ended = said_in(refusal)
            except EXPECTED as error:
                ended = said_in(error)
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it
                # Once cancelled, its workers and its store may end under it; it is on disk.
                ended = None if run.cancel.cancelled else _fault(run, error)
            self._end(run, ended)

    def _end(self, run: Run, said: str | None) -> None:
        if said is not None:
            try:
                self._forget(CONSOLE_RUNS.c.request == run.request)
            except StoreError as error:  # it is taken up again by the next console
                said = said or said_in(error)
        with self._lock:
            self._runs.pop(run.request, None)
            if said:
                self._said[run.request] = said

    def _forget(self, wanted: sa.ColumnElement[bool]) -> None:
        """Forget what is carried no longer: the console's own book, whatever an account may do."""
        gone = sa.delete(CONSOLE_RUNS).where(wanted)
        self._party.store.record(lambda connection: connection.execute(gone))


def _fault(run: Run, error: Exception) -> str:
    event = Event("console.failed", reason=type(error).__name__)
    sentence = f"request {run.request[:8]} ended with a fault of the program"
    note(_log, event, sentence, level=logging.ERROR, fault=error)
    return message("a fault of this program; its log, for the operators, says more")


def _open_ids() -> sa.Select[tuple[str]]:
    """Return the requests that may have something left: one that has finished, its cosignature."""
    return sa.select(REQUESTS.c.id).where(REQUESTS.c.state.in_((*OPEN_STATES, FINISHED)))


def _open() -> sa.Select[tuple[str, str]]:
    return sa.select(CONSOLE_RUNS.c.request, CONSOLE_RUNS.c.account).where(
        CONSOLE_RUNS.c.request.in_(_open_ids())
    )
