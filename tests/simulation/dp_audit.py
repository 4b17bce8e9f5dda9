"""Auditing differential privacy from outside, through whatever produces an observation.

Two neighbouring inputs are run many times. One half of the runs chooses the worst event, the
other half measures it: with Clopper-Pearson bounds at a joint confidence of 1 − 1e-6, an event
that is likelier than e^ε·(its chance under the neighbour) + δ proves that the promise is broken.

It can only convict. A loss that shows in events rarer than about 20 / runs is out of its sight,
and so is any event of observations that hardly ever repeat: project those to what matters first.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

I = TypeVar("I")  # noqa: E741
Sample = Callable[[I, int], Sequence[Hashable]]

DOUBT = 1e-6


@dataclass(frozen=True)
class Finding:
    """What an audit proved.

    Attributes:
        epsilon_shown: an ε that the mechanism certainly exceeds or meets at the given δ.
        convicted: the promise is certainly broken.
    """

    epsilon_shown: float
    convicted: bool


def each(run: Callable[[I], Hashable]) -> Sample:
    """Make a sample of a function that runs once: a whole session, for example."""
    return lambda given, runs: [run(given) for _ in range(runs)]


def audit(sample: Sample, one: I, other: I, *, epsilon: float, delta: float, runs: int) -> Finding:
    """Look for the event by which two neighbouring inputs differ most, in either direction."""
    choosing = [Counter(sample(given, runs // 2)) for given in (one, other)]
    measuring = [Counter(sample(given, runs // 2)) for given in (one, other)]
    shown = max(
        _epsilon_shown(choosing[::way], measuring[::way], epsilon, delta) for way in (1, -1)
    )
    return Finding(shown, shown > epsilon)


def _epsilon_shown(
    choosing: list[Counter], measuring: list[Counter], epsilon: float, delta: float
) -> float:
    events = [_likelier(*choosing, math.exp(epsilon) * times) for times in (1, 2, 8)]
    worst = max(events, key=lambda event: _shown_by(event, choosing, delta))
    return _shown_by(worst, measuring, delta)


def _likelier(left: Counter, right: Counter, times: float) -> set[Hashable]:
    return {seen for seen, count in left.items() if count > times * right[seen]}


def _shown_by(event: set[Hashable], halves: list[Counter], delta: float) -> float:
    hits = [sum(half[seen] for seen in event) for half in halves]
    least, _ = clopper_pearson(hits[0], halves[0].total(), DOUBT / 4)
    _, most = clopper_pearson(hits[1], halves[1].total(), DOUBT / 4)
    return math.log((least - delta) / most) if least > delta else -math.inf


def clopper_pearson(hits: int, runs: int, doubt: float) -> tuple[float, float]:
    """Return bounds on a chance, each of which is wrong with probability `doubt` at most."""
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _at_most(hits - 1, runs, p) < doubt)
    high = 1.0 if hits == runs else _solve(lambda p: _at_most(hits, runs, p) > doubt)
    return low, high


def _solve(holds: Callable[[float], bool]) -> float:
    """Return the p up to which a condition holds."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


def _at_most(hits: int, runs: int, chance: float) -> float:
    """Return P(Binomial(runs, chance) ≤ hits), for 0 < chance < 1."""
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, runs + 1)))))
    counts = np.arange(hits + 1)
    logs = factorials[runs] - factorials[counts] - factorials[runs - counts]
    logs += counts * math.log(chance) + (runs - counts) * math.log1p(-chance)
    return float(np.exp(logs).sum())
