"""Whatever bytes and sizes it is given, the kernel answers or raises ValueError, and no panic."""

from __future__ import annotations

import mmap
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_tiers import require_kernel

SCALAR = bytes(range(32))
MESSAGE = "values that a caller must not see in a message"


@pytest.fixture(scope="module")
def kernel():
    return require_kernel()


def rows(count, width=32):
    return np.zeros((count, width), dtype=np.uint8)


def read_only(count):
    out = rows(count)
    out.flags.writeable = False
    return out


BASE = np.zeros((4, 32), dtype=np.uint8)
BASE[:, 0] = 9
WIDE = np.zeros((4, 64), dtype=np.uint8)
BAD_RAISES = {
    "points of half a row": (bytes(40), SCALAR, rows(1)),
    "points with gaps": (WIDE[:, :32], SCALAR, rows(4)),
    "points in another order": (np.asfortranarray(BASE), SCALAR, rows(4)),
    "no buffer": (7, SCALAR, rows(1)),
    "text": ("9" * 32, SCALAR, rows(1)),
    "nothing": (None, SCALAR, rows(1)),
    "a scalar of 31 bytes": (BASE, SCALAR[:31], rows(4)),
    "a scalar of 33 bytes": (BASE, SCALAR + b"\0", rows(4)),
    "no scalar": (BASE, b"", rows(4)),
    "too little room": (BASE, SCALAR, rows(3)),
    "too much room": (BASE, SCALAR, rows(5)),
    "room with gaps": (BASE, SCALAR, WIDE[:, :32]),
    "room that is read-only": (BASE, SCALAR, read_only(4)),
    "room of bytes": (BASE, SCALAR, bytes(128)),
    "room that is the points": (BASE, SCALAR, BASE),
    "not canonical": (b"\xff" * 32, SCALAR, rows(1)),
}


@pytest.mark.parametrize("arguments", BAD_RAISES.values(), ids=BAD_RAISES.keys())
def test_what_cannot_be_raised_is_a_value_error_and_writes_nothing(kernel, tier, arguments):
    before = bytes(memoryview(arguments[2]).tobytes())
    with pytest.raises(ValueError, match=r"buffer|argument|canonical"):
        kernel.Engine(tier).raise_points(*arguments)
    assert memoryview(arguments[2]).tobytes() == before


def test_an_output_may_not_overlap_an_input_by_a_single_byte(kernel, tier):
    memory = np.zeros(128 + 31, dtype=np.uint8)
    with pytest.raises(ValueError, match="overlaps an input"):
        kernel.Engine(tier).raise_points(memory[:64], SCALAR, memory[63:127])
    assert kernel.Engine(tier).raise_points(memory[:64], SCALAR, memory[64:128]) == 2


def test_any_contiguous_memory_serves(kernel, tier):
    expected = rows(4)
    kernel.Engine(tier).raise_points(BASE, SCALAR, expected)
    with mmap.mmap(-1, 256) as mapped:
        mapped[:128] = BASE.tobytes()
        both = memoryview(mapped)
        kernel.Engine(tier).raise_points(both[:128], bytearray(SCALAR), both[128:])
        assert both[128:].tobytes() == expected.tobytes()
        both.release()
    shifted = np.zeros(129, dtype=np.uint8)
    shifted[1:] = BASE.reshape(-1)
    out = np.zeros(129, dtype=np.uint8)
    kernel.Engine(tier).raise_points(memoryview(shifted)[1:], SCALAR, memoryview(out)[1:])
    assert out[1:].tobytes() == expected.tobytes()


offsets = st.lists(
    st.one_of(st.integers(-2, 12), st.sampled_from([2**31, 2**63 - 1, -(2**63)])), max_size=6
).map(lambda values: np.array(values, dtype=np.int64))
small = st.binary(max_size=10)


@settings(max_examples=150, deadline=None)
@given(small, offsets, small, small, st.integers(0, 6))
def test_columns_with_any_offsets_are_hashed_or_refused(data, ends, prefix, dst, room):
    kernel = require_kernel()
    out, tags = rows(room), rows(room, 16)
    rises = (
        len(ends) > 0 and ends[0] >= 0 and ends[-1] <= len(data) and np.all(ends[:-1] <= ends[1:])
    )
    values = len(ends) - 1
    fits = rises and values == room
    kept = rises and tags.size in (16 * values, 32 * values)  # the size says what is kept
    for engine in map(kernel.Engine, kernel.tiers()):
        for good, call in (
            (fits and dst, partial(engine.hash, data, ends, prefix, dst, out)),
            (kept and dst, partial(engine.hash_and_raise, data, ends, prefix, dst, SCALAR, tags)),
            (fits, partial(kernel.digest, "text", 32, data, ends, out, bytearray(room))),
            (fits, partial(kernel.hash_behind, prefix, data, ends, out)),
        ):
            if good:
                call()
            else:
                with pytest.raises(ValueError, match=r"offsets|buffers|DST"):
                    call()


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 40), st.integers(0, 12))
def test_rows_of_any_width_are_found_and_sorted_or_refused(one, other, width, room):
    kernel = require_kernel()
    places = np.zeros(room, dtype=np.int64)
    good = width in (16, 32) and len(one) == width * room
    for ok, call in (
        (good and len(other) % width == 0, lambda: kernel.find(one, other, width, places)),
        (good, lambda: kernel.sort_order(one, width, places)),
    ):
        if ok:
            call()
        else:
            with pytest.raises(ValueError, match="row"):
                call()


@pytest.mark.parametrize(
    "call",
    [
        lambda kernel, secret: kernel.Engine(secret),
        lambda kernel, secret: kernel.Engine().raise_points(secret.encode(), SCALAR, rows(1)),
        lambda kernel, secret: kernel.digest(
            secret, 32, secret.encode(), np.array([0, 99]), rows(1), bytearray(1)
        ),
    ],
)
def test_no_message_holds_what_was_handed_in(kernel, call):
    with pytest.raises(ValueError, match=r".") as refused:
        call(kernel, MESSAGE)
    assert not any(word in str(refused.value) for word in ("caller", "see in"))


def test_offsets_that_are_not_aligned_are_refused(kernel):
    shifted = memoryview(np.zeros(17, dtype=np.uint8))[1:]
    with pytest.raises(ValueError, match="aligned"):
        kernel.Engine().hash(b"", shifted, b"", b"d", rows(1))
