"""A moment meets exactly the stretch that covers it, and the journey that a plain scan finds."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psi.errors import JourneyError
from psi.journey import Journey, list_journeys, read_journeys
from psi.keys import Keys
from psi.time_keys import ancestors, cover, time_keys
from psi.touches import Touches, age_stretches, journey_stretches
from psi.windows import Timing, Window

CAMPAIGNS = ("A", "B", "C")
HALF_LIFE = 7 * 86_400
HOUR = 3_600


@st.composite
def worlds(draw):
    """Return a window, a lookback in slots, and touches of few people, bursts among them."""
    window = Window(draw(st.integers(0, 3)) * HOUR, HOUR, draw(st.integers(1, 21)))
    lookback = draw(st.integers(0, 12))
    minute = st.integers(-20 * 60, 26 * 60)
    burst = st.one_of(minute, st.sampled_from([0, 59, 60, 61, 120]))
    rows = draw(st.lists(st.tuples(st.integers(0, 2), burst, st.integers(0, 2)), max_size=14))
    person, minutes, campaign = (
        np.array([row[n] for row in rows], dtype=np.int64) for n in range(3)
    )
    return window, lookback, Touches.ordered(person, minutes * 60_000_000, campaign)


def counting(touches, window, lookback, person, slot):
    """Return the touches that count at a slot, in the order of events: a plain scan."""
    slots = window.slot_of(touches.time)
    return [
        index
        for index in range(len(touches))
        if touches.person[index] == person and slot - lookback <= slots[index] <= slot
    ]


def found_at(stretches, person, slot):
    """Return the labels of every stretch that covers a person's slot."""
    covers = (stretches.person == person) & (stretches.start <= slot) & (slot < stretches.stop)
    return stretches.label[covers].tolist()


def naive_journey(touches, counted, score):
    """Return the journey of the touches that count, with the winner of the largest score."""
    runs = [name for name, _ in groupby(CAMPAIGNS[touches.campaign[index]] for index in counted)]
    winner = CAMPAIGNS[touches.campaign[max(counted, key=lambda index: score[index])]]
    if len(runs) > 4:
        return Journey((runs[0], *runs[-3:]), True, winner)
    return Journey(tuple(runs), False, winner)


def shorter(journey):
    """Return what stands for a journey that is not listed: its two ends, then its last campaign."""
    last = Journey((journey.last,), True, journey.winner)
    if len(journey.campaigns) == 1:
        return (last,)
    return Journey((journey.campaigns[0], journey.last), True, journey.winner), last


@given(worlds(), st.integers(0, 4), st.integers(0, 2**32))
def test_every_moment_meets_the_journey_of_a_plain_scan(world, in_full, seed):
    window, lookback, touches = world
    journeys = list_journeys(CAMPAIGNS, in_full)
    uniforms = np.random.default_rng(seed).uniform(1e-9, 1 - 1e-9, len(touches))
    stretches = journey_stretches(
        touches, window, lookback, journeys, CAMPAIGNS,
        half_life_seconds=HALF_LIFE, uniforms=uniforms,
    )  # fmt: skip
    score = touches.time * np.log(2) / (HALF_LIFE * 1e6) - np.log(-np.log(uniforms))
    for person in range(3):
        for slot in range(window.slots):
            counted = counting(touches, window, lookback, person, slot)
            labels = found_at(stretches, person, slot)
            if not counted:
                assert labels == []
                continue
            journey = naive_journey(touches, counted, score)
            choices = (journey, *shorter(journey))
            expected = next(one for one in choices if one in journeys)
            assert [journeys[label] for label in labels] == [expected]


@given(worlds(), st.sets(st.integers(1, 12), max_size=3))
def test_every_moment_meets_its_last_campaign_and_age(world, cuts):
    window, lookback, touches = world
    bounds = (0, *sorted(cuts))
    stretches = age_stretches(touches, window, lookback, bounds)
    for person in range(3):
        for slot in range(window.slots):
            counted = counting(touches, window, lookback, person, slot)
            expected = []
            if counted:
                age = slot - window.slot_of(touches.time[counted[-1:]])[0]
                aged = sum(bound <= age for bound in bounds) - 1
                expected = [touches.campaign[counted[-1]] * len(bounds) + aged]
            assert found_at(stretches, person, slot) == expected


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 44)), max_size=5))
def test_a_moment_and_a_cover_have_one_key_in_common_or_none(slots, pairs):
    window = Window(0, HOUR, slots)
    start = np.array([low for low, _ in pairs], dtype=np.int64)
    stop = np.array([high for _, high in pairs], dtype=np.int64)
    covered = cover(start, stop, window)
    moments = ancestors(np.arange(slots, dtype=np.int64), window.height)
    assert len(moments) == slots * (window.height + 1)
    one = Keys.from_digests("email", np.zeros((1, 32), dtype=np.uint8))

    def keys(intervals):
        return list(time_keys(one, np.zeros(len(intervals), dtype=np.int64), 1, intervals))

    for index in range(len(pairs)):
        mine = keys(covered.take(covered.owner == index))
        assert len(mine) == len(set(mine)) <= 2 * (window.height + 1)
        for slot in range(slots):
            common = set(mine) & set(keys(moments.take(moments.owner == slot)))
            assert len(common) == (start[index] <= slot < stop[index])


