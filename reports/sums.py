"""Sums from counts: the value behind a table whose recipient's labels are value buckets.

A sum is Σ bound × count over any rows and columns, suppressed cells included (docs/protocol.md,
Sums from counts). Its error is that of the counts, from the exact law of noise draws of unequal
weight, and that of the rounding to bounds. Labels are buckets, or end in one: "north × 20".
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.buckets import MILLION, ValueBuckets
from reports.cells import CellEstimates
from reports.estimate import SUPPRESSION_ERRORS, Estimate, withheld
from reports.laws import NORMAL_QUANTILE, Term
from reports.linear import Indices
from reports.shapes import ratio_spread
from reports.table import JOINT

Floats = npt.NDArray[np.float64]

_STEPS: Final = 16
_REACH: Final = 8
"""A normal law stands for the rounding of many people: steps to a standard deviation, and reach."""


@dataclass(frozen=True)
class _Normal:
    """The normal law on a lattice of `_STEPS` to its standard deviation."""

    mean: int = 0

    @property
    def variance(self) -> float:
        """The variance, in squared steps."""
        return float(_STEPS**2)

    def pmf(self) -> tuple[int, Floats]:
        """Return (first value, probabilities from there on)."""
        steps = np.arange(-_REACH * _STEPS, _REACH * _STEPS + 1)
        density = np.exp(-((steps / _STEPS) ** 2) / 2)
        return int(steps[0]), density / density.sum()


@dataclass(frozen=True)
class ValueColumns:
    """Columns that are value buckets, once for each segment.

    Attributes:
        buckets: the bounds, the same in every segment.
        segments: (name, columns in the order of the bounds); the name is None where the labels are
            nothing but buckets.
    """

    buckets: ValueBuckets
    segments: tuple[tuple[str | None, tuple[int, ...]], ...]

    @classmethod
    def find(cls, labels: Sequence[str]) -> ValueColumns | None:
        """Return how labels are buckets or end in them, or None where they do not."""
        plain = ValueBuckets.find(labels)
        if plain is not None:
            return cls(plain, ((None, tuple(range(len(labels)))),))
        found: dict[str, tuple[list[str], list[int]]] = {}
        for column, label in enumerate(labels):
            segment, joint, bound = label.rpartition(JOINT)
            if not joint:
                return None
            bounds, columns = found.setdefault(segment, ([], []))
            bounds.append(bound)
            columns.append(column)
        lists = {tuple(bounds) for bounds, _ in found.values()}
        buckets = ValueBuckets.find(lists.pop()) if len(lists) == 1 else None
        if buckets is None:
            return None
        return cls(buckets, tuple((name, tuple(columns)) for name, (_, columns) in found.items()))

    @cached_property
    def blocks(self) -> tuple[tuple[str | None, tuple[tuple[int, ...], ...]], ...]:
        """Each segment with its columns, and all segments together (None) last."""
        named = tuple((name, (columns,)) for name, columns in self.segments if name is not None)
        return (*named, (None, tuple(columns for _, columns in self.segments)))

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """What a person of each bucket adds to a sum."""
        return tuple(weight / MILLION for weight in self.buckets.weights)


def segments_of(labels: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the segments that the recipient's labels are: of "north × 20", "north" is the name.

    Nothing but buckets are no segments: people are not of a kind because of a rounded amount.
    """
    values = ValueColumns.find(labels)
    if values is None:
        return [(label, (column,)) for column, label in enumerate(labels)]
    return [(name, columns) for name, columns in values.segments if name is not None]


@dataclass(frozen=True, eq=False)
class ValueTable:
    """A table whose columns are value buckets: blocks of it have a value."""

    estimates: CellEstimates
    values: ValueColumns

    @classmethod
    def find(cls, estimates: CellEstimates) -> ValueTable | None:
        """Return the estimates with their value columns, or None where they have none."""
        values = ValueColumns.find(estimates.table.recipient_labels)
        return None if values is None else cls(estimates, values)

    def block(
        self, rows: Indices, segment: str | None = None, credit: Sequence[float] | None = None
    ) -> ValueBlock:
        """Return some rows of one segment, or of all of them (None).

        `credit` says for each of the rows how much of its people's value counts: all, without it.
        """
        return ValueBlock(self, rows, dict(self.values.blocks)[segment], credit)

    @cached_property
    def audience_error(self) -> float:
        """The standard error of the value of one segment's audience."""
        noise = (
            term
            for weight in self.values.weights
            for term in self.estimates.share_noise(weight, 0, 1, -1)
        )
        return math.sqrt(math.fsum(term.variance for term in noise))

    @cached_property
    def audiences(self) -> tuple[float, ...]:
        """The recipient's people in each column, matched or not, as the estimates know them."""
        columns = self.estimates.all_columns
        return tuple(self.estimates.audience((column,)).value for column in columns)


