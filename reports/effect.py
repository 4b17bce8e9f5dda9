"""Numbers of a comparison: intervals that are not symmetric, effects with a sign, p-values.

An effect may be negative and means it: it is never shown as "0 (noise)". What decides about it is
whether its interval includes 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from languages import message
from reports.estimate import Estimate, Unit, written
from reports.rates import Growth, Limits

_SMALLEST_P: Final = 1e-4
_UNKNOWN: Final = Limits(math.nan, math.nan)


@dataclass(frozen=True)
class Ranged(Estimate):
    """A number with limits of its own; `half_width` is half of what lies between them."""

    limits: Limits = _UNKNOWN

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.limits.low

    @property
    def high(self) -> float:
        """The upper end of the 95% interval; infinite where nothing bounds it."""
        return self.limits.high

    @property
    def noise_dominated(self) -> bool:
        """Whether it may be 0."""
        return self.low <= 0

    def interval(self, unit: Unit) -> str:
        """Return the interval in words, cut off at 0."""
        low, high = (written(max(end, 0.0), unit) for end in (self.low, self.high))
        return message("{low} to {high}", low=low, high=high)

    def _with_error(self, said: str, unit: Unit) -> str:
        return message("{number} ({interval})", number=said, interval=self.interval(unit))


@dataclass(frozen=True)
class Effect(Ranged):
    """A difference between two arms, negative where the first is below the second."""

    @property
    def signed(self) -> bool:
        """A negative value means what it says."""
        return True

    @property
    def noise_dominated(self) -> bool:
        """Whether nothing can be concluded: the interval includes 0."""
        return self.limits.includes_zero

    def said(self, unit: Unit) -> str:
        """Return the value with its sign."""
        return message("suppressed") if self.suppressed else with_sign(self.value, unit)

    def interval(self, unit: Unit) -> str:
        """Return the interval in words."""
        low, high = with_sign(self.low, unit), with_sign(self.high, unit)
        return message("{low} to {high}", low=low, high=high)


@dataclass(frozen=True)
class Probability(Estimate):
    """A p-value: it has no error, for it says how large that of another number is."""

    @property
    def noise_dominated(self) -> bool:
        """It is no estimate that noise could dominate."""
        return False

    def said(self, unit: Unit) -> str:
        """Return the value; what is tiny is said to be below a bound."""
        if self.value < _SMALLEST_P:
            return f"< {_SMALLEST_P}"
        return super().said(unit)

    def interval(self, unit: Unit) -> str:
        """Return nothing: there is none."""
        return ""

    def _with_error(self, said: str, unit: Unit) -> str:
        return said


def ranged(value: float, standard_error: float, limits: Limits) -> Ranged:
    """Return a number that cannot be negative, with its limits."""
    return Ranged(value, standard_error, (limits.high - limits.low) / 2, limits=limits)


def effect(value: float, standard_error: float, limits: Limits, growth: Growth | None) -> Effect:
    """Return an effect; `growth` is what would make it clear of 0."""
    half = (limits.high - limits.low) / 2
    factor = max(growth.people, growth.epsilon) if growth and growth.epsilon else None
    return Effect(value, standard_error, half, epsilon_factor=factor, limits=limits)


def probability(value: float) -> Probability:
    """Return a p-value."""
    return Probability(value, math.nan, math.nan)


def with_sign(number: float, unit: Unit) -> str:
    """Return a number as people read it, its sign before it."""
    return written(number, unit, sign=True)
