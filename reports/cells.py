"""Estimates of a table's cells and of every sum of them, in two types.

The recipient knows τ, the dummies that it put into each cell; the tabulator knows e, the noise
that it added. An estimate with τ subtracted would hand the tabulator the exact count. So the
private estimates, with τ, are for their owner's eyes, and the shareable ones are made of the
table as it was sent and of public means alone. No function makes one from the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from psi.buckets import ValueBuckets
from reports.errors import MalformedTable
from reports.estimate import (
    Estimate,
    cell_count,
    exact_number,
    noisy_number,
    withheld,
)
from reports.laws import NoiseLaw, SessionLaws, Spread, Term, spread
from reports.own_values import OwnValues
from reports.rendering import PrivateRendering, Rendering, Row, ShareableRendering
from reports.shapes import ratio_spread
from reports.table import ReleasedTable

Indices = Sequence[int]
_SAME = 100
"""The index of a share that is the base's own."""


@dataclass(frozen=True, eq=False)
class CellEstimates(Rendering, ABC):
    """What both kinds share: counts, and the arithmetic of sums and ratios of them.

    `rows` of a method are indices of tabulator labels and `columns` of recipient labels. A single
    cell is suppressed when it is small; a sum of several is always shown, with its error, and
    includes the suppressed cells.
    """

    table: ReleasedTable
    laws: SessionLaws

    @property
    def all_rows(self) -> range:
        """Every tabulator label."""
        return range(len(self.table.tabulator_labels))

    @property
    def all_columns(self) -> range:
        """Every recipient label."""
        return range(len(self.table.recipient_labels))

    @cached_property
    def values(self) -> npt.NDArray[np.int64]:
        """Unbiased counts, (tabulator labels, recipient labels); negative ones stay."""
        counts = np.array(self.table.counts, dtype=np.int64) - self._dummies_to_subtract()
        counts.flags.writeable = False
        return counts

    def count(self, rows: Indices, columns: Indices) -> Estimate:
        """Estimate the people in a block of cells."""
        cells = len(rows) * len(columns)
        if cells == 1:
            value = int(self.values[rows[0], columns[0]])
            return cell_count(value, self.cell_spread, self.table.parameters.min_cell)
        value = int(self.values[np.ix_(rows, columns)].sum())
        return noisy_number(value, self._spread_of(cells))

    def weighted(self, weights: Sequence[int], columns: Indices) -> Estimate:
        """Estimate a sum over people of the weight of their tabulator label."""
        if self.count(self.all_rows, columns).suppressed:
            return withheld()
        value = self._weighted_value(weights, columns)
        return noisy_number(value, spread(self._row_terms(weights, len(columns))))

    def mean(self, weights: Sequence[int], columns: Indices) -> Estimate:
        """Estimate the mean weight of the people in some columns (error: delta method)."""
        people = self.count(self.all_rows, columns)
        if not people.clear:
            return withheld()
        value = self._weighted_value(weights, columns) / people.value
        slopes = [(weight - value) / people.value for weight in weights]
        return noisy_number(value, spread(self._row_terms(slopes, len(columns))))

    def share(self, rows: Indices, columns: Indices) -> Estimate:
        """Estimate which share of the recipient's audience is in a block (delta method)."""
        people, audience = self.count(rows, columns), self.audience(columns)
        if people.suppressed or not audience.clear:
            return withheld()
        value = people.value / audience.value
        terms = self._share_terms(len(rows), len(columns), value)
        return noisy_number(value, ratio_spread(terms).scaled(1 / audience.value))

    def part(
        self, rows: Indices, columns: Indices, of_rows: Indices, of_columns: Indices
    ) -> Estimate:
        """Estimate which share of the people in one block is in a block within it (delta method).

        `rows` are some of `of_rows`, and `columns` some of `of_columns`.
        """
        people, whole = self.count(rows, columns), self._whole(of_rows, of_columns)
        if people.suppressed or not whole.clear:
            return withheld()
        value = people.value / whole.value
        counted, every = len(rows) * len(columns), len(of_rows) * len(of_columns)
        error = ratio_spread(self._part_terms(counted, every, value))
        return noisy_number(value, error.scaled(1 / whole.value))

    def _whole(self, rows: Indices, columns: Indices) -> Estimate:
        """Return `count`, kept: thousands of shares have the same whole."""
        key = tuple(rows), tuple(columns)
        if key not in self._wholes:
            self._wholes[key] = self.count(rows, columns)
        return self._wholes[key]

    @cached_property
    def _wholes(self) -> dict[tuple[tuple[int, ...], tuple[int, ...]], Estimate]:
        return {}

    def base_share(self, rows: Indices) -> Estimate:
        """Estimate which share of the tabulator's keys is in some labels (delta method)."""
        key = tuple(rows)
        if key not in self._base_shares:
            self._base_shares[key] = self._measure_base_share(rows)
        return self._base_shares[key]

    def _measure_base_share(self, rows: Indices) -> Estimate:
        whole = self._all_offered
        if not whole.clear:
            return withheld()
        value = self.offered(rows).value / whole.value
        error = ratio_spread(self._base_terms(len(rows), value))
        return noisy_number(value, error.scaled(1 / whole.value))

    def index(self, rows: Indices, columns: Indices) -> Estimate:
        """Compare a share of the matched with the same share of the base: 100 is equal.

        The noise of counts and that of set sizes are independent; their errors are put together
        by the delta method.
        """
        matched, base = self.part(rows, columns, self.all_rows, columns), self.base_share(rows)
        if matched.suppressed or not base.clear:
            return withheld()
        value = matched.value / base.value
        people = self._whole(self.all_rows, columns).value * base.value
        keys = self._all_offered.value * base.value
        every = len(self.all_rows) * len(columns)
        terms = [
            *_times(1 / people, self._part_terms(len(rows) * len(columns), every, matched.value)),
            *_times(value / keys, self._base_terms(len(rows), base.value)),
        ]
        return noisy_number(_SAME * value, ratio_spread(terms).scaled(_SAME))

    def offered(self, rows: Indices) -> Estimate:
        """Estimate the keys that the tabulator has in some labels, from its set sizes."""
        value = int(self.offered_keys[list(rows)].sum())
        known = self._offered_spreads.get(len(rows))
        if known is None:
            known = spread([Term(1, self.laws.tabulator_fillers, len(rows))])
            self._offered_spreads[len(rows)] = known
        return noisy_number(value, known)

    @cached_property
    def _offered_spreads(self) -> dict[int, Spread]:
        return {}

    @cached_property
    def _all_offered(self) -> Estimate:
        return self.offered(self.all_rows)

    @cached_property
    def _base_shares(self) -> dict[tuple[int, ...], Estimate]:
        return {}

    @cached_property
    def offered_keys(self) -> npt.NDArray[np.int64]:
        """Unbiased keys of the tabulator by label, (tabulator labels,), from its set sizes."""
        agreed = 2 * self.laws.dummies.mean * len(self.all_columns)
        own = self.table.parameters.known_answers + self.laws.tabulator_fillers.mean
        return np.array(self.table.tabulator_sizes, dtype=np.int64) - agreed - own

    @abstractmethod
    def audience(self, columns: Indices) -> Estimate:
        """Return how many records the recipient has in some columns."""

    def noise(self, coefficient: float, cells: int) -> list[Term]:
        """Return the noise of a coefficient times the sum of so many cells."""
        return [Term(coefficient, law, cells) for law in self._cell_laws()]

    def share_noise(self, coefficient: float, rows: int, columns: int, share: float) -> list[Term]:
        """Return the noise of coefficient × (people − share × audience), of a block's columns."""
        return _times(coefficient, self._share_terms(rows, columns, share))

    @abstractmethod
    def rounding_variance(
        self, buckets: ValueBuckets, columns: Indices, people: Sequence[float]
    ) -> float:
        """Return the variance of Σ bound about Σ value for so many people by bucket.

        `columns` are the buckets' columns in their order; squared units of the value.
        """

    def known_values(self) -> OwnValues | None:
        """Return what the recipient knows of its own values: None in what may be passed on."""
        return None

    @cached_property
    def cell_spread(self) -> Spread:
        """The error of one cell."""
        return self._spread_of(1)

    def title(self) -> str:
        """Return the report's name."""
        return "table"

    def released(self) -> ReleasedTable:
        """Return the table that the numbers come from."""
        return self.table

    def evidence(self) -> dict[str, Any]:
        """Return that table as JSON values."""
        return {"table": self.released().to_dict()}

    def rows(self) -> Iterator[Row]:
        """Yield every cell, row by row."""
        for row, label in enumerate(self.table.tabulator_labels):
            for column, segment in enumerate(self.table.recipient_labels):
                estimate = self.count((row,), (column,))
                yield Row("matched", "people", estimate, label, segment)

    @abstractmethod
    def _dummies_to_subtract(self) -> npt.NDArray[np.int64] | int:
        """Return what each cell holds of dummies, known or expected."""

    @abstractmethod
    def _cell_laws(self) -> tuple[NoiseLaw, ...]:
        """Return the laws of the independent noises in one cell."""

    @abstractmethod
    def _share_terms(self, rows: int, columns: int, share: float) -> list[Term]:
        """Return the noise of people − share × audience."""

    def _spread_of(self, cells: int) -> Spread:
        known = self._spreads.get(cells)
        if known is None:
            known = spread([Term(1, law, cells) for law in self._cell_laws()])
            self._spreads[cells] = known
        return known

    @cached_property
    def _spreads(self) -> dict[int, Spread]:
        return {}

    def _weighted_value(self, weights: Sequence[int], columns: Indices) -> int:
        return int(np.array(weights) @ self.values[:, list(columns)].sum(axis=1))

    def _part_terms(self, counted: int, every: int, share: float) -> list[Term]:
        """Return the noise of people − share × whole, `counted` of its `every` cells."""
        return [
            Term(coefficient, law, cells)
            for law in self._cell_laws()
            for coefficient, cells in ((1 - share, counted), (-share, every - counted))
        ]

    def _base_terms(self, rows: int, share: float) -> list[Term]:
        """Return the noise of keys − share × all keys."""
        law, others = self.laws.tabulator_fillers, len(self.all_rows) - rows
        return [Term(1 - share, law, rows), Term(-share, law, others)]

    def _row_terms(self, coefficients: Sequence[float], columns: int) -> list[Term]:
        return [
            Term(coefficient, law, columns)
            for coefficient in coefficients
            for law in self._cell_laws()
        ]


