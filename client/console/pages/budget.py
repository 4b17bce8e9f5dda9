"""The privacy budgets of this party's own people, over time: releases and disclosures together."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from client.console.visit import Reader, Visit
from client.page.budget_chart import BudgetChart
from client.page.glossary import Glossary
from client.render_ledger import WHAT
from languages import message
from party import ledger_history
from party.balances import balances
from party.errors import PartyError
from party.ledger import Balance
from privacy.units import NANO

HOLDERS: Final = Glossary((message("series {name}"), message("overlap by identifier {digest}")))
"""For what budget is held."""
router = APIRouter(prefix="/budget")
MOST_ACCOUNTS: Final = 50
"""How many accounts are drawn on one page."""


@router.get("", name="budget")
def budget(visit: Reader, before: Annotated[int | None, Query(ge=0)] = None) -> Response:
    """Show each account, its chart and its table, and the charges page by page."""
    rows, older = visit.party.store.read(
        lambda connection: ledger_history.charges(connection, before=before)
    )
    found = [] if before is not None else balances(visit.party)[:MOST_ACCOUNTS]
    return visit.page(
        "budget/all.html.jinja",
        accounts=[_account(visit, place, one) for place, one in enumerate(found)],
        rows=rows,
        what=WHAT,
        holders=HOLDERS,
        before=before,
        older=older,
        now=visit.party.now,
    )


@router.get("/{number}.svg", name="budget_chart")
def chart(visit: Reader, number: int) -> Response:
    """Draw the chart of one account."""
    found = balances(visit.party)
    if not 0 <= number < len(found):
        raise PartyError(
            message(
                "there is no account {number}",
                number=number,
            )
        )
    return Response(_chart(visit, found[number]).svg(), media_type="image/svg+xml")


def _chart(visit: Visit, balance: Balance) -> BudgetChart:
    party, account = visit.party, balance.account
    windows = party.store.read(
        lambda connection: ledger_history.windows(connection, account, balance.allowance)
    )
    due = party.store.read(lambda connection: ledger_history.due(connection, account, party.now))
    return BudgetChart(balance, windows, due, party.now, visit.language)


def _account(visit: Visit, number: int, balance: Balance) -> dict[str, object]:
    chart = _chart(visit, balance)
    return {
        "balance": balance,
        "towards": balance.account.coalition.split(","),
        "number": number,
        "alternative": chart.alternative,
        "windows": [(one, chart.used(one.spend)) for one in reversed(chart.windows)],
        "due": chart.due,
        "share": _share(balance),
        "epsilon": balance.allowance.epsilon_nano / NANO,
    }


def _share(balance: Balance) -> int:
    """Return how much of the budget is used up, in percent."""
    left, _ = balance.left
    whole = balance.allowance.epsilon_nano
    return round(100 * (whole - left) / whole)
