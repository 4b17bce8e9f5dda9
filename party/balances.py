"""How a party's privacy budgets stand: one balance for each population and coalition."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from party.contract import Contract
from party.errors import ContractError
from party.holds import held
from party.ledger import Account, Allowance, Balance, is_closed, spent
from party.organisation import Organisation
from party.registrations import every


def balances(party: Organisation) -> list[Balance]:
    """Return the balances under the contracts that are in force, each account once."""

    def work(connection: Connection) -> list[Balance]:
        found: dict[Account, Balance] = {}
        for contract in party.contracts():
            for account, allowance in _accounts(party, contract):
                if account not in found:
                    kept = held(connection, account, allowance, party.now)
                    found[account] = Balance(
                        account,
                        allowance,
                        spent(connection, account),
                        kept,
                        is_closed(connection, account),
                    )
        return list(found.values())

    return party.store.read(work)


def _accounts(party: Organisation, contract: Contract) -> list[tuple[Account, Allowance]]:
    try:
        contract.require_in_force(party.now)
        me = contract.me(party.identity)
    except ContractError:
        return []
    populations = {one.name: one.population for one in every(party)}
    allowance = Allowance.of(contract, me)
    return [
        (Account.of(contract, me, populations[dataset], party.now), allowance)
        for dataset in contract.datasets[me]
        if dataset in populations
    ]
