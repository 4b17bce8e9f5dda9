"""Errors come from the exact law of the noise."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.noise import DiscreteLaplaceLaw
from privacy.truncated import TruncatedLaplace
from reports.laws import Term, spread
from reports.shapes import ratio_spread

LAPLACE = DiscreteLaplaceLaw(Fraction(2))
DUMMIES = TruncatedLaplace(10**9, 10**6, 1)


@dataclass(frozen=True)
class Table:
    """A law given by its probabilities on 0, 1, 2, …"""

    probabilities: tuple[float, ...]
    mean: int

    @property
    def variance(self):
        return sum(p * (x - self.mean) ** 2 for x, p in enumerate(self.probabilities))

    def pmf(self):
        return 0, np.array(self.probabilities)


def enumerated_half_width(terms):
    """The smallest w with P(|X| ≤ w) ≥ 0.95, by listing every outcome."""
    draws = [term for term in terms for _ in range(term.draws)]
    weights = {}
    for values in itertools.product(*(range(len(t.law.probabilities)) for t in draws)):
        pairs = list(zip(draws, values, strict=True))
        size = abs(sum(t.coefficient * (x - t.law.mean) for t, x in pairs))
        chance = math.prod(t.law.probabilities[x] for t, x in pairs)
        weights[size] = weights.get(size, 0) + chance
    within = 0.0
    for size in sorted(weights):
        within += weights[size]
        if within >= 0.95 - 1e-12:
            return size
    raise AssertionError


small_laws = st.sampled_from(
    [Table((0.1, 0.8, 0.1), 1), Table((0.03, 0.2, 0.54, 0.2, 0.03), 2), Table((0.3, 0.4, 0.3), 1)]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(small_laws, st.integers(1, 2)), min_size=1, max_size=2))
def test_the_half_width_of_a_sum_is_the_enumerated_one(parts):
    terms = [Term(1, law, draws) for law, draws in parts]
    assert spread(terms).half_width == enumerated_half_width(terms)


@settings(deadline=None, max_examples=40)
@given(small_laws, small_laws, st.floats(0.2, 3), st.floats(-3, -0.2))
def test_unequal_coefficients_are_within_the_lattices_step(one, other, up, down):
    terms = [Term(up, one), Term(down, other)]
    error, half_width = spread(terms)
    outcomes = sorted(
        (abs(up * (x - one.mean) + down * (y - other.mean)), p * q)
        for x, p in enumerate(one.probabilities)
        for y, q in enumerate(other.probabilities)
    )
    within = np.cumsum([chance for _, chance in outcomes])
    step = error / 32
    least, most = (
        outcomes[min(int(np.searchsorted(within, mass)), len(outcomes) - 1)][0]
        for mass in (0.93, 0.97)
    )
    assert least - step <= half_width <= most + step


def test_one_release_cell_has_the_closed_form():
    q = math.exp(-1 / 2)
    width = spread([Term(1, LAPLACE)]).half_width
    outside = 2 * q ** (width + 1) / (1 + q)
    assert outside <= 0.05 < 2 * q**width / (1 + q)
    assert spread([Term(1, LAPLACE)]).standard_error == pytest.approx(math.sqrt(LAPLACE.variance))


def test_a_single_cell_is_wider_than_the_normal_law_says():
    error, half_width = spread([Term(1, DiscreteLaplaceLaw(Fraction(50)))])
    assert half_width / error == pytest.approx(math.log(20) / math.sqrt(2), rel=0.01)


@pytest.mark.parametrize("cells", [2, 5, 9, 10, 40])
def test_sums_approach_the_normal_law(cells):
    law = DiscreteLaplaceLaw(Fraction(50))
    error, half_width = spread([Term(1, law, cells)])
    assert error == pytest.approx(math.sqrt(cells * law.variance))
    if cells >= 10:
        assert half_width == pytest.approx(1.959964 * error, rel=1e-6)
    else:
        assert 1.96 * error < half_width < 2.12 * error


def test_many_small_draws_do_not_make_a_large_one_normal():
    terms = [Term(1, DiscreteLaplaceLaw(Fraction(50))), Term(0.001, DUMMIES, 500)]
    error, half_width = spread(terms)
    assert half_width / error == pytest.approx(math.log(20) / math.sqrt(2), rel=0.02)


def test_convolution_agrees_with_draws():
    terms = [Term(1, LAPLACE, 2), Term(-0.4, DUMMIES, 3)]
    numbers = np.random.default_rng(5)
    total = np.zeros(200_000)
    for term in terms:
        offset, probabilities = term.law.pmf()
        for _ in range(term.draws):
            drawn = numbers.choice(
                len(probabilities), size=len(total), p=probabilities / probabilities.sum()
            )
            total += term.coefficient * (drawn + offset - term.law.mean)
    error, half_width = spread(terms)
    assert total.std() == pytest.approx(error, rel=0.02)
    assert np.mean(np.abs(total) <= half_width) == pytest.approx(0.95, abs=0.01)


def test_no_noise_has_no_error():
    assert spread([]) == (0, 0)
    assert spread([Term(0, LAPLACE), Term(1, LAPLACE, 0)]) == (0, 0)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.integers(1, 3), st.integers(1, 40), st.floats(0, 2))
def test_a_rounded_shape_is_within_the_steps_that_it_states(share, counted, others, keys):
    terms = [
        Term(factor, law, draws)
        for law in (LAPLACE, DUMMIES)
        for factor, draws in ((1 - share, counted), (-share, others))
    ] + [Term(keys, DUMMIES)]
    error, half_width = spread(terms)
    rounded = ratio_spread(terms)
    assert rounded.standard_error == pytest.approx(error)
    assert half_width - error / 64 <= rounded.half_width <= half_width + error * 3 / 64


def test_a_ratio_without_noise_has_no_error():
    assert ratio_spread([]) == ratio_spread([Term(0, LAPLACE)]) == (0, 0)
