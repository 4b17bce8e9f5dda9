"""What is known of a contract at one party: its terms, the datasets behind it, what has happened.

Nothing is written and nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from audit.checkpoint import open_checkpoint
from party.balances import balances
from party.contract import Contract
from party.datasets import Definition
from party.ledger import Account, Balance
from party.organisation import Organisation
from party.registrations import Registered
from party.schema import CONTRACTS, REQUESTS, RESULTS


@dataclass(frozen=True)
class Offered:
    """One dataset that this party offers in the contract, as it is registered here."""

    registered: Registered
    definition: Definition


@dataclass(frozen=True)
class LogHead:
    """The party's log when the document was written: what stands before it is fixed."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True)
class Known:
    """What a document is filled with; `me` is the party's name in the contract.

    `stored` is whether all have signed it and it was imported here; `results` counts those
    that are kept here, by kind; `lists` those that are on disk; `now` is in Unix seconds.
    """

    contract: Contract
    me: str
    now: int
    stored: bool
    datasets: Mapping[str, Offered | None]
    results: Mapping[str, int]
    lists: int
    accounts: tuple[Balance, ...]
    log: LogHead

    @classmethod
    def of(cls, party: Organisation, contract: Contract) -> Known:
        """Gather what is known.

        Raises:
            ContractError: the contract is not for this party.
            audit.errors.AuditError: the log was changed.
        """
        me = contract.me(party.identity)
        registered = {one.name: one for one in party.datasets()}
        under = REQUESTS.c.contract == contract.digest
        results = party.store.rows(
            sa.select(REQUESTS.c.kind, RESULTS.c.list_file)
            .join(RESULTS, RESULTS.c.request == REQUESTS.c.id)
            .where(under)
        )
        kept = sa.select(CONTRACTS.c.hash).where(CONTRACTS.c.hash == contract.digest)
        return cls(
            contract=contract,
            me=me,
            now=party.now,
            stored=party.store.row(kept) is not None,
            datasets={name: _offered(registered.get(name)) for name in contract.datasets[me]},
            results=Counter(row.kind for row in results),
            lists=sum(row.list_file is not None for row in results),
            accounts=_accounts(party, contract, me, registered),
            log=_log_head(party),
        )

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The other parties' names."""
        return self.contract.counterparts(self.me)


def _offered(registered: Registered | None) -> Offered | None:
    if registered is None:
        return None
    return Offered(registered, Definition.from_dict(registered.definition))


def _accounts(
    party: Organisation, contract: Contract, me: str, registered: Mapping[str, Registered]
) -> tuple[Balance, ...]:
    """Return the accounts that requests under the contract charge here; none when it has ended."""
    mine = {
        Account.of(contract, me, registered[name].population, party.now)
        for name in contract.datasets[me]
        if name in registered
    }
    return tuple(balance for balance in balances(party) if balance.account in mine)


def _log_head(party: Organisation) -> LogHead:
    checkpoint = open_checkpoint(party.journal.checkpoint(), party.identity.verifier)
    return LogHead(party.identity.log_origin, checkpoint.size, checkpoint.root.hex())
