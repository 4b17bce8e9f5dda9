"""Touches and conversions of two datasets meet as a plain join of their rows has it."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import groupby

import numpy as np
import pytest
from dataset_builder import SALT, describe, prepared, row, steps_of, write

from party.datasets import Timed
from party.datasets.touch_moments import winner_draws
from party.errors import DatasetError
from psi.journey import Journey
from psi.windows import Timing, Window

HOUR = 3_600
START = 1_767_225_600 - 7 * HOUR  # windows go over the end of a year
CAMPAIGNS = ["A × x", "A × y", "B × x"]
TOUCHES = {
    "journeys_of": ["campaign", "creative"],
    "time": "seen",
    "campaigns": CAMPAIGNS,
    "in_full": 2,
}
AGES = {
    "ages_of": ["campaign", "creative"],
    "time": "seen",
    "campaigns": CAMPAIGNS,
    "hours": [0, 3],
}
BASKETS = {"column": "segment", "values": ["gold", "silver"]}


def at(hours, minutes=0):
    return datetime.fromtimestamp(START + hours * HOUR + minutes * 60, UTC).isoformat()


def touch(household, hours, campaign, minutes=0, **more):
    name, creative = campaign.split(" × ")
    made = row(household, f"{household}@x.org", campaign=name, creative=creative, **more)
    return made | {"seen": at(hours, minutes)}


def buy(household, hours, minutes=0, segment="gold", **more):
    made = row(household, f"{household}@x.org", segment=segment, **more)
    return made | {"bought": at(hours, minutes)}


def listed():
    """Rows of a person who has no part, with every campaign of the list."""
    return [touch("nobody", 0, one, opt_in="no") for one in CAMPAIGNS]


def timing(**changes):
    numbers = {"lookback": 5, "most_keys": 4_000, "room": 500, "epsilon_people_nano": 0} | changes
    return Timing(Window(START, HOUR, numbers.pop("slots", 20)), **numbers)


def both(folder, touches, buys, terms, most=2, **changes):
    """Prepare both sides; return them."""
    label = changes.pop("label", "journey")
    channel = write(
        folder / "t", [*listed(), *touches], labels={"journey": TOUCHES, "age": AGES}, **changes
    )
    shop = write(folder / "r", buys, labels={"basket": BASKETS}, conversions={"time": "bought"})
    theirs = prepared(
        channel, label=label, values=channel.labels[label].values, most_identifiers=2,
        timed=Timed(terms, most, True, SALT),
    )  # fmt: skip
    mine = prepared(
        shop, label="basket", values=["gold", "silver"], offer="one",
        timed=Timed(terms, most, False, SALT),
    )  # fmt: skip
    return theirs, mine, channel.labels[label].values


def counted(theirs, mine, values):
    """Return how many keys two sets have in common, by the labels of both."""
    under = dict(zip(theirs.keys, theirs.labels, strict=True))
    assert len(under) == len(theirs.keys)
    assert len(set(mine.keys)) == len(mine.keys)
    segments = ["gold", "silver"]
    return Counter(
        (values[under[key]], segments[label])
        for key, label in zip(mine.keys, mine.labels, strict=True)
        if key in under
    )


def naive(touches, buys, lookback, slots, most, winners):
    """Join rows one by one: each conversion with the touches that count at its slot."""
    found, placed = Counter(), defaultdict(int)
    for person, hours, _, segment in sorted(buys, key=lambda one: (one[0], one[1] * 60 + one[2])):
        if not 0 <= hours < slots or segment not in ("gold", "silver"):
            continue
        placed[person] += 1
        if placed[person] > most:
            continue
        ordered = sorted(
            (one for one in touches if one[0] == person), key=lambda one: one[1] * 60 + one[2]
        )
        counting = [one for one in ordered if hours - lookback <= one[1] <= hours]
        if counting:
            runs = [name for name, _ in groupby(one[3] for one in counting)]
            winner = max(counting, key=lambda one: winners[one])[3]
            path = tuple(runs) if len(runs) <= 2 else (runs[0], runs[-1])
            found[Journey(path, len(runs) > 2, winner).text, segment] += 1
    return found


@pytest.mark.parametrize("seed", range(12))
def test_every_conversion_meets_the_journey_of_a_plain_join(tmp_path, monkeypatch, seed):
    monkeypatch.setattr("party.datasets.touch_moments._BLOCK", 1 + seed % 4)
    draw = np.random.default_rng(seed)
    people = [f"p{number}" for number in range(4)]
    slots, lookback, most = int(draw.integers(1, 30)), int(draw.integers(0, 9)), 1 + seed % 3
    touches = list(dict.fromkeys(
        (str(draw.choice(people)), int(draw.integers(-12, 32)), int(draw.integers(0, 60)),
         CAMPAIGNS[draw.integers(3)])
        for _ in range(draw.integers(1, 30))
    ))  # fmt: skip
    buys = [
        (str(draw.choice(people)), int(draw.integers(-2, 32)), int(draw.integers(0, 60)),
         str(draw.choice(["gold", "silver", "other"])))
        for _ in range(draw.integers(1, 20))
    ]  # fmt: skip
    (tmp_path / "t").mkdir()
    (tmp_path / "r").mkdir()
    theirs, mine, values = both(
        tmp_path,
        [touch(person, hours, name, minutes) for person, hours, minutes, name in touches],
        [buy(person, hours, minutes, segment) for person, hours, minutes, segment in buys]
        + [buy("elsewhere", 0)],
        timing(slots=slots, lookback=lookback),
        most,
    )
    order = {person: place for place, person in enumerate(theirs.person_refs.to_pylist())}
    counting = sorted(
        (one for one in touches if one[0] in order and -lookback <= one[1] < slots),
        key=lambda one: (order[one[0]], one[1] * 60 + one[2]),
    )
    noise = -np.log(-np.log(winner_draws(SALT, len(counting))))
    winners = {
        one: (START + one[1] * HOUR + one[2] * 60) * np.log(2) / (7 * 86_400) + noise[place]
        for place, one in enumerate(counting)
    }
    assert counted(theirs, mine, values) == naive(touches, buys, lookback, slots, most, winners)


def folders(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "r").mkdir()
    return tmp_path


def test_bounds_are_applied_and_recorded(tmp_path):
    touches = [touch("p", hours, CAMPAIGNS[hours % 3]) for hours in range(12)]
    buys = [buy("p", hours) for hours in (9, 3, 1)] + [buy("p", 50), buy("q", 2, segment="tin")]
    terms = timing(slots=16, lookback=3, most_keys=8)
    theirs, mine, _ = both(folders(tmp_path), touches, buys, terms, most=2)
    assert len(theirs.keys) == 8  # 4 intervals, each under 2 ordinals
    ours = steps_of(mine)
    assert ours["conversions in the window"] == (5, 4)
    assert ours["conversions with a requested label"] == (4, 3)
    assert ours["conversions, the first 2 of a person"] == (3, 2)
    assert len(mine.keys) == 2 * 5
    assert [step.most for step in theirs.steps if step.most is not None] == [8]
    assert [step.most for step in mine.steps if step.most is not None] == [2]
    before, after = steps_of(theirs)["intervals of touches, at most 8 keys a person"]
    assert after == 4 < before


def test_an_identifier_of_several_people_has_no_moments(tmp_path):
    touches = [touch("p", 1, CAMPAIGNS[0]), touch("q", 1, CAMPAIGNS[0]) | {"email": "p@x.org"}]
    theirs, mine, _ = both(folders(tmp_path), touches, [buy("p", 2), buy("z", 2)], timing())
    assert len(theirs.keys) == 0
    assert steps_of(theirs)["identifiers of one person"] == (1, 0)
    assert steps_of(mine)["identifiers of one person"] == (2, 2)


def test_people_are_counted_by_the_coalition_at_the_windows_end(tmp_path):
    touches = [
        touch("p", 18, CAMPAIGNS[0]), touch("p", 19, CAMPAIGNS[1]), touch("q", 2, CAMPAIGNS[0]),
        touch("r", 19, CAMPAIGNS[2]), touch("s", 16, CAMPAIGNS[2]),
        touch("t", 19, CAMPAIGNS[2]) | {"email": "r@x.org"},
    ]  # fmt: skip
    terms = timing(epsilon_people_nano=10**9)
    theirs, _, _ = both(folders(tmp_path), touches, [buy("p", 2)], terms)
    assert theirs.people.tolist() == [0, 0, 1, 1, 0, 0, 0]


def test_ages_hold_from_class_to_class(tmp_path):
    touches = [touch("p", 4, CAMPAIGNS[1]), touch("p", 5, CAMPAIGNS[2])]
    buys = [buy("p", hours) for hours in (4, 5, 7, 8, 10, 11)]
    theirs, mine, values = both(
        folders(tmp_path), touches, buys, timing(), most=9, label="age"
    )  # fmt: skip
    assert counted(theirs, mine, values) == {
        ("A × y × 0 h", "gold"): 1, ("B × x × 0 h", "gold"): 2, ("B × x × 3 h", "gold"): 2
    }  # fmt: skip


def test_what_cannot_serve_is_refused_and_says_why(tmp_path):
    folders(tmp_path)
    touches, buys = [touch("p", 1, CAMPAIGNS[0])], [buy("p", 2)]
    with pytest.raises(DatasetError, match="more conversions than the 1 that"):
        both(tmp_path, touches, [buy("p", 1), buy("p", 2)], timing(room=1))
    unseen = {**TOUCHES, "campaigns": [*CAMPAIGNS, "C × x"]}
    channel = write(tmp_path / "t", [*listed(), *touches], labels={"journey": unseen})
    side = {"values": channel.labels["journey"].values, "timed": Timed(timing(), 1, True, SALT)}
    with pytest.raises(DatasetError, match="no row has the campaign 'C × x'"):
        prepared(channel, label="journey", **side)
    shop = write(tmp_path / "r", buys, labels={"basket": BASKETS})
    theirs = {
        "label": "basket",
        "values": ["gold", "silver"],
        "timed": Timed(timing(), 1, False, SALT),
    }
    with pytest.raises(DatasetError, match="does not say when conversions were"):
        prepared(shop, **theirs)
    with pytest.raises(DatasetError, match="each row for a person"):
        prepared(write(tmp_path / "r", buys, labels={"basket": BASKETS}, person=None), **theirs)
    with pytest.raises(DatasetError, match="not made of touches"):
        prepared(shop, **theirs | {"timed": Timed(timing(), 1, True, SALT)})
    with pytest.raises(DatasetError, match="is no label of a person"):
        prepared(channel, label="journey", values=side["values"])


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (TOUCHES | {"campaigns": ["A > B × x"]}, "cannot stand in a journey"),
        (TOUCHES | {"campaigns": ["A"]}, "does not name a text of each"),
        (TOUCHES | {"in_full": 5}, "from 0 to 4"),
        (TOUCHES | {"campaigns": [f"{n} × x" for n in range(40)]}, "far more than"),
        (TOUCHES | {"time": "segment", "column": "campaign"}, "exactly one of"),
        ({"journeys_of": "campaign", "time": "seen", "journeys": ["A (A)"]}, "lacks"),
        ({"journeys_of": "campaign", "time": "seen", "journeys": ["A"]}, "ends with its drawn"),
        (AGES | {"hours": [0, 5, 5]}, "rise from 0"),
        (AGES | {"hours": [1]}, "rise from 0"),
        (AGES | {"hours": ["0"]}, "whole number"),
    ],
)  # fmt: skip
def test_a_description_of_touches_that_does_not_serve_is_refused(tmp_path, label, says):
    with pytest.raises(DatasetError, match=says):
        describe(tmp_path, labels={"touched": label})


def test_a_description_of_moments_reads_back(tmp_path):
    columns = {"email": "id.email", "opt_in": "consent", "seen": "event_time"}
    written = {
        "journeys_of": "campaign", "time": "seen", "journeys": ["A (A)", "… > A (A)"]
    }  # fmt: skip
    made = describe(
        tmp_path, columns=columns, conversions={"time": "seen"},
        labels={"journey": TOUCHES, "age": AGES, "written": written},
    )  # fmt: skip
    assert type(made).from_dict(made.to_dict()) == made
    with pytest.raises(DatasetError, match=r"conversions\.time"):
        describe(tmp_path, columns=columns | {"seen": "value"}, conversions={"time": "seen"})