@dataclass(frozen=True, eq=False)
class ValueBlock:
    """Some rows of a table, against the buckets of one segment or of several.

    Attributes:
        table: what it is a part of.
        rows: indices of tabulator labels.
        segments: the buckets' columns of each segment, in the order of the bounds.
        credit: how much of a person's value each row counts for; None is all of it.
    """

    table: ValueTable
    rows: Indices
    segments: tuple[tuple[int, ...], ...]
    credit: Sequence[float] | None = None

    @cached_property
    def columns(self) -> list[int]:
        """All columns."""
        return [column for columns in self.segments for column in columns]

    @cached_property
    def earning(self) -> list[int]:
        """The columns of people with a value above 0."""
        return [
            column
            for columns in self.segments
            for column, weight in zip(columns, self._weights, strict=True)
            if weight
        ]

    @property
    def refunded(self) -> list[int]:
        """The columns of people whose value is negative, where they have a label."""
        return [columns[0] for columns in self.segments if self.table.values.buckets.refunds]

    def total(self) -> Estimate:
        """Estimate the sum; withheld where it is one suppressed cell's."""
        if self._hidden:
            return withheld()
        return _rounded(self.value, self._terms(self._weights), self.rounding)

    def average(self) -> Estimate:
        """Estimate the sum for each person of the block."""
        return self._mean(self.columns, [1] * len(self._weights))

    def average_basket(self) -> Estimate:
        """Estimate the sum for each person with a value above 0."""
        return self._mean(self.earning, [weight > 0 for weight in self._weights])

    def share(self) -> Estimate:
        """Estimate which share of the value of the recipient's audience it is (delta method)."""
        estimates, whole = self.table.estimates, self._audience_value
        error = self.table.audience_error * math.sqrt(len(self.segments))
        if self._hidden or whole <= SUPPRESSION_ERRORS * error:
            return withheld()
        share = self.value / whole
        terms = [
            term
            for weight in self._weights
            if weight
            for term in estimates.share_noise(
                weight / whole, len(self.rows), len(self.segments), share
            )
        ]
        every = self._rounding_of(np.array([self.table.audiences[at] for at in self.columns]))
        variance = max((1 - 2 * share) * self.rounding + share**2 * every, 0.0)
        return _rounded(share, terms, variance / whole**2)

    @cached_property
    def value(self) -> float:
        """Σ bound × count × credit, unbiased."""
        return float(self._counted(1) @ np.array(self._weights * len(self.segments)))

    @cached_property
    def rounding(self) -> float:
        """The variance of the rounding to bounds, in squared units of the value."""
        return self._rounding_of(self._counted(2))

    @property
    def _weights(self) -> tuple[float, ...]:
        return self.table.values.weights

    @cached_property
    def _hidden(self) -> bool:
        """Whether the sum would be that of one suppressed cell."""
        return self.table.estimates.count(self.rows, self.earning).suppressed

    @property
    def _audience_value(self) -> float:
        """The value of all of the recipient's people in these columns."""
        people = [self.table.audiences[column] for column in self.columns]
        return float(np.array(people) @ np.array(self._weights * len(self.segments)))

    def _mean(self, columns: Indices, counts: Sequence[int]) -> Estimate:
        """Estimate the sum for each person in some columns (delta method).

        `counts` says for each bucket whether its people are counted.
        """
        people = self.table.estimates.count(self.rows, columns)
        if self._hidden or not people.clear:
            return withheld()
        value = self.value / people.value
        slopes = [
            (weight - value * counted) / people.value
            for weight, counted in zip(self._weights, counts, strict=True)
        ]
        return _rounded(value, self._terms(slopes), self.rounding / people.value**2)

    def _counted(self, power: int) -> Floats:
        """Return the people in each column, a row's times its credit to a power."""
        block = np.ix_(self.rows, self.columns)
        counts = self.table.estimates.values[block].astype(np.float64)
        if self.credit is not None:
            counts *= np.power(np.asarray(self.credit, dtype=np.float64), power)[:, np.newaxis]
        return np.asarray(counts.sum(axis=0), dtype=np.float64)

    def _rounding_of(self, people: Floats) -> float:
        estimates, buckets = self.table.estimates, self.table.values.buckets
        return math.fsum(
            estimates.rounding_variance(buckets, columns, counts.tolist())
            for columns, counts in zip(
                self.segments, people.reshape(len(self.segments), -1), strict=True
            )
        )

    def _terms(self, weights: Sequence[float]) -> list[Term]:
        """Return the noise of Σ weight × credit × count, draws of equal weight together."""
        cells: defaultdict[float, int] = defaultdict(int)
        counted = Counter([1.0] * len(self.rows) if self.credit is None else self.credit)
        for credit, rows in counted.items():
            for weight in weights:
                cells[abs(credit * weight)] += rows * len(self.segments)
        return [
            term
            for coefficient, count in cells.items()
            if coefficient
            for term in self.table.estimates.noise(coefficient, count)
        ]


def _rounded(value: float, noise: Sequence[Term], variance: float) -> Estimate:
    """Return a number with the error of its noise and of the rounding, which are independent.

    More ε helps against the noise alone, so the factor that a noisy number needs is told for it.
    """
    rounding = Term(math.sqrt(variance) / _STEPS, _Normal())
    error, half_width = ratio_spread([*noise, rounding])
    return Estimate(value, error, half_width, epsilon_factor=_factor(value, noise, variance))


def _factor(value: float, noise: Sequence[Term], variance: float) -> float | None:
    """Return by how much ε would have to grow until the number is no less than its error."""
    allowed = (value / NORMAL_QUANTILE) ** 2 - variance
    needed = math.fsum(term.variance for term in noise)
    if value <= 0 or allowed <= 0 or needed <= allowed:
        return None
    return math.sqrt(needed / allowed)
