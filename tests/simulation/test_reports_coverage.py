"""Over many seeded sessions with the production laws: no bias, and 95% intervals that hold."""

from collections import defaultdict

import numpy as np
import pytest
from counted_session import CountedSession, People

from privacy.session import SessionNoise, TableLaws
from reports import reach

RUNS = 1200
FREQUENCIES = ("1", "2", "3+")
LAWS = TableLaws(SessionNoise(3 * 10**8, 5 * 10**8, 10**6))
PEOPLE = People(
    np.array([[900, 400], [600, 500], [300, 350]]), np.array([500, 300, 100]), np.array([700, 900])
)
TRUTH = {
    ("reach", None): 3050,
    ("reach exactly", "a"): 900,
    ("average frequency", "a"): (900 + 2 * 600 + 3 * 300) / 1800,
    ("impressions", None): 1300 + 2 * 1100 + 3 * 650,
    ("audience", "a"): 2500,
    ("share reached", "a"): 1800 / 2500,
    ("share reached", None): 3050 / 4650,
    ("share of matched", "a"): 600 / 1800,
    ("share of matched", None): 2400 / 3050,
    ("share of base", None): 1400 / 3950,
    ("step conversion", "a"): 900 / 1800,
    ("step conversion", None): 650 / 1750,
    ("index", "a"): 100 * (600 / 1800) / (1400 / 3950),
    ("index", None): 100 * (2400 / 3050) / (3200 / 3950),
}


@pytest.fixture(scope="module")
def seen():
    """Estimates of every number of interest, by kind."""
    session = CountedSession(
        PEOPLE, LAWS, labels=FREQUENCIES, segments=("a", "b"), min_cell=10, seed=11
    )
    numbers = {"private": defaultdict(list), "shareable": defaultdict(list)}
    every, both, times = range(3), range(2), (1, 2, 3)
    for _ in range(RUNS):
        outcome = session.run()
        for kind, kept in numbers.items():
            estimates = getattr(outcome, kind)
            kept["reach", None].append(estimates.count(every, both))
            kept["reach exactly", "a"].append(estimates.count((0,), (0,)))
            kept["average frequency", "a"].append(estimates.mean(times, (0,)))
            kept["impressions", None].append(estimates.weighted(times, both))
            kept["audience", "a"].append(estimates.audience((0,)))
            kept["share reached", "a"].append(estimates.share(every, (0,)))
            kept["share reached", None].append(estimates.share(every, both))
            kept["share of matched", "a"].append(estimates.part((1,), (0,), every, (0,)))
            kept["share of matched", None].append(estimates.part((0, 1), both, every, both))
            kept["share of base", None].append(estimates.base_share((1,)))
            kept["step conversion", "a"].append(estimates.part((1, 2), (0,), every, (0,)))
            kept["step conversion", None].append(estimates.part((2,), both, (1, 2), both))
            kept["index", "a"].append(estimates.index((1,), (0,)))
            kept["index", None].append(estimates.index((0, 1), both))
    return numbers


@pytest.mark.parametrize("number", list(TRUTH))
@pytest.mark.parametrize("kind", ["private", "shareable"])
def test_a_number_is_unbiased_and_its_interval_holds(seen, kind, number):
    estimates, truth = seen[kind][number], TRUTH[number]
    values = np.array([estimate.value for estimate in estimates])
    errors = np.array([estimate.standard_error for estimate in estimates])
    assert not any(estimate.suppressed for estimate in estimates)
    if (kind, number) == ("private", ("audience", "a")):
        assert set(values) == {truth}
        return
    assert abs(values.mean() - truth) < 4 * values.std() / RUNS**0.5
    assert values.std() == pytest.approx(errors.mean(), rel=0.08)
    covered = np.mean([one.low <= truth <= one.high for one in estimates])
    assert 0.935 <= covered <= 0.97


def test_the_owners_error_is_the_release_alone(seen):
    private = seen["private"]["reach exactly", "a"][0].standard_error
    shareable = seen["shareable"]["reach exactly", "a"][0].standard_error
    assert private == pytest.approx(LAWS.release.variance**0.5)
    assert shareable == pytest.approx((LAWS.release.variance + LAWS.dummies.variance) ** 0.5)


def test_the_offered_keys_are_unbiased_and_covered():
    session = CountedSession(PEOPLE, LAWS, seed=12)
    offered = [session.run().shareable.offered((0,)) for _ in range(RUNS)]
    values = np.array([one.value for one in offered])
    assert abs(values.mean() - 2 * 900) < 4 * values.std() / RUNS**0.5
    assert 0.935 <= np.mean([one.low <= 1800 <= one.high for one in offered]) <= 0.97


def test_a_campaigns_share_counts_its_dummies_once():
    session = CountedSession(PEOPLE, LAWS, seed=13)
    shares = [session.run().shareable.share((0, 1), (1,)) for _ in range(RUNS)]
    truth = (400 + 500) / 2150
    values = np.array([one.value for one in shares])
    assert values.std() == pytest.approx(np.mean([one.standard_error for one in shares]), rel=0.08)
    assert 0.935 <= np.mean([one.low <= truth <= one.high for one in shares]) <= 0.97


def test_an_absent_cell_is_nearly_never_shown():
    nobody = People(np.zeros((20, 20), dtype=int), np.full(20, 9), np.full(20, 9))
    outcome = CountedSession(nobody, LAWS, seed=14).run()
    for estimates in (outcome.private, outcome.shareable):
        shown = sum(not row.estimate.suppressed for row in estimates.rows())
        assert shown <= 400 * 0.02


def test_fitted_reach_never_grows_with_frequency_and_adds_up():
    thin = People(np.array([[60, 3], [5, 0], [1, 2]]), np.zeros(3, dtype=int), np.full(2, 50))
    session = CountedSession(thin, LAWS, labels=FREQUENCIES, seed=15)
    moved = 0
    for _ in range(50):
        numbers = reach.build(session.run().shareable).numbers
        for part in (*numbers.segments, numbers.total):
            fitted = [number.fitted for number in part.at_least]
            assert fitted == sorted(fitted, reverse=True)
            assert fitted[-1] >= 0
        for at, total in enumerate(numbers.total.exactly):
            parts = sum(segment.exactly[at].fitted for segment in numbers.segments)
            assert total.fitted == pytest.approx(parts, abs=1e-6)
            moved += abs(total.fitted - total.estimate.value) > 1
    assert moved
