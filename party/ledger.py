"""The durable ledger: what was spent on this party's own people, and disclosed of them.

A charge is made inside a serialised transaction, before anything is sent that it pays for. A
request is charged once, however often it is tried. Nothing is ever refunded. What is held for
requests to come (`party.holds`) counts against everybody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column
from sqlalchemy.engine import Connection

from audit.bodies import COALITION_SEPARATOR
from languages import message
from party.contract import Contract
from party.contract_terms import write_time
from party.errors import Refusal, RefusalStatus
from party.schema import DATASETS, LEDGER, RESTORES
from privacy.accounting import BasicFilter, BudgetFilter, Spend, ZcdpFilter
from privacy.errors import BudgetExhausted
from privacy.units import format_epsilon

DAY_SECONDS: Final = 86_400
MOST_STOPS: Final = 3
NOTHING: Final = Spend()
SESSION, DISCLOSURE, STOP, BOUNDS = "session", "disclosure", "stop", "bounds"
PEOPLE: Final = "people"
"""People by coalition, released beside a table of attribution."""


@dataclass(frozen=True)
class Account:
    """Whose people, towards whom, in which window (Unix seconds of its start).

    A coalition is everybody who may pool what they learn: the log origins of all counterparts of
    a contract, in order, with a comma between. What any of them has learnt counts for all.
    """

    population: str
    coalition: str
    window_start: int

    @classmethod
    def of(cls, contract: Contract, me: str, population: str, now: int) -> Account:
        """Return the account of a population in the window around `now`."""
        origins = sorted(contract.parties[name].verifier.name for name in contract.counterparts(me))
        return cls(
            population,
            COALITION_SEPARATOR.join(origins),
            window_start(contract.starts, contract.window_days, now),
        )


@dataclass(frozen=True)
class Allowance:
    """What a contract allows one party to spend in a window."""

    epsilon_nano: int
    delta_e15: int
    filter: str
    window_days: int

    @classmethod
    def of(cls, contract: Contract, party: str) -> Allowance:
        """Return what a contract allows `party`."""
        budget = contract.budgets[party]
        return cls(
            budget.epsilon_nano, budget.delta_e15, contract.filter.value, contract.window_days
        )

    @property
    def rule(self) -> BudgetFilter:
        """The filter that the contract fixed."""
        kind = {"basic": BasicFilter, "zcdp": ZcdpFilter}[self.filter]
        return kind(self.epsilon_nano, self.delta_e15)

    def ends(self, account: Account) -> int:
        """Return when an account's window ends and the next begins (Unix seconds)."""
        return account.window_start + self.window_days * DAY_SECONDS


@dataclass(frozen=True)
class Balance:
    """How one account stands in its window; nothing is left of one that a restore has closed."""

    account: Account
    allowance: Allowance
    spent: Spend
    held: Spend = NOTHING
    closed: bool = False

    @property
    def renews_at(self) -> int:
        """When the next window begins (Unix seconds)."""
        return self.allowance.ends(self.account)

    @property
    def left(self) -> tuple[int, int]:
        """The largest pure release that still fits (1e-9), and the δ left (1e-15)."""
        return (0, 0) if self.closed else self.allowance.rule.left(self.spent + self.held)


@dataclass(frozen=True)
class LedgerRow:
    """One row of the ledger, as people see it."""

    request: str
    what: str
    account: Account
    spend: Spend
    spent_at: int


def population_of(connection: Connection, dataset: str) -> str:
    """Return the population of a registered dataset, whose ledger it inherits."""
    query = sa.select(DATASETS.c.population).where(DATASETS.c.name == dataset)
    population = connection.execute(query).scalar_one_or_none()
    if population is None:
        raise Refusal(
            RefusalStatus.NOT_GRANTED,
            message(
                "no dataset {dataset} is registered here: register it with "
                "`commonground dataset add`, then repeat",
                dataset=dataset,
            ),
        )
    return str(population)


def window_start(starts: int, window_days: int, now: int) -> int:
    """Return when the window around `now` began; windows are counted from the contract's start."""
    length = window_days * DAY_SECONDS
    return starts + (now - starts) // length * length


def spent(connection: Connection, account: Account) -> Spend:
    """Return the sum of what its coalition, or a part of it, has cost since the window began."""
    row = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(LEDGER.c.epsilon_nano), 0),
            sa.func.coalesce(sa.func.sum(LEDGER.c.rho_nano), 0),
            sa.func.coalesce(sa.func.sum(LEDGER.c.delta_e15), 0),
        ).where(*_of(connection, account))
    ).one()
    return Spend(*(int(value) for value in row))


