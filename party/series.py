"""Series: a template that is asked again and again, with the budget of all its runs held at once.

A run's request has an id that follows from series and slot, so however often a run is tried, and
wherever the party was killed, it is one request and charged once. All times are UTC: a day is
24 hours, and summer time changes nothing. docs/decisions/0023.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import ReportSkipped
from audit.errors import SignatureError
from languages import message
from party import holds, reservation
from party.contract import Contract
from party.contract_terms import write_time
from party.errors import ContractError, PartyError, Refusal
from party.reservation import Planned
from party.schedule import Every, Schedule
from party.schema import LEDGER, REQUESTS, SERIES, SERIES_RUNS
from party.session_charge import SessionCharge
from party.templates import Template
from privacy.accounting import Spend

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR: Final = "schedule"  # as the log says who acts
PLANNED, DONE, SKIPPED, FAILED = "planned", "done", "skipped", "failed"
MISSED, CANCELLED = "missed", "cancelled"
ACTIVE: Final = "active"


@dataclass(frozen=True)
class Run:
    """One run: its slot (Unix seconds), its request's id, and how it stands."""

    slot: int
    request: str
    state: str
    reason: str | None
    changed_at: int


@dataclass(frozen=True)
class Series:
    """A series with all its runs; what is held for those to come, and what was charged."""

    id: str
    template: Template
    schedule: Schedule
    made_at: int
    cancelled_at: int | None
    runs: tuple[Run, ...]
    held: Spend
    spent: Spend

    @property
    def name(self) -> str:
        """The template's name."""
        return self.template.name

    @property
    def next_run(self) -> Run | None:
        """The next run that is planned."""
        return next((run for run in self.runs if run.state == PLANNED), None)

    @property
    def runs_left(self) -> int:
        """How many runs are planned."""
        return sum(run.state == PLANNED for run in self.runs)

    @property
    def last_run(self) -> Run | None:
        """The newest run that was due and has come to its end."""
        ended = (DONE, SKIPPED, FAILED, MISSED)
        return next((run for run in reversed(self.runs) if run.state in ended), None)

    @property
    def state(self) -> str:
        """`active`, `cancelled` or `ended`."""
        if self.cancelled_at is not None:
            return CANCELLED
        return ACTIVE if self.next_run else "ended"


