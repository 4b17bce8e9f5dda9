"""Invalid traffic: every rule against a naive computation, over any rows; and what rests on it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import NOW, describe, prepared, references_of, row, steps_of, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from client.output import as_text
from client.render_diagnosis import diagnosis_shown
from client.sdk.datasets import Dataset
from party.datasets import Definition, inspect
from party.datasets.coded import CodedColumn
from party.datasets.people import People
from party.datasets.rows import snapshot_now
from party.datasets.traffic import InvalidTraffic, TextLists, clean
from party.datasets.traffic_rules import Declared, Flight, OutsideFlight, Rate, Repeats
from party.diagnosis import check_dataset
from party.errors import DatasetError
from party.registrations import Registered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = 3
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 1.000001, 2.0, 2.5, 3.0, 4.0, 10.0])
ROW = st.tuples(
    st.integers(-1, PEOPLE - 1),
    st.none() | SECONDS,
    st.sampled_from(["C8", "C13", None]),
    st.sampled_from(["Firefox", "a ROBOT.x", "robotYx", None]),
)
ROWS = st.lists(ROW, max_size=14)
WORLDS = settings(max_examples=60, deadline=None)


def at(seconds):
    return None if seconds is None else (NOON + timedelta(seconds=seconds)).isoformat()


def cleaned(rows, traffic, now=None, lists=None):
    """Return, a truth value a row, which rows are left, and the steps."""
    texts = {
        "at": [at(seconds) for _, seconds, _, _ in rows],
        "campaign": [one[2] for one in rows],
        "agent": [one[3] for one in rows],
    }
    columns = {
        name: CodedColumn.of(pa.array(column, pa.large_string()).dictionary_encode())
        for name, column in texts.items()
    }
    of_row = np.array([one[0] for one in rows], dtype=np.int64)
    people = People(of_row, pa.array([str(n) for n in range(PEOPLE)], pa.large_string()))
    found = clean(traffic, people, columns, lists or TextLists({}, b""), now)
    return (found.people.of_row >= 0).tolist(), found


def section(*rules, **more):
    return InvalidTraffic(rules, "at", **more)


def apart(rows, first, second):
    return abs(rows[first][1] - rows[second][1])


def naive(rows, leaves):
    """Return which rows are left: somebody's, with a time, and not `leaves(timed, number)`."""
    timed = [n for n, one in enumerate(rows) if one[0] >= 0 and one[1] is not None]
    return [n in timed and not leaves(timed, n) for n in range(len(rows))]


@WORLDS
@given(ROWS, st.integers(0, 3))
@example([(0, 1.0, "C8", None), (0, 0.0, "C8", None), (0, 2.0, "C8", None)], 1)
@example([(0, 1.0, "C8", None), (0, 1.0, "C8", None), (0, 1.0, None, None)], 0)
def test_a_repeat_follows_the_row_before_it_of_the_same_person_and_campaign(rows, seconds):
    def leaves(timed, n):
        alike = [m for m in timed if (rows[m][0], rows[m][2]) == (rows[n][0], rows[n][2])]
        before = [m for m in alike if (rows[m][1], m) < (rows[n][1], n)]
        return any(apart(rows, m, n) <= seconds for m in before)

    left, _ = cleaned(rows, section(Repeats("r", ("campaign",), seconds)))
    assert left == naive(rows, leaves)


@WORLDS
@given(ROWS, st.integers(1, 3), st.integers(0, 3), st.booleans())
@example([(0, s, "C8", None) for s in (0.0, 1.0, 2.0, 10.0)], 2, 2, False)
@example([(0, s, "C8", None) for s in (0.0, 1.0, 2.5, 10.0)], 2, 2, False)
def test_a_rate_takes_all_rows_of_a_window_that_holds_too_many(rows, most, seconds, by_campaign):
    def leaves(timed, n):
        same = [m for m in timed if rows[m][0] == rows[n][0]]
        if by_campaign:
            same = [m for m in same if rows[m][2] == rows[n][2]]
        windows = (
            [m for m in same if rows[start][1] <= rows[m][1] <= rows[start][1] + seconds]
            for start in same
        )
        return any(n in window and len(window) > most for window in windows)

    per = ("campaign",) if by_campaign else ()
    left, _ = cleaned(rows, section(Rate("r", most, seconds, per)))
    assert left == naive(rows, leaves)


FLIGHTS = (
    Flight("C8", at(1), at(3)),
    Flight("C8", at(4), None),
    Flight("unheard", None, at(1)),
)


