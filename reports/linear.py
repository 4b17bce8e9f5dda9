"""Estimates of forms: any sum of cells, and ratios of such sums, with their errors.

What a reader knows of the noise decides how exact they are; which reader that is says a subclass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from reports.estimate import Estimate, cell_count, noisy_number
from reports.forms import Block, Chosen, Draws, Form, Source, Weights, draws_of, weights_on
from reports.laws import SessionLaws, Spread, Term, spread
from reports.presence import Presence, counted
from reports.rendering import Rendering
from reports.shapes import ratio_spread
from reports.table import ReleasedTable

Indices = Sequence[int]
_SAME: Final = 100
"""The index of a share that is the base's own."""


@dataclass(frozen=True, eq=False)
class FormEstimates(Rendering, ABC):
    """A released table, and numbers of it as one kind of reader knows them.

    Attributes:
        layers: indices of the third's labels whose people are counted, `∅` being the one after the
            last; None for everybody, as in every table of two.
    """

    table: ReleasedTable
    laws: SessionLaws
    layers: tuple[int, ...] | None = field(default=None, kw_only=True)

    @property
    def all_rows(self) -> range:
        """Every tabulator label."""
        return range(self.table.shape[0])

    @property
    def all_columns(self) -> range:
        """Every recipient label."""
        return range(self.table.shape[1])

    @property
    def all_layers(self) -> range:
        """Every label of the third; none in a table of two."""
        return range(self.table.shape[2])

    def of_third(self, layers: Indices) -> Self:
        """Return the same estimates of the people in some labels of the third alone."""
        part = replace(self, layers=tuple(layers))
        part.__dict__["presence"] = self.presence  # of everybody: it need not be computed again
        return part

    @cached_property
    def presence(self) -> Presence:
        """Unbiased people in every cell, `∅` last on each axis; negative ones stay."""
        return counted(self.table) - self._added()

    def block(self, rows: Indices, columns: Indices) -> Block:
        """Return the people in some rows and columns, of the layers that are counted."""
        return Block(chosen(rows), chosen(columns), self._layers)

    def offered_block(self, rows: Indices) -> Block:
        """Return the tabulator's keys in some labels, the recipient's or not."""
        return Block(chosen(rows), range(self.table.shape[1] + 1), self._layers)

    def priced(self, rows: Indices, weights: Sequence[float]) -> Block:
        """Return the people in some rows, each times the weight of its recipient's label."""
        return Block(chosen(rows), Weights(tuple(weights)), self._layers)

    def value(self, block: Block) -> float:
        """Return the unbiased people in a block, kept: thousands of ratios have the same whole."""
        if block not in self._values:
            found = self.presence
            for axis in block:
                found = _summed(found, axis)
            self._values[block] = found.item()
        return self._values[block]

    @cached_property
    def _values(self) -> dict[Block, float]:
        return {}

    def value_of(self, form: Form) -> float:
        """Return the unbiased value of a form."""
        return sum(factor * self.value(block) for factor, block in form)

    def terms(self, *form: tuple[float, Block]) -> list[Term]:
        """Return the noise of Σ factor × block that this reading does not know."""
        factors = [factor for factor, _ in form]
        return [draws.term(factors, self.laws) for draws in self._draws(*(one for _, one in form))]

    def covariance(self, one: Block, other: Block) -> float:
        """Return the covariance of two blocks by noise; of a block with itself, its variance."""
        return sum(
            draws.number * draws.coefficients[0] * draws.coefficients[1] * law.variance
            for draws in self._draws(one, other)
            for law in (draws.source.law(self.laws),)
        )

    @cached_property
    def variances(self) -> npt.NDArray[np.float64]:
        """The variance of every cell by noise, (rows + 1, columns + 1, layers + 1), `∅` last.

        Cells of labels are alike, so few of them are computed.
        """
        every = [(*range(labels), labels) for labels in self.table.shape]
        found = np.zeros([len(axis) for axis in every])
        for ends in product(*((axis[:1], axis[-1:]) for axis in every)):
            cell = Block(*ends)
            places = [
                axis[:-1] if end != axis[-1:] else end
                for axis, end in zip(every, ends, strict=True)
            ]
            found[np.ix_(*places)] = self.covariance(cell, cell)
        return found

    def ratio(self, part: Block, whole: Block) -> Estimate:
        """Estimate one block over another, whatever they are (delta method)."""
        return self.ratio_of([(1, part)], [(1, whole)])

    def ratio_of(self, part: Form, whole: Form) -> Estimate:
        """Estimate one form over another (delta method)."""
        of = self.value_of(whole)
        value = self.value_of(part) / of
        parts = [(factor / of, block) for factor, block in part]
        wholes = [(-value * factor / of, block) for factor, block in whole]
        return noisy_number(value, ratio_spread(self.terms(*parts, *wholes)))

    def ratio_of_ratios(
        self, part: Block, whole: Block, other_part: Block, other_whole: Block
    ) -> Estimate:
        """Estimate 100 × (part / whole) / (other part / other whole) (delta method)."""
        share, of = self.value(part) / self.value(whole), self.value(whole)
        base, other = self.value(other_part) / self.value(other_whole), self.value(other_whole)
        value = share / base
        terms = self.terms(
            (1 / (of * base), part),
            (-share / (of * base), whole),
            (-value / (other * base), other_part),
            (value / other, other_whole),
        )
        return noisy_number(_SAME * value, ratio_spread(terms).scaled(_SAME))

    def number(self, form: Form) -> Estimate:
        """Estimate a form, shown whatever it is."""
        return noisy_number(self.value_of(form), spread(self.terms(*form)))

    def sum(self, block: Block) -> Estimate:
        """Estimate the people in a block, shown whatever their number."""
        return noisy_number(self.value(block), self._error(block))

    def cell(self, block: Block) -> Estimate:
        """Estimate the people in a block, suppressed where they are few."""
        minimum = self.table.parameters.min_cell
        return cell_count(self.value(block), self._error(block), minimum)

    @abstractmethod
    def _added(self) -> Presence:
        """Return what each cell holds of dummies and fillers, known or expected."""

    @property
    @abstractmethod
    def _known(self) -> frozenset[Source]:
        """The draws that this reading knows."""

    @property
    def _layers(self) -> range | tuple[int, ...]:
        """The layers that are counted, `∅` among them."""
        return range(self.table.shape[2] + 1) if self.layers is None else self.layers

    @property
    def _counted_layers(self) -> Presence:
        return self.presence.take(self._layers, axis=2)

    def _draws(self, *blocks: Block) -> list[Draws]:
        known = self._known
        every = draws_of(self.table.shape, blocks)
        return [draws for draws in every if draws.source not in known]

    def _error(self, block: Block) -> Spread:
        """Return the error of a block, kept: those of equal noise have the same."""
        draws = tuple(self._draws(block))
        if draws not in self._errors:
            self._errors[draws] = spread([one.term((1,), self.laws) for one in draws])
        return self._errors[draws]

    @cached_property
    def _errors(self) -> dict[tuple[Draws, ...], Spread]:
        return {}


def _summed(array: npt.NDArray[Any], along: Chosen) -> npt.NDArray[Any]:
    """Return the sum over some places of the first axis, or the weighted sum."""
    if isinstance(along, Weights):
        return np.tensordot(weights_on(len(array) - 1, along), array, 1)
    if isinstance(along, range):
        return np.asarray(array[along.start : along.stop].sum(axis=0))
    return np.asarray(array[along[0]] if len(along) == 1 else array[list(along)].sum(axis=0))


def chosen(indices: Indices) -> range | tuple[int, ...]:
    """Return indices as a key, by which what is computed once is kept."""
    return indices if isinstance(indices, range) else tuple(indices)
