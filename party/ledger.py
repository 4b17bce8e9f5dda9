"""The durable ledger: what was spent on this party's own people, and disclosed of them.

A charge is made inside a serialised transaction, before anything is sent that it pays for. A
request is charged once, however often it is tried. Nothing is ever refunded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.contract import Contract
from party.contract_terms import write_time
from party.errors import Refusal, RefusalStatus
from party.schema import DATASETS, LEDGER
from privacy.accounting import BasicFilter, BudgetFilter, Spend, ZcdpFilter
from privacy.errors import BudgetExhausted

DAY_SECONDS: Final = 86_400
MOST_STOPS: Final = 3
SESSION, DISCLOSURE, STOP = "session", "disclosure", "stop"


@dataclass(frozen=True)
class Account:
    """Whose people, towards whom, in which window (Unix seconds of its start)."""

    population: str
    coalition: str
    window_start: int


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


@dataclass(frozen=True)
class Balance:
    """How one account stands in its window."""

    account: Account
    allowance: Allowance
    spent: Spend

    @property
    def renews_at(self) -> int:
        """When the next window begins (Unix seconds)."""
        return self.account.window_start + self.allowance.window_days * DAY_SECONDS

    @property
    def left(self) -> tuple[int, int]:
        """The largest pure release that still fits (1e-9), and the δ left (1e-15)."""
        return self.allowance.rule.left(self.spent)


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
            f"no dataset {dataset} is registered here: register it with "
            "`commonground dataset add`, then repeat",
        )
    return str(population)


def window_start(starts: int, window_days: int, now: int) -> int:
    """Return when the window around `now` began; windows are counted from the contract's start."""
    length = window_days * DAY_SECONDS
    return starts + (now - starts) // length * length


def spent(connection: Connection, account: Account) -> Spend:
    """Return the sum of an account's spends since its window began."""
    row = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(LEDGER.c.epsilon_nano), 0),
            sa.func.coalesce(sa.func.sum(LEDGER.c.rho_nano), 0),
            sa.func.coalesce(sa.func.sum(LEDGER.c.delta_e15), 0),
        ).where(*_of(account))
    ).one()
    return Spend(*(int(value) for value in row))


def admit(connection: Connection, account: Account, allowance: Allowance, new: Spend) -> None:
    """Refuse a spend that the account has no room for.

    Raises:
        Refusal: BUDGET_EXHAUSTED, with whose budget it is, what is left and when it renews.
    """
    try:
        allowance.rule.admit(spent(connection, account), new)
    except BudgetExhausted as error:
        renews = account.window_start + allowance.window_days * DAY_SECONDS
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            f"the budget of {account.population} towards {account.coalition} does not suffice: "
            f"{error}. The window renews on {write_time(renews)}",
        ) from error


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


def require_stops_left(connection: Connection, account: Account) -> None:
    """Refuse a match after three stops at the minimum in one window.

    Each stop tells the counterpart something about the size of the match.

    Raises:
        Refusal: BUDGET_EXHAUSTED.
    """
    stops = connection.execute(
        sa.select(sa.func.count()).where(*_of(account), LEDGER.c.what == STOP)
    ).scalar_one()
    if stops >= MOST_STOPS:
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            f"{MOST_STOPS} matches between {account.population} and {account.coalition} stopped "
            "at the minimum in this window, which is all that one window allows",
        )


def rows(connection: Connection) -> list[LedgerRow]:
    """Return the whole ledger, oldest first."""
    found = connection.execute(sa.select(LEDGER).order_by(LEDGER.c.id))
    return [
        LedgerRow(
            row.request,
            row.what,
            Account(row.population, row.coalition, row.window_start),
            Spend(row.epsilon_nano, row.rho_nano, row.delta_e15),
            row.spent_at,
        )
        for row in found
    ]


def _of(account: Account) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        LEDGER.c.population == account.population,
        LEDGER.c.coalition == account.coalition,
        LEDGER.c.spent_at >= account.window_start,
    )