@WORLDS
@given(ROWS)
def test_a_flight_begins_with_its_first_instant_and_ends_before_its_last(rows):
    def leaves(timed, n):
        return rows[n][2] == "C8" and not (1 <= rows[n][1] < 3 or rows[n][1] >= 4)

    left, _ = cleaned(rows, section(OutsideFlight("f", "campaign", FLIGHTS)))
    assert left == naive(rows, leaves)
    overall = section(OutsideFlight("f", None, (Flight(None, at(0.5), at(4)),)))
    assert cleaned(rows, overall)[0] == naive(rows, lambda _, n: not 0.5 <= rows[n][1] < 4)


@WORLDS
@given(ROWS)
def test_declared_robots_are_told_by_whole_texts_or_by_parts_in_any_case(rows):
    whole = section(Declared("d", "agent", False, ("robotYx", "unheard"), None), timeless_stay=True)
    assert cleaned(rows, whole)[0] == [one[0] >= 0 and one[3] != "robotYx" for one in rows]
    lists = TextLists({"robots.txt": ("Robot.X", "unheard")}, b"")
    parts = section(Declared("d", "agent", True, (), "robots.txt"), timeless_stay=True)
    left, _ = cleaned(rows, parts, lists=lists)
    assert left == [one[0] >= 0 and one[3] != "a ROBOT.x" for one in rows], "a dot is a dot"


def test_more_parts_than_one_pattern_holds_are_all_looked_for():
    parts = tuple(f"part{number:04}" for number in range(1000))
    rule = Declared("d", "agent", True, parts, None)
    rows = [(0, 1.0, "C8", f"x{part}y") for part in parts] + [(0, 1.0, "C8", "part")]
    assert cleaned(rows, section(rule))[0] == [False] * 1000 + [True]


ALL_RULES = section(
    Declared("robots", "agent", True, ("robot",), None),
    OutsideFlight("flights", "campaign", FLIGHTS),
    Rate("floods", 2, 2, ()),
    Repeats("repeats", ("campaign",), 1),
)


@WORLDS
@given(ROWS)
def test_each_rule_is_a_step_of_what_the_one_before_has_left(rows):
    left, found = cleaned(rows, ALL_RULES, now=(NOON + timedelta(seconds=4)).timestamp())
    *of_rows, of_people = found.steps
    assert [step.name.partition(": ")[2] for step in of_rows] == [
        "no readable time",
        "later than now",
        "robots",
        "flights",
        "floods",
        "repeats",
    ]
    assert of_rows[0].before == sum(one[0] >= 0 for one in rows)
    assert [step.after for step in of_rows[:-1]] == [step.before for step in of_rows[1:]]
    assert of_rows[-1].after == sum(left)
    assert (of_people.before, of_people.after) == (PEOPLE, len(found.people))
    assert found.left.tolist() == [
        any(stays and one[0] == person for stays, one in zip(left, rows, strict=True))
        for person in range(PEOPLE)
    ]
    assert not any(stays and one[1] == 10.0 for stays, one in zip(left, rows, strict=True))


@WORLDS
@given(ROWS, st.integers(0, PEOPLE - 1))
def test_what_leaves_of_one_person_depends_on_nobody_else(rows, person):
    """The noise covers what one person changes, so no rule may pass a change on to others."""
    whole, _ = cleaned(rows, ALL_RULES)
    alone = [one for one in rows if one[0] == person]
    without = [one for one in rows if one[0] != person]
    by_row = list(zip(whole, rows, strict=True))
    assert cleaned(alone, ALL_RULES)[0] == [left for left, one in by_row if one[0] == person]
    assert cleaned(without, ALL_RULES)[0] == [left for left, one in by_row if one[0] != person]


