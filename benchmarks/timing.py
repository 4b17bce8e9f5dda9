"""Timing work that is repeated: always beside other work of the same round, never alone.

Machines are noisy, and a noise that lasts hits all work of a round alike. So each round does every
kind of work once, one behind the other, ratios are taken within a round, and medians over rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

Clock = Callable[[], float]
cpu_clock: Clock = time.process_time  # of all threads; waiting for a core does not count
wall_clock: Clock = time.perf_counter


def microseconds(work: Callable[[], object], count: int, *, clock: Clock = cpu_clock) -> float:
    """Return the microseconds that each of `count` pieces of work took."""
    start = clock()
    work()
    return (clock() - start) / count * 1e6


def median_ratio(above: list[float], below: list[float]) -> float:
    """Return the median over the rounds of one figure over another of the same round."""
    return median(top / bottom for top, bottom in zip(above, below, strict=True))
