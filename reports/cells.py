"""Estimates of a table's cells and of every sum of them, in two types.

The recipient knows τ, the dummies that it put into each cell; the tabulator knows e, the noise
that it added. An estimate with τ subtracted would hand the tabulator the exact count. So the
private estimates, with τ, are for their owner's eyes, and the shareable ones are made of the
table as it was sent and of public means alone. No function makes one from the other.

A number is a form over all cells of who is where (reports/forms.py), of two parties or of three.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from psi.buckets import ValueBuckets
from reports.errors import MalformedTable
from reports.estimate import Estimate, noisy_number, withheld
from reports.forms import Block, Chosen, Source, Weights
from reports.laws import Spread, Term
from reports.linear import FormEstimates, Indices, chosen
from reports.own_values import OwnValues
from reports.presence import Agreed, Presence
from reports.rendering import PrivateRendering, Row, ShareableRendering
from reports.table import ReleasedTable

_KNOWN_TO_RECIPIENT: Final = frozenset({Source.DUMMIES, Source.RECIPIENT_FILLERS})


@dataclass(frozen=True, eq=False)
class CellEstimates(FormEstimates, ABC):
    """What both kinds share: counts, and the arithmetic of sums and ratios of them.

    `rows` of a method are indices of tabulator labels and `columns` of recipient labels. A single
    cell is suppressed when it is small; a sum of several is always shown, with its error, and
    includes the suppressed cells.
    """

    @cached_property
    def values(self) -> npt.NDArray[np.int64]:
        """Unbiased counts, (tabulator labels, recipient labels); negative ones stay."""
        values: Presence = self._counted_layers[:-1, :-1].sum(axis=2)
        values.flags.writeable = False
        return values

    def count(self, rows: Indices, columns: Indices) -> Estimate:
        """Estimate the people in some cells."""
        if len(rows) * len(columns) == 1:
            return self.cell(self.block(rows, columns))
        return self.sum(self.block(rows, columns))

    def weighted(self, weights: Sequence[int], columns: Indices) -> Estimate:
        """Estimate a sum over people of the weight of their tabulator label."""
        if self.count(self.all_rows, columns).suppressed:
            return withheld()
        block = self._weighted(weights, columns)
        return noisy_number(int(self.value(block)), self._error(block))

    def mean(self, weights: Sequence[int], columns: Indices) -> Estimate:
        """Estimate the mean weight of the people in some columns (error: delta method)."""
        if not self.count(self.all_rows, columns).clear:
            return withheld()
        return self.ratio(self._weighted(weights, columns), self.block(self.all_rows, columns))

    def share(self, rows: Indices, columns: Indices) -> Estimate:
        """Estimate which share of the recipient's audience is in a block (delta method)."""
        if self.count(rows, columns).suppressed or not self.audience(columns).clear:
            return withheld()
        return self.ratio(self.block(rows, columns), self.block(self._all_or_none, columns))

    def part(
        self, rows: Indices, columns: Indices, of_rows: Indices, of_columns: Indices
    ) -> Estimate:
        """Estimate which share of the people in one block is in a block within it (delta method).

        `rows` are some of `of_rows`, and `columns` some of `of_columns`.
        """
        if self.count(rows, columns).suppressed or not self._whole(of_rows, of_columns).clear:
            return withheld()
        return self.ratio(self.block(rows, columns), self.block(of_rows, of_columns))

    def _whole(self, rows: Indices, columns: Indices) -> Estimate:
        """Return `count`, kept: thousands of shares have the same whole."""
        key = chosen(rows), chosen(columns)
        if key not in self._wholes:
            self._wholes[key] = self.count(rows, columns)
        return self._wholes[key]

    @cached_property
    def _wholes(self) -> dict[tuple[Chosen, Chosen], Estimate]:
        return {}

    def base_share(self, rows: Indices) -> Estimate:
        """Estimate which share of the tabulator's keys is in some labels (delta method)."""
        key = chosen(rows)
        if key not in self._base_shares:
            whole = self.offered_block(self.all_rows)
            clear = self.sum(whole).clear
            share = self.ratio(self.offered_block(rows), whole) if clear else withheld()
            self._base_shares[key] = share
        return self._base_shares[key]

    @cached_property
    def _base_shares(self) -> dict[Chosen, Estimate]:
        return {}

    def index(self, rows: Indices, columns: Indices) -> Estimate:
        """Compare a share of the matched with the same share of the base: 100 is equal.

        The error is that of all four counts together, by the delta method.
        """
        matched, base = self.part(rows, columns, self.all_rows, columns), self.base_share(rows)
        if matched.suppressed or not base.clear:
            return withheld()
        blocks = self.block(rows, columns), self.block(self.all_rows, columns)
        return self.ratio_of_ratios(
            *blocks, self.offered_block(rows), self.offered_block(self.all_rows)
        )

    def offered(self, rows: Indices) -> Estimate:
        """Estimate the keys that the tabulator has in some labels, from its set sizes."""
        return self.sum(self.offered_block(rows))

    @cached_property
    def offered_keys(self) -> npt.NDArray[np.int64]:
        """Unbiased keys of the tabulator by label, (tabulator labels,), from its set sizes."""
        keys: Presence = self._counted_layers[:-1].sum(axis=(1, 2))
        return keys

    def audience(self, columns: Indices) -> Estimate:
        """Estimate how many records the recipient has in some columns; exact where it knows."""
        block = self.block(self._all_or_none, columns)
        if self.layers is not None and len(columns) == 1:
            return self.cell(block)
        return self.sum(block)

    def noise(self, coefficient: float, cells: int) -> list[Term]:
        """Return the noise of a coefficient times the sum of so many cells."""
        return [
            Term(coefficient * term.coefficient, term.law, cells * term.draws)
            for term in self.terms((1, self._one_cell))
        ]

    def share_noise(self, coefficient: float, rows: int, columns: int, share: float) -> list[Term]:
        """Return the noise of coefficient × (people − share × audience), of a block's columns."""
        people = self.block(range(rows), range(columns))
        audience = self.block(self._all_or_none, range(columns))
        return self.terms((coefficient, people), (-coefficient * share, audience))

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
        return self._error(self._one_cell)

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

    @property
    def _all_or_none(self) -> range:
        """Every tabulator label, and `∅`."""
        return range(self.table.shape[0] + 1)

    @property
    def _one_cell(self) -> Block:
        return self.block((0,), (0,))

    def _weighted(self, weights: Sequence[int], columns: Indices) -> Block:
        return Block(Weights(tuple(weights)), chosen(columns), self._layers)


