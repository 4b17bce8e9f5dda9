"""How much more often than in the whole base the matched stand among the people who score highest.

The lift of a part of the ranking is its share of the matched over its share of the base, on the
noisy table. The ranking was chosen on the same table, so the bare ratio flatters it. A parametric
bootstrap measures by how much: worlds are drawn from the fitted table with the session's own
noise, each is weighted and ranked anew, and what its ratio shows above the truth of its world is
taken off. The interval covers noise, sampling and the choice of the ranking. The seed is fixed, so
a table and a base always give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reports.draws import drawn
from reports.estimate import SUPPRESSION_ERRORS, Estimate, exact_number, withheld
from reports.laws import CONFIDENCE, NORMAL_QUANTILE
from reports.lookalike import Lookalike, Numbers

SEED: Final = 1
DECILES: Final = tuple((place / 10, (place + 1) / 10) for place in range(10))
_WORLDS: Final = 200
_LEAST_RATIO: Final = 0.02
"""Where nobody was found: a world in which nobody can be is no world to draw."""

Part = tuple[float, float]


@dataclass(frozen=True)
class Lift:
    """The lift of one part of a ranking: 1 is the whole base, 2 twice as many matched.

    Attributes:
        part: from where to where, as shares of the people, the best first.
        estimate: with its error.
    """

    part: Part
    estimate: Estimate

    @property
    def tells(self) -> bool:
        """Whether the interval leaves out 1."""
        return not self.estimate.suppressed and not self.estimate.low <= 1 <= self.estimate.high

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        numbers = self.estimate.to_dict()
        kept = ("value", "standard_error", "low", "high")
        ends = {"from": self.part[0], "to": self.part[1]}
        return {**ends, **{name: numbers[name] for name in kept}, "tells": self.tells}


def lifts(lookalike: Lookalike, people: npt.NDArray[np.int64], parts: Sequence[Part]) -> list[Lift]:
    """Return the lift of some parts of the ranking of a base.

    `people` (labels,) are those who are ranked, by label. People of equal score are in the order
    of a lottery, so a part takes as large a share of each of their labels; where all scores are
    equal, every lift is 1. Withheld where the labels of a part's people have too little of the
    matched, or of the request's base.
    """
    tables, matched, base = lookalike.tables, lookalike.matched, lookalike.base
    if not lookalike.tells:
        return [Lift(part, exact_number(1.0)) for part in parts]
    held = people > 0
    noise = (np.count_nonzero(held) * tables.cell_variance) ** 0.5
    if matched[held].sum() <= SUPPRESSION_ERRORS * noise or base[held].sum() <= 0:
        return [Lift(part, withheld()) for part in parts]
    chosen = part_shares(lookalike.scores, people, parts)
    shown = _lifts(chosen, matched, base, people)
    truth = _fitted(lookalike)
    worlds, bases = _worlds(lookalike, truth)
    flattery = np.empty((_WORLDS, len(parts)))
    for at, scores in enumerate(tables.scores(tables.weights(worlds, bases))):
        shares = part_shares(scores, people, parts)
        seen = _lifts(shares, worlds[at], bases[at], people)
        flattery[at] = seen - _lifts(shares, truth, np.maximum(base, 0), people)
    bias = flattery.mean(axis=0)
    errors = np.maximum(flattery.std(axis=0), _errors_of(chosen, lookalike, people))
    half = np.quantile(np.abs(flattery - bias), CONFIDENCE, axis=0)
    half = np.maximum(half, NORMAL_QUANTILE * errors)
    clear = _has_base(chosen, lookalike, people) & np.isfinite(shown - bias + half)
    return [
        Lift(part, Estimate(float(shown[at] - bias[at]), float(errors[at]), float(half[at])))
        if clear[at]
        else Lift(part, withheld())
        for at, part in enumerate(parts)
    ]


def part_shares(scores: Numbers, people: npt.NDArray[np.int64], parts: Sequence[Part]) -> Numbers:
    """Return which share of each label's people is in each part, (parts, labels)."""
    _, group = np.unique(-scores, return_inverse=True)
    sizes = np.bincount(group, weights=people)
    ends = np.cumsum(sizes)
    edges = np.array(parts) * ends[-1]
    starts = np.maximum(edges[:, :1], ends - sizes)
    stops = np.minimum(edges[:, 1:], ends)
    shares: Numbers = np.maximum(stops - starts, 0) / np.maximum(sizes, 1)
    return shares[:, group]


def _lifts(
    shares: Numbers, matched: Numbers, base: Numbers, people: npt.NDArray[np.int64]
) -> Numbers:
    """Return share of the matched over share of the base for each part, (parts,)."""
    held = people > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # nobody there: withheld in the end
        found = shares @ np.where(held, matched, 0) / matched[held].sum()
        lifts: Numbers = found / (shares @ np.where(held, base, 0) / base[held].sum())
    return lifts


def _errors_of(shares: Numbers, lookalike: Lookalike, people: npt.NDArray[np.int64]) -> Numbers:
    """Return the errors of lifts if their ranking were given (delta method), (parts,)."""
    held = people > 0
    matched, base = lookalike.matched[held], lookalike.base[held]
    within = shares[:, held]
    part = within @ matched / matched.sum()
    variances = lookalike.tables.cell_variance + np.maximum(matched, 0)
    errors = np.sqrt((within - part[:, None]) ** 2 @ variances) / matched.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        of_lifts: Numbers = errors / (within @ base / base.sum())
    return of_lifts


def _has_base(
    shares: Numbers, lookalike: Lookalike, people: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which parts have people of labels that the request's base has, above its noise."""
    within = shares[:, people > 0]
    noise = np.sqrt((within**2).sum(axis=1) * lookalike.tables.base_variance)
    clear: npt.NDArray[np.bool_] = within @ lookalike.base[people > 0] > SUPPRESSION_ERRORS * noise
    return clear


def _fitted(lookalike: Lookalike) -> Numbers:
    """Return the matched people of each label by the indexes as they are, none of them weakened."""
    low, high = lookalike.tables.intervals(lookalike.matched, lookalike.base)
    ratios = np.where(np.isfinite(high), (low + high) / 2, 1.0)
    scores = lookalike.tables.scores(np.log(np.maximum(ratios, _LEAST_RATIO)))
    likely = np.maximum(lookalike.base, 0) * np.exp(scores)
    fitted: Numbers = max(lookalike.matched.sum(), 1.0) * likely / likely.sum()
    return fitted


def _worlds(lookalike: Lookalike, truth: Numbers) -> tuple[Numbers, Numbers]:
    """Draw noisy tables of worlds like the fitted one, each (worlds, labels)."""
    source = np.random.default_rng(SEED)
    laws, shape = lookalike.estimates.laws, (_WORLDS, len(truth))
    segments = len(lookalike.estimates.all_columns)
    worlds = source.poisson(truth, shape).astype(np.float64)
    for law in (laws.release, laws.dummies):
        worlds += drawn(law, segments, shape, source)
    base = np.maximum(lookalike.base, 0) + drawn(laws.tabulator_fillers, 1, shape, source)
    return worlds, base
