"""Lookalike: how much likelier each attribute is among the matched than in the tabulator's base.

Naive Bayes on the one-way tables of an insights report. For one value of an attribute, p is its
share of the matched (M of them), b its share of the base, and r = p / b its index over 100. The
error of r is that of the table's noise and of the chance by which M people are as they are:

    s² = (Var p + r² Var b) / b²,   Var p = noise + p (1 − p) / M,   Var b = noise

The weight is ln of the point nearest to 1 in r ± 1.96 s. So what the error explains weighs
nothing, and what it does not explain weighs as little as the error allows. A negative p counts as
0; a suppressed count is known to lie below its floor, and weighs as that says. A label's score is
the sum of its attributes' weights. All of it is a function of the shareable estimates alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from reports.cells import ShareableEstimates
from reports.errors import NotShareable
from reports.estimate import SUPPRESSION_ERRORS, Estimate, suppression_floor
from reports.insights import ANY, groups_of
from reports.laws import NORMAL_QUANTILE
from reports.table import JOINT

Numbers = npt.NDArray[np.float64]

_ONE_PERSON: Final = 1.0


@dataclass(frozen=True)
class Weight:
    """What one value of one attribute adds to a score.

    Attributes:
        name: the marginal, such as "north × any".
        index: 100 × share of the matched / share of the base, as insights has it.
        weight: natural logarithm of a ratio; 0 where the error explains the index.
    """

    name: str
    index: Estimate
    weight: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "weight": self.weight, "index": self.index.to_dict()}


@dataclass(frozen=True, eq=False)
class OneWayTables:
    """The one-way tables of labels that are combinations of attributes, and their noise.

    Attributes:
        names: of each value of each attribute, as marginals.
        rows: the labels that have each value.
        cell_variance: of the noise in the matched of one label, all segments together.
        base_variance: of the noise in the base of one label.
        cell_floor: what a label's count has to reach to be shown; None where it is a sum.
    """

    names: tuple[str, ...]
    rows: tuple[Sequence[int], ...]
    cell_variance: float
    base_variance: float
    cell_floor: float | None

    @classmethod
    def of(cls, estimates: ShareableEstimates) -> Self:
        """Return those of a table; UnsuitableLabels where its labels are no combinations."""
        marginals = [
            (name, rows)
            for name, rows in groups_of(estimates.table.tabulator_labels)
            if sum(part != ANY for part in name.split(JOINT)) == 1
        ]
        cell, segments = estimates.cell_spread, len(estimates.all_columns)
        floor = suppression_floor(cell, estimates.table.parameters.min_cell)
        return cls(
            tuple(name for name, _ in marginals),
            tuple(rows for _, rows in marginals),
            segments * cell.standard_error**2,
            estimates.laws.tabulator_fillers.variance,
            floor if segments == 1 else None,
        )

    @cached_property
    def members(self) -> Numbers:
        """(values, labels): 1 where a label has a value of an attribute, else 0."""
        labels = 1 + max(max(rows) for rows in self.rows)
        members = np.zeros((len(self.rows), labels))
        for at, rows in enumerate(self.rows):
            members[at, list(rows)] = 1
        return members

    def intervals(self, matched: Numbers, base: Numbers) -> tuple[Numbers, Numbers]:
        """Return the 95% interval of each value's r, (…, values), from counts (…, labels).

        It may begin below 0. It reaches from 0 to infinity where the matched, or a value's base,
        do not rise above their noise.
        """
        people, keys = (counts.sum(axis=-1, keepdims=True) for counts in (matched, base))
        counted, offered = matched @ self.members.T, base @ self.members.T
        every = self.members.shape[1]
        cells = self.members.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            p, b = np.maximum(counted, 0) / people, offered / keys
            chance = np.maximum(p, _ONE_PERSON / people)
            noise_of_p = self.cell_variance * _ratio_draws(cells, every, p) / people**2
            variance_of_b = self.base_variance * _ratio_draws(cells, every, b) / keys**2
            variance_of_p = noise_of_p + np.maximum(chance * (1 - chance), 0) / people
            ratio = p / b
            half = NORMAL_QUANTILE * np.sqrt(variance_of_p + ratio**2 * variance_of_b) / b
            low, high = ratio - half, ratio + half
            if self.cell_floor is not None:
                most = self.cell_floor + NORMAL_QUANTILE * self.cell_variance**0.5
                hidden = (cells == 1) & (counted < self.cell_floor)
                low, high = np.where(hidden, 0, low), np.where(hidden, most / people / b, high)
            clear = people > SUPPRESSION_ERRORS * np.sqrt(every * self.cell_variance)
            clear = clear & (b > SUPPRESSION_ERRORS * np.sqrt(variance_of_b)) & (keys > 0)
        return np.where(clear, low, 0.0), np.where(clear, high, np.inf)

    def weights(self, matched: Numbers, base: Numbers) -> Numbers:
        """Return each value's weight, (…, values), from counts (…, labels)."""
        low, high = self.intervals(matched, base)
        nearest: Numbers = np.log(np.clip(1.0, low, high))
        return nearest

    def scores(self, weights: Numbers) -> Numbers:
        """Return each label's score, (…, labels): the sum of its values' weights."""
        scores: Numbers = weights @ self.members
        return scores


@dataclass(frozen=True, eq=False)
class Lookalike:
    """Weights and scores of one table.

    Attributes:
        estimates: the table's shareable reading; NotShareable for any other.
    """

    estimates: ShareableEstimates

    def __post_init__(self) -> None:
        if type(self.estimates) is not ShareableEstimates:
            raise NotShareable("weights are computed from shareable estimates only")

    @cached_property
    def tables(self) -> OneWayTables:
        """The one-way tables; UnsuitableLabels where the labels are no combinations."""
        return OneWayTables.of(self.estimates)

    @cached_property
    def matched(self) -> Numbers:
        """Matched people by label, all segments together, (labels,)."""
        matched: Numbers = self.estimates.values.sum(axis=1).astype(np.float64)
        return matched

    @cached_property
    def base(self) -> Numbers:
        """The tabulator's keys by label, (labels,)."""
        return self.estimates.offered_keys.astype(np.float64)

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        """The weight of each value of each attribute, with its index."""
        every = self.estimates.all_columns
        return tuple(
            Weight(name, self.estimates.index(rows, every), float(weight))
            for name, rows, weight in zip(
                self.tables.names, self.tables.rows, self._logs, strict=True
            )
        )

    @cached_property
    def _logs(self) -> Numbers:
        return self.tables.weights(self.matched, self.base)

    @cached_property
    def scores(self) -> Numbers:
        """The score of each label, (labels,): 0 is what the whole base has."""
        return self.tables.scores(self._logs)

    @property
    def tells(self) -> bool:
        """Whether any attribute differs by more than its error: else all scores are equal."""
        return bool(self._logs.any())

    @property
    def growth_needed(self) -> float | None:
        """By how much ε and people have to grow until the clearest value differs.

        At least by this; None where one does, or where none differs at all.
        """
        low, high = self.tables.intervals(self.matched, self.base)
        middle, half = (low + high) / 2, (high - low) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = half / np.abs(middle - 1)
        known = factors[np.isfinite(factors)]
        return None if self.tells or not known.size else float(known.min())


def _ratio_draws(counted: Numbers, every: int, share: Numbers) -> Numbers:
    """Return the noise draws in counted − share × all, each as heavy as its square."""
    draws: Numbers = counted * (1 - share) ** 2 + (every - counted) * share**2
    return draws
