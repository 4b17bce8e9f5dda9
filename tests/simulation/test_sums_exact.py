"""With the noise off, sums from counts are those of a plain pandas computation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from counted_session import SilentLaws
from hypothesis import given, settings
from hypothesis import strategies as st
from valued_people import World, run

from psi.buckets import ValueBuckets
from reports.sums import ValueColumns, ValueTable

BOUNDS = ("0", "10", "20.5", "41")
VALUES = st.sampled_from([0.0, -5.0, -0.01, 3.0, 9.99, 10.0, 15.25, 20.5, 30.0, 41.0, 41.01, 900.0])
PEOPLE = st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 1), VALUES), min_size=1, max_size=60)
ROWS = ("a", "b", "c")


def world_of(people, *, segments=None, refunds=False, values=None):
    frame = pd.DataFrame(people, columns=["g", "segment", "value"])
    if values is not None:
        frame["value"] = values
    labels = ("refund", *BOUNDS) if refunds else BOUNDS
    return World(frame, ROWS, segments, ValueBuckets.of(labels))


def expected(world, column):
    """Return each person's bound, read off the name of its label."""
    last = pd.Series(world.columns).str.rpartition(" × ")[2]
    return last.replace("refund", "0").astype(float).to_numpy()[column]


@pytest.mark.parametrize("kind", ["private", "shareable"])
@pytest.mark.parametrize("segments", [None, ("north", "south")])
@pytest.mark.parametrize("refunds", [False, True])
@settings(max_examples=12, deadline=None)
@given(people=PEOPLE, seed=st.integers(0, 99))
def test_sums_averages_and_shares_equal_pandas(kind, segments, refunds, people, seed):
    world = world_of(people, segments=segments, refunds=refunds)
    draws = np.random.default_rng(seed).random(len(people))
    column = world.placed(draws)
    frame = world.people.assign(bound=expected(world, column))
    matched = frame[frame["g"] >= 0]
    table = ValueTable.find(getattr(run(world, SilentLaws(), draws), kind))
    for rows in ((0,), (1, 2), (0, 1, 2)):
        for name, _ in table.values.blocks:
            inside = frame if name is None else frame[frame["segment"] == segments.index(name)]
            met = inside[inside["g"].isin(rows)]
            block = table.block(rows, name)
            assert block.total().value == pytest.approx(met["bound"].sum())
            averages = (
                (block.average(), met["bound"]),
                (block.average_basket(), met["bound"][met["bound"] > 0]),
            )
            for estimate, values in averages:
                assert estimate.suppressed == (len(values) == 0)
                if len(values):
                    assert estimate.value == pytest.approx(values.mean())
            share, whole = block.share(), inside["bound"].sum()
            assert share.suppressed == (whole == 0)
            if whole:
                assert share.value == pytest.approx(met["bound"].sum() / whole)
    credit = (0.5, 0.25, 1.0)
    value = table.block((0, 1, 2), credit=credit).total().value
    assert value == pytest.approx((matched["bound"] * matched["g"].map(credit.__getitem__)).sum())


@pytest.mark.parametrize("kind", ["private", "shareable"])
def test_values_at_bounds_are_summed_without_any_rounding(kind):
    people = [(0, 0, value) for value in (0.0, 10.0, 10.0, 20.5, 41.0)] + [(-1, 0, 41.0)]
    table = ValueTable.find(getattr(run(world_of(people), SilentLaws(), np.zeros(6)), kind))
    total = table.block((0, 1, 2)).total()
    assert total.value == 81.5
    assert (total.half_width == 0) == (kind == "private")  # who may share it knows bounds alone


def test_the_owner_knows_the_rounding_and_what_was_cut_off():
    people = [(0, 0, 15.0), (0, 0, 15.0), (-1, 0, 15.0), (0, 0, 50.0), (0, 0, -3.0)]
    private = run(world_of(people), SilentLaws(), np.full(5, 0.99)).private
    block = ValueTable.find(private).block((0, 1, 2))
    assert block.total().value == 10 + 10 + 41 + 0
    assert block.rounding == pytest.approx(2 * 5 * 5.5)
    known = private.known_values()
    assert (sum(known.cut), sum(known.above), sum(known.amount)) == (9, 1, 86)


@given(PEOPLE)
@settings(max_examples=50, deadline=None)
def test_the_public_bound_on_the_rounding_holds(people):
    """Against the counts that are expected, and so for those that are found on average."""
    world = world_of([(0, segment, value) for _, segment, value in people])
    bounds = np.array(world.buckets.bounds) / 1e6
    values = world.people["value"].clip(0, bounds[-1]).to_numpy()
    expected = [
        np.interp(values, bounds, np.eye(len(bounds))[at]).sum() for at in range(len(bounds))
    ]
    true = world.buckets.rounding_variance(world.millionths).sum()
    assert world.buckets.rounding_bound(expected) >= true * (1 - 1e-9)


@pytest.mark.parametrize(
    ("labels", "segments"),
    [
        (("0", "5"), [(None, (0, 1))]),
        (("a × 0", "a × 5", "b × 0", "b × 5"), [("a", (0, 1)), ("b", (2, 3))]),
        (("a × 0", "b × 0", "a × 5", "b × 5"), [("a", (0, 2)), ("b", (1, 3))]),
        (("x × y × 0", "x × y × 5"), [("x × y", (0, 1))]),
    ],
)
def test_labels_that_end_in_buckets_are_recognised(labels, segments):
    assert list(ValueColumns.find(labels).segments) == segments


@pytest.mark.parametrize(
    "labels",
    [("a", "b"), ("0", "a"), ("a × 0", "a × 5", "b × 0"), ("a × 5", "a × 0"), ("0 × a", "5 × a"),
     ("a × 0", "5"), ("label 1", "label 2"), ("1", "2", "3+")],
)  # fmt: skip
def test_other_labels_have_no_value(labels):
    assert ValueColumns.find(labels) is None


def test_a_sum_that_is_one_suppressed_cell_is_withheld():
    world = World(
        pd.DataFrame([(0, 0, 10.0)] * 3, columns=["g", "segment", "value"]),
        ("a", "b"),
        None,
        ValueBuckets.of(("0", "10")),
    )
    estimates = run(world, SilentLaws(), np.zeros(3)).shareable
    shown_from = replace(estimates.table.parameters, min_cell=10)
    table = ValueTable.find(
        replace(estimates, table=replace(estimates.table, parameters=shown_from))
    )
    block = table.block((0,))
    assert all(one.suppressed for one in (block.total(), block.average(), block.share()))
    assert table.block((0, 1)).total().value == 30