class SeriesBook:
    """The series of one party."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    # -- making ---------------------------------------------------------------------------

    def plan(self, series_id: str, template: Template, schedule: Schedule) -> list[Planned]:
        """Return the requests of all runs, and until when budget is held for each.

        Raises:
            ContractError: the contract is not in force at one of them.
        """
        contract = self._party.contract(template.request.contract)
        _require_in_force(contract, schedule)
        me = contract.me(self._party.identity)
        return [
            Planned(
                SessionCharge(contract, template.ask(request_id(series_id, slot), slot), me),
                slot,
                slot + schedule.every.seconds,
            )
            for slot in schedule.slots
        ]

    def make(self, template: Template, schedule: Schedule, series_id: str | None = None) -> Series:
        """Hold the budget of all runs and plan them, or refuse the whole.

        With an id (32 hexadecimal digits) that is known nothing more is planned: a form that is
        sent twice makes one series.

        Raises:
            Refusal: BUDGET_EXHAUSTED: the runs do not fit a window that they fall in.
            ContractError: the contract is not in force at one of them.
            PartyError: the template has a series that has not ended.
        """
        party, series_id = self._party, series_id or secrets.token_hex(16)
        planned = self.plan(series_id, template, schedule)
        body = json.dumps(
            {
                "template": {**template.to_json(), "made_at": template.made_at},
                "every": schedule.every.value,
                "first": schedule.first,
                "last": schedule.last,
            }
        )

        def work(connection: Connection) -> None:
            known = sa.select(SERIES.c.id).where(SERIES.c.id == series_id)
            if connection.execute(known).first() is not None:
                return
            if _active(connection, template.name):
                raise PartyError(
                    message(
                        "{name} has a schedule already: cancel it with `commonground "
                        "report schedules cancel {name}`, or save a template of another "
                        "name",
                        name=template.name,
                    )
                )
            reservation.reserve(connection, planned, f"series {template.name}", party.now)
            signature = party.identity.sign_own(series_message(series_id, template.name, body))
            connection.execute(
                sa.insert(SERIES).values(
                    id=series_id,
                    name=template.name,
                    body=body,
                    signature=signature,
                    made_at=party.now,
                )
            )
            connection.execute(
                sa.insert(SERIES_RUNS),
                [
                    {
                        "series": series_id,
                        "slot": one.due_at,
                        "request": one.request.id,
                        "state": PLANNED,
                        "changed_at": party.now,
                    }
                    for one in planned
                ],
            )

        party.store.write(work)
        return next(one for one in self.all() if one.id == series_id)

    def cancel(self, name: str) -> Series:
        """Plan no more runs of a template; what was spent stays spent, what was asked goes on.

        Raises:
            PartyError: the template has no series that goes on.
        """

        def work(connection: Connection) -> str:
            series_id = _active(connection, name)
            if series_id is None:
                raise PartyError(
                    message(
                        "{name} has no schedule that goes on: see `commonground report "
                        "schedules list`",
                        name=name,
                    )
                )
            unasked = _unasked(connection, SERIES_RUNS.c.series == series_id)
            self._change(connection, [row.request for row in unasked], CANCELLED, None)
            connection.execute(
                sa.update(SERIES)
                .where(SERIES.c.id == series_id)
                .values(cancelled_at=self._party.now)
            )
            return series_id

        series_id = self._party.store.write(work)
        return next(one for one in self.all() if one.id == series_id)

    # -- running --------------------------------------------------------------------------

    def due(self) -> list[tuple[Series, Run]]:
        """Return the runs that are due, oldest first.

        Of several that passed while nobody ran them, the last makes up for all; the others are
        missed, and what was held for them is let go.
        """

        def work(connection: Connection) -> None:
            late = _unasked(connection, SERIES_RUNS.c.slot <= self._party.now)
            newest = {row.series: row.slot for row in late}
            missed = [row.request for row in late if row.slot < newest[row.series]]
            reason = "the party was not at work; a later run makes up for it"
            self._change(connection, missed, MISSED, reason)

        self._party.store.write(work)
        now = self._party.now
        found = [
            (series, run)
            for series in self.all()
            for run in series.runs
            if run.state == PLANNED and run.slot <= now
        ]
        return sorted(found, key=lambda pair: pair[1].slot)

    def is_planned(self, run: Run) -> bool:
        """Say whether a run that was due is still to be made; it may have been cancelled since."""
        query = sa.select(SERIES_RUNS.c.state).where(SERIES_RUNS.c.request == run.request)
        row = self._party.store.row(query)
        return row is not None and row.state == PLANNED

    def finish(self, run: Run, reason: str | None = None) -> None:
        """Record that a run has its report; `reason` says what went wrong afterwards."""
        self._party.store.write(lambda c: self._change(c, [run.request], DONE, reason))

    def settle(self, series: Series, run: Run, refusal: Refusal) -> str:
        """Record that a run has no report; return whether it was skipped or failed.

        A run that was not charged is skipped, and the log says why.
        """

        def work(connection: Connection) -> str:
            charge = sa.select(LEDGER.c.id).where(LEDGER.c.request == run.request)
            charged = connection.execute(charge).first() is not None
            state = FAILED if charged else SKIPPED
            changed = self._change(connection, [run.request], state, str(refusal))
            if changed and not charged:
                body = ReportSkipped(run.request, run.slot, refusal.status.value)
                self._party.journal.append(
                    connection,
                    "report.skipped",
                    body,
                    actor=ACTOR,
                    contract=series.template.request.contract,
                )
            return state

        return self._party.store.write(work)

    def _change(
        self, connection: Connection, requests: Sequence[str], state: str, reason: str | None
    ) -> int:
        """Bring planned runs to their end; hold nothing for them; return how many there were."""
        if not requests:
            return 0
        holds.let_go(connection, requests)
        planned = SERIES_RUNS.c.request.in_(requests), SERIES_RUNS.c.state == PLANNED
        values = {"state": state, "reason": reason, "changed_at": self._party.now}
        done = connection.execute(sa.update(SERIES_RUNS).where(*planned).values(values))
        return done.rowcount

    # -- reading --------------------------------------------------------------------------

    def all(self) -> list[Series]:
        """Return every series, newest first.

        Raises:
            PartyError: one was changed after it was made.
        """

        def work(connection: Connection) -> list[Series]:
            rows = connection.execute(sa.select(SERIES).order_by(SERIES.c.made_at.desc())).all()
            return [self._read(connection, row) for row in rows]

        return self._party.store.read(work)

    def next_slot(self) -> int | None:
        """Return when the next run is due, or was (Unix seconds); None when nothing is planned."""
        row = self._party.store.row(
            sa.select(sa.func.min(SERIES_RUNS.c.slot).label("slot")).where(
                SERIES_RUNS.c.state == PLANNED
            )
        )
        return None if row is None or row.slot is None else int(row.slot)

    def _read(self, connection: Connection, row: sa.Row[Any]) -> Series:
        try:
            self._party.identity.verifier.verify(
                series_message(row.id, row.name, row.body), row.signature
            )
        except SignatureError:
            raise PartyError(
                message(
                    "the schedule of {name} was changed after it was made: restore "
                    "the store from a backup",
                    name=row.name,
                )
            ) from None
        body = json.loads(row.body)
        query = sa.select(SERIES_RUNS).where(SERIES_RUNS.c.series == row.id)
        runs = tuple(
            Run(one.slot, one.request, one.state, one.reason, one.changed_at)
            for one in connection.execute(query.order_by(SERIES_RUNS.c.slot))
        )
        requests = [run.request for run in runs]
        return Series(
            id=row.id,
            template=Template.from_json(row.name, body["template"], body["template"]["made_at"]),
            schedule=Schedule(Every(body["every"]), body["first"], body["last"]),
            made_at=row.made_at,
            cancelled_at=row.cancelled_at,
            runs=runs,
            held=holds.held_for(connection, requests, self._party.now),
            spent=_spent_on(connection, requests),
        )


def request_id(series_id: str, slot: int) -> str:
    """Return the id of a run's request (32 hex digits): the same however often it is tried."""
    return sha256(f"commonground/series/v1\n{series_id}\n{slot}".encode()).hexdigest()[:32]


