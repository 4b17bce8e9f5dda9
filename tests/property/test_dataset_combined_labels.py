"""Labels by ranges and of several columns: against plain pandas, and what is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import describe, prepared, row, steps_of, write
from hypothesis import given
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.coded import CodedColumn
from party.datasets.combination import CombinedLabel
from party.datasets.definition import Definition
from party.datasets.labels import ColumnLabel, CountLabel
from party.datasets.ranges import Range, RangeLabel
from party.errors import DatasetError

PEOPLE = 5
AGE = RangeLabel(
    "age", (Range("young", "18", "30"), Range("middle", "30", "50"), Range("old", "50", None))
)
REGION = ColumnLabel(("region",), ("north", "south"))
AGES = st.sampled_from(
    ["17.9", "18", "29", "29.99", " 30", "+49", "50", "1e3", "-1", "?", "", None]
)
REGIONS = st.sampled_from(["north", "south", "east", "", None])
ROWS = st.lists(st.tuples(st.integers(-1, PEOPLE - 1), AGES, REGIONS), max_size=20)
BY_AGE = {"range_of": "age", "ranges": [
    {"name": "young", "from": "18", "below": "30"},
    {"name": "middle", "from": "30", "below": "50"},
    {"name": "old", "from": "50"},
]}  # fmt: skip
LABELS = {
    "segment": {"column": "segment", "values": ["gold", "new"]},
    "age": BY_AGE,
    "both": {"all_of": ["segment", "age"]},
}


def coded(cells):
    return CodedColumn.of(pa.array(cells, pa.large_string()).dictionary_encode())


def assigned(label, rows):
    """Return each person's value (None: none), who conflicts, and who is outside."""
    columns = {"age": coded([age for _, age, _ in rows]), "region": coded([r for *_, r in rows])}
    person = np.array([person for person, *_ in rows], dtype=np.int64)
    found = label.assign(columns, person, PEOPLE)
    values = [None if at < 0 else label.values[at] for at in found.positions]
    return values, found.conflicting.tolist(), found.outside.tolist()


def bands_by_person(rows):
    """Return the set of what each person's rows say of the age, by pandas."""
    frame = pd.DataFrame(rows, columns=["person", "age", "region"])
    frame["age"] = frame["age"].astype("string").fillna("").str.strip()
    frame = frame[(frame["age"] != "") & (frame["person"] >= 0)]
    numbers = pd.to_numeric(frame["age"], errors="coerce")
    bands = pd.cut(numbers, [18, 30, 50, np.inf], right=False, labels=["young", "middle", "old"])
    frame["band"] = bands.astype("string").fillna("outside")
    sets = {person: set(found) for person, found in frame.groupby("person")["band"]}
    return [sets.get(person, set()) for person in range(PEOPLE)]


@given(ROWS)
def test_a_range_label_is_the_one_range_of_a_persons_numbers(rows):
    for bands, value, conflicts, outside in zip(
        bands_by_person(rows), *assigned(AGE, rows), strict=True
    ):
        only = next(iter(bands)) if len(bands) == 1 else None
        assert conflicts == (len(bands) > 1)
        assert outside == (only == "outside")
        assert value == (None if only == "outside" else only)


@given(ROWS)
def test_a_combination_is_both_labels_of_a_person(rows):
    label = CombinedLabel(("region", "age"), (REGION, AGE))
    regions, region_conflicts, _ = assigned(REGION, rows)
    ages, age_conflicts, outside = assigned(AGE, rows)
    values, conflicting, left_out = assigned(label, rows)
    for at in range(PEOPLE):
        whole = None not in (regions[at], ages[at])
        assert values[at] == (f"{regions[at]} × {ages[at]}" if whole else None)
        assert conflicting[at] == (region_conflicts[at] or age_conflicts[at])
        assert left_out[at] == (outside[at] and not region_conflicts[at])


def test_a_combination_has_every_pair_once_in_order():
    label = CombinedLabel(("region", "age"), (REGION, CountLabel(("age",), 2)))
    assert label.values == ("north × 1", "north × 2+", "south × 1", "south × 2+")
    assert label.columns == ("region", "age")


def test_a_range_without_bounds_takes_every_number():
    label = RangeLabel("age", (Range("below 0", None, "0"), Range("0 and more", "0", None)))
    rows = [(0, "-1e9", None), (1, "-0.001", None), (2, "0", None), (3, "1e9", None)]
    values, *_ = assigned(label, rows)
    assert values == ["below 0", "below 0", "0 and more", "0 and more", None]


