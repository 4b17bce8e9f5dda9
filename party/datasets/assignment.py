"""What a label gives to people: a position among its values, and why somebody has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING

Positions: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Assignment:
    """For each person the position of the label among the label's values, or -1.

    `conflicting` marks those who have none because their rows contradict each other, `outside`
    those who have none because a value is in no range. `amounts` are what each person's rows add up
    to, in millionths, where the label is value buckets; the positions are then not rounded yet.
    """

    positions: Positions
    conflicting: Flags
    outside: Flags
    amounts: Positions | None = None

    @classmethod
    def of(
        cls,
        positions: Positions,
        conflicting: Flags | None = None,
        outside: Flags | None = None,
        amounts: Positions | None = None,
    ) -> Assignment:
        """Return an assignment; nobody conflicts or is outside unless it is said."""
        nobody = np.zeros(len(positions), dtype=np.bool_)
        return cls(
            positions,
            nobody if conflicting is None else conflicting,
            nobody if outside is None else outside,
            amounts,
        )


def agreed(codes: Positions, person: Positions, people: int) -> tuple[Positions, Flags]:
    """Return the one code of each person's rows, or -1, and who has several.

    `codes` and `person` are a number a row; a row with -1 in either says nothing.
    """
    rows = (person >= 0) & (codes >= 0)
    lowest = np.full(people, np.iinfo(np.int64).max, dtype=np.int64)
    highest = np.full(people, NOTHING, dtype=np.int64)
    np.minimum.at(lowest, person[rows], codes[rows])
    np.maximum.at(highest, person[rows], codes[rows])
    conflicting = highest > lowest
    highest[conflicting] = NOTHING
    return highest, conflicting
