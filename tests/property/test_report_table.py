"""A released table is stored as it was sent, and one that does not fit together is refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.errors import MalformedTable
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters, ThirdPart

MOMENTS = MomentsTable(0, 3600, 24, 24, 64, 10**9, (5, 7))
PARAMETERS = ReleaseParameters(10**9, 10**9, 10**6, 1, 2, 128, 10)
TABLE = ReleasedTable(("g",), ("a", "b"), ((5, -3),), (400,), (300, 200), PARAMETERS)
THIRD = ThirdPart(("t", "r", "v"), ("x",), (250,), ((7,), (-2,)))
OF_THREE = replace(TABLE, counts=((5, -3, 0, 9, 4, 0),), third=THIRD)


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    names = st.text(min_size=1, max_size=5)
    count, size = st.integers(-(2**40), 2**40), st.integers(0, 2**31)
    return ReleasedTable(
        tuple(draw(st.lists(names, min_size=rows, max_size=rows, unique=True))),
        tuple(draw(st.lists(names, min_size=columns, max_size=columns, unique=True))),
        draw(st.tuples(*[st.tuples(*[count] * columns)] * rows)),
        draw(st.tuples(*[size] * rows)),
        draw(st.tuples(*[size] * columns)),
        PARAMETERS,
    )


@given(tables())
def test_a_table_survives_json(table):
    text = json.dumps(table.to_dict(), sort_keys=True)
    again = ReleasedTable.from_dict(json.loads(text))
    assert again == table
    assert json.dumps(again.to_dict(), sort_keys=True) == text


@pytest.mark.parametrize(
    "change",
    [
        {"tabulator_labels": ()},
        {"tabulator_labels": ("g", "h")},
        {"recipient_labels": ("a", "a")},
        {"recipient_labels": ("a", 1)},
        {"counts": ((5,),)},
        {"counts": ((5, -3), (1, 1))},
        {"counts": ((5, 0.5),)},
        {"counts": ((5, True),)},
        {"tabulator_sizes": (400, 1)},
        {"tabulator_sizes": (-1,)},
        {"recipient_sizes": (300,)},
        {"recipient_sizes": (300, "200")},
    ],
)
def test_parts_that_do_not_belong_together_are_refused(change):
    with pytest.raises(MalformedTable):
        replace(TABLE, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"parties": ("t", "r")},
        {"parties": ("t", "r", "t")},
        {"labels": ()},
        {"labels": ("x", "y")},
        {"sizes": (-1,)},
        {"totals": ((7, 1), (-2, 1))},
        {"totals": ((7,), (0.5,))},
        {"totals": ((7,),)},
    ],
)
def test_parts_of_three_that_do_not_belong_together_are_refused(change):
    with pytest.raises(MalformedTable):
        replace(OF_THREE, third=replace(THIRD, **change))


def test_a_table_of_three_survives_json_and_needs_a_count_for_every_cell():
    assert ReleasedTable.from_dict(json.loads(json.dumps(OF_THREE.to_dict()))) == OF_THREE
    for counts in (((5, -3),), ((5, -3, 0, 9),)):
        with pytest.raises(MalformedTable, match="as the labels are"):
            replace(OF_THREE, counts=counts)
    stored = OF_THREE.to_dict()
    for third in (5, {**stored["third"], "parties": ["t"]}, {"labels": ["x"]}):
        with pytest.raises(MalformedTable):
            ReleasedTable.from_dict({**stored, "third": third})


@pytest.mark.parametrize("field", list(PARAMETERS.__dataclass_fields__))
@pytest.mark.parametrize("value", [-1, 0.5, "1", None])
def test_parameters_are_counts(field, value):
    with pytest.raises(MalformedTable, match=field):
        replace(PARAMETERS, **{field: value})


def test_a_stored_table_with_other_entries_is_refused():
    stored = TABLE.to_dict()
    for broken in ({**stored, "more": 1}, {k: v for k, v in stored.items() if k != "counts"}):
        with pytest.raises(MalformedTable, match="entries"):
            ReleasedTable.from_dict(broken)


@pytest.mark.parametrize("change", [{"counts": 5}, {"counts": [5]}, {"parameters": {"x": 1}}])
def test_a_stored_table_that_cannot_be_read_is_refused(change):
    with pytest.raises(MalformedTable):
        ReleasedTable.from_dict({**TABLE.to_dict(), **change})


def test_moments_survive_json_and_a_part_that_lacks_is_refused():
    table = replace(TABLE, moments=MOMENTS)
    stored = json.loads(json.dumps(table.to_dict()))
    assert ReleasedTable.from_dict(stored) == table
    for part in stored["moments"]:
        moments = {name: value for name, value in stored["moments"].items() if name != part}
        with pytest.raises(MalformedTable):
            ReleasedTable.from_dict({**stored, "moments": moments})
