"""Who dials for a request: whoever asks, if all others can be reached, otherwise the others."""

from __future__ import annotations

from enum import StrEnum

from languages import message
from party.contract import Contract
from party.errors import ContractError
from party.filing import Filed
from party.organisation import Organisation


class DialledBy(StrEnum):
    """Which side of a request dials, as seen from here."""

    HERE = "here"
    THERE = "there"
    NOBODY = "nobody"
    """Neither side has an address."""


def dialled_by(party: Organisation, contract: Contract, filed: Filed) -> DialledBy:
    """Return which side dials for a request, by the addresses that its contract gives."""
    mine = contract.parties[contract.me(party.identity)].address
    theirs = all(contract.parties[peer].address is not None for peer in filed.peers)
    if mine is None and not theirs:
        return DialledBy.NOBODY
    return DialledBy.HERE if theirs and (filed.mine or mine is None) else DialledBy.THERE


def dials(party: Organisation, contract: Contract, filed: Filed) -> bool:
    """Say whether it is this party that dials for a request.

    Raises:
        ContractError: neither side can be dialled.
    """
    by = dialled_by(party, contract, filed)
    if by is DialledBy.NOBODY:
        raise ContractError(
            message(
                "contract {id} gives neither side an address, so nobody can "
                "dial: one of them makes its party with --listen, and both sign "
                "a contract with its new card",
                id=contract.id,
            )
        )
    return by is DialledBy.HERE
