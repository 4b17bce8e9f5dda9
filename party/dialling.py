"""Who dials for a request: whoever asks, if all others can be reached, otherwise the others."""

from __future__ import annotations

from enum import StrEnum

from languages import message
from party.contract import Contract
from party.errors import ContractError
from party.filing import Filed
from party.organisation import Organisation


class Dialler(StrEnum):
    """Which side of a request dials, as seen from here."""

    HERE = "here"
    THERE = "there"
    NOBODY = "nobody"
    """Neither side has an address."""


def dialler_of(party: Organisation, contract: Contract, filed: Filed) -> Dialler:
    """Return which side dials for a request, by the addresses that its contract gives."""
    mine = contract.parties[contract.me(party.identity)].address
    theirs = all(contract.parties[peer].address is not None for peer in filed.peers)
    if mine is None and not theirs:
        return Dialler.NOBODY
    return Dialler.HERE if theirs and (filed.mine or mine is None) else Dialler.THERE


def dials(party: Organisation, contract: Contract, filed: Filed) -> bool:
    """Say whether it is this party that dials for a request.

    Raises:
        ContractError: neither side can be dialled.
    """
    dialler = dialler_of(party, contract, filed)
    if dialler is Dialler.NOBODY:
        raise ContractError(
            message(
                "contract {id} gives neither side an address, so nobody can "
                "dial: one of them makes its party with --listen, and both sign "
                "a contract with its new card",
                id=contract.id,
            )
        )
    return dialler is Dialler.HERE
