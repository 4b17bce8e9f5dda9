"""What a party's registered datasets hold, in the words of a contract.

It is what a contract says of them and nothing more: names, types of identifiers, the values of
labels. No count, and nothing that stands in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from party.contract_terms import DatasetTerms
from party.datasets import Definition

if TYPE_CHECKING:
    from party.organisation import Organisation
    from party.registrations import Registered


def offered_by(party: Organisation) -> Mapping[str, DatasetTerms]:
    """Return the terms of every registered dataset, by name."""
    return {one.name: _terms(one) for one in party.datasets()}


def offered_of(party: Organisation, names: Iterable[str]) -> Mapping[str, DatasetTerms]:
    """Return the terms of some registered datasets.

    Raises:
        DatasetError: one is not registered.
    """
    return {name: _terms(party.dataset(name)) for name in names}


def _terms(registered: Registered) -> DatasetTerms:
    definition = Definition.from_dict(registered.definition)
    return DatasetTerms(
        identifiers=definition.types,
        most_identifiers=len(definition.identifiers),
        labels={name: tuple(label.values) for name, label in definition.labels.items()},
    )
