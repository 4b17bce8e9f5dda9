"""Labels: every derivation against plain pandas, over any rows."""

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import prepared, row, steps_of, write
from hypothesis import given
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.coded import CodedColumn
from party.datasets.labels import ColumnLabel, CountLabel, SetLabel
from party.errors import DatasetError

CELLS = st.sampled_from(["C8", "C13", "C18", " C8 ", "other", "", "  ", None])
ROWS = st.lists(st.tuples(st.integers(-1, 5), CELLS), max_size=25)
PEOPLE = 6


def assigned(label, rows):
    """Return each person's label value (None: none) and who conflicts."""
    column = pa.array([cell for _, cell in rows], pa.large_string()).dictionary_encode()
    person = np.array([person for person, _ in rows], dtype=np.int64)
    found = label.assign({"c": CodedColumn.of(column)}, person, PEOPLE)
    values = [None if at < 0 else label.values[at] for at in found.positions]
    return values, found.conflicting.tolist()


def cells_by_person(rows):
    """Return the set of each person's texts, by pandas."""
    frame = pd.DataFrame(rows, columns=["person", "cell"])
    frame["cell"] = frame["cell"].astype("string").fillna("").str.strip()
    frame = frame[(frame["cell"] != "") & (frame["person"] >= 0)]
    sets = {person: set(cells) for person, cells in frame.groupby("person")["cell"]}
    return [sets.get(person, set()) for person in range(PEOPLE)]


@given(ROWS)
def test_a_column_label_is_the_one_value_of_a_persons_rows(rows):
    values, conflicting = assigned(ColumnLabel(("c",), ("C18", "C8")), rows)
    for cells, value, conflicts in zip(cells_by_person(rows), values, conflicting, strict=True):
        assert conflicts == (len(cells) > 1)
        only = next(iter(cells)) if len(cells) == 1 else None
        assert value == (only if only in ("C18", "C8") else None)


@given(ROWS, st.integers(1, 4))
def test_a_count_label_is_the_number_of_distinct_values(rows, up_to):
    values, conflicting = assigned(CountLabel(("c",), up_to), rows)
    for cells, value in zip(cells_by_person(rows), values, strict=True):
        text = str(len(cells)) if len(cells) < up_to else f"{up_to}+"
        assert value == (text if cells else None)
    assert not any(conflicting)


@given(ROWS, st.permutations(["C8", "C13", "C18"]))
def test_a_set_label_is_the_subset_that_a_person_has(rows, among):
    values, conflicting = assigned(SetLabel(("c",), tuple(among)), rows)
    for cells, value in zip(cells_by_person(rows), values, strict=True):
        assert value == ("+".join(sorted(cells & set(among))) or None)
    assert not any(conflicting)


@given(st.sets(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=6))
def test_the_values_of_a_set_label_are_every_subset_once(among):
    values = SetLabel(("c",), tuple(among)).values
    subsets = {
        "+".join(sorted(subset))
        for size in range(1, len(among) + 1)
        for subset in combinations(among, size)
    }
    assert set(values) == subsets
    assert len(values) == len(subsets) == 2 ** len(among) - 1


def test_ten_members_make_a_thousand_values():
    label = SetLabel(("c",), tuple(f"C{number}" for number in range(10)))
    assert len(label.values) == 1023
    values, _ = assigned(label, [(0, f"C{number}") for number in range(10)])
    assert values[0] == label.values[-1]


class TestInASession:
    ROWS = (
        row("1", "a@example.com", segment="gold"),
        row("2", "b@example.com", segment="new"),
        row("3", "c@example.com", segment="bronze"),
        row("4", "d@example.com", segment=None),
        row("5", "e@example.com", segment="gold"),
        row("5", "e@example.com", segment="silver"),
        row("6", "f@example.com", segment="gold"),
        row("6", "f@example.com", segment=None),
    )

    def test_labels_are_positions_in_the_requested_values(self, tmp_path):
        result = prepared(write(tmp_path, self.ROWS), values=["new", "gold"])
        by_person = dict(zip(result.person_refs.to_pylist(), [1, 0, 1], strict=True))
        assert by_person == {"1": 1, "2": 0, "6": 1}
        for person, label in zip(result.persons, result.labels, strict=True):
            assert label == [1, 0, 1][person]
        assert result.labels.dtype == np.int16

    def test_those_without_a_requested_label_are_left_out_and_counted(self, tmp_path):
        steps = steps_of(prepared(write(tmp_path, self.ROWS), values=["gold"]))
        assert steps["people whose rows agree on the label"] == (6, 5)
        assert steps["people with a requested label"] == (5, 2)

    def test_without_a_label_everyone_takes_part_under_the_first(self, tmp_path):
        result = prepared(write(tmp_path, self.ROWS), label=None, values=["all"])
        assert len(result.keys) == 6
        assert not result.labels.any()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"label": "region"}, "has no label 'region'; it has segment"),
            ({"values": ["gold", "brass"]}, "has no value 'brass'; it has gold"),
            ({"values": ["gold", "gold"]}, "twice"),
        ],
    )
    def test_a_label_or_value_that_does_not_exist_is_refused(self, tmp_path, changes, says):
        with pytest.raises(DatasetError, match=says):
            prepared(write(tmp_path, self.ROWS), **changes)

    def test_inspect_counts_people_by_value(self, tmp_path):
        (label,) = inspect(write(tmp_path, self.ROWS)).labels
        assert label.people == {"gold": 2, "silver": 0, "new": 1}
        assert (label.conflicting, label.without) == (1, 2)
