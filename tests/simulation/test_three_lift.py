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

RUNS = 70
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


def test_a_rates_noise_is_that_of_its_form():
    """What converts and whom an arm has share draws, so their covariance is in the error."""
    outcome = CountedThree(world(np.random.default_rng(1)), LAWS, LABELS).run()
    young = outcome.shareable.of_third((0,))
    converted, people = young.block((0, 1), (0, 1)), young.offered_block((0, 1))
    assert young.covariance(converted, people) > 0
    assert outcome.shareable.covariance(
        outcome.shareable.block((0, 1), (0, 1)), outcome.shareable.offered_block((0, 1))
    ) == pytest.approx(0)
