"""Two arms compared in one kind of conversion: rates, what lies between them, and value.

What rests on a suppressed count, or on people who are not clear of their noise, is withheld.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from languages import message
from reports import rates
from reports.arms import Arms, Group, Outcome
from reports.cells import CellEstimates
from reports.effect import effect, probability, ranged
from reports.estimate import Estimate, Unit, noisy_number, withheld
from reports.laws import NORMAL_QUANTILE, Spread
from reports.rates import Exposed, Growth, Limits, NoisyMean, NoisyRate

GHOSTS: Final = message("exposed, by ghosts")
BLOOM: Final = message("exposed, by Bloom")
_NO_EFFECT: Final = 1
"""The ratio of two rates that are equal."""

Named = tuple[str, Unit, Estimate | None]


@dataclass(frozen=True)
class Response:
    """How a group of people has converted; `value` is what each of them brought, of buckets."""

    group: str
    segment: str | None
    conversions: Estimate
    rate: Estimate
    value: Estimate | None

    @property
    def numbers(self) -> tuple[Named, ...]:
        """Every number with its name; None where it does not exist."""
        return (
            ("conversions", "people", self.conversions),
            ("conversion rate", "rate", self.rate),
            ("value a person", "value", self.value),
        )


@dataclass(frozen=True)
class Change:
    """What the treatment has changed in one kind of conversion, or in all (`segment` None).

    Attributes:
        among: None for all who were assigned; else by which estimate for the exposed.
        lift: the difference of the rates.
        relative: that difference over the control's rate; withheld while that may be 0.
        incremental: conversions that the treated would not have had.
        p_value: two-sided, of no difference.
        incremental_value: what the treated would not have brought, of value buckets.
        growth: what would make the lift clear of 0, if it is as estimated.
    """

    among: str | None
    segment: str | None
    lift: Estimate
    relative: Estimate | None = None
    incremental: Estimate | None = None
    p_value: Estimate | None = None
    incremental_value: Estimate | None = None
    growth: Growth | None = None

    @property
    def numbers(self) -> tuple[Named, ...]:
        """Every number with its name; None where it does not exist."""
        return (
            ("lift", "points", self.lift),
            ("relative lift", "share", self.relative),
            ("incremental conversions", "people", self.incremental),
            ("p-value", "probability", self.p_value),
            ("incremental value", "value", self.incremental_value),
        )


@dataclass(frozen=True)
class Comparison:
    """Two arms in one table, compared in one outcome."""

    estimates: CellEstimates
    arms: Arms
    outcome: Outcome

    def response(self, group: Group) -> Response:
        """Return how a group has converted."""
        conversions = self.estimates.count(group.rows, self.outcome.columns)
        rate, mean = self._rate(group), self._mean(group)
        return Response(
            group.name,
            self.outcome.segment,
            conversions,
            withheld() if rate is None else ranged(rate.value, rate.standard_error, rate.limits()),
            None if self.outcome.bounds is None else _mean_number(mean),
        )

    def changes(self) -> Iterator[Change]:
        """Yield the change among all, and those among the exposed where exposure is known."""
        arms = self.arms
        yield self._change(None, arms.treatment, arms.control)
        if arms.exposed is None or arms.ghosts is None:
            return
        if self.estimates.offered(arms.ghosts.rows).clear:
            yield self._change(GHOSTS, arms.exposed, arms.ghosts)
        yield Change(BLOOM, self.outcome.segment, self._bloom(arms.exposed))

    def _change(self, among: str | None, treatment: Group, control: Group) -> Change:
        segment = self.outcome.segment
        treated, other = self._rate(treatment), self._rate(control)
        worth = None if self.outcome.bounds is None else self._worth(treatment, control)
        if treated is None or other is None:
            none = withheld()
            return Change(among, segment, none, none, none, none, worth)
        growth = rates.growth_to_exclude_zero(
            treated.value - other.value,
            treated.sampling_variance + other.sampling_variance,
            treated.noise_variance + other.noise_variance,
        )
        return Change(
            among,
            segment,
            _difference(treated, other, growth),
            _relative(treated, other, growth),
            _incremental(treated, other, growth),
            probability(rates.p_value(treated, other)),
            worth,
            growth,
        )

    def _bloom(self, exposed: Group) -> Estimate:
        treated, control = self._rate(self.arms.treatment), self._rate(self.arms.control)
        among = self.estimates.offered(exposed.rows)
        counted = self.estimates.count(exposed.rows, self.outcome.columns)
        if treated is None or control is None or counted.suppressed or not among.clear:
            return withheld()
        arm = self.estimates.block(self.arms.treatment.rows, self.outcome.columns)
        offered = self.estimates.offered_block(exposed.rows)
        among_them = Exposed(
            counted.value,
            among.value,
            among.standard_error**2,
            self.estimates.covariance(arm, offered),
        )
        limits = rates.bloom(treated, control, among_them)
        value = (treated.value - control.value) * treated.people / among.value
        error = (limits.high - limits.low) / 2 / NORMAL_QUANTILE
        return effect(value, error, limits, None)

    def _rate(self, group: Group) -> NoisyRate | None:
        """Return a group's rate, or None where it may not be shown or has no clear denominator."""
        converted = self.estimates.count(group.rows, self.outcome.columns)
        people = self.estimates.offered(group.rows)
        if converted.suppressed or not people.clear:
            return None
        return NoisyRate(
            converted.value,
            people.value,
            converted.standard_error**2,
            people.standard_error**2,
            self.estimates.covariance(
                self.estimates.block(group.rows, self.outcome.columns),
                self.estimates.offered_block(group.rows),
            ),
        )

    def _mean(self, group: Group) -> NoisyMean | None:
        """Return what a person of a group brought.

        None as `_rate`, without buckets, or where it is one suppressed cell's.
        """
        if self.outcome.bounds is None or self._rate(group) is None:
            return None
        priced = zip(self.outcome.columns, self.outcome.bounds, strict=True)
        if self.estimates.count(group.rows, [at for at, bound in priced if bound]).suppressed:
            return None
        estimates, people = self.estimates, self.estimates.offered(group.rows)
        bounds = np.zeros(len(estimates.all_columns))
        bounds[list(self.outcome.columns)] = self.outcome.bounds
        total, squares = (
            estimates.priced(group.rows, weights.tolist()) for weights in (bounds, bounds**2)
        )
        return NoisyMean(
            estimates.value(total),
            estimates.value(squares),
            people.value,
            estimates.covariance(total, total),
            people.standard_error**2,
            estimates.covariance(total, estimates.offered_block(group.rows)),
        )

    def _worth(self, treatment: Group, control: Group) -> Estimate:
        treated, other = self._mean(treatment), self._mean(control)
        if treated is None or other is None:
            return withheld()
        value = treated.total - treated.people * other.value
        variance = treated.increment_variance(other)
        return effect(value, math.sqrt(variance), rates.around(value, variance), None)


