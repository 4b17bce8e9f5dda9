"""What the recipient knows of the values behind its own buckets, and nobody else.

It is exact, and about all of its people who took part: which of them were matched it does not know.
So the rounding in a sum over matched people is told from the mean rounding of each label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Self

import numpy as np
import numpy.typing as npt

from psi.buckets import MILLION, ValueBuckets
from reports.errors import MalformedTable


@dataclass(frozen=True)
class OwnValues:
    """By the recipient's label, in units of the value; a label that is no bucket has 0.

    Attributes:
        rounding: Σ (v − lo)(hi − v) over the people of a label, in squared units.
        amount: Σ v, each cut to the top bound; refunds count as 0.
        cut: what was cut off above the top bound.
        above: people above the top bound.
    """

    rounding: Sequence[float] = field(repr=False)
    amount: Sequence[float] = field(repr=False)
    cut: Sequence[float] = field(repr=False)
    above: Sequence[int] = field(repr=False)

    def __post_init__(self) -> None:
        sizes = {len(getattr(self, one.name)) for one in fields(self)}
        if len(sizes) != 1:
            raise MalformedTable("own values do not have one entry for each label")
        for one in fields(self):
            if any(not isfinite(number) or number < 0 for number in getattr(self, one.name)):
                raise MalformedTable(f"own values: {one.name} is below 0, or no number")

    @classmethod
    def of(
        cls,
        buckets: ValueBuckets,
        values: npt.NDArray[np.int64],
        labels: npt.NDArray[np.int16],
        count: int,
    ) -> Self:
        """Return the record of people with these values, in millionths, and labels (of `count`)."""
        top = buckets.bounds[-1]
        numbers = {
            "rounding": buckets.rounding_variance(values),
            "amount": np.clip(values, 0, top) / MILLION,
            "cut": buckets.clipped(values),
        }
        sums = {
            name: np.bincount(labels, weights, minlength=count).tolist()
            for name, weights in numbers.items()
        }
        above = np.bincount(labels[values > top], minlength=count).tolist()
        return cls(**sums, above=above)

    def __len__(self) -> int:
        return len(self.rounding)

    def to_dict(self, labels: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return JSON values; `from_dict` gives an equal record."""
        return {
            one.name: dict(zip(labels, getattr(self, one.name), strict=True))
            for one in fields(self)
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Mapping[str, float]], labels: Sequence[str]) -> Self:
        """Read what `to_dict` wrote; MalformedTable when it is anything else."""
        try:
            return cls(**{one.name: [stored[one.name][at] for at in labels] for one in fields(cls)})  # type: ignore[arg-type]
        except (KeyError, TypeError):
            raise MalformedTable("stored own values do not have the table's labels") from None
