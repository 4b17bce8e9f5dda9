"""Between Arrow and NumPy: the same values on both sides."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from psi.arrow import integers, positions, texts


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**31 - 1))), st.integers(0, 3))
def test_positions_are_the_integers_with_what_is_missing_marked(
    values: list[int | None], skipped: int
) -> None:
    column = pa.array(values, pa.int32()).slice(skipped)
    expected = [-1 if value is None else value for value in values[skipped:]]
    assert positions(column, missing=-1).tolist() == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_cross_unchanged(values: list[int]) -> None:
    array = integers(np.array(values, dtype=np.int64))
    array.validate(full=True)
    assert array.to_pylist() == values


def test_integers_of_a_strided_array_are_its_own() -> None:
    assert integers(np.arange(10)[::3]).to_pylist() == [0, 3, 6, 9]


@given(st.lists(st.text()))
def test_texts_cross_unchanged(values: list[str]) -> None:
    array = texts(values)
    array.validate(full=True)
    assert array.to_pylist() == values
