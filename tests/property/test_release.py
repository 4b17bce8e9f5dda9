"""The release: integers, the law it claims, and types that keep exact counts in."""

import math
import pickle
import subprocess
import sys
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from privacy.counts import ExactCount, ExactTable, NoisyCount, NoisyTable
from privacy.errors import InvalidParameter, PrivacyError
from privacy.noise import DiscreteLaplaceLaw, exact_scale
from privacy.release import _round_up, discrete_laplace, release_count, release_table

EPSILON = 5 * 10**8


def test_the_noise_has_the_law_that_reports_assume():
    law = DiscreteLaplaceLaw.for_release(EPSILON, 1)
    offset, probabilities = law.pmf()
    runs = 30_000
    seen = Counter(discrete_laplace([0] * runs, EPSILON, 1))
    statistic = 0.0
    for value in range(-8, 9):
        expected = runs * probabilities[value - offset]
        statistic += (seen[value] - expected) ** 2 / expected
    assert statistic < 50  # χ² with 17 cells: about 5e-5 of honest runs are above


@pytest.mark.parametrize("scale", [Fraction(1, 10), Fraction(1), Fraction(7, 3), Fraction(500)])
def test_pmf_and_variance_agree(scale):
    law = DiscreteLaplaceLaw(scale)
    offset, probabilities = law.pmf()
    values = np.arange(offset, offset + len(probabilities))
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert probabilities @ values == pytest.approx(law.mean, abs=1e-9)
    assert probabilities @ values**2 == pytest.approx(law.variance, rel=1e-9)


@pytest.mark.parametrize("sensitivity", [1, 2, 5])
def test_neighbours_differ_by_epsilon_at_most(sensitivity):
    _, probabilities = DiscreteLaplaceLaw.for_release(EPSILON, sensitivity).pmf()
    ratio = probabilities[:-sensitivity] / probabilities[sensitivity:]
    assert np.log(ratio).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("epsilon_nano", [1, 3, 7, 10**8, 123_456_789, 10**10 - 1])
def test_the_scale_given_to_the_sampler_is_never_too_small(epsilon_nano):
    exact = Fraction(10**9, epsilon_nano)
    assert Fraction(_round_up(exact)) >= exact
    assert Fraction(math.nextafter(_round_up(exact), 0)) < exact


def test_a_table_and_its_noise_give_the_counts_back_only_together():
    counts = np.arange(12).reshape(3, 4)
    released = release_table(ExactTable(counts), EPSILON, 1)
    noise = np.frombuffer(released.noise, dtype=">i8").reshape(3, 4)
    np.testing.assert_array_equal(released.table.counts - noise, counts)
    assert noise.any()
    assert released.noise.hex() not in repr(released)
    assert "noise" not in repr(released)


def test_two_releases_differ():
    exact = ExactTable(np.zeros((20, 20), dtype=np.int64))
    assert release_table(exact, EPSILON, 1).table != release_table(exact, EPSILON, 1).table


def test_one_count_is_released_as_a_noisy_count():
    released = release_count(ExactCount(10**6), 10**10, 1)
    assert isinstance(released, NoisyCount)
    assert abs(released - 10**6) < 100


def test_an_empty_list_is_released_empty():
    assert discrete_laplace([], EPSILON, 1) == []


@pytest.mark.parametrize("exact", [ExactTable([[123456, 7]]), ExactCount(123456)])
def test_an_exact_count_shows_and_gives_nothing(exact):
    assert "123456" not in repr(exact)
    assert "123456" not in f"{exact}"
    with pytest.raises(PrivacyError, match="pickled"):
        pickle.dumps(exact)
    for convert in (int, float, np.float64, list):
        with pytest.raises(TypeError):
            convert(exact)


def test_a_noisy_table_is_read_only():
    table = NoisyTable([[1, -2]])
    with pytest.raises(ValueError, match="read-only"):
        table.counts[0, 0] = 5
    assert table == NoisyTable([[1, -2]])
    assert hash(table) == hash(NoisyTable([[1, -2]]))
    assert "-2" in repr(table)


@pytest.mark.parametrize("counts", [[1, 2], [[0.5]], [["1"]], [[-1]], [[True]]])
def test_what_is_no_table_of_counts_is_refused(counts):
    with pytest.raises(InvalidParameter):
        ExactTable(counts)


@pytest.mark.parametrize(
    ("epsilon_nano", "sensitivity"), [(0, 1), (-1, 1), (10**9, 0), (101 * 10**9, 1), (10**4, 1)]
)
def test_a_scale_out_of_range_is_refused(epsilon_nano, sensitivity):
    with pytest.raises(InvalidParameter):
        exact_scale(epsilon_nano, sensitivity)
    with pytest.raises(InvalidParameter):
        discrete_laplace([1], epsilon_nano, sensitivity)


def test_a_count_that_would_saturate_is_refused():
    with pytest.raises(InvalidParameter, match="saturate"):
        discrete_laplace([2**63 - 1], EPSILON, 1)


def test_importing_the_release_does_not_load_opendp():
    check = "import sys, privacy.release, privacy.session; sys.exit('opendp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
