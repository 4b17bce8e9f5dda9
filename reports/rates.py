"""Rates of noisy counts: their intervals, and those of a difference and a ratio of two.

A rate is x/n, where x people of n have converted, and both counts carry noise. Its interval
covers the chance in who converts (binomial) and the noise. It is Wilson's score interval with the
noise's variance added: all p for which (x − np)² ≤ z²·(np(1−p) + σx² − 2pσxn + p²σn²).
Differences and ratios of two arms put the distances of the arms' own limits together (Newcombe
1998, method 10; Donner and Zou 2012, MOVER), which holds at small counts, and becomes the delta
method at large ones. docs/decisions/0021 has the derivation and the coverage that was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final, NamedTuple

from reports.laws import NORMAL_QUANTILE

_FARTHEST_QUANTILE: Final = 40.0
"""Beyond it a p-value is 0 in floating point."""
_HALVINGS: Final = 48


class Limits(NamedTuple):
    """An interval; infinite where nothing bounds it."""

    low: float
    high: float

    def scaled(self, factor: float) -> Limits:
        """Return the interval of `factor` > 0 times the number."""
        return Limits(factor * self.low, factor * self.high)

    @property
    def includes_zero(self) -> bool:
        """Whether the number may be 0."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class NoisyRate:
    """How many of an arm's people have converted, with the variances of the counts' noise.

    Attributes:
        converted: x, unbiased; may be negative.
        people: n > 0, unbiased.
        converted_variance: σx².
        people_variance: σn².
        covariance: σxn, of the noise of both; 0 where n is a set's size.
    """

    converted: float
    people: float
    converted_variance: float = 0.0
    people_variance: float = 0.0
    covariance: float = 0.0

    @property
    def value(self) -> float:
        """The rate; below 0 or above 1 where noise has won."""
        return self.converted / self.people

    @property
    def sampling_variance(self) -> float:
        """The variance of the rate by chance in who converts."""
        share = min(max(self.value, 0.0), 1.0)
        return share * (1 - share) / self.people

    @property
    def noise_variance(self) -> float:
        """The variance of the rate by noise: (σx² − 2pσxn + p²σn²)/n²."""
        return self.noise_at(self.value) / self.people**2

    def noise_at(self, rate: float) -> float:
        """Return the variance of the noise of x − rate × n."""
        return self.converted_variance - 2 * rate * self.covariance + rate**2 * self.people_variance

    @property
    def standard_error(self) -> float:
        """The standard deviation by both."""
        return math.sqrt(self.sampling_variance + self.noise_variance)

    def limits(self, quantile: float = NORMAL_QUANTILE) -> Limits:
        """Return the score interval."""
        return Limits(self._limit(-1, quantile), self._limit(1, quantile))

    def _limit(self, sign: int, quantile: float) -> float:
        """Solve for the rate that is just not excluded; outside 0 to 1 there is only noise."""
        chance = self._root(sign, quantile, quantile**2 * self.people)
        if chance is not None and 0 <= chance <= 1:
            return chance
        noise = self._root(sign, quantile, 0.0)
        return sign * math.inf if noise is None else noise

    def _root(self, sign: int, quantile: float, chance: float) -> float | None:
        """Solve a·p² − b·p + c = 0, with z²n as `chance` or 0 without it."""
        a = self.people**2 + chance - quantile**2 * self.people_variance
        b = 2 * self.people * self.converted + chance - 2 * quantile**2 * self.covariance
        c = self.converted**2 - quantile**2 * self.converted_variance
        under = b * b - 4 * a * c
        if a <= 0 or under < 0:
            return None
        return (b + sign * math.sqrt(under)) / (2 * a)


def difference(one: NoisyRate, other: NoisyRate, quantile: float = NORMAL_QUANTILE) -> Limits:
    """Return the interval of one rate less the other."""
    first, second = one.limits(quantile), other.limits(quantile)
    value = one.value - other.value
    return Limits(
        value - math.hypot(one.value - first.low, second.high - other.value),
        value + math.hypot(first.high - one.value, other.value - second.low),
    )


def ratio(one: NoisyRate, other: NoisyRate) -> Limits | None:
    """Return the interval of one rate over the other; None unless the other is surely above 0."""
    first, second = one.limits(), other.limits()
    if second.low <= 0 or one.value < 0:
        return None
    product = one.value * other.value
    below = max(first.low * (2 * one.value - first.low), 0.0)
    under = product**2 - below * second.high * (2 * other.value - second.high)
    above = first.high * (2 * one.value - first.high)
    over = second.low * (2 * other.value - second.low)
    return Limits(
        below / (product + math.sqrt(under)) if below else 0.0,
        (product + math.sqrt(max(product**2 - above * over, 0.0))) / over,
    )


