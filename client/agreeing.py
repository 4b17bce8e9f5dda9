"""Signing a contract, and taking one that all parties have signed into a party's store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.roles import Role
from languages import message
from party.contract import Contract
from party.contract_file import load_contract, merge_signatures, sign_contract_file
from party.declared import require_declared
from party.errors import ContractError
from party.known_peers import KnownPeers
from party.occupied import writing_contract
from party.organisation import Organisation


def sign_contract(party: Organisation, file: Path, digest: str | None = None) -> Contract:
    """Sign a contract in its file in the name of a party, and return it.

    `digest` is that of the contract as somebody has read it, where they read it elsewhere.

    Raises:
        ContractError: it is malformed, was altered after a signature, is for others, says
            otherwise than this party's card where its data lies, names a pinned peer with another
            identity key, or has another digest.
        InUse: somebody else writes the file.
    """
    party.access.require(Role.OPERATOR, "contract.sign")

    def check(contract: Contract) -> None:
        if digest not in (None, contract.digest):
            raise ContractError(
                message(
                    "contract {id} has changed since you read it: read it again before you sign",
                    id=contract.id,
                )
            )
        require_declared(party, contract)
        KnownPeers(party).require_pinned_keys(contract)

    with writing_contract(party.folder, file):
        return sign_contract_file(file, party.identity, check)


def import_contract(party: Organisation, file: Path, others: Sequence[Path] = ()) -> Contract:
    """Check a signed contract and store it; `others` are copies with signatures that lack.

    Raises:
        ContractError: a signature is missing or does not fit, it has ended, it is not for this
            party with its present keys, says otherwise than its card where its data lies, or
            names a pinned peer with another identity key.
    """
    party.access.require(Role.OPERATOR, "contract.import")
    contract = load_contract(file)
    require_declared(party, contract)
    KnownPeers(party).require_pinned_keys(contract)
    for other in others:
        contract = merge_signatures(contract, load_contract(other))
    contract.verify_signatures()
    if party.now >= contract.starts:
        contract.require_in_force(party.now)
    party.keep_contract(contract)
    return contract


def look_up(party: Organisation, which: str | None) -> Contract:
    """Return a contract to be looked at: a file, or a stored one by its id or hash.

    Raises:
        ContractError: there is none such or more than one, or a signature does not fit its text.
    """
    is_file = which is not None and Path(which).is_file()
    contract = load_contract(Path(which or "")) if is_file else party.contract(which)
    if len(contract.signatures) == len(contract.parties):
        contract.verify_signatures()
    elif not is_file:
        raise ContractError(f"contract {contract.id} in the store lacks a signature")
    return contract
