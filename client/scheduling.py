"""Running what is due of standing reports: by `report due`, and by `serve` as time goes on.

A run is tried until it has its report or a refusal; what that leaves on disk lets the next try go
on. Whoever runs what is due is alone in doing so for its party.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from client.actors import SCHEDULE
from client.cancelling import Cancelled
from client.exits import EXPECTED
from client.guess import Guess
from client.quoting import Quoted, quote_for
from client.templating import Files
from party.contract import Contract
from party.decision import FINISHED
from party.desk import Desk
from party.errors import Refusal, SessionSuspended
from party.filing import Filed
from party.occupied import running_series
from party.organisation import Organisation
from party.request import Request
from party.reservation import Share, shares
from party.schedule import Schedule
from party.series import CANCELLED, DONE, PLANNED, Run, Series, SeriesBook
from party.templates import Template
from party.terms import Terms
from privacy.accounting import Spend

_NOBODY: Final = "0" * 32


class Carries(Protocol):
    """What carries a request through (`client.carrying.Carrier`)."""

    @property
    def party(self) -> Organisation:
        """Whose requests they are."""

    def ask(self, request: Request, contract: Contract, *, actor: str) -> Filed:
        """File a request of this party's own and carry it through."""

    def go_on(self, filed: Filed) -> Filed:
        """Carry a filed request on from where it stands."""


@dataclass(frozen=True)
class Went:
    """How a run that was due went: its state now, and a sentence about it."""

    series: Series
    run: Run
    state: str
    said: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "template": self.series.name,
            "due_at": self.run.slot,
            "request": self.run.request,
            "state": self.state,
            "said": self.said,
        }


def run_due(carrier: Carries, *, wanted: Callable[[Run], bool] = lambda run: True) -> list[Went]:
    """Run what is due, oldest first; a run that nobody `wanted` to try now is left.

    Raises:
        InUse: another process does it now.
        Cancelled: somebody has cancelled; what is under way is suspended.
    """
    with running_series(carrier.party.folder):
        due = SeriesBook(carrier.party).due()
        return [_run(carrier, series, run) for series, run in due if wanted(run)]


def _run(carrier: Carries, series: Series, run: Run) -> Went:
    book = SeriesBook(carrier.party)
    if not book.is_planned(run):  # runs before it take their time
        return Went(series, run, CANCELLED, "it was cancelled before it was asked")
    files = Files.of(series.template.outputs, run.slot)
    try:
        filed = _carry(carrier, series, run, files)
    except Cancelled:
        raise
    except Refusal as refusal:
        return Went(series, run, book.settle(series, run, refusal), str(refusal))
    except SessionSuspended as stop:
        return Went(series, run, PLANNED, str(stop))
    except EXPECTED as error:
        return Went(series, run, PLANNED, f"it is tried again: {error}")
    try:
        written = files.write(carrier.party, filed)
    except (*EXPECTED, OSError) as error:
        said = f"the report is made, and not written: {error}. See `commonground report show`"
        book.finish(run, said)
        return Went(series, run, DONE, said)
    book.finish(run)
    return Went(series, run, DONE, ", ".join(["the report is made", *map(str, written)]))


def _carry(carrier: Carries, series: Series, run: Run, files: Files) -> Filed:
    """Ask for a run's report, or go on with what an earlier try has asked."""
    party = carrier.party
    filed = Desk(party).known(run.request)
    if filed is None:
        request = series.template.ask(run.request, party.now)
        files.require_writable(request)
        return carrier.ask(request, party.contract(request.contract), actor=SCHEDULE)
    return filed if filed.state == FINISHED else carrier.go_on(filed)


@dataclass(frozen=True)
class SeriesQuote:
    """What all runs of a series would cost, by party and by window of this party's budget."""

    template: Template
    schedule: Schedule
    each: Quoted
    windows: Sequence[Share]

    @property
    def runs(self) -> int:
        """How many runs there would be."""
        return len(self.schedule.slots)

    @property
    def charges(self) -> dict[str, Spend]:
        """What each party would be charged for all runs."""
        terms = Terms.of(self.each.request)
        return {
            name: sum([terms.spend_of(name)] * self.runs, Spend())
            for name in self.each.request.participants
        }


def quote_series(
    party: Organisation, template: Template, schedule: Schedule, guess: Guess
) -> SeriesQuote:
    """Quote all runs of a series; nothing is held.

    Raises:
        ContractError: the contract is not in force at one of them.
        Refusal: no such dataset here.
    """
    planned = SeriesBook(party).plan(_NOBODY, template, schedule)
    windows = party.store.read(lambda c: shares(c, planned, party.now))
    contract = party.contract(template.request.contract)
    each = quote_for(party, contract, template.ask(_NOBODY, party.now), guess)
    return SeriesQuote(template, schedule, each, windows)