class TestInASession:
    ROWS = (
        row("1", "a@example.com", segment="gold", age="18"),
        row("2", "b@example.com", segment="new", age="29.5"),
        row("3", "c@example.com", segment="gold", age="17"),
        row("4", "d@example.com", segment="gold", age="unknown"),
        row("5", "e@example.com", segment="bronze", age="70"),
        row("6", "f@example.com", segment="gold", age="70"),
        row("6", "f@example.com", segment="gold", age="20"),
        row("7", "g@example.com", segment="gold", age=None),
    )

    def test_values_outside_are_a_recorded_and_counted_step(self, tmp_path):
        definition = write(tmp_path, self.ROWS, labels=LABELS)
        for label, labelled in (("age", 3), ("both", 2)):
            values = list(definition.label(label).values)
            steps = steps_of(prepared(definition, label=label, values=values))
            assert steps["people whose rows agree on the label"] == (7, 6)
            assert steps["people whose value is in a range"] == (6, 4)
            assert steps["people with a requested label"] == (4, labelled)

    def test_the_keys_carry_the_combination(self, tmp_path):
        definition = write(tmp_path, self.ROWS, labels=LABELS)
        values = ["new × young", "gold × old", "gold × young"]
        result = prepared(definition, label="both", values=values)
        named = {
            result.person_refs[int(person)].as_py(): values[label]
            for person, label in zip(result.persons, result.labels, strict=True)
        }
        assert named == {"1": "gold × young", "2": "new × young"}

    def test_the_quality_report_counts_who_is_outside(self, tmp_path):
        quality = {
            one.name: one for one in inspect(write(tmp_path, self.ROWS, labels=LABELS)).labels
        }
        assert quality["age"].people == {"young": 2, "middle": 0, "old": 1}
        age, both = quality["age"], quality["both"]
        assert (age.conflicting, age.without, age.outside) == (1, 3, 2)
        assert (both.conflicting, both.without, both.outside) == (1, 4, 2)

    def test_what_is_stored_reads_back(self, tmp_path):
        definition = write(tmp_path, self.ROWS, labels=LABELS)
        again = Definition.from_dict(definition.to_dict())
        assert dict(again.labels) == dict(definition.labels)


def ranges(*entries):
    keys = ("name", "from", "below")
    listed = [
        {key: value for key, value in zip(keys, one, strict=True) if value} for one in entries
    ]
    return {"age": {"range_of": "age", "ranges": listed}}


def labels(count, name="l"):
    return {"column": name, "values": [f"v{number}" for number in range(count)]}


def combined(*parts, of=None):
    named = {f"p{at}": part for at, part in enumerate(parts)}
    return named | {"c": {"all_of": of or list(named)}}


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (ranges(("a", "30", "18")), r"labels.age.ranges\[0\].below: 'a' ends before it begins"),
        (ranges(("a", "18", "18")), "ends before it begins"),
        (ranges(("a", "18", "30"), ("b", "29", "40")), r"\[1\].from: 'b' overlaps 'a'"),
        (ranges(("a", "30", "40"), ("b", "18", "30")), "overlaps 'a', or is before it"),
        (ranges(("a", "18", "30"), ("b", "31", "40")), "nothing is declared from 30 to 31"),
        (ranges(("a", "18", None), ("b", "30", "40")), "'a' before it has no end"),
        (ranges(("a", "18", "30"), ("b", None, "40")), "'a' before it ends at 30"),
        (ranges(("a", "18", "30"), ("a", "30", "40")), "'a' stands twice"),
        (ranges(("a", None, None)), "tells nobody apart"),
        (ranges(("a", "18 years", "30")), r"from: expected a number in quotes"),
        (ranges(("a", "nan", "30")), "expected a number in quotes"),
        (ranges(("a", 18, "30")), "put it in quotes"),
        (ranges(), "list of 1 to 4096"),
        (combined(labels(2)), "one label is no combination"),
        (combined(labels(65, "a"), labels(64, "b")), "4,160 combinations, and 4,096 is the most"),
        (combined(labels(2), of=["p0", "region"]), "'region' is no label of this dataset"),
        (combined(labels(2), of=["p0", "p0"]), "stands twice"),
        (combined(labels(2), of=["p0", "c"]), "'c' is no label"),
        (combined(labels(2), {"column": "r", "values": ["any"]}), "stands for all of them"),
        (combined(labels(2), {"column": "r", "values": ["a × b"]}), "joins values"),
        (combined(labels(2), {"column": "r", "values": ["x" * 128]}), "too long to be joined"),
    ],
)
def test_crossed_overlapping_or_missing_ranges_and_combinations_are_refused(
    tmp_path, declared, says
):
    with pytest.raises(DatasetError, match=says):
        describe(tmp_path, labels=declared)


def test_a_range_of_a_value_is_allowed_and_of_an_identifier_is_not(tmp_path):
    columns = {"email": "id.email", "age": "value", "opt_in": "consent"}
    label = describe(tmp_path, columns=columns, labels=LABELS).label("both")
    assert (label.columns, label.number_columns) == (("segment", "age"), ("age",))
    with pytest.raises(DatasetError, match="'age', which is declared as value"):
        describe(tmp_path, columns=columns, labels={"x": {"count": "age", "up_to": 3}})
    with pytest.raises(DatasetError, match="labels are made of attributes"):
        describe(tmp_path, labels={"x": BY_AGE | {"range_of": "email"}})
