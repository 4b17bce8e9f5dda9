"""The ledger as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from languages import message
from party.ledger import BOUNDS, DISCLOSURE, PEOPLE, SESSION, STOP, Balance, LedgerRow
from privacy.accounting import Spend
from privacy.units import format_delta, format_epsilon

WHAT: Final = {
    SESSION: message("noise"),
    DISCLOSURE: message("a list, disclosed"),
    STOP: message("a match stopped at the minimum"),
    BOUNDS: message("a top bound for values"),
    PEOPLE: message("people by coalition"),
}
"""What a charge is for."""


def ledger_document(balances: Sequence[Balance], rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """Return balances and rows as JSON values; ε and δ as exact decimal text."""
    return {
        "balances": [
            {
                "population": one.account.population,
                "coalition": one.account.coalition,
                "window_start": one.account.window_start,
                "renews_at": one.renews_at,
                "filter": one.allowance.filter,
                "budget": _spend(one.allowance.epsilon_nano, one.allowance.delta_e15),
                "spent": _spend(one.spent.epsilon_nano, one.spent.delta_e15),
                "held": _spend(one.held.epsilon_nano, one.held.delta_e15),
                "left": _spend(*one.left),
            }
            for one in balances
        ],
        "rows": [
            {
                "request": row.request,
                "what": row.what,
                "population": row.account.population,
                "coalition": row.account.coalition,
                "window_start": row.account.window_start,
                **_spend(row.spend.epsilon_nano, row.spend.delta_e15),
                "rho": format_epsilon(row.spend.rho_nano),
                "spent_at": row.spent_at,
            }
            for row in rows
        ],
    }


def ledger_shown(balances: Sequence[Balance], rows: Sequence[LedgerRow]) -> list[RenderableType]:
    """Return what is left, then every charge."""
    if not rows and not balances:
        return ["Nothing was spent. Budgets appear with a contract in force and its datasets."]
    left = Table(
        "population",
        "towards",
        "budget",
        "spent",
        "held",
        "left",
        "renews",
        title="Budgets",
        title_justify="left",
    )
    for one in balances:
        allowance, epsilon_delta = one.allowance, one.left
        left.add_row(
            one.account.population,
            one.account.coalition,
            _pair(allowance.epsilon_nano, allowance.delta_e15),
            _pair(one.spent.epsilon_nano, one.spent.delta_e15),
            _charged(one.held),
            _pair(*epsilon_delta),
            shown_time(one.renews_at),
        )
    spent = Table(
        "when",
        "request",
        "for",
        "population",
        "towards",
        "charged",
        title="Charges",
        title_justify="left",
    )
    for row in rows:
        spent.add_row(
            shown_time(row.spent_at),
            row.request[:8],
            WHAT[row.what],
            row.account.population,
            row.account.coalition,
            _charged(row.spend),
        )
    return [left, spent] if rows else [left, "Nothing was spent yet."]


def _spend(epsilon_nano: int, delta_e15: int) -> dict[str, str]:
    return {"epsilon": format_epsilon(epsilon_nano), "delta": format_delta(delta_e15)}


def _pair(epsilon_nano: int, delta_e15: int) -> str:
    return f"ε {format_epsilon(epsilon_nano)}, δ {format_delta(delta_e15)}"


def _charged(spend: Spend) -> str:
    if spend == Spend():
        return "–"
    return _pair(spend.epsilon_nano, spend.delta_e15)
