"""The production noise passes the audit, and every mutant of it is convicted."""

import math
import os
from dataclasses import replace

import pytest
from dp_audit import audit, clopper_pearson, each

from privacy.release import discrete_laplace
from privacy.session import SessionNoise, TableLaws
from privacy.truncated import TruncatedLaplace
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.table import ReleasedTable, ReleaseParameters

RUNS = 6_000
EPSILON, EPSILON_NANO = 1.0, 10**9
DELTA, DELTA_E15 = 0.01, 10**13  # large, so that losing it would show
DUMMIES = TruncatedLaplace(EPSILON_NANO, DELTA_E15, 1)
LAWS = TableLaws(SessionNoise(EPSILON_NANO, EPSILON_NANO, DELTA_E15))


def release(times=1, *, noise=discrete_laplace):
    """What the recipient sees of one cell, `times` times."""

    def sample(count, runs):
        drawn = [noise([count] * runs, EPSILON_NANO, 1) for _ in range(times)]
        return list(zip(*drawn, strict=True))

    return sample


def half_the_noise(values, epsilon_nano, sensitivity):
    return discrete_laplace(values, 2 * epsilon_nano, sensitivity)


def convicted(sample, one, other, delta=0.0, runs=RUNS):
    return audit(sample, one, other, epsilon=EPSILON, delta=delta, runs=runs).convicted


def test_the_release_keeps_its_promise():
    assert not convicted(release(), 100, 101)


def test_half_the_release_noise_is_convicted():
    assert convicted(release(noise=half_the_noise), 100, 101)


def test_a_bound_that_is_not_applied_is_convicted():
    assert convicted(release(), 100, 102)


def test_noise_drawn_again_for_a_resumed_session_is_convicted():
    assert convicted(release(times=2), 100, 101)


def view_of_tabulator(law=DUMMIES, draw=None):
    """What T sees of one of R's people: a cell with its dummies, and what else is in the set."""
    draw = draw or (lambda: law.draw(os.urandom(32)))

    def run(matched_and_others):
        matched, others = matched_and_others
        return matched + draw(), others + draw()

    return each(run)


@pytest.mark.parametrize("neighbour", [(51, 20), (50, 21)])
def test_dummies_and_fillers_keep_their_promise(neighbour):
    assert not convicted(view_of_tabulator(), (50, 20), neighbour, DELTA)


def test_half_the_dummies_noise_is_convicted():
    doubled = TruncatedLaplace(2 * EPSILON_NANO, DELTA_E15, 1)
    assert convicted(view_of_tabulator(doubled), (50, 20), (51, 20), DELTA)


def test_a_range_of_dummies_that_is_too_short_is_convicted():
    short = TruncatedLaplace(EPSILON_NANO, 10 * DELTA_E15, 1)
    assert short.n < DUMMIES.n
    assert convicted(view_of_tabulator(short), (50, 20), (51, 20), DELTA)


def test_no_dummies_are_convicted():
    assert convicted(view_of_tabulator(draw=lambda: 0), (50, 20), (51, 20), DELTA)


def test_a_person_with_more_records_than_the_bound_is_convicted():
    assert convicted(view_of_tabulator(), (50, 20), (52, 20), DELTA)


def shared_number(share):
    """What T learns from a number that R passes on, knowing its own noise e."""
    parameters = ReleaseParameters(EPSILON_NANO, EPSILON_NANO, DELTA_E15, 1, 1, 128, 10)
    table = ReleasedTable(("g",), ("b",), ((0,),), (900,), (900,), parameters)

    def learned(matched, noise):
        tau = DUMMIES.draw(os.urandom(32))
        sent = replace(table, counts=((matched + tau + noise,),))
        return round(share(sent, tau).count((0,), (0,)).value) - noise

    def sample(matched, runs):
        drawn = discrete_laplace([0] * runs, EPSILON_NANO, 1)
        return [learned(matched, noise) for noise in drawn]

    return sample


def test_a_shared_number_keeps_the_dummies_promise():
    sample = shared_number(lambda table, tau: ShareableEstimates(table, LAWS))
    assert not convicted(sample, 50, 51, DELTA, runs=800)


def test_dummies_subtracted_in_a_shared_number_are_convicted():
    sample = shared_number(lambda table, tau: PrivateEstimates(table, LAWS, [[tau]], [900]))
    assert convicted(sample, 50, 51, DELTA, runs=800)


def test_the_audit_shows_nearly_all_of_a_loss():
    finding = audit(release(noise=half_the_noise), 0, 1, epsilon=EPSILON, delta=0, runs=16_000)
    assert 1.6 < finding.epsilon_shown < 2


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [
        (0, 10, 0, 0.30850),
        (10, 10, 0.69150, 1),
        (3, 10, 0.06674, 0.65245),
        (50, 100, 0.39832, 0.60168),
    ],
)
def test_binomial_bounds_are_clopper_and_pearsons(hits, runs, low, high):
    assert clopper_pearson(hits, runs, 0.025) == pytest.approx((low, high), abs=2e-5)


def test_nothing_is_shown_by_inputs_that_are_equal():
    assert audit(release(), 7, 7, epsilon=0.1, delta=0, runs=RUNS).epsilon_shown < 0.1
    assert math.isinf(audit(each(lambda x: 0), 1, 2, epsilon=0, delta=0, runs=20).epsilon_shown)
