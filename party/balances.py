"""How a party's privacy budgets stand: one balance for each population and counterpart."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from party.contract import Contract
from party.errors import ContractError
from party.ledger import Account, Allowance, Balance, spent, window_start
from party.organisation import Organisation


def balances(party: Organisation) -> list[Balance]:
    """Return the balances under the contracts that are in force, each account once."""

    def work(connection: Connection) -> list[Balance]:
        found: dict[Account, Balance] = {}
        for contract in party.contracts():
            for account, allowance in _accounts(party, contract):
                found.setdefault(account, Balance(account, allowance, spent(connection, account)))
        return list(found.values())

    return party.store.write(work)


def _accounts(party: Organisation, contract: Contract) -> list[tuple[Account, Allowance]]:
    try:
        contract.require_in_force(party.now)
        me = contract.me(party.identity)
    except ContractError:
        return []
    populations = {one.name: one.population for one in party.datasets()}
    start = window_start(contract.starts, contract.window_days, party.now)
    allowance = Allowance.of(contract, me)
    return [
        (Account(populations[dataset], contract.parties[peer].verifier.name, start), allowance)
        for dataset in contract.datasets[me]
        if dataset in populations
        for peer in contract.counterparts(me)
    ]