def series_message(series_id: str, name: str, body: str) -> bytes:
    """Return what a party signs of a stored series, so that it notices a change."""
    return f"commonground/series/v1\n{series_id}\n{name}\n{body}".encode()


def _spent_on(connection: Connection, requests: Sequence[str]) -> Spend:
    rows = connection.execute(sa.select(LEDGER).where(LEDGER.c.request.in_(requests)))
    return sum((Spend(row.epsilon_nano, row.rho_nano, row.delta_e15) for row in rows), Spend())


def _active(connection: Connection, name: str) -> str | None:
    query = (
        sa.select(SERIES.c.id)
        .join(SERIES_RUNS, SERIES_RUNS.c.series == SERIES.c.id)
        .where(
            SERIES.c.name == name,
            SERIES.c.cancelled_at.is_(None),
            SERIES_RUNS.c.state == PLANNED,
        )
    )
    found: str | None = connection.execute(query).scalars().first()
    return found


def _unasked(connection: Connection, wanted: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """Return planned runs, by slot, whose request has not been filed."""
    query = (
        sa.select(SERIES_RUNS)
        .outerjoin(REQUESTS, REQUESTS.c.id == SERIES_RUNS.c.request)
        .where(SERIES_RUNS.c.state == PLANNED, REQUESTS.c.id.is_(None), wanted)
        .order_by(SERIES_RUNS.c.slot)
    )
    return connection.execute(query).all()


def _require_in_force(contract: Contract, schedule: Schedule) -> None:
    contract.require_in_force(schedule.first)
    if contract.ends <= schedule.last:
        raise ContractError(
            message(
                "contract {id} ends on {ends}, before the last run on {last}: "
                "choose an earlier last day",
                id=contract.id,
                ends=write_time(contract.ends),
                last=write_time(schedule.last),
            )
        )
    contract.require_in_force(schedule.last)  # the certificates too
