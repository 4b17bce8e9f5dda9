"""The dummies' law: its n, its privacy by brute force, and its sampler."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import truncated
from privacy.errors import InvalidParameter
from privacy.truncated import TruncatedLaplace
from privacy.units import parse_delta, parse_epsilon

laws = st.builds(
    TruncatedLaplace,
    st.sampled_from([parse_epsilon(text) for text in ("0.1", "0.5", "1", "1.7", "4")]),
    st.sampled_from([parse_delta(text) for text in ("1e-3", "1e-6", "1e-9", "1e-12")]),
    st.integers(1, 6),
)


def hockey_stick(left, right, epsilon):
    """The exact smallest δ at which two distributions over the same values are (ε, δ) close."""
    return float(np.maximum(left - math.exp(epsilon) * right, 0).sum())


def shifted(probabilities, by, room):
    out = np.zeros(len(probabilities) + room)
    out[by : by + len(probabilities)] = probabilities
    return out


@pytest.mark.parametrize(
    ("epsilon", "delta", "sensitivity", "n"),
    [("1", "1e-9", 1, 20), ("1", "1e-6", 1, 14)],
)
def test_n_is_the_protocols(epsilon, delta, sensitivity, n):
    assert TruncatedLaplace(parse_epsilon(epsilon), parse_delta(delta), sensitivity).n == n


@settings(max_examples=60, deadline=None)
@given(laws)
def test_no_shift_up_to_the_bound_shows_more_than_epsilon_and_delta(law):
    _, probabilities = law.pmf()
    epsilon, delta = law.epsilon_nano / 1e9, law.delta_e15 / 1e15
    for by in range(1, law.sensitivity + 1):
        still = shifted(probabilities, 0, law.sensitivity)
        moved = shifted(probabilities, by, law.sensitivity)
        for left, right in ((still, moved), (moved, still)):
            assert hockey_stick(left, right, epsilon * (1 + 1e-12)) <= delta * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(laws)
def test_n_minus_one_would_show_more_unless_n_is_the_bound(law):
    if law.n == law.sensitivity:
        return
    smaller = np.exp(
        -law.epsilon_nano / 1e9 / law.sensitivity * np.abs(np.arange(1 - law.n, law.n))
    )
    still = shifted(smaller / smaller.sum(), 0, law.sensitivity)
    moved = shifted(smaller / smaller.sum(), law.sensitivity, law.sensitivity)
    assert hockey_stick(moved, still, law.epsilon_nano / 1e9) > law.delta_e15 / 1e15


def test_a_person_spread_over_two_cells_shows_no_more_than_in_one():
    law = TruncatedLaplace(parse_epsilon("1"), parse_delta("1e-4"), 3)
    _, one = law.pmf()
    still = shifted(one, 0, 3)
    for first, second in itertools.product(range(4), repeat=2):
        if first + second == 3:
            moved = np.outer(shifted(one, first, 3), shifted(one, second, 3))
            assert hockey_stick(moved, np.outer(still, still), 1 + 1e-12) <= 1e-4 * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(laws)
def test_the_charge_covers_the_delta_and_the_sampler(law):
    assert law.delta_e15 <= law.delta_charged_e15 <= law.delta_e15 + 1


def test_a_coarser_sampler_is_charged_for(monkeypatch):
    monkeypatch.setattr(truncated, "_DRAW_BITS", 30)
    law = TruncatedLaplace(parse_epsilon("1"), parse_delta("1e-9"), 1)
    distance = 4 * law.n / 2**30
    assert law.delta_charged_e15 / 1e15 > (1 + math.e) * distance
    assert law.delta_charged_e15 / 1e15 < (1 + math.e) * distance + 1e-9


@settings(max_examples=20, deadline=None)
@given(laws)
def test_every_value_has_its_exact_share_of_the_uniform_positions(law):
    _, probabilities = law.pmf()
    edges = np.array([0, *law._thresholds, 2**256], dtype=object)
    shares = np.array([float(width) for width in np.diff(edges)]) / 2.0**256
    np.testing.assert_allclose(shares, probabilities, rtol=1e-9, atol=0)


def test_the_draw_is_the_inverse_distribution_function():
    law = TruncatedLaplace(parse_epsilon("1"), parse_delta("1e-6"), 1)
    assert law.draw(bytes(32)) == 0
    assert law.draw(b"\xff" * 32) == 2 * law.n
    assert law.draw(b"\x80" + bytes(31)) == law.n
    for value, edge in enumerate(law._thresholds):
        assert law.draw((edge - 1).to_bytes(32, "big")) == value
        assert law.draw(edge.to_bytes(32, "big")) == value + 1


def test_the_first_32_bytes_decide():
    law = TruncatedLaplace(parse_epsilon("1"), parse_delta("1e-6"), 1)
    seed = random.Random(7).randbytes(32)
    assert law.draw(seed) == law.draw(seed + b"more")


def test_a_known_draw_stays_what_it_was():
    law = TruncatedLaplace(parse_epsilon("0.5"), parse_delta("1e-9"), 2)
    source = random.Random(1)
    drawn = [law.draw(source.randbytes(32)) for _ in range(10)]
    assert (law.n, drawn) == (78, [88, 78, 78, 78, 74, 80, 83, 79, 80, 79])


def test_moments_are_those_of_the_draws():
    law = TruncatedLaplace(parse_epsilon("1"), parse_delta("1e-9"), 2)
    source = random.Random(3)
    drawn = np.array([law.draw(source.randbytes(32)) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(law.mean, abs=4 * math.sqrt(law.variance / 20_000))
    assert drawn.var() == pytest.approx(law.variance, rel=0.06)


@pytest.mark.parametrize(
    ("epsilon_nano", "delta_e15", "sensitivity"),
    [(0, 1, 1), (-1, 1, 1), (10**9, 0, 1), (10**9, 10**15, 1), (10**9, 1, 0), (10**4, 1, 1)],
)
def test_senseless_parameters_are_refused(epsilon_nano, delta_e15, sensitivity):
    with pytest.raises(InvalidParameter):
        TruncatedLaplace(epsilon_nano, delta_e15, sensitivity)


def test_too_few_uniform_bytes_are_refused():
    with pytest.raises(InvalidParameter, match="32"):
        TruncatedLaplace(10**9, 10**6, 1).draw(bytes(31))
