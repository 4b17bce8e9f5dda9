"""The error of a number from the exact law of its noise.

A number is a sum of coefficient × noise draw. Its law is computed by convolution; from ten draws
of equal weight on it is close enough to normal that the normal law is used. Laws come from
outside as anything with a mean, a variance and a table of probabilities; nothing here draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
"""Of every interval in a report."""

NORMAL_QUANTILE = 1.959963984540054
_NORMAL_FROM_DRAWS = 10
_STEPS_PER_ERROR = 64
"""Fineness of the lattice for unequal coefficients, which no lattice meets exactly."""
_RING_ERRORS = 24
"""Noise further out than this many standard errors weighs less than a float can tell."""
_ROUNDING = 1e-12
_SMALL_RING = 1 << 13
"""Places of a ring whose transforms are kept: 64 KiB each."""


class NoiseLaw(Protocol):
    """How one noise draw is distributed over the integers, symmetrically about its mean."""

    def __hash__(self) -> int:
        """Equal laws are one law."""
        ...

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
    """The laws of one table; all follow from the request's public parameters.

    Those of the third are asked for only where there is one.
    """

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
    def people(self) -> NoiseLaw:
        """Of the noise on the tabulator's people by coalition, where they are released."""
        ...

    @property
    def recipient_fillers(self) -> NoiseLaw:
        """Of the fillers in each of the recipient's labels, known answers not counted."""
        ...

    @property
    def totals(self) -> NoiseLaw:
        """Of the noise on each total of the others' labels over the tabulator's."""
        ...

    @property
    def third_dummies(self) -> NoiseLaw:
        """Of the third's dummies in each cell; 2 × mean of them are agreed."""
        ...

    @property
    def third_fillers(self) -> NoiseLaw:
        """Of the fillers in each of the third's labels, known answers not counted."""
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
    coefficients are equal, else to within 1/64 of the standard error.
    """
    noisy = [term for term in terms if term.variance > 0]
    variance = math.fsum(term.variance for term in noisy)
    if not variance:
        return Spread(0.0, 0.0)
    error = math.sqrt(variance)
    if _equal_draws(noisy) >= _NORMAL_FROM_DRAWS * (1 - _ROUNDING):
        return Spread(error, NORMAL_QUANTILE * error)
    sizes = {abs(term.coefficient) for term in noisy}
    step = sizes.pop() if len(sizes) == 1 else _lattice_step(error)
    return Spread(error, step * _half_width(noisy, step, error))


def _equal_draws(terms: Sequence[Term]) -> float:
    """Return how many draws of equal weight would be as close to normal (Welch)."""
    variance = math.fsum(term.variance for term in terms)
    squares = math.fsum(term.variance**2 / term.draws for term in terms)
    return variance**2 / squares


def _lattice_step(error: float) -> float:
    """Return the largest power of two that is no more than 1/64 of the error.

    So that numbers of nearly one error have one lattice, and one transform of each of their terms.
    """
    return math.ldexp(1 / _STEPS_PER_ERROR, math.frexp(error)[1] - 1)


def _half_width(terms: Sequence[Term], step: float, error: float) -> int:
    """Return the half-width in steps, from the terms' convolution on a ring of ±24 errors."""
    size = 1 << math.ceil(2 * _RING_ERRORS * error / step + 1).bit_length()
    transform = np.ones(size // 2 + 1, dtype=np.complex128)
    transform_of = _known_transform if size <= _SMALL_RING else _transform
    for term in terms:
        transform *= transform_of(term, step, size)
    mass = np.maximum(np.fft.irfft(transform, size), 0)
    distance = np.minimum(np.arange(size), size - np.arange(size))
    within = np.cumsum(np.bincount(distance, weights=mass))
    return int(np.searchsorted(within, (CONFIDENCE - _ROUNDING) * within[-1]))


def _transform(term: Term, step: float, size: int) -> npt.NDArray[np.complex128]:
    """Return the transform of all of a term's draws on a ring."""
    one: npt.NDArray[np.complex128] = np.fft.rfft(_on_ring(term, step, size))
    return one**term.draws


_known_transform = lru_cache(maxsize=1 << 10)(_transform)


def _on_ring(term: Term, step: float, size: int) -> npt.NDArray[np.float64]:
    """Put one draw on multiples of a step; what lies between two is split by distance."""
    offset, probabilities = term.law.pmf()
    values = offset - term.law.mean + np.arange(len(probabilities))
    places = values * (term.coefficient / step)
    below = np.floor(places).astype(np.int64)
    above = places - below
    mass = np.zeros(size, dtype=np.float64)
    np.add.at(mass, below % size, probabilities * (1 - above))
    np.add.at(mass, (below + 1) % size, probabilities * above)
    return mass
