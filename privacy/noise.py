"""The law of the release noise: discrete Laplace on the integers (docs/protocol.md, Release).

A law says how noise is distributed; drawing it is `privacy.release`'s. The law of the dummies
is `privacy.truncated.TruncatedLaplace`. Both answer `mean`, `variance` and `pmf()`, which is
all that reports need to put an exact error on a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from privacy.errors import InvalidParameter
from privacy.units import NANO

MAX_EPSILON_NANO = 100 * NANO
MAX_SCALE = 10_000
"""Above these a report would be noise, and a law's table would not fit in a small party."""

_TAIL = 1e-16


def exact_scale(epsilon_nano: int, sensitivity: int) -> Fraction:
    """Return sensitivity/ε as a fraction; InvalidParameter outside the supported range."""
    if sensitivity < 1:
        raise InvalidParameter(f"sensitivity {sensitivity} is below 1 record a person")
    if not 0 < epsilon_nano <= MAX_EPSILON_NANO:
        raise InvalidParameter("epsilon must be above 0 and at most 100")
    scale = Fraction(sensitivity * NANO, epsilon_nano)
    if scale > MAX_SCALE:
        raise InvalidParameter(
            f"sensitivity / epsilon is above {MAX_SCALE}: every number would be noise; "
            "raise epsilon or lower the bound on records a person"
        )
    return scale


@dataclass(frozen=True)
class DiscreteLaplaceLaw:
    """Pr[x] ∝ exp(−|x|/scale) on all integers: ε-DP when scale is sensitivity/ε."""

    scale: Fraction

    @classmethod
    def for_release(cls, epsilon_nano: int, sensitivity: int) -> Self:
        """Return the law of scale sensitivity/ε."""
        return cls(exact_scale(epsilon_nano, sensitivity))

    @property
    def mean(self) -> int:
        """Zero: the noise is symmetric."""
        return 0

    @cached_property
    def variance(self) -> float:
        """2q/(1−q)² for q = exp(−1/scale)."""
        rate = float(1 / self.scale)
        return 2 * math.exp(-rate) / math.expm1(-rate) ** 2

    def pmf(self) -> tuple[int, npt.NDArray[np.float64]]:
        """Return (first integer, probabilities from there on); beyond lies less than 1e-15."""
        rate = float(1 / self.scale)
        reach = math.ceil(-math.log(_TAIL) / rate)
        distance = np.abs(np.arange(-reach, reach + 1))
        return -reach, np.exp(-rate * distance) * math.tanh(rate / 2)
