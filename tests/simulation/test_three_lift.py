"""A lift within one attribute: its counts of people are noisy cells, and share draws with it.

People convert at random and all noise is drawn; 95% intervals hold, those of the attribute's people
and of the people whom the third does not know.
"""

from collections import defaultdict

import numpy as np
import pytest
from counted_three import PARTIES, CountedThree

from privacy.session import SessionNoise, TableLaws
from reports import lift
from reports.arms import arms_of, outcomes_of
from reports.comparison import Comparison
from reports.rates import Exposed, NoisyRate, bloom

RUNS = 100
LAWS = TableLaws(SessionNoise(5 * 10**8, 5 * 10**8, 10**6))
ARMS = ("treatment × seen", "treatment × not", "control × seen", "control × not")
LABELS = (ARMS, ("0", "20"), ("young", "old"))
ASSIGNED = np.array(
    [[1500, 1100, 1900], [2500, 1900, 2100], [1600, 1200, 1500], [2400, 1800, 2500]]
)
RATES = np.array([0.16, 0.06, 0.1, 0.06])
VALUED = 0.7
OTHERS = 400
UNKNOWN = f"not known to {PARTIES[2]}"


def world(numbers):
    """Draw who converts: people (arm, bucket, attribute), `∅` last."""
    people = np.full((5, 3, 3), OTHERS)
    people[-1, -1, -1] = 0
    converted = numbers.binomial(ASSIGNED, RATES[:, None])
    valued = numbers.binomial(converted, VALUED)
    people[:4, 1], people[:4, 0] = valued, converted - valued
    people[:4, 2] = ASSIGNED - converted
    return people


def truths(layer):
    """Return the true rates and effects among people of one layer."""
    n = ASSIGNED[:, layer].astype(float)
    treated, control = n[:2] @ RATES[:2] / n[:2].sum(), n[2:] @ RATES[2:] / n[2:].sum()
    change = treated - control
    return {
        ("conversion rate", "treatment"): treated,
        ("conversion rate", "control"): control,
        ("lift", None): change,
        ("lift", "exposed, by ghosts"): RATES[0] - RATES[2],
        ("lift", "exposed, by Bloom"): change * n[:2].sum() / n[0],
        ("incremental conversions", None): change * n[:2].sum(),
        ("incremental value", None): change * n[:2].sum() * VALUED * 20,
        ("relative lift", None): treated / control - 1,
    }


@pytest.fixture(scope="module")
def held():
    """Say of each run whether each interval holds, by rendering, attribute and number."""
    numbers, found = np.random.default_rng(6), defaultdict(list)
    for run in range(RUNS):
        outcome = CountedThree(world(numbers), LAWS, LABELS, seed=run).run()
        for rendering in ("private", "shareable"):
            report = lift.build(getattr(outcome, rendering))
            rows = {
                (row.metric, row.label, row.attribute): row.estimate
                for row in report.rows()
                if row.segment is None
            }
            for layer, attribute in enumerate(("young", "old", UNKNOWN)):
                for (metric, label), truth in truths(layer).items():
                    one = rows[metric, label, attribute]
                    found[rendering, attribute, metric, label].append(one.low <= truth <= one.high)
    return found


def test_every_interval_of_a_lift_by_attribute_holds(held):
    shares = {what: np.mean(each) for what, each in held.items()}
    assert len(shares) == 2 * 3 * len(truths(0))
    for what, share in shares.items():
        assert share >= 0.84, (what, share)
    assert 0.925 <= np.mean(list(shares.values())) <= 0.97


def test_rates_and_values_have_the_noise_of_their_forms():
    outcome = CountedThree(world(np.random.default_rng(2)), LAWS, LABELS).run()
    for estimates in (
        outcome.private,
        outcome.shareable,
        outcome.shareable.of_third((1,)),
        outcome.private.of_third((2,)),
    ):
        arms, (all_of_them,) = arms_of(ARMS), outcomes_of(LABELS[1])
        compared = Comparison(estimates, arms, all_of_them)
        offered = estimates.offered_block(arms.treatment.rows)
        rate, mean = compared._rate(arms.treatment), compared._mean(arms.treatment)
        for weights, of, noise in (
            ((1, 1), rate.value, rate.noise_variance * rate.people**2),
            ((0, 20), mean.value, mean.noise_variance * mean.people**2),
        ):
            counted = estimates.priced(arms.treatment.rows, weights)
            terms = estimates.terms((1, counted), (-of, offered))
            assert noise == pytest.approx(sum(term.variance for term in terms))


def test_the_interval_on_the_treated_takes_what_draws_share():
    """People are so many that chance is little: what is left is the noise, in closed form."""
    n, m, k = 4e8, 3e8, 1.5e8
    treated = NoisyRate(0.3 * n, n, 4e12, 3e12, 1.6e12)
    control = NoisyRate(0.2 * m, m, 2e12, 1e12, 0.8e12)
    exposed = Exposed(0.5 * k, k, 2e12, 1.3e12)
    low, high = bloom(treated, control, exposed)
    p, effect = 0.2, 0.1 * n / k
    of_arm = 4e12 + (p + effect) ** 2 * 2e12 + p**2 * 1e12
    of_arm -= 2 * (p + effect) * 1.3e12 + 2 * p * 0.3e12
    of_control = (2e12 - 2 * p * 0.8e12 + p**2 * 1e12) * (n / m) ** 2
    expected = 1.96 * ((of_arm + of_control) ** 0.5 / k)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.005)


def test_a_rates_noise_is_that_of_its_form():
    """What converts and whom an arm has share draws, so their covariance is in the error."""
    outcome = CountedThree(world(np.random.default_rng(1)), LAWS, LABELS).run()
    young = outcome.shareable.of_third((0,))
    converted, people = young.block((0, 1), (0, 1)), young.offered_block((0, 1))
    assert young.covariance(converted, people) > 0
    assert outcome.shareable.covariance(
        outcome.shareable.block((0, 1), (0, 1)), outcome.shareable.offered_block((0, 1))
    ) == pytest.approx(0)
