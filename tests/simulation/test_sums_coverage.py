"""Over many seeded sessions and roundings: sums are unbiased, and 95% intervals hold.

`make coverage-sums` runs it at length; in the suite it is a quick look. The truth is Σ value, each
cut to the top bound, and not Σ bound: the rounding's error is in the interval too.
"""

import os
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from counted_session import CountedSession
from valued_people import World, run

from privacy.session import SessionNoise, TableLaws
from psi.buckets import ValueBuckets
from reports.sums import ValueTable

RUNS = int(os.environ.get("COVERAGE_RUNS", "120"))
LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6))
SLACK = 4 * (0.95 * 0.05 / RUNS) ** 0.5
WORLDS = ("large", "few", "rounded")
"""Noise of equal weight, one heavy draw, and rounding that outweighs the noise."""


def world_of(name):
    numbers = np.random.default_rng(3)
    size, bounds = {
        "large": (4000, ("0", "10", "20", "40", "80")),
        "few": (1500, ("0", "5", "50", "500")),
        "rounded": (6000, ("0", "100")),
    }[name]
    value = np.where(numbers.random(size) < 0.3, 0, np.exp(numbers.normal(3, 1, size)))
    frame = pd.DataFrame(
        {
            "g": numbers.integers(-1, 2, size),
            "segment": numbers.integers(0, 2, size),
            "value": value.round(2),
        }
    )
    return World(frame, ("a", "b"), ("north", "south"), ValueBuckets.of(bounds))


def truths(world):
    """Return the true numbers: value, average, share of the audience's value."""
    frame = world.people.assign(value=world.people["value"].clip(0, world.buckets.bounds[-1] / 1e6))
    found = {}
    for rows, segment in (((0,), "north"), ((0, 1), None)):
        inside = frame if segment is None else frame[frame["segment"] == 0]
        met = inside[inside["g"].isin(rows)]["value"]
        found[rows, segment, "total"] = met.sum()
        found[rows, segment, "average"] = met.mean()
        found[rows, segment, "share"] = met.sum() / inside["value"].sum()
    return found


@pytest.fixture(scope="module", params=WORLDS)
def seen(request):
    """Return the true numbers and, by kind, the estimates of each over all runs."""
    world = world_of(request.param)
    truth, numbers = truths(world), np.random.default_rng(5)
    session = CountedSession(
        world.counted(world.placed(numbers.random(len(world.people)))), LAWS, labels=world.rows,
        segments=world.columns, min_cell=0, seed=6,
    )  # fmt: skip
    kept = {"private": defaultdict(list), "shareable": defaultdict(list)}
    for _ in range(RUNS):
        outcome = run(world, LAWS, numbers.random(len(world.people)), session=session)
        for kind, found in kept.items():
            table = ValueTable.find(getattr(outcome, kind))
            for rows, segment, number in truth:
                found[rows, segment, number].append(getattr(table.block(rows, segment), number)())
    return request.param, truth, kept


@pytest.mark.parametrize("kind", ["private", "shareable"])
def test_sums_are_unbiased_and_their_intervals_hold(seen, kind):
    name, truth, kept = seen
    for of, true in truth.items():
        found = kept[kind][of]
        values = np.array([one.value for one in found])
        assert not any(one.suppressed for one in found), of
        assert abs(values.mean() - true) < 4.5 * values.std() / RUNS**0.5, (of, values.mean(), true)
        covered = np.mean([one.low <= true <= one.high for one in found])
        stated = np.mean([one.standard_error for one in found])
        ratio = values.std() / stated
        print(f"{name} {kind} {of}: {covered:.1%} covered, error {ratio:.2f} of the stated")
        assert covered > 0.95 - 0.015 - SLACK, (of, covered)
        if kind == "private":  # what may be shared has a bound on the rounding, and covers more
            assert covered < 0.95 + 0.015 + SLACK, (of, covered)
            assert values.std() == pytest.approx(stated, rel=0.1 + 2 / RUNS**0.5), of
