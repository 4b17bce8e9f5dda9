"""The quick way to write an entry again has the form of RFC 8785 wherever it is taken."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical
from audit.entry import Entry
from audit.errors import EntryError

TEXT = st.text(max_size=12) | st.text(st.characters(max_codepoint=127), max_size=12)
LEAF = TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none()
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUE, max_size=6))
def test_both_ways_give_the_same_bytes(fields):
    expected = rfc8785.dumps(fields)
    assert canonical(json.loads(expected)) == expected


@given(st.dictionaries(TEXT, VALUE, max_size=6), st.booleans(), st.booleans())
def test_another_spelling_is_never_taken_for_the_canonical_one(fields, ascii_only, spaced):
    other = json.dumps(
        fields, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":")
    ).encode()
    if other != rfc8785.dumps(fields):
        assert canonical(json.loads(other)) != other


@pytest.mark.parametrize(
    "spelled",
    [b'"seq":1.0', b'"seq":1e0', b'"seq":NaN', b'"seq":-0', b'"seq":Infinity', b'"seq":true'],
)
def test_numbers_that_python_writes_as_it_reads_them_are_refused_all_the_same(spelled):
    entry = (
        b'{"actor":"a","body":{"account":"x","role":"operator"},"kind":"access.granted",'
        b'"party":"p",%s,"time":"2026-01-31T08:00:00.000000Z","v":1}'
    )
    Entry.parse(entry % b'"seq":1')
    with pytest.raises(EntryError):
        Entry.parse(entry % spelled)
