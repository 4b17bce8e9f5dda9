"""Sorting and finding rows, with every engine, against Python's own lists; hostile rows too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_tiers import require_kernel

from psi.engines import choose

ENGINES = ("none", "portable")  # sorting and finding are the same code in all tiers


def engine_of(asked):
    if asked != "none":
        require_kernel()
    return choose(asked)


def rows_of(encoded, width):
    return np.frombuffer(b"".join(encoded), dtype=np.uint8).reshape(-1, width)


def rows(width):
    """Rows of which many share their first bytes, so that buckets are uneven and rows repeat."""
    tail = st.binary(min_size=1, max_size=2).map(lambda end: end.rjust(width, b"\x07"))
    return st.lists(st.one_of(tail, st.binary(min_size=width, max_size=width)), max_size=60)


both = st.sampled_from([16, 32]).flatmap(lambda width: st.tuples(rows(width), rows(width)))


@pytest.mark.parametrize("asked", ENGINES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(both)
def test_each_row_is_found_where_it_stands_first_or_nowhere(asked, sets):
    wanted, held = sets
    width = len((wanted or held or [bytes(16)])[0])
    found = engine_of(asked).find(rows_of(wanted, width), rows_of(held, width))
    assert found.tolist() == [held.index(row) if row in held else -1 for row in wanted]


@pytest.mark.parametrize("asked", ENGINES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(both)
def test_rows_are_sorted_bytewise_and_equal_ones_keep_their_order(asked, sets):
    for held in sets:
        order = engine_of(asked).sort_order(rows_of(held, len((held or [bytes(16)])[0])))
        assert order.tolist() == sorted(range(len(held)), key=held.__getitem__)


@pytest.mark.parametrize("asked", ENGINES)
def test_columns_of_wider_rows_are_found_by_the_bytes_that_are_kept(asked):
    wide = np.random.default_rng(1).integers(0, 256, (5_000, 32), dtype=np.uint8)
    tags = np.ascontiguousarray(wide[:, :16])
    found = engine_of(asked).find(wide[::-1, :16], tags)
    assert np.array_equal(found, np.arange(5_000)[::-1])
    assert np.array_equal(engine_of(asked).sort_order(wide[:, :16]), np.lexsort(tags.T[::-1]))