def increment(treated: NoisyRate, control: NoisyRate) -> Limits:
    """Return the interval of x_t − n_t·p_c: the conversions that the arm would not have had."""
    return difference(counted(treated, control), control).scaled(treated.people)


def counted(treated: NoisyRate, control: NoisyRate) -> NoisyRate:
    """Return the treated's rate with the noise that it has in x_t − n_t·p_c.

    The noise of n_t enters with p_c there, and not with p_t as in the rate of the arm itself.
    """
    noise = treated.noise_at(control.value)
    return replace(treated, converted_variance=noise, people_variance=0.0, covariance=0.0)


@dataclass(frozen=True)
class Exposed:
    """The exposed people of an arm: x and n among them, and the noise of this n.

    `covariance` is that of this n with the x of the whole arm; the noise of its other label is
    independent.
    """

    converted: float
    people: float
    people_variance: float = 0.0
    covariance: float = 0.0


def bloom(treated: NoisyRate, control: NoisyRate, exposed: Exposed) -> Limits:
    """Return the interval of (p_t − p_c)/e, e being the share exposed of the treated (Bloom 1984).

    It is that of the difference, widened or narrowed by what e's own chance and noise add: of
    e the variance, of e and p_t the covariance.
    """
    share = exposed.people / treated.people
    change = treated.value - control.value
    effect = change / share
    together = exposed.converted / treated.people - treated.value * share
    chance = effect**2 * max(share * (1 - share), 0.0) - 2 * effect * together
    noise = (
        treated.noise_at(control.value)
        - treated.noise_at(treated.value)
        + ((effect + control.value) ** 2 - control.value**2) * exposed.people_variance
        - 2 * effect * exposed.covariance
    )
    added = chance / treated.people + noise / treated.people**2
    low, high = difference(treated, control)
    return Limits(
        effect - _widened(change - low, added) / share,
        effect + _widened(high - change, added) / share,
    )


def _widened(distance: float, variance: float) -> float:
    return math.sqrt(max(distance**2 + NORMAL_QUANTILE**2 * variance, 0.0))


@dataclass(frozen=True)
class NoisyMean:
    """A value a person of an arm: a noisy sum over noisily many people.

    Attributes:
        total: Σ value, unbiased.
        squares: Σ value², unbiased, which tells how far people differ.
        people: n > 0, unbiased.
        total_variance: of the noise of `total`.
        people_variance: of the noise of n.
        covariance: of both; 0 where n is a set's size.
    """

    total: float
    squares: float
    people: float
    total_variance: float = 0.0
    people_variance: float = 0.0
    covariance: float = 0.0

    @property
    def value(self) -> float:
        """The mean."""
        return self.total / self.people

    @property
    def sampling_variance(self) -> float:
        """The variance of the mean by chance in who gives what, the rounding into buckets in it."""
        return max(self.squares / self.people - self.value**2, 0.0) / self.people

    @property
    def noise_variance(self) -> float:
        """The variance of the mean by noise."""
        return self._noise_at(self.value) / self.people**2

    @property
    def variance(self) -> float:
        """The variance by both."""
        return self.sampling_variance + self.noise_variance

    def increment_variance(self, other: NoisyMean) -> float:
        """Return the variance of this arm's total less what it had been at the other's mean."""
        chance = self.people**2 * (self.sampling_variance + other.variance)
        return chance + self._noise_at(other.value)

    def _noise_at(self, mean: float) -> float:
        """Return the variance of the noise of total − mean × n."""
        return self.total_variance - 2 * mean * self.covariance + mean**2 * self.people_variance


def around(value: float, variance: float) -> Limits:
    """Return the normal interval."""
    half = NORMAL_QUANTILE * math.sqrt(variance)
    return Limits(value - half, value + half)


def p_value(one: NoisyRate, other: NoisyRate) -> float:
    """Return the two-sided p-value of equal rates, from the widest interval that excludes 0.

    So it is below 0.05 exactly when the 95% interval excludes 0.
    """
    low, high = 0.0, _FARTHEST_QUANTILE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if difference(one, other, middle).includes_zero:
            high = middle
        else:
            low = middle
    return 2 * NormalDist().cdf(-low)


class Growth(NamedTuple):
    """By how much people, or ε alone, would have to grow; None where more ε is not enough."""

    people: float
    epsilon: float | None


def growth_to_exclude_zero(effect: float, sampling: float, noise: float) -> Growth | None:
    """Return what would make an effect of this size clear, from its two variances.

    Sampling falls as 1/people, noise as 1/(people·ε)², and ε leaves sampling as it is. None when
    the effect is 0, or clear already.
    """
    bearable = (effect / NORMAL_QUANTILE) ** 2
    if not bearable or sampling + noise <= bearable:
        return None
    people = (sampling + math.sqrt(sampling**2 + 4 * noise * bearable)) / (2 * bearable)
    room = bearable - sampling
    return Growth(people, math.sqrt(noise / room) if room > 0 else None)