@dataclass(frozen=True, eq=False)
class PrivateEstimates(CellEstimates, PrivateRendering):
    """The recipient's own view: m + e − τ, whose only error is e, and a third's dummies.

    Attributes:
        own_dummies: τ, [tabulator label][recipient label]; with a third [tabulator label or
            `∅`][recipient label][third's label or `∅`], `∅` last.
        own_audience: the recipient's records by its label, exact.
        own_values: the values behind the recipient's buckets, where it has such labels.
    """

    own_dummies: Sequence[Sequence[int]] = field(repr=False)
    own_audience: Sequence[int] = field(repr=False)
    own_values: OwnValues | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        dummies, audience = np.asarray(self.own_dummies), np.asarray(self.own_audience)
        labels = (len(self.all_columns),)
        if dummies.shape != _shape_of_dummies(self.table) or audience.shape != labels:
            raise MalformedTable("own dummies or audience do not have the table's labels")
        if dummies.dtype.kind not in "iu" or audience.dtype.kind not in "iu":
            raise MalformedTable("own dummies or audience are not integers")
        if dummies.min() < 0 or dummies.max() > 2 * self.laws.dummies.mean or audience.min() < 0:
            raise MalformedTable("own dummies or audience are outside the possible range")
        if self.own_values is not None and len(self.own_values) != labels[0]:
            raise MalformedTable("own values do not have the table's labels")

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
        """Return the recipient's own values, where its labels are buckets of them.

        They are of all its people, so there are none of those in some layers.
        """
        return self.own_values if self.layers is None else None

    def _added(self) -> Presence:
        return Agreed(self.table, self.laws).known(
            np.asarray(self.own_dummies, dtype=np.int64),
            np.asarray(self.own_audience, dtype=np.int64),
        )

    @property
    def _known(self) -> frozenset[Source]:
        return _KNOWN_TO_RECIPIENT


@dataclass(frozen=True, eq=False)
class ShareableEstimates(CellEstimates, ShareableRendering):
    """What may leave: m + e − n, a function of the released table and public laws alone."""

    def audience(self, columns: Indices) -> Estimate:
        """Estimate the recipient's records from the set sizes that the tabulator saw.

        Withheld where sets are padded to a public number, which says nothing.
        """
        if self.table.moments is not None:
            return withheld()
        return super().audience(columns)

    def rounding_variance(
        self, buckets: ValueBuckets, columns: Indices, people: Sequence[float]
    ) -> float:
        """Return the most that it can be by the bounds and the counts: both are public."""
        return buckets.rounding_bound(people)

    def _added(self) -> Presence:
        return Agreed(self.table, self.laws).expected()

    @property
    def _known(self) -> frozenset[Source]:
        return frozenset()


def _shape_of_dummies(table: ReleasedTable) -> tuple[int, ...]:
    """Return the shape of the recipient's own draws: by cell, as the request names them."""
    rows, columns, layers = table.shape
    return (rows + 1, columns, layers + 1) if table.third is not None else (rows, columns)
