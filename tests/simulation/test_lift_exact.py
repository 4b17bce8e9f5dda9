"""With the noise switched off in the harness, a lift equals pandas on the joined people."""

from itertools import product
from math import inf, isnan

import numpy as np
import pandas as pd
import pytest
from counted_session import CountedSession, People, SilentLaws
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from privacy.session import SessionNoise, TableLaws
from reports import lift
from reports.arms import arms_of
from reports.comparison import BLOOM, GHOSTS
from reports.costs import Costs
from reports.errors import UnsuitableLabels
from reports.kinds import require_suitable
from reports.laws import NORMAL_QUANTILE
from reports.rates import NoisyRate, counted, growth_to_exclude_zero, increment

ARMS = ("test", "held out")
EXPOSURES = ("exposed", "not exposed")
BOTH = tuple(" × ".join(parts) for parts in product(ARMS, EXPOSURES))
KINDS = ("new", "returning")
BUCKETS = ("0", "10", "25")
BY_KIND = tuple(" × ".join(parts) for parts in product(KINDS, BUCKETS))
people = st.lists(
    st.tuples(
        st.sampled_from(ARMS),
        st.sampled_from(EXPOSURES),
        st.sampled_from((*KINDS, None)),
        st.sampled_from(BUCKETS),
    ),
    max_size=60,
)
FAIR = [(arm, exposure, kind, "10") for arm, exposure in product(ARMS, EXPOSURES) for kind in KINDS]


def frame_of(rows):
    return pd.DataFrame(rows, columns=["arm", "exposure", "kind", "bucket"], dtype=object)


def measured(rows, labels=BOTH, segments=KINDS, min_cell=0, seed=0):
    """Return the lift of these people, in the order of what the two sides call them."""
    frame = frame_of(rows)
    own = frame["arm"] if labels == ARMS else frame["arm"] + " × " + frame["exposure"]
    bucket = frame["bucket"].where(frame["kind"].notna())
    theirs = {
        KINDS: frame["kind"],
        BUCKETS: bucket,
        BUCKETS[:2]: bucket,
        BY_KIND: frame["kind"] + " × " + frame["bucket"],
        ("all",): frame["kind"].notna().map({True: "all"}),
    }[segments]
    cells = pd.crosstab(own, theirs).reindex(index=labels, columns=segments, fill_value=0)
    matched = cells.to_numpy()
    whole = own.value_counts().reindex(labels, fill_value=0).to_numpy()
    world = People(matched, whole - matched.sum(axis=1), np.zeros(len(segments), dtype=int))
    outcome = CountedSession(
        world, SilentLaws(), labels=labels, segments=segments, min_cell=min_cell, seed=seed
    ).run()
    private, shareable = (lift.build(one).numbers for one in (outcome.private, outcome.shareable))
    assert [row.to_dict() for row in private.rows()] == [row.to_dict() for row in shareable.rows()]
    return frame, private


def newcombe(one, other):
    """The interval of a difference by Newcombe's method 10, from SciPy's Wilson intervals."""
    (x, n), (y, m) = one, other
    p, q = x / n, y / m
    first, second = (binomtest(k, of).proportion_ci(method="wilson") for k, of in ((x, n), (y, m)))
    return (
        p - q - np.hypot(p - first.low, second.high - q),
        p - q + np.hypot(first.high - p, q - second.low),
    )


def change_of(numbers, among, segment):
    return next(
        (one for one in numbers.changes if (one.among, one.segment) == (among, segment)), None
    )


def require_equal(change, frame, converted):
    """Hold a change against the rates of the frame's two arms."""
    by_arm = converted.groupby(frame["arm"]).agg(["sum", "size"]).reindex(ARMS).fillna(0)
    (x, n), (y, m) = (tuple(map(int, row)) for row in by_arm.to_numpy())
    if not n or not m:
        assert change.lift.suppressed
        assert change.relative.suppressed
        assert change.p_value.suppressed
        return
    assert change.lift.value == pytest.approx(x / n - y / m, abs=1e-12)
    assert (change.lift.low, change.lift.high) == pytest.approx(newcombe((x, n), (y, m)), abs=1e-9)
    assert change.incremental.value == pytest.approx(x - n * y / m, abs=1e-9)
    low, high = newcombe((x, n), (y, m))
    assert (change.incremental.low, change.incremental.high) == pytest.approx((n * low, n * high))
    assert (change.p_value.value < 0.05) == (not change.lift.noise_dominated)
    assert change.relative.suppressed == (not y)
    if y:
        assert change.relative.value == pytest.approx(x / n / (y / m) - 1)
        assert change.relative.low <= change.relative.value <= change.relative.high
        assert change.relative.noise_dominated == change.lift.noise_dominated


