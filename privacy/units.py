"""ε and δ as integers: ε and ρ in 1e-9, δ in 1e-15.

Decimal text is read exactly. A value finer than the unit is refused, and so is a binary
float: a parameter that was rounded on the way in would not be the one that is charged.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from languages import message
from privacy.errors import InvalidParameter

NANO = 10**9
E15 = 10**15

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")


def parse_epsilon(text: str) -> int:
    """Read an ε such as "1" or "0.25" in units of 1e-9; InvalidParameter unless exact."""
    return _parse(text, NANO, "epsilon", "nine")


def parse_delta(text: str) -> int:
    """Read a δ such as "1e-9" in units of 1e-15; InvalidParameter unless exact."""
    return _parse(text, E15, "delta", "fifteen")


def format_epsilon(epsilon_nano: int) -> str:
    """Write an ε of units of 1e-9 as the shortest exact decimal."""
    return f"{Decimal(epsilon_nano).scaleb(-9).normalize():f}"


def format_delta(delta_e15: int) -> str:
    """Write a δ of units of 1e-15 exactly, such as "1e-9"."""
    return f"{Decimal(delta_e15).scaleb(-15).normalize():e}" if delta_e15 else "0"


def round_up(value: Fraction) -> int:
    """Return the smallest integer not below a value: what a charge is rounded to."""
    return -((-value.numerator) // value.denominator)


def _parse(text: str, units: int, name: str, digits: str) -> int:
    if not isinstance(text, str):
        raise InvalidParameter(
            message(
                "{name} is given as {type}; write it as decimal text, for "
                'example "1" or "1e-9", so that it is read exactly',
                name=name,
                type=type(text).__name__,
            )
        )
    if _DECIMAL.fullmatch(text) is None:
        raise InvalidParameter(
            message(
                "{name} {text} is not a decimal number without sign and spaces",
                name=name,
                text=f"{text[:40]!r}",
            )
        )
    scaled = Fraction(Decimal(text)) * units
    if scaled.denominator != 1:
        raise InvalidParameter(
            message(
                "{name} {text} has more than {digits} decimals",
                name=name,
                text=f"{text!r}",
                digits=digits,
            )
        )
    return scaled.numerator
