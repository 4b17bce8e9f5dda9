"""Value buckets: a value becomes the label of a public bound (docs/protocol.md, Sums from counts).

The text of a bucket is its bound as a plain decimal: "0", "10", "20", "40". A value between two
bounds takes one of them at random, so that the expected bound is the value itself. Which of them is
fixed for a person by a keyed hash of the person's reference, so it is the same in every session. A
value above the top takes the top. A negative value takes the label "refund" where there is one,
else 0; it counts as 0 in a sum.

Values and bounds are whole numbers of a millionth, so nothing is lost in comparing and adding them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from psi.errors import BucketError
from psi.row_hashes import mac_texts
from psi.secret import Secret

if TYPE_CHECKING:
    import pyarrow as pa

Millionths = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

REFUND: Final = "refund"
MILLION: Final = 10**6
MOST: Final = 10**12
"""No bound is above it, and no value that is read."""
_LEAST: Final = Decimal("0.000001")
_BOUND: Final = re.compile(r"(0|[1-9][0-9]{0,12})(\.[0-9]{0,5}[1-9])?", re.ASCII)
_MOST_BOUNDS: Final = 256
_BITS: Final = 53
"""As many as a float keeps."""


class RoundingKey(Secret):
    """A party's secret that fixes how values between two bounds are placed."""

    __slots__ = ()