@settings(max_examples=40, deadline=None)
@given(people, st.sampled_from([BOTH, ARMS]))
def test_changes_equal_pandas(rows, labels):
    frame, numbers = measured(rows, labels)
    for segment in (*KINDS, None):
        converted = frame["kind"].notna() if segment is None else frame["kind"] == segment
        require_equal(change_of(numbers, None, segment), frame, converted)
        ghosts = change_of(numbers, GHOSTS, segment)
        exposed = frame["exposure"] == "exposed"
        if labels == ARMS or not (exposed & (frame["arm"] == ARMS[1])).any():
            assert ghosts is None
        else:
            require_equal(ghosts, frame[exposed], converted[exposed])
        bloom, whole = change_of(numbers, BLOOM, segment), change_of(numbers, None, segment)
        assert (bloom is None) == (labels == ARMS)
        treated = frame["arm"] == ARMS[0]
        if bloom and not bloom.lift.suppressed:
            share = (treated & exposed).sum() / treated.sum()
            assert bloom.lift.value == pytest.approx(whole.lift.value / share)
            assert bloom.lift.low <= bloom.lift.value <= bloom.lift.high
    for group, count in numbers.people:
        arm, _, exposure = group.partition(" × ")
        inside = (frame["arm"] == arm) & (frame["exposure"].eq(exposure) if exposure else True)
        assert count.value == inside.sum()


@settings(max_examples=25, deadline=None)
@given(people, st.sampled_from([BUCKETS, BY_KIND]))
def test_values_equal_pandas(rows, segments):
    frame, numbers = measured(rows, segments=segments)
    worth = frame["bucket"].astype(float).where(frame["kind"].notna(), 0.0)
    segments_of_value = (None,) if segments == BUCKETS else (*KINDS, None)
    assert {one.segment for one in numbers.changes} == set(segments_of_value)
    for segment in segments_of_value:
        inside = worth if segment is None else worth.where(frame["kind"] == segment, 0.0)
        means = inside.groupby(frame["arm"]).mean()
        change = change_of(numbers, None, segment)
        if len(means) < 2:
            assert change.incremental_value.suppressed
            continue
        treated = int((frame["arm"] == ARMS[0]).sum())
        found = change.incremental_value
        assert found.value == pytest.approx(treated * (means[ARMS[0]] - means[ARMS[1]]), abs=1e-9)
        by_arm = inside.groupby(frame["arm"])
        variance = by_arm.var(ddof=0) / by_arm.size()
        assert found.standard_error == pytest.approx(treated * variance.sum() ** 0.5, abs=1e-9)
        response = {(one.group, one.segment): one for one in numbers.responses}
        assert response[ARMS[0], segment].value.value == pytest.approx(means[ARMS[0]])


@pytest.mark.parametrize(
    ("converts", "says"), [((0, 0), "No conclusion"), ((1, 1), "No conclusion"), ((1, 0), "raised")]
)
def test_nobody_and_everybody_converts(converts, says):
    rows = [
        (arm, "exposed", "new" if does else None, "10")
        for arm, does in zip(ARMS, converts, strict=True)
        for _ in range(30)
    ]
    _, numbers = measured(rows, ARMS, ("all",))
    change = numbers.whole
    assert change.lift.value == converts[0] - converts[1]
    assert -1 - 1e-9 <= change.lift.low <= change.lift.high <= 1 + 1e-9
    assert change.relative.suppressed == (converts[1] == 0)
    assert change.p_value.value == pytest.approx(1) or change.p_value.value < 1e-4
    assert says in numbers.findings()[0]


def test_an_empty_arm_has_no_conclusion():
    _, numbers = measured([(ARMS[0], "exposed", "new", "10")] * 40, ARMS)
    assert numbers.whole.lift.suppressed
    assert numbers.findings()[0].startswith("No conclusion: an arm has too few people")
    assert not any(isnan(one.value) for _, one in numbers.people)


def test_a_suppressed_count_hides_every_number_of_a_lift():
    rows = [(arm, "exposed", kind, "10") for arm in ARMS for kind in ("new", None) * 9]
    _, numbers = measured(rows, ARMS, ("all",), min_cell=10)
    hidden = [row for row in numbers.rows() if row.metric != "people"]
    assert all(row.estimate.suppressed for row in hidden)
    assert all(row.to_dict()["value"] is None for row in hidden)


def test_a_value_that_is_one_suppressed_cells_is_withheld():
    rows = [(arm, "exposed", "new", bound) for arm in ARMS for bound in ("0",) * 30 + ("10",) * 9]
    _, numbers = measured(rows, ARMS, BUCKETS[:2], min_cell=10)
    found = {(row.metric, row.label): row.estimate for row in numbers.rows()}
    assert not found["conversions", "test"].suppressed
    assert found["value a person", "test"].suppressed
    assert found["incremental value", None].suppressed


def test_bloom_is_withheld_where_the_conversions_of_the_exposed_are_suppressed():
    rows = [(arm, "not exposed", "new", "10") for arm in ARMS for _ in range(30)]
    rows += [("test", "exposed", "new" if at < 9 else None, "10") for at in range(200)]
    _, numbers = measured(rows, BOTH, ("all",), min_cell=10)
    assert not numbers.whole.lift.suppressed
    assert change_of(numbers, BLOOM, None).lift.suppressed


