"""A report of several requests is admitted as a whole: it fits every window that it falls in.

Held is this party's own budget. Of a counterpart's budget only what the contract allows it is
known here, and what the sessions of the two have cost it; that bounds what it has left from above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from languages import message
from party import holds, ledger
from party.contract import Contract
from party.contract_terms import write_time
from party.decision import CHARGED, FINISHED
from party.errors import Refusal, RefusalStatus
from party.ledger import Account, Allowance, Balance
from party.request import Request
from party.schema import REQUESTS, SESSIONS
from party.session_charge import SessionCharge
from party.terms import Terms
from privacy.accounting import Spend
from privacy.errors import BudgetExhausted


@dataclass(frozen=True)
class Planned:
    """A request to come: when it is due, and until when budget is held for it (Unix seconds)."""

    charge: SessionCharge
    due_at: int
    ends_at: int

    @property
    def contract(self) -> Contract:
        """The contract that it is asked under."""
        return self.charge.contract

    @property
    def request(self) -> Request:
        """What will be asked."""
        return self.charge.request


@dataclass(frozen=True)
class Share:
    """What of a report falls in one window: how it stands before, how many runs, what they cost."""

    balance: Balance
    runs: int
    spend: Spend


def shares(connection: Connection, planned: Iterable[Planned], now: int) -> list[Share]:
    """Return what the planned requests of one report cost this party in each window.

    Raises:
        Refusal: no such dataset here.
    """
    found = []
    for (account, allowance), group in _by_window(connection, planned).items():
        balance = Balance(
            account,
            allowance,
            ledger.spent(connection, account),
            holds.held(connection, account, allowance, now),
            ledger.is_closed(connection, account),
        )
        spend = sum((one.charge.spend for one in group), Spend())
        found.append(Share(balance, len(group), spend))
    return found


def require_room(connection: Connection, planned: Sequence[Planned], now: int) -> None:
    """Refuse the whole when a part of it does not fit its window; nothing is held.

    Raises:
        Refusal: BUDGET_EXHAUSTED, with the window, whose budget is out, what is left and when it
            renews; or no such dataset here.
    """
    for (account, allowance), group in _by_window(connection, planned).items():
        spend = sum((one.charge.spend for one in group), Spend())
        held = holds.held(connection, account, allowance, now)
        try:
            ledger.admit(connection, account, allowance, spend, held)
        except Refusal as refusal:
            raise Refusal(refusal.status, f"{_falling(group, account)}{refusal.message}") from None
        for name in group[0].request.participants:
            if name != group[0].charge.me:
                _require_room_there(connection, group, account, name)


def reserve(connection: Connection, planned: Sequence[Planned], holder: str, now: int) -> None:
    """Hold the budget of the whole, or refuse it; see `require_room`."""
    require_room(connection, planned, now)
    holds.forget_ended(connection, now)
    holds.place(
        connection,
        [one.charge.hold(connection, one.due_at, one.ends_at, holder) for one in planned],
    )


def _by_window(
    connection: Connection, planned: Iterable[Planned]
) -> Mapping[tuple[Account, Allowance], Sequence[Planned]]:
    def window(one: Planned) -> tuple[Account, Allowance]:
        return one.charge.account(connection, one.due_at), one.charge.allowance

    in_order = sorted(planned, key=lambda one: one.due_at)
    return {key: list(group) for key, group in groupby(in_order, window)}


def _require_room_there(
    connection: Connection, group: Sequence[Planned], account: Account, name: str
) -> None:
    contract, dataset = group[0].contract, group[0].request.datasets[name]
    allowance = Allowance.of(contract, name)
    spend = sum((Terms.of(one.request).spend_of(name) for one in group), Spend())
    known = _known_there(connection, contract, name, dataset, account.window_start)
    try:
        allowance.rule.admit(known, spend)
    except BudgetExhausted as error:
        raise Refusal(
            RefusalStatus.BUDGET_EXHAUSTED,
            message(
                "{group}what contract {id} allows {name} in a window for its "
                "dataset {dataset}, less what sessions with it have cost, does "
                "not suffice: {error}. The window renews on {allowance}",
                group=_falling(group, account),
                id=contract.id,
                name=name,
                dataset=dataset,
                error=error,
                allowance=write_time(allowance.ends(account)),
            ),
        ) from None


def _known_there(
    connection: Connection, contract: Contract, name: str, dataset: str, since: int
) -> Spend:
    """Return what this party's own sessions have cost a counterpart's people at the least."""
    rows = connection.execute(
        sa.select(REQUESTS.c.body)
        .join(SESSIONS, SESSIONS.c.request == REQUESTS.c.id)
        .where(
            REQUESTS.c.contract == contract.digest,
            SESSIONS.c.state.in_((CHARGED, FINISHED)),
            SESSIONS.c.started_at >= since,
        )
    )
    requests = [Request.decode(row.body.encode()) for row in rows]
    return sum(
        (Terms.of(one).spend_of(name) for one in requests if one.datasets.get(name) == dataset),
        Spend(),
    )


def _falling(group: Sequence[Planned], account: Account) -> str:
    if len(group) == 1:
        return ""
    return f"{len(group)} tables fall in the window from {write_time(account.window_start)}: "
