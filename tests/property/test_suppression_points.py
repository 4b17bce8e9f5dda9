"""A suppression run as points: what comes off, what never does, and that its shape says nothing."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psi.answers import derive_fillers
from psi.curve import Scalar, raise_points
from psi.errors import InvalidPoint, LimitExceeded
from psi.keys import Keys
from psi.legs import Form, Order
from psi.match import matched_positions
from psi.own import blind_points, shuffle_own_set
from psi.seed import Seed
from psi.sets import LabelledSet, raise_set
from psi.suppression import (
    RUN_POINTS,
    choose_run,
    is_suppressed,
    require_run,
    run_tags,
    still_due,
)

SESSION = bytes(range(32))
A, B = Seed(b"\x01" * 32), Seed(b"\x02" * 32)
RUNS, KNOWN, NOISE = 2, 8, 5
RESERVE = RUNS * RUN_POINTS
NOTHING = np.empty((0, 32), np.uint8)


def keys(start, stop):
    return Keys.from_list(
        [b"email\x00" + f"{i}".encode().ljust(32, b".") for i in range(start, stop)]
    )


def own(seed, people, more):
    fillers = derive_fillers(seed, SESSION, 0, KNOWN + NOISE + more)
    count = len(fillers.secrets)
    points = blind_points(
        people, Keys.empty(), [fillers], count, scalar=seed.scalar(SESSION), session_id=SESSION
    )
    numbers = np.zeros(len(people), np.int16)
    return shuffle_own_set(points, numbers, [0], [count])


@cache
def match():
    """The sender has 0…39, the receiver 20…59: the list is 20…39 with its tags."""
    sender, receiver = own(B, keys(0, 40), RESERVE), own(A, keys(20, 60), 0)
    back = raise_set(
        receiver.labelled, B.scalar(SESSION), labels=1, form=Form.TAGS, order=Order.KEPT
    )
    theirs = raise_set(
        sender.labelled, A.scalar(SESSION), labels=1, form=Form.TAGS, order=Order.SORTED
    )
    places = matched_positions(back, theirs)
    return sender, receiver.source[places] + 20, back.elements[places]


def run_of(withdrawn, used=NOTHING):
    sender = match()[0]
    due = still_due(sender, np.array(sorted(withdrawn), dtype=np.int64), used)
    return choose_run(sender, due, used, reserve=RESERVE)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 39)))
def test_the_list_after_a_run_is_the_list_without_those_who_withdrew(withdrawn):
    sender, listed, tags = match()
    points = run_of(withdrawn)
    require_run(points, sender.labelled, NOTHING)
    off = is_suppressed(tags, run_tags(points, A.scalar(SESSION)))
    assert set(listed[~off].tolist()) == set(range(20, 40)) - withdrawn


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 39)))
def test_a_run_has_one_shape_whoever_withdrew(withdrawn):
    points = run_of(withdrawn)
    assert points.shape == (RUN_POINTS, 32)
    assert len(np.unique(points, axis=0)) == RUN_POINTS
    as_bytes = [row.tobytes() for row in points]
    assert as_bytes == sorted(as_bytes), "the order says nothing about who stands where"


def test_reserve_is_taken_from_all_of_the_set_and_not_from_one_end_of_it():
    """Reserve that was taken in the order of its values would stand apart from people's points."""
    first = run_of([])[:, 0].astype(float)
    assert abs(first.mean() - 127.5) < 12  # five standard errors of a mean of 1,024 bytes
    assert first.max() > 250
    assert first.min() < 5


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)))
def test_no_point_is_named_twice_in_all_runs(one, more):
    first = run_of(one)
    second = run_of(one | more, first)
    require_run(second, match()[0].labelled, first)
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == 2 * RUN_POINTS


def test_a_run_takes_at_most_1024_and_leaves_the_rest_to_the_next():
    many = own(B, keys(0, RUN_POINTS + 10), RESERVE)
    withdrawn = np.arange(RUN_POINTS + 10)
    first = choose_run(many, withdrawn, NOTHING, reserve=RESERVE)
    left = still_due(many, withdrawn, first)
    assert left.tolist() == list(range(RUN_POINTS, RUN_POINTS + 10))
    second = choose_run(many, left, first, reserve=RESERVE)
    assert len(still_due(many, withdrawn, np.concatenate([first, second]))) == 0


def test_a_reserve_that_is_used_up_makes_no_run():
    used = NOTHING
    for _ in range(RUNS):
        used = np.concatenate([used, run_of([], used)])
    with pytest.raises(LimitExceeded, match="make the list again"):
        run_of([3], used)


def test_reserve_points_are_no_known_answers():
    """Known answers are the first fillers; naming one as reserve would show what it is."""
    sender = match()[0]
    known = set(sender.known_positions(KNOWN).tolist())
    reserve = sender.reserve_positions(RESERVE).tolist()
    assert len(reserve) == len(set(reserve)) == RESERVE
    assert known.isdisjoint(reserve)


def test_a_run_hits_nobody_whom_the_sender_did_not_name():
    _, _, tags = match()
    assert not is_suppressed(tags, run_tags(run_of([]), A.scalar(SESSION))).any()


def changed(how):
    points = run_of([20, 21])
    how(points)
    return points


def own_point(points):
    points[0] = raise_points(points[:1], Scalar.from_bytes(b"\x07" * 32))[0]


def low_order(points):
    points[0] = 0


def not_canonical(points):
    points[0] = 255


def repeated(points):
    points[0] = points[1]


@pytest.mark.parametrize("how", [own_point, low_order, not_canonical, repeated])
def test_a_point_that_the_set_does_not_have_or_that_repeats_refuses_the_run(how):
    with pytest.raises(InvalidPoint):
        require_run(changed(how), match()[0].labelled, NOTHING)


def test_a_point_of_an_earlier_run_refuses_the_run():
    first = run_of([20])
    with pytest.raises(InvalidPoint, match="earlier run"):
        require_run(first, match()[0].labelled, first[5:6])


@pytest.mark.parametrize("points", [0, RUN_POINTS - 1])
def test_fewer_points_refuse_the_run(points):
    with pytest.raises(LimitExceeded):
        require_run(run_of([])[:points], match()[0].labelled, NOTHING)


def test_more_points_refuse_the_run():
    first = run_of([])
    both = np.concatenate([first, run_of([], first)])
    with pytest.raises(LimitExceeded):
        require_run(both, match()[0].labelled, NOTHING)


def test_an_empty_set_has_no_point_of_a_run():
    empty = LabelledSet((0,), NOTHING)
    with pytest.raises(InvalidPoint):
        require_run(run_of([]), empty, NOTHING)
