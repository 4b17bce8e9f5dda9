"""Keys behave like the list of their bytes."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psi.errors import IdentifierError
from psi.keys import Keys

lists = st.lists(st.binary(max_size=8), max_size=20)


@given(lists)
def test_keys_hold_the_bytes_they_were_made_of(parts):
    keys = Keys.from_list(parts)
    assert len(keys) == len(parts)
    assert list(keys) == parts
    assert pickle.loads(pickle.dumps(keys)) == keys


@given(st.lists(st.lists(st.binary(min_size=3, max_size=3), max_size=5), max_size=5))
def test_keys_gathered_part_by_part_are_those_of_all_parts(parts):
    every = [key for part in parts for key in part]
    made = Keys.gathered((Keys.from_list(part) for part in parts), len(every), 3)
    assert list(made) == every
    with pytest.raises(IdentifierError, match="were to be gathered"):
        Keys.gathered((Keys.from_list(part) for part in parts), len(every) + 1, 3)


@given(lists, st.integers(-3, 25), st.integers(-3, 25))
def test_a_slice_is_the_slice_of_the_list_and_a_view_of_the_bytes(parts, start, stop):
    keys = Keys.from_list(parts)
    part = keys.slice(start, stop)
    assert list(part) == parts[start:stop]
    assert part.offsets[0] == 0
    assert len(part.data) == 0 or np.shares_memory(part.data, keys.data)


@given(lists.filter(len), st.data())
def test_taking_follows_the_indices(parts, data):
    indices = data.draw(st.lists(st.integers(0, len(parts) - 1), max_size=40))
    taken = Keys.from_list(parts).take(np.array(indices, dtype=np.int64))
    assert list(taken) == [parts[index] for index in indices]


def test_taking_crosses_blocks():
    parts = [b"%d" % number for number in range(40_000)]
    order = np.random.default_rng(1).permutation(len(parts))
    assert list(Keys.from_list(parts).take(order)) == [parts[index] for index in order]


@given(st.lists(lists, max_size=4))
def test_joining_appends(parts):
    joined = Keys.concat([Keys.from_list(part) for part in parts])
    assert list(joined) == [key for part in parts for key in part]


@given(st.integers(0, 5), st.sampled_from(["email", "openid:wx1", "imei"]))
def test_a_key_is_type_zero_digest(count, type_):
    digests = np.arange(count * 16, dtype=np.uint8).reshape(count, 16)
    keys = Keys.from_digests(type_, digests)
    assert list(keys) == [type_.encode() + b"\0" + row.tobytes() for row in digests]


@pytest.mark.parametrize(
    ("data", "offsets"),
    [(b"ab", [0, 1]), (b"ab", [1, 2]), (b"ab", [0, 2, 1, 2]), (b"", []), (b"ab", [[0, 2]])],
)
def test_offsets_that_do_not_tile_the_data_are_refused(data, offsets):
    with pytest.raises(IdentifierError):
        Keys(np.frombuffer(data, np.uint8), np.array(offsets, dtype=np.int64))


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_outside_is_an_error(index):
    with pytest.raises(IndexError):
        Keys.from_list([b"a", b"b"])[index]


def test_repr_shows_neither_keys_nor_their_number():
    assert repr(Keys.from_list([b"secret"])) == "Keys(…)"
