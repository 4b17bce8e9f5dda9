"""The first page: what needs whoever looks, what runs, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from audit.entry import Entry, format_time
from client.console.under_way import PHASES
from client.console.visit import Reader
from party.certificate_ends import certificate_warnings
from party.contract import Contract
from party.ledger import DAY_SECONDS, Balance
from party.log_pages import page_of
from party.organisation import Organisation
from party.selection import Selection
from party.standing import Standing, standing_of
from privacy.units import format_epsilon

router = APIRouter()
SOON_DAYS: Final = 30
MOST_INCIDENTS: Final = 10


@dataclass(frozen=True)
class Left:
    """What is left of a budget, in whole hundredths of what the contract allows."""

    balance: Balance
    epsilon: str
    percent: int


@router.get("/", name="home")
def home(visit: Reader) -> Response:
    """Show it."""
    party = visit.party
    standing = standing_of(party)
    return visit.page(
        "home/home.html.jinja",
        standing=standing,
        due=[one for one in standing.schedules if one.next_run and one.next_run.slot <= party.now],
        ending=ending(standing),
        incidents=incidents(party),
        days=SOON_DAYS,
        left=[_left(one) for one in standing.budgets],
        certificates=certificate_warnings(party),
        phases=PHASES,
    )


def ending(standing: Standing) -> list[Contract]:
    """Return the contracts in force that end within 30 days, the first to end first."""
    soon = standing.now + SOON_DAYS * DAY_SECONDS
    found = [one for one in standing.contracts if standing.now < one.ends < soon]
    return sorted(found, key=lambda one: one.ends)


def incidents(party: Organisation) -> list[Entry]:
    """Return the newest incidents of the last 30 days, as the log's index finds them."""
    since = datetime.fromtimestamp(party.now - SOON_DAYS * DAY_SECONDS, UTC)
    wanted = Selection(kinds=("incident",), since=format_time(since))
    return list(page_of(party.store, wanted, most=MOST_INCIDENTS).entries)


def _left(balance: Balance) -> Left:
    epsilon, _ = balance.left
    whole = balance.allowance.epsilon_nano
    return Left(balance, format_epsilon(epsilon), 100 * epsilon // whole if whole else 0)