@dataclass(frozen=True, eq=False)
class PrivateEstimates(CellEstimates, PrivateRendering):
    """The recipient's own view: m + e − τ, whose only error is e.

    Attributes:
        own_dummies: τ, [tabulator label][recipient label].
        own_audience: the recipient's records by its label, exact.
        own_values: the values behind the recipient's buckets, where it has such labels.
    """

    own_dummies: Sequence[Sequence[int]] = field(repr=False)
    own_audience: Sequence[int] = field(repr=False)
    own_values: OwnValues | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        shape = len(self.all_rows), len(self.all_columns)
        dummies, audience = np.asarray(self.own_dummies), np.asarray(self.own_audience)
        if dummies.shape != shape or audience.shape != shape[1:]:
            raise MalformedTable("own dummies or audience do not have the table's labels")
        if dummies.dtype.kind not in "iu" or audience.dtype.kind not in "iu":
            raise MalformedTable("own dummies or audience are not integers")
        if dummies.min() < 0 or dummies.max() > 2 * self.laws.dummies.mean or audience.min() < 0:
            raise MalformedTable("own dummies or audience are outside the possible range")
        if self.own_values is not None and len(self.own_values) != shape[1]:
            raise MalformedTable("own values do not have the table's labels")

    def audience(self, columns: Indices) -> Estimate:
        """Return the recipient's own number of records, which it knows."""
        return exact_number(sum(int(self.own_audience[column]) for column in columns))

    def rounding_variance(
        self, buckets: ValueBuckets, columns: Indices, people: Sequence[float]
    ) -> float:
        """Return it from the mean rounding of the recipient's own people in each bucket."""
        if self.own_values is None:
            return 0.0
        variance = 0.0
        for column, matched in zip(columns, people, strict=True):
            audience = self.own_audience[column]
            if audience:
                part = min(max(matched / audience, 0.0), 1.0)
                variance += part * self.own_values.rounding[column]
        return variance

    def known_values(self) -> OwnValues | None:
        """Return the recipient's own values, where its labels are buckets of them."""
        return self.own_values

    def _dummies_to_subtract(self) -> npt.NDArray[np.int64]:
        return np.array(self.own_dummies, dtype=np.int64)

    def _cell_laws(self) -> tuple[NoiseLaw, ...]:
        return (self.laws.release,)

    def _share_terms(self, rows: int, columns: int, share: float) -> list[Term]:
        return [Term(1, self.laws.release, rows * columns)]


