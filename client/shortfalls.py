"""What a contract expects of this party's datasets and does not find here yet.

Nothing is refused for it: the contract stands, and a request that needs what is missing is refused
when it is made.
"""

from __future__ import annotations

from collections.abc import Iterator

from languages import message
from party.contract import Contract
from party.contract_terms import DatasetTerms
from party.datasets import Definition
from party.organisation import Organisation
from psi.legs import TABULATOR, THIRD


def shortfalls(party: Organisation, contract: Contract) -> list[str]:
    """Return a sentence for each dataset, identifier, label or address that is missing."""
    me = contract.me(party.identity)
    registered = {one.name: one for one in party.datasets()}
    found: list[str] = []
    for name, terms in contract.datasets[me].items():
        if name not in registered:
            found.append(
                message(
                    "the contract offers your dataset {name}, which is not "
                    "registered here: `commonground dataset add FILE.yaml`",
                    name=name,
                )
            )
            continue
        definition = Definition.from_dict(registered[name].definition)
        found += _differences(name, terms, definition)
    if all(card.address is None for card in contract.parties.values()):
        found.append(
            message("no party of this contract has an address, so nobody can dial anybody")
        )
    return [*found, *_undialled(contract)]


def _undialled(contract: Contract) -> list[str]:
    """Say of whom tables of three need an address that the contract does not give."""
    dialled = {
        grant.roles[role]
        for grant in contract.outputs
        if THIRD in grant.roles
        for role in (TABULATOR, THIRD)
    }
    return [
        message(
            "the contract gives {name} no address, and in its tables of "
            "three parties the recipient connects to {name}: such a request "
            "is refused",
            name=name,
        )
        for name in contract.parties
        if name in dialled and contract.parties[name].address is None
    ]


def _differences(name: str, terms: DatasetTerms, definition: Definition) -> Iterator[str]:
    for kind in terms.identifiers:
        if kind not in definition.types:
            yield message(
                "the contract offers identifiers {kind} in your dataset {name}, which has none",
                kind=kind,
                name=name,
            )
    for label, values in terms.labels.items():
        known = definition.labels.get(label)
        if known is None:
            yield message(
                "the contract offers the label {label} of your dataset {name}, which has none",
                label=label,
                name=name,
            )
        elif not set(values) <= set(known.values):
            yield (
                message(
                    "the contract gives the label {label} of your dataset {name} "
                    "values that the dataset does not",
                    label=label,
                    name=name,
                )
            )
