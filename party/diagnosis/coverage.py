"""Causes in what a dataset holds as a whole: types that are missing, values that many share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from languages import Message, message
from party.contract import Contract
from party.diagnosis.causes import REMEDIES, Cause, Finding, Level, level_of
from party.diagnosis.column import SurveyedColumn
from party.errors import DatasetError
from psi.digest_forms import shape

LOW_COVERAGE: Final = 0.1
"""A type that fewer of the people have is as good as missing."""
MANY_PEOPLE: Final = 10
"""So many people do not share an identifier; a household does with fewer."""
_LEAST_FOR_CONSTANT: Final = 3


@dataclass(frozen=True)
class Agreed:
    """What a contract says of identifiers: their order, this dataset's, and each counterpart's."""

    contract: str
    order: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: Mapping[str, frozenset[str]]
    gmail: bool = False

    @classmethod
    def of(cls, contract: Contract, me: str, dataset: str) -> Agreed:
        """Return what `contract` says of a dataset of `me`; DatasetError when it has none such."""
        own = contract.datasets[me]
        if dataset not in own:
            raise DatasetError(
                f"contract {contract.id} has no dataset {dataset} of yours; it has "
                f"{', '.join(own)}. Name the dataset as the contract does, or leave --contract out"
            )
        theirs = {
            peer: frozenset(
                kind for terms in contract.datasets[peer].values() for kind in terms.identifiers
            )
            for peer in contract.counterparts(me)
        }
        return cls(
            contract.id,
            contract.identifiers,
            own[dataset].identifiers,
            theirs,
            contract.profile.gmail,
        )


def coverage(columns: Sequence[SurveyedColumn], people: int) -> dict[str, float]:
    """Return the share of people with a usable identifier of each type."""
    by_type: dict[str, list[SurveyedColumn]] = {}
    for column in columns:
        by_type.setdefault(column.spec.type, []).append(column)
    return {
        kind: len(np.unique(np.concatenate([one.usable for one in found]))) / max(people, 1)
        for kind, found in by_type.items()
    }


def missing_types(agreed: Agreed, held: Mapping[str, float], people: int) -> Iterator[Finding]:
    """Yield the types of a contract by which few of the people, or nobody, can be found."""
    for kind in agreed.order:
        share = held.get(kind)
        offered_by = [peer for peer, types in agreed.theirs.items() if kind in types]
        promised = kind in agreed.ours
        if share is not None and not offered_by:
            yield Finding(
                Cause.NOT_THERE,
                kind,
                Level.CONSIDER,
                0,
                people,
                message(
                    "contract {contract}: no dataset of {theirs} offers {kind}",
                    contract=agreed.contract,
                    theirs=", ".join(agreed.theirs),
                    kind=kind,
                ),
                message(
                    "ask them for {kind}, or do not count on it",
                    kind=kind,
                ),
            )
        if not (promised or offered_by) or (share is not None and share >= LOW_COVERAGE):
            continue
        level = Level.CORRECT if promised else Level.CONSIDER
        lacking = people - round((share or 0.0) * people)
        found = _found(share)
        said = message(
            "contract {contract} matches by {kind}; {found}",
            contract=agreed.contract,
            kind=kind,
            found=found,
        )
        if offered_by:
            said = message(
                "contract {contract} matches by {kind}; offered by {parties}; {found}",
                contract=agreed.contract,
                kind=kind,
                parties=", ".join(offered_by),
                found=found,
            )
        yield Finding(
            Cause.MISSING_TYPE if share is None else Cause.LOW_COVERAGE,
            kind,
            level,
            lacking,
            people,
            said,
            message("add a column of {kind} to the dataset", kind=kind)
            if share is None
            else message("collect {kind}, or look above for why its values are refused", kind=kind),
        )


def _found(share: float | None) -> Message:
    if share is None:
        return message("the dataset has none")
    return message("{share} of the people have one", share=f"{share:.1%}")


def shared_values(column: SurveyedColumn) -> Iterator[Finding]:
    """Yield identifiers that stand on many people, and columns of a single value."""
    person, position = column.pairs
    chosen = column.survey.accepted[position] if len(position) else np.zeros(0, np.bool_)
    person, position = person[chosen], position[chosen]
    if not len(position):
        return
    digests = np.ascontiguousarray(column.survey.digests)
    _, number = np.unique(digests.view(f"V{digests.shape[1]}").reshape(-1), return_inverse=True)
    keys = number[position]
    pairs = np.unique(np.column_stack([keys, person]), axis=0)
    sharers = np.bincount(pairs[:, 0])
    one_for_all = len(np.unique(keys)) == 1 and len(column.usable) >= _LEAST_FOR_CONSTANT
    many = np.flatnonzero(sharers >= MANY_PEOPLE)
    if one_for_all:
        cause, found = Cause.CONSTANT, np.array([keys[0]])
    elif len(many):
        cause, found = Cause.SHARED, many
    else:
        return
    people = len(np.unique(pairs[np.isin(pairs[:, 0], found), 1]))
    most = int(found[np.argmax(sharers[found])])
    example = int(position[np.flatnonzero(keys == most)[0]])
    yield Finding(
        cause,
        column.name,
        level_of(people, column.filled),
        people,
        len(column.people),
        message(
            "{number} identifier(s) on {most} or more people",
            number=f"{len(found):,}",
            most=MANY_PEOPLE,
        )
        if cause is Cause.SHARED
        else message("everybody has the same"),
        REMEDIES[cause],
        shape(column.text(example)),
    )