@dataclass(frozen=True)
class ValueBuckets:
    """A list of value buckets. Made by `of`, `find` and `geometric`.

    Attributes:
        labels: the texts, in their order; "refund" is the first where there is one.
        bounds: the bounds in millionths, increasing, the first 0; without "refund".
    """

    labels: tuple[str, ...]
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, labels: Sequence[str]) -> ValueBuckets:
        """Return the buckets that these texts are; raise `BucketError` that says what is wrong."""
        texts = tuple(labels)
        written = texts[1:] if texts[:1] == (REFUND,) else texts
        if not 2 <= len(written) <= _MOST_BOUNDS:
            raise BucketError(f"value buckets have 2 to {_MOST_BOUNDS} bounds, the first of them 0")
        bounds = tuple(_bound(text) for text in written)
        if bounds[0] != 0:
            raise BucketError("the first bound is 0, for people without a value to add")
        for low, high in pairwise(bounds):
            if high <= low:
                raise BucketError("bounds increase, each above the one before it")
        return cls(texts, bounds)

    @classmethod
    def find(cls, labels: Sequence[str]) -> ValueBuckets | None:
        """Return the buckets that these texts are, or None where they are something else."""
        try:
            return cls.of(labels)
        except BucketError:
            return None

    @classmethod
    def geometric(
        cls, lowest: Decimal, highest: Decimal, ratio: Decimal, *, refunds: bool = False
    ) -> ValueBuckets:
        """Return 0, `lowest`, and bounds a ratio apart up to the first that reaches `highest`."""
        if any(number.is_nan() for number in (lowest, highest, ratio)):
            raise BucketError("lowest, highest and ratio are numbers")
        if not _LEAST <= lowest <= highest <= MOST:
            raise BucketError(
                f"the lowest bound is above 0 ({_LEAST} at least), the highest not below it, nor "
                f"above {MOST:,}"
            )
        if not 1 < ratio <= MOST:
            raise BucketError(f"the ratio of bounds is above 1, such as 2, and at most {MOST:,}")
        texts, bound = ["0", write_bound(lowest)], lowest
        while bound < highest:
            bound = min(bound * ratio, Decimal(MOST))
            text = write_bound(bound)
            if text == texts[-1]:
                raise BucketError(
                    f"a bound above {text} by this ratio is {text} again, since bounds have at most"
                    " six decimals; take a larger lowest bound or ratio"
                )
            texts.append(text)
            if len(texts) > _MOST_BOUNDS:
                raise BucketError(f"more than {_MOST_BOUNDS} bounds; take a larger ratio")
        return cls.of((REFUND, *texts) if refunds else texts)

    @property
    def refunds(self) -> bool:
        """Whether negative values have a label of their own."""
        return self.labels[0] == REFUND

    @property
    def weights(self) -> tuple[int, ...]:
        """What a person of each label adds to a sum, in millionths; a refund adds 0."""
        return (0, *self.bounds) if self.refunds else self.bounds

    def below(self, values: Millionths) -> npt.NDArray[np.int64]:
        """Return each value's label before rounding: the bound at or below it.

        The top for values above it; "refund", or 0, for negative ones.
        """
        found = np.searchsorted(self._bounds, values, side="right") - 1
        shifted = found + int(self.refunds)
        return np.maximum(shifted, 0).astype(np.int64)

    def goes_up(self, values: Millionths, draws: Numbers) -> npt.NDArray[np.bool_]:
        """Return which values take the bound above them, by a draw from [0, 1) for each.

        A value a share p of the way from its lower to its upper bound does with probability p.
        """
        low, gap = self._gaps(values)
        return draws * gap < low

    def rounding_variance(self, values: Millionths) -> Numbers:
        """Return (v − lo)(hi − v) of each value, in squared units; 0 at a bound or outside."""
        low, gap = self._gaps(values)
        return low * (gap - low) / MILLION**2

    def rounding_bound(self, counts: Sequence[float]) -> float:
        """Return how much the rounding can vary at most, in squared units, of the people counted.

        `counts` are people by label, estimates included. In a gap of width g where u went up and d
        down the variance is at most g²ud / (u + d); and that of a person at most g²/4.
        """
        people = np.maximum(np.asarray(counts, dtype=np.float64)[int(self.refunds) :], 0)
        gaps = np.diff(self._bounds) / MILLION
        down, up = people[:-1] + 1, people[1:] + 1  # one more each: few may all go the same way
        between = float(np.sum(gaps**2 * down * up / (down + up)))
        widest = np.maximum(np.append(gaps, 0), np.append(0, gaps))
        return min(between, float(np.sum(people * widest**2)) / 4)

    def clipped(self, values: Millionths) -> Numbers:
        """Return what is cut off from each value above the top, in units."""
        return np.asarray(np.maximum(values - self.bounds[-1], 0) / MILLION, dtype=np.float64)

    @cached_property
    def _bounds(self) -> Millionths:
        return np.array(self.bounds, dtype=np.int64)

    def _gaps(self, values: Millionths) -> tuple[Numbers, Numbers]:
        """Return how far values are above their lower bound, and how wide the gap is (0, 1 out)."""
        inside = (values >= 0) & (values < self.bounds[-1])
        above = np.clip(
            np.searchsorted(self._bounds, values, side="right"), 1, len(self.bounds) - 1
        )
        low, high = self._bounds[above - 1], self._bounds[above]
        return (
            np.where(inside, values - low, 0).astype(np.float64),
            np.where(inside, high - low, 1).astype(np.float64),
        )


def draws_of(key: RoundingKey, references: pa.Array) -> Numbers:
    """Return a number from [0, 1) for each of n texts: HMAC-SHA256, its first 53 bits."""
    macs = mac_texts(key.secret_bytes(), references)
    words = np.ascontiguousarray(macs[:, :8]).view(">u8").reshape(-1)
    return np.asarray((words >> np.uint64(64 - _BITS)) / 2.0**_BITS, dtype=np.float64)


def parse_value(text: str) -> int | None:
    """Return a decimal number in millionths, half to even; None where it is none, or too large."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # Compared and not computed with: a huge exponent would overflow.
    if not number.is_finite() or not -MOST <= number <= MOST:
        return None
    return int((number * MILLION).to_integral_value())


def write_bound(number: Decimal) -> str:
    """Return a number as buckets write it: to a millionth, without needless zeros."""
    text = f"{(number * MILLION).to_integral_value() / MILLION:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bound(text: str) -> int:
    found = None if _BOUND.fullmatch(text) is None else parse_value(text)
    if found is None:
        raise BucketError(
            f"'{text[:40]}' is no bound: write 0 or a number such as 20 or 0.5, with at most 6 "
            f"decimals and no needless zeros, up to {MOST:,}"
        )
    return found