@dataclass(frozen=True, eq=False)
class ShareableEstimates(CellEstimates, ShareableRendering):
    """What may leave: m + e − n, a function of the released table and public laws alone."""

    def audience(self, columns: Indices) -> Estimate:
        """Estimate the recipient's records from the set sizes that the tabulator saw.

        Withheld where sets are padded to a public number, which says nothing.
        """
        if self.table.moments is not None:
            return withheld()
        laws, rows = self.laws, len(self.all_rows)
        own = self.table.parameters.known_answers + laws.recipient_fillers.mean
        added = own + rows * laws.dummies.mean
        value = sum(self.table.recipient_sizes[column] - added for column in columns)
        terms = [
            Term(1, laws.dummies, rows * len(columns)),
            Term(1, laws.recipient_fillers, len(columns)),
        ]
        return noisy_number(value, spread(terms))

    def rounding_variance(
        self, buckets: ValueBuckets, columns: Indices, people: Sequence[float]
    ) -> float:
        """Return the most that it can be by the bounds and the counts: both are public."""
        return buckets.rounding_bound(people)

    def _dummies_to_subtract(self) -> int:
        return self.laws.dummies.mean

    def _cell_laws(self) -> tuple[NoiseLaw, ...]:
        return (self.laws.release, self.laws.dummies)

    def _share_terms(self, rows: int, columns: int, share: float) -> list[Term]:
        """A dummy in a counted cell is in the audience's size too, so it partly cancels."""
        counted, others = rows * columns, (len(self.all_rows) - rows) * columns
        return [
            Term(1, self.laws.release, counted),
            Term(1 - share, self.laws.dummies, counted),
            Term(-share, self.laws.dummies, others),
            Term(-share, self.laws.recipient_fillers, columns),
        ]


def _times(factor: float, terms: Sequence[Term]) -> list[Term]:
    return [Term(factor * term.coefficient, term.law, term.draws) for term in terms]
