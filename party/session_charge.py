"""What one session is charged at one party, and to which account (docs/protocol.md, Charges).

The terms give the spend, the contract the account's window and allowance. Rows are written by
the ledger, inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.engine import Connection

from audit.bodies import BudgetSpent
from party import ledger
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
        account = self._account(connection, now)
        return ledger.Balance(account, self._allowance, ledger.spent(connection, account))

    def require_room(self, connection: Connection, now: int, *, times: int = 1) -> None:
        """Refuse a session, or so many like it, that its account has no room for; nothing is spent.

        Raises:
            Refusal: BUDGET_EXHAUSTED, or no such dataset here.
        """
        account = self._account(connection, now)
        spend = sum([self._spend] * times, Spend())
        ledger.admit(connection, account, self._allowance, spend)

    def make(self, connection: Connection, now: int) -> list[BudgetSpent]:
        """Write the session's rows, once, and return what the log is to say of them.

        Raises:
            Refusal: BUDGET_EXHAUSTED, also after too many stops; then there is no row.
        """
        self.require_room(connection, now)
        account = self._account(connection, now)
        charges = {ledger.SESSION: self._spend}
        if self._discloses:
            ledger.require_stops_left(connection, account)
            charges[ledger.DISCLOSURE] = Spend()
        for what, spend in charges.items():
            ledger.charge(connection, self.request.id, what, account, spend, now)
        return [self._body(account, what, spend) for what, spend in charges.items()]

    def note_stop(self, connection: Connection, now: int) -> None:
        """Write that the session stopped at the minimum, which tells the counterpart something."""
        account = self._account(connection, now)
        ledger.charge(connection, self.request.id, ledger.STOP, account, Spend(), now)

    @cached_property
    def _terms(self) -> Terms:
        return Terms.of(self.request)

    @property
    def _spend(self) -> Spend:
        return self._terms.spend_of(self.me)

    @property
    def _discloses(self) -> bool:
        return self._terms.is_match and self._terms.role_of(self.me) == SENDER

    @property
    def _allowance(self) -> ledger.Allowance:
        return ledger.Allowance.of(self.contract, self.me)

    def _account(self, connection: Connection, now: int) -> ledger.Account:
        others = sorted(
            self.contract.parties[name].verifier.name
            for name in self._terms.parties
            if name != self.me
        )
        return ledger.Account(
            ledger.population_of(connection, self.request.datasets[self.me]),
            ", ".join(others),
            ledger.window_start(self.contract.starts, self.contract.window_days, now),
        )

    def _body(self, account: ledger.Account, what: str, spend: Spend) -> BudgetSpent:
        return BudgetSpent(
            request=self.request.id,
            population=account.population,
            coalition=account.coalition,
            window=account.window_start,
            epsilon_nano=spend.epsilon_nano,
            rho_nano=spend.rho_nano,
            delta_e15=spend.delta_e15,
            what="dp" if what == ledger.SESSION else "disclosure",
        )
