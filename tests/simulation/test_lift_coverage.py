"""The intervals of a lift hold in 2,000 seeded runs: 95% ± 1.5, chance and noise together.

People convert at random, and the laws of the product add noise to conversions and to the people of
an arm. Covers the arithmetic of reports/rates.py; `test_lift_exact` holds the report to it.
"""

import numpy as np
import pytest

from privacy.session import SessionNoise, TableLaws
from reports.rates import (
    Exposed,
    NoisyMean,
    NoisyRate,
    around,
    bloom,
    difference,
    increment,
    p_value,
    ratio,
)

RUNS = 2000
WITHIN = (0.935, 0.965)
# people of the treatment and of the control, their rates, ε of the table and of sizes, cells a rate
WORLDS = {
    "large, null": (100_000, 100_000, 0.02, 0.02, 1, 1, 1),
    "large, real": (100_000, 50_000, 0.022, 0.02, 1, 1, 8),
    "small, null": (1000, 1000, 0.03, 0.03, 1, 1, 2),
    "small, real": (1000, 1000, 0.06, 0.03, 1, 1, 2),
    "unequal arms": (2000, 200, 0.08, 0.08, 1, 1, 2),
    "few convert": (5000, 5000, 0.003, 0.002, 1, 1, 1),
    "noise dominates": (1000, 1000, 0.03, 0.02, 0.2, 1, 2),
    "sizes are noisy": (1000, 1000, 0.5, 0.6, 1, 0.05, 1),
    "nearly everybody": (300, 300, 0.97, 0.9, 1, 1, 1),
}


def draws(numbers, law, times):
    offset, mass = law.pmf()
    noise = offset - law.mean + numbers.choice(len(mass), size=(RUNS, times), p=mass / mass.sum())
    return noise.sum(axis=1)


def laws_of(epsilon, epsilon_dummies):
    return TableLaws(SessionNoise(int(epsilon * 1e9), int(epsilon_dummies * 1e9), 10**6))


def arms(name, seed):
    """Return 2,000 pairs of noisy rates, in the recipient's shareable view."""
    *sides, epsilon, dummies, cells = WORLDS[name]
    laws, numbers = laws_of(epsilon, dummies), np.random.default_rng(seed)
    variance = cells * (laws.release.variance + laws.dummies.variance)
    found = []
    for people, rate in zip(sides[:2], sides[2:], strict=True):
        converted = numbers.binomial(people, rate, RUNS)
        converted = converted + draws(numbers, laws.release, cells)
        converted = converted + draws(numbers, laws.dummies, cells)
        counted = people + draws(numbers, laws.tabulator_fillers, 1)
        found.append(
            [
                NoisyRate(float(x), float(n), variance, laws.tabulator_fillers.variance)
                for x, n in zip(converted, counted, strict=True)
            ]
        )
    return list(zip(*found, strict=True))


def share_covered(intervals, truth):
    return np.mean([low <= truth <= high for low, high in intervals])


@pytest.mark.parametrize("name", WORLDS)
def test_the_intervals_of_a_lift_hold(name):
    people, _, rate, other, *_ = WORLDS[name]
    pairs = arms(name, seed=31)
    lift = share_covered([difference(*pair) for pair in pairs], rate - other)
    incremental = share_covered([increment(*pair) for pair in pairs], people * (rate - other))
    ratios = [limits for pair in pairs if (limits := ratio(*pair)) is not None]
    assert WITHIN[0] <= lift <= WITHIN[1]
    assert WITHIN[0] <= incremental <= WITHIN[1]
    missed = len(ratios) * (1 - share_covered(ratios, rate / other))
    assert missed / RUNS <= 1 - WITHIN[0]  # one that is withheld claims nothing


def test_the_formula_of_the_variance_is_that_of_the_estimates():
    for name in WORLDS:
        for rates in zip(*arms(name, seed=32), strict=True):
            errors = [one.standard_error for one in rates]
            assert np.std([one.value for one in rates]) == pytest.approx(np.mean(errors), rel=0.08)


def test_a_p_value_is_below_any_level_as_often_as_it_says():
    found = np.array([p_value(*pair) for pair in arms("small, null", seed=33)])
    for level in (0.01, 0.05, 0.2, 0.5):
        assert abs((found < level).mean() - level) < 4 * (level * (1 - level) / RUNS) ** 0.5


@pytest.mark.parametrize(
    ("people", "share", "exposed", "unexposed", "control", "epsilon"),
    [
        (2000, 0.5, 0.06, 0.02, 0.03, 1),
        (5000, 0.4, 0.05, 0.02, 0.05, 1),
        (800, 0.3, 0.9, 0.01, 0.4, 1),
        (2000, 0.2, 0.5, 0.1, 0.1, 0.3),
    ],
)
def test_the_intervals_on_the_treated_hold(people, share, exposed, unexposed, control, epsilon):
    """`control` is the rate of those in the control arm who would have been exposed."""
    laws, numbers = laws_of(epsilon, epsilon), np.random.default_rng(34)
    noise, size = laws.release.variance, laws.tabulator_fillers.variance
    seen = numbers.binomial(people, share, RUNS)
    among = numbers.binomial(seen, exposed) + draws(numbers, laws.release, 1)
    rest = numbers.binomial(people - seen, unexposed) + draws(numbers, laws.release, 1)
    seen_counted = seen + draws(numbers, laws.tabulator_fillers, 1)
    counted = seen_counted + people - seen + draws(numbers, laws.tabulator_fillers, 1)
    whole = share * control + (1 - share) * unexposed
    held_out = numbers.binomial(people, whole, RUNS) + draws(numbers, laws.release, 2)
    held_counted = people + draws(numbers, laws.tabulator_fillers, 2)
    intervals = [
        bloom(
            NoisyRate(float(x + y), float(n), 2 * noise, 2 * size),
            NoisyRate(float(z), float(m), 2 * noise, 2 * size),
            Exposed(float(x), float(k), size),
        )
        for x, y, z, n, m, k in zip(
            among, rest, held_out, counted, held_counted, seen_counted, strict=True
        )
    ]
    assert WITHIN[0] <= share_covered(intervals, exposed - control) <= WITHIN[1]


def test_the_interval_of_incremental_value_holds():
    bounds, chances = np.array([0.0, 10, 20, 40, 80]), np.array([0.3, 0.3, 0.2, 0.15, 0.05])
    laws, numbers = laws_of(1, 1), np.random.default_rng(35)
    cell = laws.release.variance + laws.dummies.variance
    people, rates = 5000, (0.06, 0.04)
    found = []
    for rate in rates:
        counts = numbers.multinomial(people, [*(rate * chances), 1 - rate], RUNS)[:, :5]
        noise = [draws(numbers, law, 1) for law in (laws.release, laws.dummies) for _ in bounds]
        counts = counts + np.array(noise[:5]).T + np.array(noise[5:]).T
        sizes = people + draws(numbers, laws.tabulator_fillers, 1)
        found.append(
            [
                NoisyMean(
                    float(bounds @ row), float(bounds**2 @ row), float(n),
                    float(bounds @ bounds) * cell, laws.tabulator_fillers.variance,
                )
                for row, n in zip(counts, sizes, strict=True)
            ]
        )  # fmt: skip
    truth = people * (rates[0] - rates[1]) * (bounds @ chances)
    intervals = [
        around(one.total - one.people * other.value, one.increment_variance(other))
        for one, other in zip(*found, strict=True)
    ]
    assert WITHIN[0] <= share_covered(intervals, truth) <= WITHIN[1]
