"""Who dials for a request: whoever asks, if all others can be reached, otherwise the others."""

from __future__ import annotations

from party.contract import Contract
from party.errors import ContractError
from party.filing import Filed
from party.organisation import Organisation


def dials(party: Organisation, contract: Contract, filed: Filed) -> bool:
    """Say whether it is this party that dials for a request.

    Raises:
        ContractError: neither side can be dialled.
    """
    mine = contract.parties[contract.me(party.identity)].address
    theirs = all(contract.parties[peer].address is not None for peer in filed.peers)
    if mine is None and not theirs:
        raise ContractError(
            f"contract {contract.id} gives neither side an address, so nobody can dial: one of "
            "them makes its party with --listen, and both sign a contract with its new card"
        )
    return theirs and (filed.mine or mine is None)
