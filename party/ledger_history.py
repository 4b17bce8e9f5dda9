"""The ledger over time: what an account has cost by day, and the charges page by page.

Sums are made in the database, so a ledger of any length is a few rows here. A day is 24 hours from
the hour at which the contract's windows begin, so that no day lies in two windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party import ledger
from party.ledger import DAY_SECONDS, DISCLOSURE, STOP, Account, Allowance, LedgerRow
from party.schema import HOLDS, LEDGER
from privacy.accounting import Spend

MOST_WINDOWS: Final = 12
"""How many windows a history goes back, the present one among them."""
PAGE: Final = 50
"""How many charges a page lists."""


@dataclass(frozen=True)
class Day:
    """What one day has cost: `start` in Unix seconds; lists disclosed and stops are counts."""

    start: int
    spend: Spend
    charges: int
    disclosures: int
    stops: int


@dataclass(frozen=True)
class Window:
    """One window of an account, `start` to `end` in Unix seconds, and its days that cost."""

    start: int
    end: int
    days: tuple[Day, ...]

    @property
    def spend(self) -> Spend:
        """What the whole window has cost."""
        return sum((day.spend for day in self.days), Spend())

    @property
    def disclosures(self) -> int:
        """How many lists were disclosed in it."""
        return sum(day.disclosures for day in self.days)

    @property
    def stops(self) -> int:
        """How many matches stopped at the minimum in it."""
        return sum(day.stops for day in self.days)


@dataclass(frozen=True)
class Due:
    """Budget that is held for a request to come, due at Unix seconds; `holder` says for what."""

    due_at: int
    spend: Spend
    holder: str


def windows(connection: Connection, account: Account, allowance: Allowance) -> list[Window]:
    """Return the windows of an account that have cost something, and the present one, in order."""
    length = allowance.window_days * DAY_SECONDS
    since = max(account.window_start - (MOST_WINDOWS - 1) * length, 0)
    found: dict[int, list[Day]] = {account.window_start: []}
    for day in _days(connection, account, since):
        start = ledger.window_start(account.window_start, allowance.window_days, day.start)
        found.setdefault(start, []).append(day)
    return [Window(start, start + length, tuple(found[start])) for start in sorted(found)]


def _days(connection: Connection, account: Account, since: int) -> list[Day]:
    columns = LEDGER.c
    offset = account.window_start % DAY_SECONDS
    day = (columns.spent_at - offset) // DAY_SECONDS
    shared = ledger.sharing(connection, account, columns.population, columns.coalition)
    rows = connection.execute(
        sa.select(
            day.label("day"),
            sa.func.sum(columns.epsilon_nano).label("epsilon"),
            sa.func.sum(columns.rho_nano).label("rho"),
            sa.func.sum(columns.delta_e15).label("delta"),
            sa.func.count().label("charges"),
            _how_many(columns.what == DISCLOSURE).label("disclosures"),
            _how_many(columns.what == STOP).label("stops"),
        )
        .where(
            columns.population == account.population,
            columns.coalition.in_(shared),
            columns.spent_at >= since,
        )
        .group_by(day)
        .order_by(day)
    )
    return [
        Day(
            int(row.day) * DAY_SECONDS + offset,
            Spend(int(row.epsilon), int(row.rho), int(row.delta)),
            row.charges,
            int(row.disclosures),
            int(row.stops),
        )
        for row in rows
    ]


def _how_many(wanted: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((wanted, 1), else_=0))


def due(connection: Connection, account: Account, now: int) -> list[Due]:
    """Return what is held of an account for requests to come, in whatever window, in order."""
    columns = HOLDS.c
    shared = ledger.sharing(connection, account, columns.population, columns.coalition)
    rows = connection.execute(
        sa.select(HOLDS)
        .where(
            columns.population == account.population,
            columns.coalition.in_(shared),
            columns.ends_at > now,
        )
        .order_by(columns.due_at)
    )
    return [
        Due(row.due_at, Spend(row.epsilon_nano, row.rho_nano, row.delta_e15), row.holder)
        for row in rows
    ]


def charges(
    connection: Connection, *, before: int | None = None, most: int = PAGE
) -> tuple[list[LedgerRow], int | None]:
    """Return the newest charges, or the newest `before` where an earlier page ended.

    With them comes where the next page begins, None at the end.
    """
    query = sa.select(LEDGER).order_by(LEDGER.c.id.desc()).limit(most + 1)
    if before is not None:
        query = query.where(LEDGER.c.id < before)
    rows = connection.execute(query).all()
    older = rows[most - 1].id if len(rows) > most else None
    return [ledger.read_row(row) for row in rows[:most]], older