def admit(
    connection: Connection,
    account: Account,
    allowance: Allowance,
    new: Spend,
    held: Spend = NOTHING,
) -> None:
    """Refuse a spend that the account has no room for beside what is held for others.

    Raises:
        Refusal: BUDGET_EXHAUSTED, with whose budget it is, what is left and when it renews.
    """
    if new != NOTHING:
        _require_not_closed(connection, account, allowance.ends(account))
    try:
        allowance.rule.admit(spent(connection, account) + held, new)
    except BudgetExhausted as error:
        kept = f". Epsilon {format_epsilon(held.epsilon_nano)} is held for planned reports"
        kept = kept if held != NOTHING else ""
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            message(
                "the budget of {population} towards {coalition} does not "
                "suffice: {error}{kept}. The window renews on {allowance}",
                population=account.population,
                coalition=account.coalition,
                error=error,
                kept=kept,
                allowance=write_time(allowance.ends(account)),
            ),
        ) from error


def is_closed(connection: Connection, account: Account) -> bool:
    """Say whether the party was restored from a backup since the account's window began.

    What was spent between backup and restore is not known, so nothing of that window is left.
    """
    closing = sa.select(RESTORES.c.at).where(
        RESTORES.c.closes == 1, RESTORES.c.at >= account.window_start
    )
    return connection.execute(closing).first() is not None


def _require_not_closed(connection: Connection, account: Account, ends: int) -> None:
    if is_closed(connection, account):
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            message(
                "the budget of {population} towards {coalition} is closed: the "
                "party was restored from a backup, and what was spent after the "
                "backup is not known. The window renews on {ends}",
                population=account.population,
                coalition=account.coalition,
                ends=write_time(ends),
            ),
        )


def charge(
    connection: Connection,
    request: str,
    what: str,
    account: Account,
    new: Spend,
    now: int,
) -> bool:
    """Write a row unless the request has it already; say whether it is new."""
    known = sa.select(LEDGER.c.id).where(LEDGER.c.request == request, LEDGER.c.what == what)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(
        sa.insert(LEDGER).values(
            request=request,
            what=what,
            population=account.population,
            coalition=account.coalition,
            window_start=account.window_start,
            epsilon_nano=new.epsilon_nano,
            rho_nano=new.rho_nano,
            delta_e15=new.delta_e15,
            spent_at=now,
        )
    )
    return True


def require_stops_left(connection: Connection, account: Account, ends: int) -> None:
    """Refuse a match after three stops at the minimum in one window, or in a closed one.

    Each stop tells the counterpart something about the size of the match.

    Raises:
        Refusal: BUDGET_EXHAUSTED.
    """
    _require_not_closed(connection, account, ends)
    stops = connection.execute(
        sa.select(sa.func.count()).where(*_of(connection, account), LEDGER.c.what == STOP)
    ).scalar_one()
    if stops >= MOST_STOPS:
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            message(
                "{most_stops} matches between {population} and {coalition} "
                "stopped at the minimum in this window, which is all that one "
                "window allows",
                most_stops=MOST_STOPS,
                population=account.population,
                coalition=account.coalition,
            ),
        )


def rows(connection: Connection) -> list[LedgerRow]:
    """Return the whole ledger, oldest first."""
    return [read_row(row) for row in connection.execute(sa.select(LEDGER).order_by(LEDGER.c.id))]


def read_row(row: sa.Row[Any]) -> LedgerRow:
    """Return a row of the ledger from the store's."""
    return LedgerRow(
        row.request,
        row.what,
        Account(row.population, row.coalition, row.window_start),
        Spend(row.epsilon_nano, row.rho_nano, row.delta_e15),
        row.spent_at,
    )


def sharing(
    connection: Connection, account: Account, population: Column[str], coalition: Column[str]
) -> list[str]:
    """Return the coalitions in two columns of a table that have a member of this account's.

    What a counterpart learnt in another circle it may pool with this one.
    """
    members = set(account.coalition.split(COALITION_SEPARATOR))
    known = sa.select(coalition).where(population == account.population).distinct()
    found = connection.execute(known).scalars()
    return [one for one in found if not members.isdisjoint(one.split(COALITION_SEPARATOR))]


def _of(connection: Connection, account: Account) -> tuple[sa.ColumnElement[bool], ...]:
    columns = LEDGER.c
    return (
        columns.population == account.population,
        columns.coalition.in_(sharing(connection, account, columns.population, columns.coalition)),
        columns.spent_at >= account.window_start,
    )
