"""Public bounds for value buckets, and what they cost in accuracy.

Bounds are proposed from public knowledge alone: lowest, highest and ratio are what a person knows
of prices. What is told is the noise of a sum against a direct one, which would be noise for the top
bound alone, and how far the rounding can move a sum. Only the top bound may be taken from data, and
that is charged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Final

from party.organisation import Organisation
from party.top_bound import Question, TopBound, choose_top_bound
from privacy.session import SessionNoise
from privacy.units import parse_epsilon
from psi.buckets import MILLION, ValueBuckets
from psi.errors import BucketError

_USUAL_RATIOS: Final = ("1.5", "2", "3", "4")


@dataclass(frozen=True)
class Bounds:
    """Buckets a ratio apart, and the errors of a sum by them. Amounts are in units of the value.

    Attributes:
        ratio: of each bound to the one below it.
        labels: the buckets, as a description names them.
        noise: standard error of a sum over one label of the tabulator, in the private reading.
        direct_noise: the same of a sum that noise for the top bound is added to.
        rounding: the most that rounding adds to the standard error of a sum of `people` equal
            values between the lowest bound and the top, as a share of the sum.
        people: of how many.
    """

    ratio: str
    labels: tuple[str, ...]
    noise: float
    direct_noise: float
    rounding: float
    people: int

    @property
    def above_direct(self) -> float:
        """By which share the noise is above a direct sum's."""
        return self.noise / self.direct_noise - 1

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "labels": list(self.labels), "above_direct": self.above_direct}


def propose_bounds(
    lowest: str,
    highest: str,
    ratio: str = "2",
    *,
    refunds: bool = False,
    people: int = 10_000,
    epsilon: str = "1",
    identifiers: int = 1,
) -> list[Bounds]:
    """Return the bounds of this ratio first, and those of usual ratios that serve beside them.

    `identifiers` is the most that the tabulator sends for a person. Raises BucketError where
    lowest, highest or ratio do not serve, and PrivacyError for ε.
    """
    if people < 1:
        raise BucketError("people: expected 1 or more")
    variance = SessionNoise(parse_epsilon(epsilon), 0, 0).release(identifiers).variance
    chosen = _number(ratio, "the ratio")
    ends = _number(lowest, "the lowest bound"), _number(highest, "the highest bound")
    found = {chosen: ValueBuckets.geometric(*ends, chosen, refunds=refunds)}
    for usual in map(Decimal, _USUAL_RATIOS):
        with suppress(BucketError):  # a smaller ratio may need more bounds, or finer ones
            found.setdefault(usual, ValueBuckets.geometric(*ends, usual, refunds=refunds))
    return [_bounds(buckets, one, variance, people) for one, buckets in found.items()]


def take_top_bound(
    party: Organisation,
    dataset: str,
    column: str,
    lowest: str,
    highest: str,
    ratio: str = "2",
    *,
    share: float = 0.99,
    epsilon: str = "0.1",
    purpose: str | None = None,
    contract: str | None = None,
    refunds: bool = False,
    actor: str,
) -> TopBound:
    """Choose the top bound by the party's own data, charged; the other bounds are public.

    Raises:
        BucketError, PrivacyError: a number does not serve.
        DatasetError, ContractError, PartyError, Refusal: as `party.top_bound.choose_top_bound`.
    """
    ends = _number(lowest, "the lowest bound"), _number(highest, "the highest bound")
    candidates = ValueBuckets.geometric(*ends, _number(ratio, "the ratio"), refunds=refunds)
    question = Question(dataset, column, candidates, share, parse_epsilon(epsilon), purpose)
    return choose_top_bound(party, party.contract(contract), question, actor=actor)


def _bounds(buckets: ValueBuckets, ratio: Decimal, variance: float, people: int) -> Bounds:
    bounds = [bound / MILLION for bound in buckets.bounds]
    return Bounds(
        ratio=f"{ratio:f}",
        labels=buckets.labels,
        noise=math.sqrt(variance) * math.hypot(*bounds),
        direct_noise=math.sqrt(variance) * bounds[-1],
        rounding=_most_rounding(bounds) / math.sqrt(people),
        people=people,
    )


def _most_rounding(bounds: Sequence[float]) -> float:
    """Return the most of √((v − lo)(hi − v)) / v, which is at v = 2·lo·hi / (lo + hi)."""
    gaps = pairwise(bounds[1:])  # below the lowest, a value is small beside the others
    return max(((high - low) / (2 * math.sqrt(low * high)) for low, high in gaps), default=0.0)


def _number(text: str, what: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BucketError(f"{what} is no number, such as 20 or 0.5") from None
