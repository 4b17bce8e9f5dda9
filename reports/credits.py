"""Credits: how a rule splits each journey's conversion among its campaigns.

A credit is a whole number of millionths. A conversion is split by the largest remainder, so that
its credits add up to exactly one. Rules are defined on journeys as labels: runs of one campaign are
one touch, and what a label has cut away has no credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.journey import Journey

UNIT: Final = 1_000_000
"""The credit of one conversion."""

Credits = npt.NDArray[np.int64]


class Rule(StrEnum):
    """How one conversion is split: fixed shares by place, or all to the drawn campaign."""

    LAST = "last"
    FIRST = "first"
    LINEAR = "linear"
    POSITION = "position"
    DECAY = "decay"


def credits_of(rule: Rule, journeys: Sequence[Journey], campaigns: Sequence[str]) -> Credits:
    """Return (campaigns, journeys): the credit of each campaign in each journey."""
    number = {name: place for place, name in enumerate(campaigns)}
    credit = np.zeros((len(campaigns), len(journeys)), dtype=np.int64)
    for column, journey in enumerate(journeys):
        if rule is Rule.DECAY:
            credit[number[journey.winner], column] = UNIT
            continue
        shares = _shares(rule, len(journey.campaigns))
        for name, part in zip(journey.campaigns, split(shares), strict=True):
            credit[number[name], column] += part
    return credit


def split(shares: Sequence[Fraction]) -> list[int]:
    """Return `UNIT` split by shares that add up to 1, by the largest remainder; ties by place."""
    parts = [int(share * UNIT) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: parts[place] - shares[place] * UNIT)
    for place in by_remainder[: UNIT - sum(parts)]:
        parts[place] += 1
    return parts


def _shares(rule: Rule, touches: int) -> list[Fraction]:
    """Return the share of each touch, the first first."""
    if rule is Rule.LAST:
        return [Fraction(place == touches - 1) for place in range(touches)]
    if rule is Rule.FIRST:
        return [Fraction(place == 0) for place in range(touches)]
    if rule is Rule.LINEAR or touches < 3:  # 40/20/40 has a middle from three on
        return [Fraction(1, touches)] * touches
    middle = Fraction(1, 5) / (touches - 2)
    return [Fraction(2, 5), *[middle] * (touches - 2), Fraction(2, 5)]