def test_a_time_key_is_the_key_then_ordinal_level_and_index():
    keys = Keys.from_digests("email", np.full((2, 32), 7, dtype=np.uint8))
    (made,) = time_keys(keys, np.array([1]), 3, ancestors(np.array([513]), 9).take(np.array([0])))
    assert made == keys[1] + bytes([3, 0, 0, 0, 2, 1])


def test_winners_are_drawn_with_their_time_decay_credit():
    many = 20_000
    person = np.repeat(np.arange(many), 2)
    time = np.tile(np.array([0, HALF_LIFE * 1_000_000]), many)
    touches = Touches(person, time, np.tile(np.array([0, 1]), many))
    window = Window(HALF_LIFE, HOUR, 4)
    journeys = list_journeys(CAMPAIGNS, 2)
    stretches = journey_stretches(
        touches, window, 400, journeys, CAMPAIGNS,
        half_life_seconds=HALF_LIFE, uniforms=np.random.default_rng(5).random(2 * many),
    )  # fmt: skip
    older = [journeys[label].winner for label in stretches.label].count("A")
    assert len(stretches.label) == many
    assert abs(older / many - 1 / 3) < 0.015


@pytest.mark.parametrize(
    ("text", "journey"),
    [
        ("C8 > C13 > C18 (C13)", Journey(("C8", "C13", "C18"), False, "C13")),
        ("C8 > … > C18 (C8)", Journey(("C8", "C18"), True, "C8")),
        ("C8 > … > C8 (C2)", Journey(("C8", "C8"), True, "C2")),
        ("… > C18 (C8)", Journey(("C18",), True, "C8")),
        ("A × x (A × x)", Journey(("A × x",), False, "A × x")),
    ],
)
def test_a_journey_is_its_text(text, journey):
    assert journey.text == text
    assert Journey.parse(text) == journey


@pytest.mark.parametrize(
    "text",
    ["", "A", "A (B)", "A > A (A)", "A > … (A)", "A > B > … > C (A)", "A > B", "(A)", "… (A)",
     "A > B > C > A > B (A)", "A > … > … > B (A)", " A (A)", "A > (A)"],
)  # fmt: skip
def test_what_is_no_journey_is_refused(text):
    with pytest.raises(JourneyError):
        Journey.parse(text)


@given(st.integers(0, 3))
def test_the_public_list_reads_back_and_misses_nothing(in_full):
    journeys = list_journeys(CAMPAIGNS, in_full)
    assert len(set(journeys)) == len(journeys)
    assert read_journeys([one.text for one in journeys]) == journeys
    with pytest.raises(JourneyError, match="lacks"):
        read_journeys([one.text for one in journeys[:-1]])


def test_a_window_moves_by_whole_slots():
    timing = Timing(Window(1_000, HOUR, 24), 24, 64, 100)
    assert timing.later(0) == timing
    assert timing.later(2 * HOUR + 5).window == Window(1_000 + 2 * HOUR, HOUR, 24)


def test_a_person_of_three_touches_has_25_keys_at_most_on_average():
    """30 days of hourly slots, one identifier, one conversion that counts."""
    people, window = 1_000, Window(0, HOUR, 720)
    draw = np.random.default_rng(7)
    touches = Touches.ordered(
        np.repeat(np.arange(people), 3),
        draw.integers(0, window.stop, 3 * people) * 1_000_000,
        draw.integers(0, 3, 3 * people),
    )
    for days in (1, 7, 14, 30):
        stretches = journey_stretches(
            touches, window, 24 * days, list_journeys(CAMPAIGNS, 2), CAMPAIGNS,
            half_life_seconds=HALF_LIFE, uniforms=draw.uniform(1e-9, 1, 3 * people),
        )  # fmt: skip
        assert len(cover(stretches.start, stretches.stop, window)) <= 25 * people
