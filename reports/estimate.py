"""One number of a report: value, error, and what may be said of it.

Nothing here clips: a negative value stays in the data and is only shown as "0 (noise)". A
suppressed number is never shown, and never as 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from languages import message
from reports.laws import Spread

SUPPRESSION_ERRORS = 3
"""A cell below this many standard errors is suppressed, whatever its size."""

Unit = Literal[
    "people", "keys", "share", "impressions", "times", "index", "rate", "points", "value",
    "conversions", "cost", "ratio", "probability",
]  # fmt: skip
"""Of a number. A share is written to 0.1%, a rate, which may be tiny, to 0.01%; points are those of
percent; `value` and `cost` (of one person) are in units of the value column, whole from 1,000."""

_HUNDREDTHS: Final[frozenset[Unit]] = frozenset({"share", "rate", "points"})
_DECIMALS: dict[Unit, int] = {
    "share": 1, "times": 2, "rate": 2, "points": 2, "value": 2, "cost": 4,
    "ratio": 2, "probability": 4,
}  # fmt: skip
_MONEY: Final[frozenset[Unit]] = frozenset({"value", "cost"})
_WHOLE_FROM: Final = 1000


@dataclass(frozen=True)
class Estimate:
    """A number with its error.

    Attributes:
        value: unbiased and unclipped; NaN where a ratio has no clear denominator.
        standard_error: standard deviation of the noise.
        half_width: half of the 95% interval.
        suppressed: too small to be shown.
        epsilon_factor: by how much ε, or the number of people, would have to grow: for a number
            that noise dominates, until the error is no more than the number; for a suppressed
            cell, until the smallest cell that may be shown rises above its noise. None when
            nothing has to grow, or no growth can be told to be enough.
    """

    value: float
    standard_error: float
    half_width: float
    suppressed: bool = False
    epsilon_factor: float | None = None

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.value - self.half_width

    @property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return self.value + self.half_width

    @property
    def noise_dominated(self) -> bool:
        """Whether the error is above the number."""
        return self.value < self.half_width

    @property
    def clear(self) -> bool:
        """Whether the number is far enough above its noise to be divided by."""
        return not self.suppressed and self.value > SUPPRESSION_ERRORS * self.standard_error

    @property
    def signed(self) -> bool:
        """Whether a negative value means what it says, and is not noise below 0."""
        return False

    def said(self, unit: Unit) -> str:
        """Return the value as a page shows it, without its error."""
        if self.suppressed:
            return message("suppressed")
        if self.value < 0:
            return message("0 (noise)")
        return written(self.value, unit, beside=self.half_width)

    def shown(self, unit: Unit) -> str:
        """Return what a page shows."""
        said = self.said(unit)
        if self.suppressed or (self.value < 0 and not self.signed):
            return said
        return self._with_error(said, unit)

    def interval(self, unit: Unit) -> str:
        """Return the 95% interval in words, cut off at 0, below which there are no people."""
        high = written(max(self.high, 0), unit)
        if self.value < 0:
            return message("at most {high}", high=high)
        low = written(max(self.low, 0), unit, beside=self.high)
        return message("{low} to {high}", low=low, high=high)

    def _with_error(self, said: str, unit: Unit) -> str:
        error = written(self.half_width, unit, beside=self.value)
        return message("{number} ± {error}", number=said, error=error)

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return JSON values; a suppressed number keeps only its errors, which are public."""
        hidden = self.suppressed
        return {
            "value": None if hidden else self.value,
            "standard_error": _finite(self.standard_error),
            "low": None if hidden else _finite(self.low),
            "high": None if hidden else _finite(self.high),
            "suppressed": self.suppressed,
            "noise_dominated": None if hidden else self.noise_dominated,
            "epsilon_factor": self.epsilon_factor,
        }


def written(
    number: float, unit: Unit, *, finer: int = 0, beside: float = 0.0, sign: bool = False
) -> str:
    """Return a number as people read it, `finer` by so many digits, in the manner of its error.

    With a sign, + or − stand before any number but one that is written as 0.
    """
    factor = 100 if unit in _HUNDREDTHS else 1
    whole = unit in _MONEY and max(abs(number), abs(beside)) >= _WHOLE_FROM
    decimals = 0 if whole else _DECIMALS.get(unit, 0)
    digits = f"{factor * (abs(number) if sign else number):,.{decimals + finer}f}"
    if sign and any(digit in digits for digit in "123456789"):
        digits = f"{'−' if number < 0 else '+'}{digits}"
    if unit == "points":
        return message("{number} pp", number=digits)
    return f"{digits}%" if unit in _HUNDREDTHS else digits


def exact_number(value: float) -> Estimate:
    """Return a number that carries no noise."""
    return Estimate(value, 0.0, 0.0)


def noisy_number(value: float, error: Spread) -> Estimate:
    """Return a number that is shown whatever its size: a total, a margin, a ratio."""
    factor = error.half_width / value if 0 < value < error.half_width else None
    return Estimate(value, error.standard_error, error.half_width, epsilon_factor=factor)


def cell_count(value: float, error: Spread, min_cell: int) -> Estimate:
    """Return the count of one cell, suppressed below max(min_cell, 3 standard errors)."""
    floor = suppression_floor(error, min_cell)
    if value >= floor:
        return noisy_number(value, error)
    noise = SUPPRESSION_ERRORS * error.standard_error
    factor = noise / min_cell if 0 < min_cell < noise else None
    return Estimate(value, error.standard_error, error.half_width, True, factor)


def suppression_floor(error: Spread, min_cell: int) -> float:
    """Return the noisy count below which a cell is suppressed."""
    return max(float(min_cell), SUPPRESSION_ERRORS * error.standard_error)


def withheld() -> Estimate:
    """Return the ratio whose numerator is suppressed or whose denominator may be nothing."""
    return Estimate(math.nan, math.nan, math.nan, suppressed=True)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def grown(factor: float) -> str:
    """Say by how much something has to grow: rounded up, so that what is said is enough."""
    return f"{math.ceil(10 * factor - 1e-9) / 10:.1f}"