def _difference(treated: NoisyRate, other: NoisyRate, growth: Growth | None) -> Estimate:
    error = math.hypot(treated.standard_error, other.standard_error)
    limits = rates.difference(treated, other)
    return effect(treated.value - other.value, error, limits, growth)


def _relative(treated: NoisyRate, other: NoisyRate, growth: Growth | None) -> Estimate:
    limits = rates.ratio(treated, other)
    if limits is None:
        return withheld()
    value = treated.value / other.value
    error = math.hypot(treated.standard_error, value * other.standard_error) / other.value
    moved = Limits(limits.low - _NO_EFFECT, limits.high - _NO_EFFECT)
    return effect(value - _NO_EFFECT, error, moved, growth)


def _incremental(treated: NoisyRate, other: NoisyRate, growth: Growth | None) -> Estimate:
    value = treated.converted - treated.people * other.value
    limits = rates.increment(treated, other)
    counted = rates.counted(treated, other)
    error = treated.people * math.hypot(counted.standard_error, other.standard_error)
    return effect(value, error, limits, growth)


def _mean_number(mean: NoisyMean | None) -> Estimate:
    if mean is None:
        return withheld()
    error = math.sqrt(mean.variance)
    return noisy_number(mean.value, Spread(error, NORMAL_QUANTILE * error))