@WORLDS
@given(st.lists(ROW, max_size=12, unique_by=lambda one: one[:2]), st.randoms())
def test_files_need_not_be_in_order(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled, _ = cleaned([rows[n] for n in order], ALL_RULES)
    whole, _ = cleaned(rows, ALL_RULES)
    assert shuffled == [whole[n] for n in order]


def test_without_rules_nothing_is_done_and_no_step_recorded():
    rows = [(0, None, "C8", None), (-1, 1.0, "C8", None)]
    left, found = cleaned(rows, None)
    assert (left, found.steps, len(found.people)) == ([True, False], (), PEOPLE)


RULES = [
    {"name": "robots", "column": "agent", "contains_in": "robots.txt"},
    {"name": "double clicks", "repeats_of": ["campaign", "agent"], "within_seconds": 1},
    {"name": "floods", "more_than": 2, "within_seconds": 60, "per": "email"},
    {"name": "flight", "from": "2026-03-01", "before": "2026-04-01"},
]
TRAFFIC = {"time": "at", "rules": RULES}
FREQUENCY = {"frequency": {"count": "campaign", "up_to": 3}}


def event(person, when, campaign="C8", agent="Firefox", **more):
    email = f"{person}@example.com"
    return row(person, email, at=when, campaign=campaign, agent=agent, **more)


EVENTS = (
    event("1", "2026-03-02T10:00:00Z"),
    event("1", "2026-03-02T10:00:01Z"),
    event("1", "2026-03-02T10:00:02.000001Z", "C13"),
    event("2", "2026-03-02T10:00:00Z", agent="Googlebot/2.1"),
    event("3", "2026-02-28T23:59:59.999999Z"),
    event("3", "2026-03-01", "C13"),
    event("4", "noon"),
    event("5", "2026-03-02T10:00:00Z", opt_in="no"),
    event("6", "2026-03-02T10:00:00+02:00", "C8"),
    event("6", "2026-03-02T10:00:10+02:00", "C13"),
    event("6", "2026-03-02T10:01:00+02:00", "C18"),
)


def events(folder, rows=EVENTS, **changes):
    (folder / "robots.txt").write_text("# of our server\nbot/\n\ncrawler\n", encoding="utf-8")
    return write(folder, rows, **{"invalid_traffic": TRAFFIC, "labels": FREQUENCY} | changes)


class TestInADataset:
    def test_a_session_counts_what_is_left_and_records_each_rule(self, tmp_path):
        definition = events(tmp_path)
        values = ["1", "2", "3+"]
        result = prepared(definition, label="frequency", values=values)
        names = references_of(result)
        labels = zip(result.persons, result.labels, strict=True)
        assert {names[person]: values[label] for person, label in labels} == {"1": "2", "3": "1"}
        steps = steps_of(result)
        assert steps["people who consent"] == (6, 5)
        assert steps["invalid traffic: no readable time"] == (10, 9)
        assert steps["invalid traffic: later than now"] == (9, 9)
        assert steps["invalid traffic: robots"] == (9, 8)
        assert steps["invalid traffic: double clicks"] == (8, 7)
        assert steps["invalid traffic: floods"] == (7, 4)
        assert steps["invalid traffic: flight"] == (4, 3)
        assert steps["people with rows left"] == (5, 2)

    def test_identifiers_on_rows_that_left_are_not_offered(self, tmp_path):
        rows = [
            event("1", "2026-03-02T10:00:00Z"),
            event("1", "2026-03-02T11:00:00Z", agent="a crawler") | {"email": "robot@example.com"},
        ]
        assert len(prepared(events(tmp_path, rows), label=None, values=["all"]).keys) == 1

    def test_a_refusal_on_a_row_that_leaves_still_counts(self, tmp_path):
        rows = [
            event("1", "2026-03-02T10:00:00Z"),
            event("1", "2026-03-02T11:00:00Z", agent="a crawler", opt_in="no"),
            event("2", "2026-03-02T10:00:00Z"),
        ]
        definition = events(tmp_path, rows)
        assert references_of(prepared(definition, label=None, values=["all"])) == ["2"]
        assert [one.people for one in inspect(definition).consent] == [1, 1]

    def test_the_quality_report_counts_what_is_left(self, tmp_path):
        report = inspect(events(tmp_path), now=NOW)
        assert (report.rows, report.people) == (11, 3)
        (label,) = report.labels
        assert label.people == {"1": 2, "2": 1, "3+": 0}
        assert [one.people for one in report.consent] == [2, 2]
        assert report.types[0].people == 3
        found = {one["name"]: one for one in report.to_dict()["invalid_traffic"]}
        assert found["invalid traffic: double clicks"] == {
            "name": "invalid traffic: double clicks",
            "before": 9,
            "after": 8,
        }

    def test_a_program_gets_the_rules_as_a_frame(self, tmp_path):
        quality = inspect(events(tmp_path), now=NOW).to_dict()
        registered = Registered("receipts", {}, quality, "receipts", "", 0)
        frame = Dataset(registered).invalid_traffic_to_pandas().set_index("name")
        assert frame.loc["invalid traffic: double clicks"].tolist() == [9, 8]
        without = replace(registered, quality=quality | {"invalid_traffic": []})
        assert list(Dataset(without).invalid_traffic_to_pandas()) == ["name", "before", "after"]

    def test_a_diagnosis_is_of_the_people_who_are_left(self, tmp_path):
        found = check_dataset(events(tmp_path), now=NOW)
        assert found.people == 3
        assert found.invalid_traffic == inspect(events(tmp_path), now=NOW).invalid_traffic
        (shown,) = [part for part in diagnosis_shown(found) if not isinstance(part, str)]
        text = as_text(shown)
        assert re.search(r"double clicks\D+9\D+1\D+8\b", text)
        assert re.search(r"people with rows left\D+6\D+3\D+3\b", text)

    def test_clocks_in_the_future_leave_from_the_next_microsecond_on(self, tmp_path):
        now = datetime.fromtimestamp(NOW, UTC)
        rows = [
            event("1", now.isoformat()),
            event("2", (now + timedelta(microseconds=1)).isoformat()),
        ]
        definition = events(tmp_path, rows, invalid_traffic={"time": "at", "rules": RULES[:1]})
        assert references_of(prepared(definition, label=None, values=["all"])) == ["1"]
        assert inspect(definition, now=NOW).people == 1

    def test_the_same_event_in_two_files_counts_once(self, tmp_path):
        clicks = {"clicks": {"count": ["campaign", "at"], "up_to": 3}}
        for name in ("a.csv", "b.csv"):
            definition = events(
                tmp_path, EVENTS[:1], name=f"log/{name}", source="log", labels=clicks
            )
        result = prepared(definition, label="clicks", values=["1", "2"])
        assert steps_of(result)["invalid traffic: double clicks"] == (2, 1)

    def test_rows_without_a_time_may_stay(self, tmp_path):
        definition = events(tmp_path, invalid_traffic=TRAFFIC | {"without_time": "stay"})
        found = references_of(prepared(definition, label=None, values=["all"]))
        assert found == ["1", "3", "4"]

    def test_a_description_is_stored_as_it_was_read(self, tmp_path):
        flights = {
            "name": "flights",
            "column": "campaign",
            "flights": [{"value": "C8", "from": "2026-03-01"}],
        }
        whole = {"name": "test", "column": "agent", "values": ["test"]}
        traffic = TRAFFIC | {"rules": [*RULES, flights, whole]}
        definition = events(tmp_path, invalid_traffic=traffic)
        assert definition.to_dict()["invalid_traffic"] == traffic | {"without_time": "leave"}
        assert Definition.from_dict(definition.to_dict()) == definition

    def test_a_list_is_part_of_the_snapshot(self, tmp_path):
        definition = events(tmp_path)
        first = inspect(definition).snapshot
        assert first == snapshot_now(definition) == prepared(definition, label=None).snapshot
        (tmp_path / "robots.txt").write_text("firefox", encoding="utf-8")
        assert snapshot_now(definition) == inspect(definition).snapshot != first

    @pytest.mark.parametrize(
        ("content", "says"),
        [(None, "cannot be read"), (b"# nothing\n", "no text"), (b"\xff", "not UTF-8")],
    )
    def test_a_list_that_does_not_serve_is_refused(self, tmp_path, content, says):
        definition = events(tmp_path)
        (tmp_path / "robots.txt").unlink()
        if content is not None:
            (tmp_path / "robots.txt").write_bytes(content)
        with pytest.raises(DatasetError, match=says):
            prepared(definition, label=None)


EVENT = st.tuples(
    st.sampled_from("1234"),
    st.sampled_from(["10:00:00Z", "10:00:00.9Z", "10:00:01.9Z", "10:01:00Z", "11:00:00Z", None]),
    st.sampled_from(["C8", "C13", None]),
    st.sampled_from(["Firefox", "Googlebot/2.1", None]),
    st.sampled_from(["yes", "yes", "yes", "no", None]),
)
MEMBERS = {"campaigns": {"set_of": "campaign", "among": ["C8", "C13"]}}


def by_pandas(world):
    """Return each person's number of campaigns and their set, by the rules read one by one."""
    frame = pd.DataFrame(world, columns=["person", "clock", "campaign", "agent", "opt_in"])
    said = frame.groupby("person")["opt_in"].agg(set)
    consenting = {who for who, words in said.items() if "yes" in words and "no" not in words}
    frame = frame[frame["person"].isin(consenting) & frame["clock"].notna()].copy()
    frame["at"] = pd.to_datetime("2026-03-02T" + frame["clock"], format="ISO8601")
    frame = frame[~frame["agent"].fillna("").str.contains("bot/", regex=False)]
    frame = frame.sort_values("at", kind="stable")
    alike = frame[["campaign", "agent"]].fillna("nothing")
    gap = frame.groupby([frame["person"], alike["campaign"], alike["agent"]])["at"].diff()
    frame = frame[~(gap <= pd.Timedelta(seconds=1))]
    crowded = [
        ((frame["person"] == one.person) & (frame["at"].between(start, start + MINUTE))).sum() > 2
        and start <= one.at <= start + MINUTE
        for one in frame.itertuples()
        for start in frame["at"]
    ]
    flooding = np.array(crowded, dtype=bool).reshape(len(frame), len(frame)).any(axis=1)
    left = frame[~flooding].dropna(subset=["campaign"]).groupby("person")["campaign"].agg(set)
    return {who: (str(len(some)), "+".join(sorted(some))) for who, some in left.items()}


MINUTE = pd.Timedelta(seconds=60)


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(EVENT, min_size=1, max_size=12))
def test_counts_and_sets_of_a_session_are_those_of_the_events_that_are_left(tmp_path, world):
    rows = [
        event(who, clock and f"2026-03-02T{clock}", campaign, agent, opt_in=opt_in)
        for who, clock, campaign, agent, opt_in in world
    ]
    definition = events(tmp_path, pd.DataFrame(rows), labels=FREQUENCY | MEMBERS)
    wanted = by_pandas(world)
    asked = (("frequency", ["1", "2", "3+"]), ("campaigns", ["C8", "C13", "C13+C8"]))
    for place, (label, values) in enumerate(asked):
        result = prepared(definition, label=label, values=values)
        names = references_of(result)
        found = zip(result.persons, result.labels, strict=True)
        assert {names[one]: values[at] for one, at in found} == {
            who: labels[place] for who, labels in wanted.items()
        }


