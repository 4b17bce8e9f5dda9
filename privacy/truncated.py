"""The law of dummies and fillers: truncated shifted discrete Laplace (docs/protocol.md, Dummies).

On {0..2n}, Pr[x] ∝ a^|x−n| with a = e^(−ε/L). Every party must find the same n, since 2n dummies
a cell are agreed, so n is decided by decimal enclosures that are refined until they decide:
a is transcendental for rational ε/L, so they always do. No floating-point comparison decides.

The sampler inverts the distribution function on integers. Each of its 2n thresholds is off by
less than 2·2^-256, so what it draws is within statistical distance 4n·2^-256 of the law.
`delta_charged_e15` includes what that costs. The bytes it reads are the caller's: it makes no
randomness of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from privacy.errors import InvalidParameter
from privacy.noise import exact_scale
from privacy.units import E15, NANO

DRAW_BYTES = 32
"""Uniform bytes that one draw reads."""

_DRAW_BITS = 8 * DRAW_BYTES
_WEIGHT_BITS = 2 * _DRAW_BITS
_GUARD_DIGITS = 25
"""Digits given up to rounding: a dozen operations, of which 1−a^L and 1−a cancel at most four
digits each because the scale is at most 10,000."""


class _Enclosure(NamedTuple):
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class TruncatedLaplace:
    """The noise that hides `sensitivity` records of one person at (ε, δ).

    Fields are integers so that two parties cannot round differently: ε in 1e-9, δ in 1e-15.
    InvalidParameter where they are out of range.
    """

    epsilon_nano: int
    delta_e15: int
    sensitivity: int

    def __post_init__(self) -> None:
        exact_scale(self.epsilon_nano, self.sensitivity)
        if not 0 < self.delta_e15 < E15:
            raise InvalidParameter("delta must be above 0 and below 1, in units of 1e-15")

    @cached_property
    def n(self) -> int:
        """The smallest n ≥ L whose outermost L values weigh no more than δ."""
        return _smallest_n(self)

    @property
    def mean(self) -> int:
        """The public mean, which is n: the law is symmetric about it."""
        return self.n

    @property
    def support(self) -> range:
        """The values 0..2n."""
        return range(2 * self.n + 1)

    @cached_property
    def variance(self) -> float:
        """E[(x−n)²]."""
        _, probabilities = self.pmf()
        distance = np.arange(-self.n, self.n + 1, dtype=np.float64)
        return float(probabilities @ distance**2)

    @cached_property
    def delta_charged_e15(self) -> int:
        """The δ of this law as it is sampled, never below the δ asked for, in 1e-15.

        A statistical distance η between law and sampler adds (1+e^ε)·η for each of the L
        draws that one person can move.
        """
        context = Context(prec=80, rounding=ROUND_CEILING)
        epsilon = context.divide(Decimal(self.epsilon_nano), Decimal(NANO))
        eta = context.divide(Decimal(4 * self.n), Decimal(2**_DRAW_BITS))
        factor = context.multiply(self.sensitivity, context.add(1, context.exp(epsilon)))
        delta = context.add(_outer_mass(self, self.n, 80).high, context.multiply(factor, eta))
        needed = context.multiply(delta, E15).to_integral_value(rounding=ROUND_CEILING)
        return max(self.delta_e15, int(needed))

    def pmf(self) -> tuple[int, npt.NDArray[np.float64]]:
        """Return (0, probabilities of 0..2n)."""
        decay = np.exp(-self.epsilon_nano / NANO / self.sensitivity)
        weights = decay ** np.abs(np.arange(-self.n, self.n + 1))
        return 0, weights / weights.sum()

    def draw(self, uniform: bytes) -> int:
        """Map uniform bytes to a value: the first 32 decide, equal bytes give equal values.

        InvalidParameter when fewer than 32 bytes are given.
        """
        if len(uniform) < DRAW_BYTES:
            raise InvalidParameter(
                f"a draw needs {DRAW_BYTES} uniform bytes and was given {len(uniform)}"
            )
        position = int.from_bytes(uniform[:DRAW_BYTES], "big")
        return bisect_right(self._thresholds, position)

    @cached_property
    def _thresholds(self) -> tuple[int, ...]:
        """2n integers; x is drawn when x of them are at or below the position."""
        decay = int(_decay(self, 2 * _GUARD_DIGITS + 160).low * 2**_WEIGHT_BITS)
        falling = [1 << _WEIGHT_BITS]
        for _ in range(self.n):
            falling.append(falling[-1] * decay >> _WEIGHT_BITS)
        sums = list(accumulate(falling[:0:-1] + falling))
        return tuple((part << _DRAW_BITS) // sums[-1] for part in sums[:-1])


def _smallest_n(law: TruncatedLaplace) -> int:
    """Find n by doubling and halving: the outer mass falls as n grows."""
    low = high = law.sensitivity
    while not _hides(law, high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        if _hides(law, middle):
            high = middle
        else:
            low = middle + 1
    return high


def _hides(law: TruncatedLaplace, n: int) -> bool:
    """Return whether the outer mass at n is at most δ, raising precision until it is plain."""
    delta = Decimal(law.delta_e15).scaleb(-15)
    precision = 60
    while True:
        mass = _outer_mass(law, n, precision)
        if mass.high <= delta:
            return True
        if mass.low > delta:
            return False
        precision *= 2


def _outer_mass(law: TruncatedLaplace, n: int, precision: int) -> _Enclosure:
    """Enclose a^(n−L+1)·(1−a^L)/(1+a−2a^(n+1)), the weight of the L outermost values."""
    context = Context(prec=precision)

    def power(exponent: int) -> Decimal:
        nano = Decimal(-law.epsilon_nano * exponent)
        return context.exp(context.divide(nano, Decimal(law.sensitivity * NANO)))

    numerator = context.multiply(
        power(n - law.sensitivity + 1), context.subtract(1, power(law.sensitivity))
    )
    whole = context.subtract(context.add(1, power(1)), context.multiply(2, power(n + 1)))
    return _widen(context.divide(numerator, whole), precision)


def _decay(law: TruncatedLaplace, precision: int) -> _Enclosure:
    context = Context(prec=precision)
    exponent = context.divide(Decimal(-law.epsilon_nano), Decimal(law.sensitivity * NANO))
    return _widen(context.exp(exponent), precision)


def _widen(value: Decimal, precision: int) -> _Enclosure:
    """Enclose the true value: relative error is below 10^(guard − precision)."""
    slack = Decimal(1).scaleb(_GUARD_DIGITS - precision)
    down = Context(prec=precision, rounding=ROUND_FLOOR)
    up = Context(prec=precision, rounding=ROUND_CEILING)
    return _Enclosure(
        down.multiply(value, down.subtract(1, slack)), up.multiply(value, up.add(1, slack))
    )
