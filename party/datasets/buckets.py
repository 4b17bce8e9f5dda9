"""A label of value buckets: what a person's rows add up to, as one of the public bounds.

A person's values are added, so there is one a person. A sum between two bounds takes one of them at
random, by the party's secret and the person's reference, so the same people have the same labels in
every session (docs/protocol.md, Sums from counts). Who has a text that is no number has no label,
and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES
from party.datasets.assignment import Assignment, Positions
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.rules import COLUMN
from party.document import Section
from party.errors import DatasetError
from psi.buckets import REFUND, Millionths, RoundingKey, ValueBuckets, draws_of, parse_value
from psi.errors import BucketError

if TYPE_CHECKING:
    import pyarrow as pa

_HALF_BITS: Final = 30
_MOST_SUM: Final = 1 << 62
"""In millionths; a sum is cut to it, which is far above any top bound."""


@dataclass(frozen=True)
class BucketLabel:
    """The bucket of the sum of `column` over a person's rows; `place` rounds it."""

    column: str
    buckets: ValueBuckets

    @property
    def values(self) -> tuple[str, ...]:
        """The bounds, from low to high; "refund" before them where it is one."""
        return self.buckets.labels

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (self.column,)

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that are read as numbers, which may be none."""
        return (self.column,)

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the bound at or below the sum of each of `people`, and the sums.

        `person` is that of each row (-1: nobody). A row without a text says nothing.
        """
        column = columns[self.column]
        values, readable = _values_of(column)
        rows = (person >= 0) & (column.codes >= 0)
        who, codes = person[rows], column.codes[rows]
        outside = np.zeros(people, dtype=np.bool_)
        outside[who[~readable[codes]]] = True
        sums = _sums(values[codes], who, people)
        found = self.buckets.below(sums)
        found[np.bincount(who, minlength=people) == 0] = NOTHING
        found[outside] = NOTHING
        return Assignment.of(found, None, outside, sums)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document: dict[str, object] = {"buckets_of": self.column}
        bounds = [label for label in self.buckets.labels if label != REFUND]
        document["bounds"] = bounds
        if self.buckets.refunds:
            document["refunds"] = True
        return document


def read_buckets(section: Section) -> BucketLabel:
    """Read a label of value buckets; the section's fault where the bounds do not serve."""
    column = section.text("buckets_of", COLUMN)
    bounds = section.texts("bounds", LABEL_VALUE, most=MOST_LABEL_VALUES)
    if REFUND in bounds:
        raise section.fault("bounds", f"'{REFUND}' is no bound; write `refunds: true` beside them")
    refunds = "refunds" in section and section.flag("refunds")
    try:
        return BucketLabel(column, ValueBuckets.of((REFUND, *bounds) if refunds else bounds))
    except BucketError as error:
        raise section.fault("bounds", str(error)) from None


def place(
    found: Assignment, label: BucketLabel, references: pa.Array, key: RoundingKey | None
) -> Assignment:
    """Return the labels after rounding: of those between two bounds some take the upper one.

    `references` is a text for each person. Raises `DatasetError` without a key.
    """
    if key is None or found.amounts is None:
        raise DatasetError("value buckets are placed by the party's secret, and there is none here")
    ups = label.buckets.goes_up(found.amounts, draws_of(key, references))
    return replace(found, positions=found.positions + (ups & (found.positions != NOTHING)))


def _values_of(column: CodedColumn) -> tuple[Millionths, npt.NDArray[np.bool_]]:
    """Return each distinct text in millionths, and which of them are numbers."""
    read = [
        None if np.isnan(number) else parse_value(text)
        for number, text in zip(column.numbers(), column.texts.to_pylist(), strict=True)
    ]
    values = np.array([value or 0 for value in read], dtype=np.int64)
    return values, np.array([value is not None for value in read], dtype=np.bool_)


def _sums(values: Millionths, who: Positions, people: int) -> Millionths:
    """Return what the rows of each of `people` add up to, exactly as far as it matters."""
    high, low = (np.zeros(people, dtype=np.int64) for _ in range(2))
    np.add.at(high, who, values >> _HALF_BITS)  # in halves, no sum of 2^31 rows overflows
    np.add.at(low, who, values & ((1 << _HALF_BITS) - 1))
    high += low >> _HALF_BITS
    low &= (1 << _HALF_BITS) - 1
    most = _MOST_SUM >> _HALF_BITS
    return np.asarray((np.clip(high, -most, most) << _HALF_BITS) + low, dtype=np.int64)
