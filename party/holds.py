"""Budget that is held for requests to come, so that a report of several fits as a whole.

A hold is for one request, which takes it when it is charged. Until it ends it counts against
everybody else in the window that its request is due in, as if it were spent. It is no spend: the
log does not know it, and a hold that is let go leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.ledger import Account, Allowance, sharing
from party.schema import HOLDS, REQUESTS
from privacy.accounting import Spend


@dataclass(frozen=True)
class Hold:
    """What is held for one request: due and ending at Unix seconds; `holder` says for what."""

    request: str
    account: Account
    spend: Spend
    due_at: int
    ends_at: int
    holder: str


def place(connection: Connection, holds: Iterable[Hold]) -> None:
    """Hold budget; whoever does has required room for it in the same transaction."""
    rows = [
        {
            "request": one.request,
            "population": one.account.population,
            "coalition": one.account.coalition,
            "due_at": one.due_at,
            "ends_at": one.ends_at,
            "epsilon_nano": one.spend.epsilon_nano,
            "rho_nano": one.spend.rho_nano,
            "delta_e15": one.spend.delta_e15,
            "holder": one.holder,
        }
        for one in holds
    ]
    if rows:
        connection.execute(sa.insert(HOLDS), rows)


def held(
    connection: Connection,
    account: Account,
    allowance: Allowance,
    now: int,
    *,
    but: str | None = None,
) -> Spend:
    """Return what is held in an account's window, except for the request `but`."""
    columns = HOLDS.c
    query = sa.select(HOLDS).where(
        columns.population == account.population,
        columns.coalition.in_(sharing(connection, account, columns.population, columns.coalition)),
        columns.due_at >= account.window_start,
        columns.due_at < allowance.ends(account),
        columns.ends_at > now,
        columns.request != (but or ""),
    )
    rows = connection.execute(query)
    return sum((Spend(row.epsilon_nano, row.rho_nano, row.delta_e15) for row in rows), Spend())


def held_for(connection: Connection, requests: Iterable[str], now: int) -> Spend:
    """Return what is held for these requests together, in whatever windows."""
    query = sa.select(HOLDS).where(HOLDS.c.request.in_(list(requests)), HOLDS.c.ends_at > now)
    rows = connection.execute(query)
    return sum((Spend(row.epsilon_nano, row.rho_nano, row.delta_e15) for row in rows), Spend())


def let_go(connection: Connection, requests: Iterable[str]) -> None:
    """Hold nothing for these requests any more: they were charged, or will not be."""
    connection.execute(sa.delete(HOLDS).where(HOLDS.c.request.in_(list(requests))))


def let_go_of(connection: Connection, holder: str) -> None:
    """Hold nothing for what this holder has planned before and not asked."""
    unasked = HOLDS.c.request.not_in(sa.select(REQUESTS.c.id))
    connection.execute(sa.delete(HOLDS).where(HOLDS.c.holder == holder, unasked))


def forget_ended(connection: Connection, now: int) -> None:
    """Remove holds that have ended, which count for nothing."""
    connection.execute(sa.delete(HOLDS).where(HOLDS.c.ends_at <= now))
