"""How a figure grows with n: the exponent of the power law that fits best.

A straight line through the logarithms, by least squares: 1 is proportional to n. A cost that does
not depend on n, such as starting processes, lowers it where n is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.errors import BenchmarkError


def fit_exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """Return b of the law figure = a · n^b.

    Raises:
        BenchmarkError: fewer than two different sizes, or one that is not above zero.
    """
    if len(sizes) != len(figures) or len(set(sizes)) < 2:
        raise BenchmarkError("a growth law needs figures of two sizes or more")
    if min(*sizes, *figures) <= 0:
        raise BenchmarkError("a growth law needs sizes and figures above zero")
    across = [math.log(size) for size in sizes]
    up = [math.log(figure) for figure in figures]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    rise = sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True))
    return rise / sum((x - middle) ** 2 for x in across)
