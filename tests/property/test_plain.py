"""Plain identifiers, read by the kernel a column at a time, are what `psi` makes of each value."""

from __future__ import annotations

import base64
import hashlib
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_tiers import require_kernel

from psi import columns, plain
from psi.arrow import text_buffers, texts
from psi.columns import ColumnSpec, survey_column
from psi.engines import choose
from psi.errors import EmptyColumn, IdentifierError
from psi.placeholders import placeholder_digests

SHA_LENGTHS = (0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000)


def with_engine(asked, work):
    """Return what `work` returns, or says when it refuses, with an engine in use."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (columns, plain):
            patch.setattr(module, "engine", lambda: choose(asked))
        try:
            return work()
        except IdentifierError as error:
            return type(error), str(error)


def surveyed(spec, values):
    """Return all that there is to say of a column."""
    found = survey_column(spec, values)
    return (
        found.digests[found.accepted].tobytes(),
        found.accepted.tolist(),
        found.of_row.tolist(),
        {reason: places.tolist() for reason, places in found.refused.items()},
        found.contradictions,
    )


def read(spec, values):
    column = columns.read_column(spec, values)
    return column.digests.tobytes(), column.valid.tolist(), column.quality


def require_alike(spec, values):
    require_kernel()
    for work in (surveyed, read):
        ours, others = (with_engine(asked, partial(work, spec, values)) for asked in (None, "none"))
        assert ours == others
    return ours


def spoiled(text):
    """Spellings around a text: as it is, in other cases, cut, doubled, with strangers in it."""
    return st.one_of(
        st.just(text),
        st.sampled_from([text.upper(), text.title(), f" {text}", f"{text}\n", f'"{text}"']),
        st.integers(0, len(text)).map(lambda at: text[:at]),
        st.tuples(st.integers(0, len(text)), st.sampled_from('@.-_+= \t\0"é＠Kİ')).map(
            lambda one: text[: one[0]] + one[1] + text[one[0] :]
        ),
    )


def digest_texts(algorithm):
    size = hashlib.new(algorithm).digest_size
    held = st.one_of(
        st.binary(min_size=size, max_size=size),
        st.sampled_from(sorted(placeholder_digests("email", algorithm))),
        st.sampled_from([bytes(size), b"\xff" * size, b"\x00\x10\x83" * 11]),
    ).map(lambda data: data[:size].ljust(size, b"\0"))
    return held.flatmap(
        lambda data: st.sampled_from(
            [
                data.hex(),
                data.hex().upper(),
                base64.b64encode(data).decode(),
                base64.b64encode(data).decode().rstrip("="),
                base64.b64encode(data).decode().rstrip("=") + "=",
                base64.urlsafe_b64encode(data).decode(),
                base64.b64encode(data).decode().lower(),
                "0-" * 20 + "0",
                "+" + "f" * 42,
            ]
        )
    ).flatmap(spoiled)


label = st.from_regex(r"[a-zA-Z0-9-]{1,5}", fullmatch=True)
emails = st.one_of(
    st.tuples(st.from_regex(r"[!-~]{1,6}", fullmatch=True), st.lists(label, max_size=3)).map(
        lambda parts: f"{parts[0]}@{'.'.join(parts[1])}"
    ),
    st.sampled_from(
        ["test@test.com", "Test@Test.com", "null", "a@b.c", "ab@xn--bcher-kva.example", "a@bü.de"]
        + [f"a@{'b' * size}.com" for size in (62, 63, 64, 65)]
        + [f"{'a' * size}@b.com" for size in (250, 313, 314, 315, 400)]
        + ["a@" + ".".join(["b" * 49] * 5) + tail for tail in (".cc", ".ccc", ".cccc")]
    ),
).flatmap(spoiled)
maids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda one: one.hex),
    st.sampled_from(["0" * 32, "f" * 32, "00000000-0000-0000-0000-000000000000", "-" * 36]),
).flatmap(spoiled)


@pytest.mark.parametrize(
    ("declaration", "values"),
    [
        ("email", emails),
        ("maid", maids),
        ("email_sha256", digest_texts("sha256")),
        ("imei_md5", digest_texts("md5")),
        ("member:shop_sha256", digest_texts("sha256")),
        ("member:shop", emails),
    ],
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_column_is_read_alike_with_the_kernel_and_without(declaration, values, data):
    column = data.draw(st.lists(st.one_of(st.none(), values), max_size=12))
    require_alike(ColumnSpec.parse(declaration), texts(column))


def test_plain_values_are_taken_and_others_are_left():
    require_kernel()
    digest = hashlib.sha256(b"x").digest()
    taken = {
        "email": ["a@b.co", "A.B+c@D-e.example", "!#~@1.2"],
        "maid": ["123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"],
        "digest": [
            digest.hex(),
            digest.hex().upper(),
            base64.b64encode(digest).decode(),
            base64.urlsafe_b64encode(digest).decode().rstrip("="),
        ],
    }
    left = {
        "email": [" a@b.co", "a@b", "a@@b.co", "a@b.c\x7f", "ä@b.co", "a@-b.co", "a@ab--c.de"],
        "maid": ["0" * 32, "123e4567-e89b12d3a456426614174000", "g" + "1" * 31],
        "digest": [digest.hex()[:-1], " " + digest.hex(), "A" * 42 + "B", "+/" * 20 + "-_A", ""],
    }
    for form in taken:
        for values, result in ((taken[form], True), (left[form], False)):
            _, found = choose(None).digest_plain(form, 32, *text_buffers(texts(values)))
            assert found.tolist() == [result] * len(values), form


@pytest.mark.parametrize(("algorithm", "width"), [("sha256", 32), ("md5", 16)])
def test_digests_of_text_at_the_lengths_where_padding_turns(algorithm, width):
    require_kernel()
    held = ["é" * (size // 2) + "x" * (size % 2) for size in SHA_LENGTHS]
    digests, taken = choose(None).digest_plain("text", width, *text_buffers(texts(held)))
    assert taken.all()
    assert [row.tobytes() for row in digests] == [
        hashlib.new(algorithm, text.encode()).digest() for text in held
    ]


WORDS = ["a@b.co", None, "C@d.co", "", "a@b.co", "no address", "e@f.co"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("cut", [slice(0, 7), slice(1, 5), slice(3, 3), slice(4, 7), slice(1, 2)])
def test_sliced_chunked_null_and_empty_columns(kind, cut):
    column = pa.array(WORDS, type=kind)
    whole = require_alike(ColumnSpec.parse("email"), column[cut])
    chunks = pa.chunked_array([column[cut][:1], column[cut][1:1], column[cut][1:]], type=kind)
    assert require_alike(ColumnSpec.parse("email"), chunks) == whole
    if not any(WORDS[cut]):
        assert whole[0] is EmptyColumn


def test_many_rows_are_read_in_their_order():
    require_kernel()
    held = [f"person{i}@example.com" for i in range(10_000)]
    held[5_000] = "PERSON@EXAMPLE.COM "
    column = columns.read_column(ColumnSpec.parse("email"), texts(held))
    expected = [hashlib.sha256(text.strip().lower().encode()).digest() for text in held]
    assert [row.tobytes() for row in column.digests] == expected
    assert np.all(column.valid)
