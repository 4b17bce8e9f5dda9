"""TC strings: published ones are read as published, and a person's word is never stretched."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dataset_builder import ADS, describe, prepared, references_of, row, write
from hypothesis import given
from hypothesis import strategies as st

from party.consent.tcf import PURPOSES, read_tc_string
from party.datasets import inspect
from party.errors import ConsentError, DatasetError

# The README of the IAB's iabtcf-java: a core string, and the segment of disclosed vendors.
CORE = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA"
DISCLOSED = (
    "IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAA"
    "AgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def letters(*fields):
    """Return fields (value, width) as the letters of a segment."""
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    bits += "0" * (-len(bits) % 6)
    return "".join(_LETTERS[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def bit_field(vendors):
    """Return a set of vendors as a bit field."""
    highest = max(vendors, default=0)
    mask = sum(1 << (highest - vendor) for vendor in vendors)
    return [(highest, 16), (0, 1), *([(mask, highest)] if highest else [])]


def in_ranges(vendors):
    """Return the same set as ranges, one of a vendor each but for neighbours."""
    runs = []
    for vendor in sorted(vendors):
        if runs and runs[-1][1] == vendor - 1:
            runs[-1][1] = vendor
        else:
            runs.append([vendor, vendor])
    fields = [(max(vendors, default=0), 16), (1, 1), (len(runs), 12)]
    for first, last in runs:
        fields += [(0, 1), (first, 16)] if first == last else [(1, 1), (first, 16), (last, 16)]
    return fields


def tc_string(
    purposes=(3, 4), vendors=(755,), disclosed=(755,), restrictions=(), encode=bit_field, updated=0
):
    """Return a string; `restrictions` are (purpose, kind, first vendor, last vendor)."""
    mask = sum(1 << (24 - purpose) for purpose in purposes)
    core = [(2, 6), (0, 36), (updated, 36), (0, 74), (mask, 24), (0, 24), (0, 13)]
    core += [*encode(vendors), *encode(()), (len(restrictions), 12)]
    for purpose, kind, first, last in restrictions:
        core += [(purpose, 6), (kind, 2), (1, 12), (1, 1), (first, 16), (last, 16)]
    segments = [letters(*core)]
    if disclosed is not None:
        segments.append(letters((1, 3), *encode(disclosed)))
    return ".".join(segments)


def test_the_published_string_is_read_as_published():
    said = read_tc_string(f"{CORE}.{DISCLOSED}")
    assert said.purposes == {1, 2, 3}
    assert [vendor for vendor in range(1, 100) if vendor in said.consents] == [2, 6, 8]
    moment = datetime.fromtimestamp(said.updated_at / 1e6, UTC)
    assert moment.isoformat() == "2020-02-20T23:57:39.300000+00:00"
    disclosed = [vendor for vendor in range(1, 1_000) if vendor in said.disclosed]
    assert disclosed[:12] == [2, 6, 8, 12, 18, 23, 37, 42, 47, 48, 53, 61]
    assert len(disclosed) == 79


SETS = st.frozensets(st.integers(1, 40), max_size=12)


@given(
    purposes=st.frozensets(st.integers(1, 11)),
    vendors=SETS,
    disclosed=st.none() | SETS,
    restrictions=st.lists(
        st.tuples(st.integers(1, 11), st.integers(0, 3), st.integers(1, 20), st.integers(20, 40)),
        max_size=3,
    ),
    encode=st.sampled_from([bit_field, in_ranges]),
    asked=st.sampled_from(sorted(PURPOSES)),
    vendor=st.integers(1, 41),
)
def test_a_vendor_is_allowed_exactly_by_the_rule(
    purposes, vendors, disclosed, restrictions, encode, asked, vendor
):
    said = read_tc_string(tc_string(purposes, vendors, disclosed, restrictions, encode))
    forbidden = {p for p, kind, a, b in restrictions if kind != 1 and a <= vendor <= b}
    expected = (
        disclosed is not None
        and vendor in disclosed
        and vendor in vendors
        and set(PURPOSES[asked]) <= purposes - forbidden
    )
    assert said.allows(asked, vendor) is expected


@given(st.text(alphabet=_LETTERS + ".", max_size=120) | st.text(max_size=40))
def test_whatever_somebody_writes_is_read_or_refused(text):
    try:
        said = read_tc_string(text)
    except ConsentError:
        return
    assert said is None or not said.allows(ADS, 65_536)


@given(st.integers(1, 60))
def test_a_string_that_is_cut_off_is_refused(cut):
    whole = tc_string(encode=in_ranges, disclosed=None)
    with pytest.raises(ConsentError, match=r"ends too early|a segment is letters"):
        read_tc_string(whole[: max(0, len(whole) - cut)])


def test_another_version_says_nothing():
    assert read_tc_string("BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA") is None


SECTION = {"tcf": "tc", "vendors": {"channel": 755}}
COLUMNS = {"email": "id.email", "tel": {"kind": "id.phone", "region": "US"}}


class TestDataset:
    def people(self, folder, *strings):
        rows = [row(str(n), f"p{n}@example.com", tc=text) for n, text in enumerate(strings)]
        return write(folder, rows, columns=COLUMNS, consent=SECTION)

    def test_those_take_part_whose_string_lets_the_recipient(self, tmp_path):
        definition = self.people(
            tmp_path,
            tc_string(),
            tc_string(purposes=(3,)),
            tc_string(vendors=(7,), disclosed=(755,)),
            tc_string(disclosed=None),
            tc_string(disclosed=(7,)),
            tc_string(restrictions=[(4, 0, 700, 800)]),
            tc_string(restrictions=[(4, 1, 700, 800)]),
            tc_string(updated=10**11 // 4),  # 2049
            None,
        )
        assert references_of(prepared(definition, identifiers=["email"])) == ["0", "6"]
        coverage = {(c.purpose, c.recipient): c.people for c in inspect(definition).consent}
        assert coverage[ADS, "channel"] == 3  # at no time in particular

    def test_what_is_no_string_is_an_error_with_its_place(self, tmp_path):
        definition = self.people(tmp_path, tc_string(), "yes, please")
        with pytest.raises(DatasetError, match=r"receipts\.csv, row 2, column 'tc': it is no TC"):
            prepared(definition)

    def test_a_purpose_or_recipient_that_it_cannot_speak_of_is_refused(self, tmp_path):
        definition = self.people(tmp_path, tc_string())
        with pytest.raises(DatasetError, match="has no purposes that stand for 'dpv:Payments'"):
            prepared(definition, purpose="dpv:Payments")
        with pytest.raises(DatasetError, match="do not have 'vendor'"):
            prepared(definition, recipients=["vendor"])

    def test_the_section_is_read_back_as_it_was_written(self, tmp_path):
        definition = self.people(tmp_path, tc_string())
        assert definition.to_dict()["consent"] == SECTION
        with pytest.raises(DatasetError, match=r"vendors\.channel: expected a whole number from 1"):
            describe(tmp_path, columns=COLUMNS, consent={"tcf": "tc", "vendors": {"channel": 0}})


def test_the_document_has_the_table_of_purposes():
    text = (Path(__file__).parents[2] / "docs" / "consent.md").read_text(encoding="utf-8")
    for purpose, needed in PURPOSES.items():
        (line,) = re.findall(rf"\| `{purpose}` \| (.*) \|", text)
        assert tuple(int(number) for number in re.findall(r"\d+", line)) == needed
    assert len(re.findall(r"\| `dpv:", text)) == len(PURPOSES)