def test_the_error_of_incremental_conversions_is_that_of_their_interval():
    treated = NoisyRate(5_000, 10_000, 100.0, 250_000.0)
    control = NoisyRate(1_000, 10_000, 100.0, 0.0)
    low, high = increment(treated, control)
    both = counted(treated, control).standard_error, control.standard_error
    error = treated.people * np.hypot(*both)
    assert error == pytest.approx((high - low) / 2 / NORMAL_QUANTILE, rel=0.01)


def test_a_cost_is_for_each_conversion_that_would_not_have_been():
    rows = [("test", "exposed", "new" if i < 60 else None, "25") for i in range(200)]
    rows += [("held out", "exposed", "new" if i < 20 else None, "25") for i in range(200)]
    _, numbers = measured(rows, ARMS, BUCKETS)
    found = {row.metric: row.estimate for row in numbers.rows() if row.label is None}
    costs = Costs.of_everything("800")
    found |= {row.metric: row.estimate for row in numbers.cost_rows(costs)}
    each, incremental = found["cost per incremental conversion"], found["incremental conversions"]
    assert (incremental.value, each.value) == (40, 20)
    assert (each.low, each.high) == pytest.approx((800 / incremental.high, 800 / incremental.low))
    assert found["incremental ROAS"].value == pytest.approx(40 * 25 / 800)
    _, backwards = measured([(ARMS[arm == "test"], *row) for arm, *row in rows], ARMS)
    assert [row.estimate.suppressed for row in backwards.cost_rows(costs)] == [True]


@pytest.mark.parametrize(
    "labels",
    [
        ("test",),
        ("a", "b", "c"),
        ("test × exposed", "held out × exposed"),
        ("test × exposed", "held out × exposed", "test × not", "held out × not"),
        ("test × a", "test × b", "test × c", "held out × a"),
        ("a × b × c", "a × b × d", "a × e × c", "a × e × d"),
        tuple(f"{arm} × {word}" for arm in "abc" for word in "yn"),
    ],
)
def test_labels_that_are_not_two_arms_are_refused(labels):
    with pytest.raises(UnsuitableLabels, match="two arms"):
        require_suitable("lift", labels)


def test_of_several_arms_it_is_said_what_to_do():
    for several in (("a", "b", "c"), tuple(f"{arm} × {word}" for arm in "abc" for word in "yn")):
        with pytest.raises(UnsuitableLabels, match="a label for each comparison"):
            require_suitable("lift", several)
    with pytest.raises(UnsuitableLabels) as refused:
        require_suitable("lift", ("test",))
    assert "comparison" not in str(refused.value)


def test_the_first_arm_is_the_treatment_and_the_first_exposure_the_exposed():
    arms = arms_of(BOTH)
    assert (arms.treatment.name, arms.treatment.rows) == ("test", (0, 1))
    assert (arms.control.name, arms.control.rows) == ("held out", (2, 3))
    assert (arms.exposed.rows, arms.ghosts.rows) == ((0,), (2,))
    assert "treatment is 'test' and control 'held out'" in arms.said


def test_what_is_infinite_is_left_out_of_json():
    numbers = measured(FAIR, ARMS, ("all",))[1]
    for row in numbers.rows():
        assert inf not in row.to_dict().values()


@given(st.floats(1e-4, 0.5), st.floats(1e-9, 0.1), st.floats(1e-9, 0.1))
def test_what_would_make_a_lift_clear_makes_its_error_as_large_as_it(effect, sampling, noise):
    growth = growth_to_exclude_zero(effect, sampling, noise)
    bearable = (effect / NORMAL_QUANTILE) ** 2
    assert (growth is None) == (sampling + noise <= bearable)
    if growth is None:
        return
    assert growth.people >= 1
    assert sampling / growth.people + noise / growth.people**2 == pytest.approx(bearable)
    assert (growth.epsilon is None) == (sampling >= bearable)
    if growth.epsilon is not None:
        assert sampling + noise / growth.epsilon**2 == pytest.approx(bearable)


@pytest.mark.parametrize(
    ("epsilon", "conversions", "says"),
    [(0.03, (400, 300), "times the ε."), (9, (21, 15), "more ε alone would not")],
)
def test_no_conclusion_says_what_it_needs(epsilon, conversions, says):
    laws = TableLaws(SessionNoise(int(epsilon * 1e9), 10**9, 10**6))
    people = People(
        np.array([[count] for count in conversions]), np.full(2, 90_000), np.zeros(1, int)
    )
    session = CountedSession(people, laws, labels=ARMS, segments=("all",), min_cell=0, seed=3)
    found = [lift.build(session.run().private).numbers for _ in range(20)]
    unclear = [one for one in found if one.whole.lift.noise_dominated and one.whole.growth]
    assert unclear
    assert all(one.findings()[0].startswith("No conclusion: the interval") for one in unclear)
    assert any(says in one.findings()[0] for one in unclear)
    assert any("times the people would show it" in one.findings()[0] for one in unclear)
