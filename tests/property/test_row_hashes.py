"""Hashes of rows and texts: what hashlib, hmac and the log's own tree say, whatever the layout."""

import hashlib
import hmac
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.merkle import leaf_hash, root
from audit.merkle_rows import root_of_rows
from psi import portable, row_hashes
from psi.arrow import binaries, texts
from psi.engines import engine

WIDTHS = (0, 1, 31, 32, 33, 54, 55, 56, 64)


def rows_of(*, count, width):
    return np.random.default_rng(width).integers(0, 256, (count, width), dtype=np.uint8)


@pytest.fixture(params=["engine", "hashlib"], autouse=True)
def hasher(request, monkeypatch):
    """The engine's hashes, and the loop over hashlib."""
    if request.param == "hashlib":
        chosen = replace(engine(), hash_behind=portable.hash_behind)
        monkeypatch.setattr(row_hashes, "engine", lambda: chosen)
    monkeypatch.setattr(row_hashes, "_BLOCK", 3)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("prefix", [b"", b"\x00", b"p" * 63])
def test_rows_are_hashed_behind_the_prefix(width, prefix):
    rows = rows_of(count=7, width=width)
    found = [row.tobytes() for row in row_hashes.hash_rows(prefix, rows)]
    assert found == [hashlib.sha256(prefix + row.tobytes()).digest() for row in rows]


@pytest.mark.parametrize("key", [b"", b"k", b"k" * 32, b"k" * 64])
def test_texts_are_hashed_under_the_key(key):
    messages = ["", "a", "ä€𝄞", "x" * 55, "x" * 64, "x" * 200, "a"]
    expected = [hmac.digest(key, text.encode(), "sha256") for text in messages]
    array = texts(["before", *messages, "behind"]).slice(1, len(messages))
    assert [mac.tobytes() for mac in row_hashes.mac_texts(key, array)] == expected
    held = b"".join(text.encode() for text in messages)
    offsets = np.cumsum([0, *(len(text.encode()) for text in messages)], dtype=np.int64)
    same = binaries(np.frombuffer(held, dtype=np.uint8), offsets)
    assert [mac.tobytes() for mac in row_hashes.mac_texts(key, same)] == expected
    short = row_hashes.mac_texts(key, same, width=16)
    assert [mac.tobytes() for mac in short] == [mac[:16] for mac in expected]


def test_texts_are_hashed_as_they_are():
    messages = ["", "a", "ä€𝄞", "x" * 55, "x" * 64, "a"]
    array = texts(["before", *messages, "behind"]).slice(1, len(messages))
    found = [row.tobytes() for row in row_hashes.hash_texts(array, width=8)]
    assert found == [hashlib.sha256(text.encode()).digest()[:8] for text in messages]


def test_nothing_has_no_hashes():
    assert row_hashes.hash_rows(b"p", rows_of(count=0, width=32)).shape == (0, 32)
    assert row_hashes.mac_texts(b"k", pa.array([], pa.large_string())).shape == (0, 32)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 70), st.sampled_from([1, 32]))
def test_the_root_is_that_of_the_logs_tree(count, width):
    rows = rows_of(count=count, width=width)
    order = np.random.default_rng(count).permutation(count)
    assert root_of_rows(rows, order) == root([leaf_hash(row.tobytes()) for row in rows[order]])
