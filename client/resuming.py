"""Going on with sessions that broke off, as `serve` does for the party that it serves.

A session that this party dials ends with the process that carried it out: a machine that restarts,
a terminal that is closed, a counterpart that stays away for longer than the patience. It is on
disk, and whoever serves goes on with it. Requests that have not begun wait for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from client.cancelling import Cancelled
from client.exits import EXPECTED
from party.decision import FAILED, FINISHED
from party.desk import Desk
from party.dialling import dials
from party.errors import ContractError, Refusal, SessionSuspended
from party.filing import Filed
from party.organisation import Organisation
from party.series import PLANNED, SeriesBook
from party.standing import open_sessions

SUSPENDED: Final = "suspended"


class GoesOn(Protocol):
    """What carries a request through (`client.carrying.Carrier`)."""

    def go_on(self, filed: Filed) -> Filed:
        """Carry a filed request on from where it stands."""


@dataclass(frozen=True)
class Went:
    """How going on with a session went: its state now, and a sentence about it."""

    filed: Filed
    state: str
    said: str


def broken_off(party: Organisation) -> list[Filed]:
    """Return the requests whose sessions wait for this party to dial again, oldest first.

    Runs of standing reports are not among them: they are tried again as runs.
    """
    runs = {
        run.request
        for series in SeriesBook(party).all()
        for run in series.runs
        if run.state == PLANNED
    }
    desk = Desk(party)
    return [
        filed
        for one in open_sessions(party)
        if not one.runs and one.request not in runs
        if (filed := desk.known(one.request)) is not None and _is_ours_to_dial(party, filed)
    ]


def go_on_with(carrier: GoesOn, filed: Filed) -> Went:
    """Go on with a session once; what keeps it from its end leaves it for another time.

    Raises:
        Cancelled: somebody has cancelled; the session is suspended.
    """
    try:
        carrier.go_on(filed)
    except Cancelled:
        raise
    except Refusal as refusal:
        return Went(filed, FAILED, str(refusal))
    except SessionSuspended as stop:
        return Went(filed, SUSPENDED, str(stop))
    except EXPECTED as error:
        return Went(filed, SUSPENDED, f"it is tried again: {error}")
    return Went(filed, FINISHED, "the session that had broken off is finished")


def _is_ours_to_dial(party: Organisation, filed: Filed) -> bool:
    try:
        contract = party.contract(filed.request.contract)
        contract.require_in_force(party.now)
        return dials(party, contract, filed)
    except ContractError:
        return False
