"""Columns: what is read, what is counted, what condemns the column, and that nothing leaks."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psi.columns import ColumnSpec, mask, read_column
from psi.errors import IdentifierError, Rejected
from psi.identifiers import digest, normalise
from psi.reasons import Reason

pytestmark = pytest.mark.usefixtures("either_engine")

EMAIL = ColumnSpec.parse("email")
EMAIL_DIGEST = ColumnSpec.parse("email_sha256")


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


cells = st.one_of(
    st.none(),
    st.sampled_from(["", "  ", "unknown", "user@localhost", "a b@example.com", "A@Example.com"]),
    st.builds("u{}@example.com".format, st.integers(0, 5)),
)


@given(st.lists(cells, max_size=30))
def test_a_column_says_row_by_row_what_normalise_says(values):
    present = [value for value in values if value is not None and value.strip()]
    if not present:
        with pytest.raises(IdentifierError, match="no value"):
            read_column(EMAIL, pa.array(values, pa.string()))
        return
    column = read_column(EMAIL, pa.array(values, pa.string()))
    refused = {}
    for row, value in enumerate(values):
        expected = np.zeros(32, np.uint8)
        if value is not None and value.strip():
            try:
                expected = np.frombuffer(digest("email", normalise("email", value)), np.uint8)
            except Rejected as rejected:
                refused[rejected.reason] = refused.get(rejected.reason, 0) + 1
        assert np.array_equal(column.digests[row], expected)
        assert column.valid[row] == expected.any()
    quality = column.quality
    assert quality.refused == refused
    assert quality.rows == len(values)
    assert quality.null == len(values) - len(present)
    assert quality.valid + quality.null + sum(refused.values()) == quality.rows
    assert quality.distinct == len({row.tobytes() for row in column.digests[column.valid]})


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_a_raw_column_and_a_column_of_its_digests_meet(numbers):
    raw = [f" User{number}@Example.com" for number in numbers]
    digests = [sha256(f"user{number}@example.com") for number in numbers]
    left = read_column(EMAIL, pa.array(raw))
    right = read_column(EMAIL_DIGEST, pa.array([text.upper() for text in digests]))
    assert np.array_equal(left.digests, right.digests)
    assert left.valid.all()
    assert right.valid.all()


@pytest.mark.parametrize(
    "values",
    [
        pa.chunked_array([["a@example.com"], [], ["b@example.com", None]]),
        pa.array(["a@example.com", "b@example.com", None], pa.large_string()),
        pa.array(["a@example.com", "b@example.com", None]).dictionary_encode(),
        pa.array([b"a@example.com", b"b@example.com", None]),
        pa.array(["a@example.com", "b@example.com", None], pa.string_view()),
    ],
)
def test_the_arrow_layout_makes_no_difference(values):
    column = read_column(EMAIL, values)
    assert column.valid.tolist() == [True, True, False]
    assert column.digests[1].tobytes().hex() == sha256("b@example.com")


@given(st.lists(cells, min_size=1, max_size=30), st.data())
def test_a_dictionary_says_what_its_rows_say(values, data):
    """Also one with entries that no row has, that stand twice, or that are null."""
    more = data.draw(st.lists(cells, max_size=5))
    entries = data.draw(st.permutations([*values, *more]))
    codes = [data.draw(st.sampled_from([at for at, e in enumerate(entries) if e == value]))
             for value in values]  # fmt: skip
    coded = pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32()), pa.array(entries, pa.large_string())
    )
    plain = pa.array(values, pa.string())
    if not any(value and value.strip() for value in values):
        with pytest.raises(IdentifierError, match="no value"):
            read_column(EMAIL, coded)
        return
    found, expected = read_column(EMAIL, coded), read_column(EMAIL, plain)
    assert np.array_equal(found.digests, expected.digests)
    assert np.array_equal(found.valid, expected.valid)
    assert found.quality.to_json() == expected.quality.to_json()


def test_a_dictionary_is_condemned_by_its_rows_and_not_by_an_entry_that_no_row_has():
    entries = pa.array(["a@example.com", sha256("b@example.com")], pa.large_string())
    unused, used = (
        pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), entries)
        for codes in ([0, 0], [0, 1])
    )
    assert read_column(EMAIL, unused).valid.tolist() == [True, True]
    with pytest.raises(IdentifierError, match="row 2"):
        read_column(EMAIL, used)


def test_whole_numbers_are_read_as_their_digits():
    column = read_column(ColumnSpec.parse("phone", region="CN"), pa.array([13800138000, None]))
    assert column.digests[0].tobytes().hex() == sha256("+8613800138000")


def test_one_row_is_enough():
    assert read_column(EMAIL, pa.array(["a@example.com"])).quality.distinct == 1


class Counting(ThreadPoolExecutor):
    submitted = 0

    def submit(self, *work):
        self.submitted += 1
        return super().submit(*work)


@pytest.mark.parametrize(("count", "tasks"), [(9000, 2), (40, 0)])
def test_an_executor_changes_nothing_and_is_not_asked_for_a_single_task(count, tasks):
    values = pa.array([f"ü{number % count}@example.com" for number in range(20_000)] + ["x"])
    with Counting(2) as executor:
        mapped = read_column(EMAIL, values, executor=executor)
    assert executor.submitted == tasks
    alone = read_column(EMAIL, values)
    assert np.array_equal(mapped.digests, alone.digests)
    assert mapped.quality == alone.quality
    assert alone.quality.distinct == count


@pytest.mark.parametrize(
    "values",
    [
        pa.array([], pa.string()),
        pa.array([None, None], pa.string()),
        pa.array([None, None]),
        pa.array(["", " \u3000"]),
    ],
)
@pytest.mark.parametrize("spec", [EMAIL, EMAIL_DIGEST])
def test_a_column_without_a_value_is_an_error(spec, values):
    with pytest.raises(IdentifierError, match="no value"):
        read_column(spec, values)


@pytest.mark.parametrize(
    "values",
    [pa.array([1.0]), pa.array([[1]]), pa.array([b"\xff\xfe"]), pa.array([{"a": 1}])],
    ids=["float", "list", "not UTF-8", "struct"],
)
def test_a_column_that_is_not_text_is_an_error(values):
    with pytest.raises(IdentifierError, match="text"):
        read_column(EMAIL, values)


class TestDigestsInARawColumn:
    @pytest.mark.parametrize(
        ("declared", "values", "remedy"),
        [
            ("email", ["a@example.com", sha256("x")], "email_sha256"),
            ("email", ["a@example.com", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="],
             "email_sha256"),
            ("email", ["a@example.com", "0EAED834A1E6F4B2BF0C024E0013DEA1"], "exchanged as sha256"),
            ("email", ["a@example.com", hashlib.sha1(b"x").hexdigest()], "exchanged as sha256"),
            ("phone", ["+8613800138000", sha256("x")], "phone_sha256"),
            ("imei", ["490154203237518", hashlib.md5(b"x").hexdigest()], "imei_md5"),
            ("mac", ["001A2B3C4D5E", "Dq7YNKHm9LK/DAJOABPeoQ=="], "mac_md5"),
            ("maid", ["aebe52e703ee455ab3c4e57283966239", sha256("x")], "maid_sha256"),
            ("member:shop", ["00123", sha256("x")], "member:shop_sha256"),
        ],
    )  # fmt: skip
    def test_one_condemns_the_column_and_the_error_names_the_declaration(
        self, declared, values, remedy
    ):
        with pytest.raises(IdentifierError) as caught:
            read_column(ColumnSpec.parse(declared), pa.array(values))
        assert "row 2: already a digest" in str(caught.value)
        assert remedy in str(caught.value)
        assert values[1] not in str(caught.value)

    def test_at_most_five_rows_are_named_and_their_number_is_not(self):
        values = ["a@example.com"] + [sha256(str(number)) for number in range(40)]
        with pytest.raises(IdentifierError, match=r"row 2, 3, 4, 5, 6: ") as caught:
            read_column(EMAIL, pa.array(values))
        assert "40" not in str(caught.value)

    @pytest.mark.parametrize(
        ("declared", "value"),
        [
            ("maid", "aebe52e703ee455ab3c4e57283966239"),
            ("oaid", sha256("a vendor whose OAIDs are 64 hex digits")),
            ("cookie:dsp", hashlib.md5(b"x").hexdigest()),
            ("member:shop", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf-F5HVRQ"),
        ],
    )
    def test_a_value_that_the_type_itself_may_have_is_no_digest(self, declared, value):
        assert read_column(ColumnSpec.parse(declared), pa.array([value])).valid.all()


class TestRawValuesInADigestColumn:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("user@example.com", Reason.DIGEST_ENCODING),
            (hashlib.md5(b"x").hexdigest(), Reason.DIGEST_LENGTH_SHA256),
            (sha256("x")[:-1], Reason.DIGEST_LENGTH_SHA256),
            ("TmMIIti7iAaCpPqpfq65Umvcwh8AV9JW4CWF/f5hvrq=", Reason.DIGEST_NOT_CANONICAL),
        ],
    )
    def test_one_condemns_the_column(self, value, reason):
        with pytest.raises(IdentifierError) as caught:
            read_column(EMAIL_DIGEST, pa.array([sha256("x"), None, value, sha256("y")]))
        assert f"row 3: {reason}" in str(caught.value)
        assert value not in str(caught.value)

    def test_placeholders_are_refused_one_by_one_in_either_form(self):
        values = ["null", sha256(""), sha256("test@test.com"), sha256("x")]
        quality = read_column(EMAIL_DIGEST, pa.array(values)).quality
        assert quality.refused == {Reason.PLACEHOLDER: 1, Reason.DIGEST_OF_PLACEHOLDER: 2}
        assert quality.valid == 1


class TestSpec:
    @pytest.mark.parametrize(
        ("text", "type_", "digested"),
        [
            ("email", "email", False),
            ("phone_sha256", "phone", True),
            ("imei_md5", "imei", True),
            ("openid:wx1", "openid:wx1", False),
            ("openid:wx_1", "openid:wx_1", False),
            ("member:loyalty_card_sha256", "member:loyalty_card", True),
        ],
    )
    def test_a_declaration_is_read_and_written(self, text, type_, digested):
        spec = ColumnSpec.parse(text)
        assert (spec.type, spec.digested, spec.declaration) == (type_, digested, text)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("phone_md5", "phone_sha256"),
            ("imei_sha256", "imei_md5"),
            ("mail", "one of"),
            ("openid", "namespace"),
            ("email:x", "no namespace"),
            ("_sha256", "one of"),
            ("member_sha256:shop", "one of"),
        ],
    )
    def test_a_wrong_declaration_is_an_error_that_helps(self, text, says):
        with pytest.raises(IdentifierError, match=says):
            ColumnSpec.parse(text)

    @pytest.mark.parametrize(
        ("text", "region"), [("email", "US"), ("phone_sha256", "US"), ("phone", "us")]
    )
    def test_a_region_belongs_to_raw_phones_and_is_a_known_one(self, text, region):
        with pytest.raises(IdentifierError, match="region"):
            ColumnSpec.parse(text, region=region)

    def test_the_gmail_option_reaches_e_mail_only(self):
        assert ColumnSpec.parse("email", gmail=True).gmail
        assert not ColumnSpec.parse("email_sha256", gmail=True).gmail
        assert not ColumnSpec.parse("maid", gmail=True).gmail
        column = read_column(ColumnSpec.parse("email", gmail=True), pa.array(["a.b+c@gmail.com"]))
        assert column.digests[0].tobytes().hex() == sha256("ab@gmail.com")


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60))
def test_a_masked_example_keeps_no_letter_and_no_digit(text):
    assert set(mask(text)) <= set("xX9…")


def test_examples_show_the_shape_and_never_the_value():
    quality = read_column(EMAIL, pa.array(["Jos\u200b7@Example.com", "x@example.com"])).quality
    assert quality.examples == {Reason.INVISIBLE: "Xxx<U+200B>9@Xxxxxxx.xxx"}
    assert "Jos" not in repr(quality)
