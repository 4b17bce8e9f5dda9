"""The error of a number from the exact law of its noise.

A number is a sum of coefficient × noise draw. Its law is computed by convolution; from ten draws
of equal weight on it is close enough to normal that the normal law is used. Laws come from
outside as anything with a mean, a variance and a table of probabilities; nothing here draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
"""Of every interval in a report."""

_NORMAL_QUANTILE = 1.959963984540054
_NORMAL_FROM_DRAWS = 10
_STEPS_PER_ERROR = 128
"""Fineness of the lattice for unequal coefficients, which no lattice meets exactly."""
_NEGLIGIBLE = 1e-13


class NoiseLaw(Protocol):
    """How one noise draw is distributed over the integers, symmetrically about its mean."""

    @property
    def mean(self) -> int:
        """The public mean."""
        ...

    @property
    def variance(self) -> float:
        """The variance."""
        ...

    def pmf(self) -> tuple[int, npt.NDArray[np.float64]]:
        """Return (first value, probabilities from there on)."""
        ...


class SessionLaws(Protocol):
    """The laws of one two-party table; all follow from the request's public parameters."""

    @property
    def release(self) -> NoiseLaw:
        """Of e, which the tabulator adds to each cell."""
        ...

    @property
    def dummies(self) -> NoiseLaw:
        """Of τ, the recipient's dummies in each cell; 2 × mean of them are agreed."""
        ...

    @property
    def tabulator_fillers(self) -> NoiseLaw:
        """Of the fillers in each of the tabulator's labels, known answers not counted."""
        ...

    @property
    def recipient_fillers(self) -> NoiseLaw:
        """Of the fillers in each of the recipient's labels, known answers not counted."""
        ...


class Term(NamedTuple):
    """`draws` independent draws of a law about its mean, each times a coefficient."""

    coefficient: float
    law: NoiseLaw
    draws: int = 1

    @property
    def variance(self) -> float:
        """The variance of the whole term."""
        return self.draws * self.coefficient**2 * self.law.variance


class Spread(NamedTuple):
    """The error of a number: its standard deviation, and half its 95% interval."""

    standard_error: float
    half_width: float

    def scaled(self, factor: float) -> Spread:
        """Return the spread of `factor` times the number."""
        return Spread(abs(factor) * self.standard_error, abs(factor) * self.half_width)


def spread(terms: Sequence[Term]) -> Spread:
    """Return the error of a sum of independent terms.

    The half-width is the smallest w with P(|noise| ≤ w) ≥ 0.95: exact on the integers when all
    coefficients are equal, else to within 1/128 of the standard error, rounded up.
    """
    noisy = [term for term in terms if term.variance > 0]
    variance = math.fsum(term.variance for term in noisy)
    if not variance:
        return Spread(0.0, 0.0)
    error = math.sqrt(variance)
    if _equal_draws(noisy) >= _NORMAL_FROM_DRAWS:
        return Spread(error, _NORMAL_QUANTILE * error)
    sizes = {abs(term.coefficient) for term in noisy}
    step = sizes.pop() if len(sizes) == 1 else error / _STEPS_PER_ERROR
    return Spread(error, step * _half_width(noisy, step))


def _equal_draws(terms: Sequence[Term]) -> float:
    """Return how many draws of equal weight would be as close to normal (Welch)."""
    variance = math.fsum(term.variance for term in terms)
    squares = math.fsum(term.variance**2 / term.draws for term in terms)
    return variance**2 / squares


class _Lattice(NamedTuple):
    """Probabilities at first, first+1, … steps."""

    first: int
    mass: npt.NDArray[np.float64]

    def plus(self, other: _Lattice) -> _Lattice:
        """Return the law of the sum, without the ends that weigh nothing."""
        return _Lattice(self.first + other.first, _convolve(self.mass, other.mass)).trimmed()

    def times(self, draws: int) -> _Lattice:
        """Return the law of a sum of equal, independent draws, by doubling."""
        if draws == 1:
            return self
        half = self.times(draws // 2)
        double = half.plus(half)
        return double.plus(self) if draws % 2 else double

    def trimmed(self) -> _Lattice:
        """Return the law without the ends that weigh less than 1e-13."""
        below = np.cumsum(self.mass)
        keep = np.flatnonzero((below > _NEGLIGIBLE) & (below[-1] - below > _NEGLIGIBLE))
        start, stop = int(keep[0]), int(keep[-1]) + 2
        return _Lattice(self.first + start, self.mass[start:stop])


def _half_width(terms: Sequence[Term], step: float) -> int:
    lattice = _Lattice(0, np.ones(1))
    for term in terms:
        lattice = lattice.plus(_on_lattice(term, step).times(term.draws))
    distance = np.abs(lattice.first + np.arange(len(lattice.mass)))
    within = np.cumsum(np.bincount(distance, weights=lattice.mass))
    return int(np.searchsorted(within, CONFIDENCE * within[-1]))


def _on_lattice(term: Term, step: float) -> _Lattice:
    """Put one draw on multiples of a step; what lies between two is split by distance."""
    offset, probabilities = term.law.pmf()
    values = offset - term.law.mean + np.arange(len(probabilities))
    places = values * (term.coefficient / step)
    below = np.floor(places).astype(np.int64)
    share = places - below
    first = int(below.min())
    length = int(below.max()) - first + 2
    mass = np.zeros(length, dtype=np.float64)
    np.add.at(mass, below - first, probabilities * (1 - share))
    np.add.at(mass, below - first + 1, probabilities * share)
    return _Lattice(first, mass)


def _convolve(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    if min(len(one), len(other)) < 64:
        return np.convolve(one, other)
    length = len(one) + len(other) - 1
    size = 1 << (length - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size), size)
    return np.maximum(product[:length], 0)
