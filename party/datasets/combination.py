"""A label of several: every combination of other labels of the dataset, such as region × age.

Who lacks one of them, or whose rows contradict each other in one, has none. Too many
combinations, and values that could not be told apart in a combination, are refused when the
description is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES, NAME
from party.datasets.assignment import Assignment, Positions
from party.datasets.buckets import BucketLabel
from party.datasets.coded import NOTHING, CodedColumn
from party.document import Section
from reports.insights import ANY, MOST_ATTRIBUTES
from reports.table import JOINT

if TYPE_CHECKING:
    from party.datasets.labels import Label, PlainLabel

_LEAST_PARTS: Final = 2


@dataclass(frozen=True)
class CombinedLabel:
    """All combinations of `parts`, which the dataset calls `names`."""

    names: tuple[str, ...]
    parts: tuple[PlainLabel, ...]

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every combination; the last part changes first."""
        return tuple(JOINT.join(one) for one in product(*(part.values for part in self.parts)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.columns))

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that a part reads as numbers, which may be outside of all ranges."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.number_columns))

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody)."""
        found = [part.assign(columns, person, people) for part in self.parts]
        conflicting = np.any([one.conflicting for one in found], axis=0)
        outside = np.any([one.outside for one in found], axis=0) & ~conflicting
        positions = np.zeros(people, dtype=np.int64)
        for one, part in zip(found, self.parts, strict=True):
            positions = positions * len(part.values) + one.positions
        positions[np.any([one.positions == NOTHING for one in found], axis=0)] = NOTHING
        return Assignment.of(positions, conflicting, outside, found[-1].amounts)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"all_of": list(self.names)}


def buckets_of(label: Label | None) -> BucketLabel | None:
    """Return the value buckets that a label is or ends in, or None."""
    last = label.parts[-1] if isinstance(label, CombinedLabel) else label
    return last if isinstance(last, BucketLabel) else None


def read_combination(section: Section, others: Mapping[str, PlainLabel]) -> CombinedLabel:
    """Read a combination of `others`, the dataset's labels that are none themselves."""
    names = section.texts("all_of", NAME, most=MOST_ATTRIBUTES)
    if len(names) < _LEAST_PARTS:
        raise section.fault("all_of", "one label is no combination; name 2 to 4")
    for name in names:
        if name not in others:
            raise section.fault(
                "all_of", f"'{name}' is no label of this dataset that can be combined; there are "
                f"{', '.join(others) or 'none'}"
            )  # fmt: skip
    parts = tuple(others[name] for name in names)
    for name, part in zip(names[:-1], parts[:-1], strict=True):
        if isinstance(part, BucketLabel):
            raise section.fault("all_of", f"'{name}' is value buckets, which stand last; move it")
    _require_readable(section, names, parts)
    return CombinedLabel(names, parts)


def _require_readable(
    section: Section, names: tuple[str, ...], parts: tuple[PlainLabel, ...]
) -> None:
    count = prod(len(part.values) for part in parts)
    if count > MOST_LABEL_VALUES:
        raise section.fault(
            "all_of", f"these labels have {count:,} combinations, and {MOST_LABEL_VALUES:,} is the "
            "most; combine fewer, or labels of fewer values"
        )  # fmt: skip
    for name, part in zip(names, parts, strict=True):
        for value in part.values:
            if value == ANY or JOINT.strip() in value:
                raise section.fault(
                    "all_of", f"the value '{value}' of '{name}' cannot stand in a combination, "
                    f"where '{JOINT.strip()}' joins values and '{ANY}' stands for all of them"
                )  # fmt: skip
    longest = len(JOINT.join(max(part.values, key=len) for part in parts))
    if longest > LABEL_VALUE.most:
        raise section.fault("all_of", "the values are too long to be joined; use shorter ones")
