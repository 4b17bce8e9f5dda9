"""Several columns as one: against plain pandas, over any rows."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import describe, prepared, row, write
from hypothesis import given, settings
from hypothesis import strategies as st

from party.datasets import Definition, inspect
from party.datasets.coded import CodedColumn
from party.datasets.joined import joined
from party.datasets.labels import ColumnLabel, CountLabel, SetLabel
from party.errors import DatasetError

NAMES = ("campaign", "creative", "placement")
PEOPLE = 4
CELL = st.sampled_from(["a", "b", "c", " a ", "", None])
ROWS = st.lists(st.tuples(st.integers(-1, PEOPLE - 1), CELL, CELL, CELL), max_size=20)


def coded(rows):
    return {
        name: CodedColumn.of(
            pa.array([one[at + 1] for one in rows], pa.large_string()).dictionary_encode()
        )
        for at, name in enumerate(NAMES)
    }


def by_pandas(rows):
    """Return the frame with a column `all`: three texts joined, None where one is missing."""
    frame = pd.DataFrame(rows, columns=["person", *NAMES])
    parts = [frame[name].astype("string").str.strip().replace("", None) for name in NAMES]
    frame["all"] = parts[0] + " × " + parts[1] + " × " + parts[2]
    return frame


@settings(deadline=None)
@given(ROWS)
def test_each_row_has_the_texts_of_its_columns_and_texts_stand_as_they_appear(rows):
    column = joined(coded(rows), NAMES)
    texts = [*column.texts.to_pylist(), None]
    wanted = [None if pd.isna(text) else text for text in by_pandas(rows)["all"]]
    assert [texts[code] for code in column.codes] == wanted
    assert texts[:-1] == list(dict.fromkeys(text for text in wanted if text is not None))


@settings(deadline=None)
@given(ROWS)
def test_labels_of_joined_columns_are_those_of_one_column_that_pandas_joined(rows):
    frame = by_pandas(rows)
    person = frame["person"].to_numpy(dtype=np.int64)
    one = pa.array([None if pd.isna(t) else t for t in frame["all"]], pa.large_string())
    alone = {"all": CodedColumn.of(one.dictionary_encode())}
    members = ("a × b × c", "a × a × a", "b × b × a")
    for make in (
        lambda columns: ColumnLabel(columns, members),
        lambda columns: CountLabel(columns, 3),
        lambda columns: SetLabel(columns, members),
    ):
        found = make(NAMES).assign(coded(rows), person, PEOPLE)
        wanted = make(("all",)).assign(alone, person, PEOPLE)
        assert found.positions.tolist() == wanted.positions.tolist()
        assert found.conflicting.tolist() == wanted.conflicting.tolist()


def test_one_name_is_the_column_itself():
    columns = coded([(0, "a", "b", "c")])
    assert joined(columns, ("creative",)) is columns["creative"]


VARIANTS = {"variants": {"set_of": ["campaign", "creative"], "among": ["C8 × red", "C8 × blue"]}}


def test_variants_are_compared_in_a_session_and_in_the_quality_report(tmp_path):
    rows = [
        row("1", "a@example.com", campaign="C8", creative="red"),
        row("1", "a@example.com", campaign="C8", creative="blue"),
        row("2", "b@example.com", campaign="C8", creative="red"),
        row("3", "c@example.com", campaign="C13", creative="red"),
        row("4", "d@example.com", campaign="C8"),
    ]
    definition = write(tmp_path, rows, labels=VARIANTS)
    assert Definition.from_dict(definition.to_dict()) == definition
    values = ["C8 × red", "C8 × blue", "C8 × blue+C8 × red"]
    result = prepared(definition, label="variants", values=values)
    assert [values[label] for label in result.labels[np.argsort(result.persons)]] == [
        "C8 × blue+C8 × red",
        "C8 × red",
    ]
    (label,) = inspect(definition).labels
    assert label.people == {"C8 × blue": 0, "C8 × red": 1, "C8 × blue+C8 × red": 1}
    assert label.without == 2


def test_a_text_with_the_joining_sign_is_refused_without_being_shown(tmp_path):
    rows = [row("1", "a@example.com", campaign="C8", creative="se × cret")]
    definition = write(tmp_path, rows, labels=VARIANTS)
    with pytest.raises(DatasetError, match="'creative' is joined with others") as bad:
        inspect(definition)
    assert "cret" not in str(bad.value)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"count": ["campaign"], "up_to": 2}, "count: a list of one column"),
        ({"count": ["a", "b", "c", "d", "e"], "up_to": 2}, "list of 1 to 4"),
        ({"count": ["a", "a"], "up_to": 2}, "stands twice"),
        ({"count": ["a", "email"], "up_to": 2}, "'email', which is declared as id.email"),
        ({"column": ["a", "b"], "values": ["C8"]}, "'C8' does not name a text of each of a × b"),
        ({"set_of": ["a", "b"], "among": ["C8 × "]}, "write 2 texts joined by"),
        ({"range_of": ["a", "b"], "ranges": [{"name": "x", "from": "1"}]}, "expected a column"),
    ],
)
def test_what_joined_columns_cannot_be_is_refused(tmp_path, declared, says):
    with pytest.raises(DatasetError, match=says):
        describe(tmp_path, labels={"x": declared})
