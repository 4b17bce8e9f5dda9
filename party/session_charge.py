"""What one session is charged at one party, and to which account (docs/protocol.md, Charges).

The terms give the spend, the contract the account's window and allowance. Rows are written by
the ledger, inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.engine import Connection

from audit.bodies import BudgetSpent
from party import holds, ledger
from party.contract import Contract
from party.request import Request
from party.terms import Terms
from privacy.accounting import Spend
from psi.legs import SENDER


@dataclass(frozen=True)
class SessionCharge:
    """The charge of one request's session at the party `me`; times are in Unix seconds."""

    contract: Contract
    request: Request
    me: str

    def balance(self, connection: Connection, now: int) -> ledger.Balance:
        """Return how the account stands in the window around `now`.

        Raises:
            Refusal: no such dataset here.
        """
        account = self.account(connection, now)
        return ledger.Balance(
            account,
            self.allowance,
            ledger.spent(connection, account),
            holds.held(connection, account, self.allowance, now),
            ledger.is_closed(connection, account),
        )

    def require_room(self, connection: Connection, now: int) -> None:
        """Refuse a session that its account has no room for; nothing is spent.

        Raises:
            Refusal: BUDGET_EXHAUSTED, or no such dataset here.
        """
        account = self.account(connection, now)
        held = holds.held(connection, account, self.allowance, now, but=self.request.id)
        ledger.admit(connection, account, self.allowance, self.spend, held)

    def hold(self, connection: Connection, due_at: int, ends_at: int, holder: str) -> holds.Hold:
        """Return what is to be held for the session until it is charged.

        Raises:
            Refusal: no such dataset here.
        """
        account = self.account(connection, due_at)
        return holds.Hold(self.request.id, account, self.spend, due_at, ends_at, holder)

    def make(self, connection: Connection, now: int) -> list[BudgetSpent]:
        """Write the session's rows, once, and return what the log is to say of them.

        Raises:
            Refusal: BUDGET_EXHAUSTED, also after too many stops; then there is no row.
        """
        self.require_room(connection, now)
        account = self.account(connection, now)
        charges = {ledger.SESSION: self.spend}
        if self._discloses:
            ledger.require_stops_left(connection, account, self.allowance.ends(account))
            charges[ledger.DISCLOSURE] = Spend()
        people = self._terms.people_spend_of(self.me)
        if people != Spend():
            charges = {ledger.SESSION: self._terms.table_spend_of(self.me), ledger.PEOPLE: people}
        for what, spend in charges.items():
            ledger.charge(connection, self.request.id, what, account, spend, now)
        holds.let_go(connection, [self.request.id])
        return [self._body(account, what, spend) for what, spend in charges.items()]

    def note_stop(self, connection: Connection, now: int) -> None:
        """Write that the session stopped at the minimum, which tells the counterpart something."""
        account = self.account(connection, now)
        ledger.charge(connection, self.request.id, ledger.STOP, account, Spend(), now)

    @cached_property
    def _terms(self) -> Terms:
        return Terms.of(self.request)

    @property
    def spend(self) -> Spend:
        """What the session costs this party's people."""
        return self._terms.spend_of(self.me)

    @property
    def allowance(self) -> ledger.Allowance:
        """What the contract allows this party in a window."""
        return ledger.Allowance.of(self.contract, self.me)

    @property
    def _discloses(self) -> bool:
        return self._terms.is_match and self._terms.role_of(self.me) == SENDER

    def account(self, connection: Connection, now: int) -> ledger.Account:
        """Return whose people pay, in the window around `now`; Refusal without the dataset."""
        population = ledger.population_of(connection, self.request.datasets[self.me])
        return ledger.Account.of(self.contract, self.me, population, now)

    def _body(self, account: ledger.Account, what: str, spend: Spend) -> BudgetSpent:
        return BudgetSpent(
            request=self.request.id,
            population=account.population,
            coalition=account.coalition,
            window=account.window_start,
            epsilon_nano=spend.epsilon_nano,
            rho_nano=spend.rho_nano,
            delta_e15=spend.delta_e15,
            what="disclosure" if what == ledger.DISCLOSURE else "dp",
        )