def rules(*entries, **more):
    return {"time": "at", "rules": [{"name": "r"} | one for one in entries]} | more


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (rules(), "list of 1 to 32"),
        (rules({}), "exactly one of repeats_of, more_than, column, or a flight"),
        (rules({"repeats_of": "a", "more_than": 3, "within_seconds": 1}), "exactly one of"),
        (rules({"repeats_of": "a"}), r"rules\[0\].within_seconds: is missing"),
        (rules({"repeats_of": "a", "within_seconds": -1}), "whole number from 0"),
        (rules({"repeats_of": "a", "within_seconds": 1, "per": "b"}), "per: says nothing in this"),
        (rules({"more_than": 0, "within_seconds": 1}), "whole number from 1"),
        (rules({"column": "a"}), "exactly one of values, contains, values_in"),
        (rules({"column": "a", "values": ["x"], "contains": ["y"]}), "exactly one of values"),
        (rules({"column": "opt_in", "values": ["x"]}), "reads 'opt_in', which is consent"),
        (rules({"column": "a", "values": ["x"]}, {"column": "b", "values": ["x"]}), "step 'r'"),
        (rules({"name": "later than now", "column": "a", "values": ["x"]}), "another name"),
        (rules({"from": "soon"}), "expected a time in ISO 8601"),
        (rules({"from": "2026-03-02", "before": "2026-03-02"}), "ends before it begins"),
        (rules({"column": "a", "flights": [{"value": "x"}]}), "a flight has one at least"),
        (rules({"column": "a", "values": ["x"]}, time="email"), "declared as id.email"),
        (rules({"from": "2026-03-02"}, time=None), "the rule 'r' needs the column"),
        (rules({"column": "a", "values": ["x"]}, time=None, without_time="stay"), "'without_time'"),
        (rules({"colum": "a"}), "did you mean 'column'"),
    ],
)
def test_rules_that_cannot_mean_anything_are_refused(tmp_path, declared, says):
    declared = {key: value for key, value in declared.items() if value is not None}
    with pytest.raises(DatasetError, match=says):
        describe(tmp_path, invalid_traffic=declared)


def test_rules_on_a_persons_rows_need_people_with_several(tmp_path):
    with pytest.raises(DatasetError, match="each row is a person here; add 'person'"):
        events(tmp_path, person=None)
    alone = TRAFFIC | {"rules": [RULES[0], RULES[3]]}
    definition = events(tmp_path, person=None, invalid_traffic=alone)
    assert len(prepared(definition, label=None, values=["all"]).person_refs) == 7
    assert replace(definition, invalid_traffic=None).source_columns != definition.source_columns
