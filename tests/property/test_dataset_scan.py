"""The scan names columns that hold raw personal data, whatever else is in them, and no others."""

import random
import re
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.definition import read_definition
from party.datasets.national_ids import NATIONAL_IDS, bare, luhn
from party.datasets.scan import Scan
from party.diagnosis import check_dataset
from party.errors import DatasetError

PUBLISHED = {  # examples that issuers and standards print
    "CN": ["11010519491231002X"], "TW": ["A123456789"], "HK": ["A123456(3)", "G123456(A)"],
    "SG": ["S1234567D", "G1234567X"], "KR": ["820701-2409184"], "JP": ["1234 5678 9018"],
    "IN": ["2341 2341 2346"], "IT": ["RSSMRA85T10A562S"], "ES": ["12345678Z", "X1234567L"],
    "FR": ["2 95 10 99 126 111 93"], "DE": ["86095742719", "36574261809"], "PL": ["44051401359"],
    "BR": ["111.444.777-35"], "NL": ["111222333"], "BE": ["85.07.30-033.28"],
    "CH": ["756.9217.0769.85"], "SE": ["640823-3234", "19811218-9876"], "US": ["078-05-1120"],
    "GB": ["AB123456C"],
}  # fmt: skip
CHECKED_BY_NOTHING = {"KR", "US", "GB"}
PERSONAL = {
    "e-mail address": ["anna@example.com", "to 王@例子.公司.cn, or b.c+d@mail.example"],
    "telephone number": ["+49 30 901820", "call +86 138 0013 8000 first", "+1 (202) 456-1111"],
    "payment card number": ["4111 1111 1111 1111", "5500005555555559", "371449635398431",
                            "card 6011-1111-1111-1117 given"],
    "bank account number (IBAN)": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"],
}  # fmt: skip
HARMLESS = [
    "gold", "2026-03-01T10:00:00Z", "banner@2x.png", "@handle", "GB-1234", "1,234,567.89",
    "10.0.0.1", "550e8400-e29b-41d4-a716-446655440000", "C8 × red", "9f86d081884c7d65",
]  # fmt: skip


def kinds_in(texts, name="x", regions=()):
    scan = Scan({}, regions=regions)
    array = pa.array(texts)
    size = max(7, len(array) // 3)
    for start in range(0, len(array), size):
        scan.look(name, array.slice(start, size))
    return [one.kind for one in scan.found()]


@pytest.mark.parametrize("kind", PERSONAL)
@given(data=st.data())
@settings(max_examples=15)
def test_one_value_among_harmless_ones_is_found_wherever_it_stands(kind, data):
    texts = data.draw(st.lists(st.sampled_from([*HARMLESS, None, ""]), max_size=40))
    personal = data.draw(st.sampled_from(PERSONAL[kind]))
    texts.insert(data.draw(st.integers(0, len(texts))), personal)
    assert kind in kinds_in(texts)


@given(st.lists(st.sampled_from([*HARMLESS, None, ""]), max_size=60))
@settings(max_examples=25)
def test_nothing_is_found_in_what_is_harmless(texts):
    assert kinds_in(texts) == []


@pytest.mark.parametrize("digits", range(6, 20))
def test_numbers_that_mean_nothing_are_not_taken_for_ids_or_cards(digits):
    draw = random.Random(digits)
    numbers = [str(draw.randrange(10 ** (digits - 1), 10**digits)) for _ in range(3000)]
    assert kinds_in(numbers) == []
    assert kinds_in([f"{number:0{digits}d}" for number in range(90_000, 93_000)]) == []


def test_moments_are_not_taken_for_ids():
    assert kinds_in([str(1_700_000_000_000 + step * 977) for step in range(3000)]) == []
    assert kinds_in([f"2026{m:02d}{d:02d}{s:06d}" for m in (1, 7) for d in (1, 9)
                     for s in range(500)]) == []  # fmt: skip


@pytest.mark.parametrize("kind", NATIONAL_IDS, ids=lambda kind: kind.country)
def test_the_published_examples_pass_and_a_wrong_check_digit_does_not(kind):
    for text in PUBLISHED[kind.country]:
        assert re.fullmatch(kind.written, text)
        assert kind.check(bare(text))
        assert any(kind.country in one for one in kinds_in([text] * 3))
        if kind.country not in CHECKED_BY_NOTHING:
            place = max(at for at, one in enumerate(bare(text)) if one.isdigit())
            changed = bare(text)
            other = str((int(changed[place]) + 1) % 10)
            assert not kind.check(changed[:place] + other + changed[place + 1 :])


@given(st.integers(0, 10**18), st.integers(0, 18), st.integers(1, 9))
def test_the_check_digit_of_cards_catches_every_single_wrong_digit(number, place, by):
    digits = next(f"{number}{check}" for check in range(10) if luhn(f"{number}{check}"))
    place %= len(digits)
    wrong = str((int(digits[place]) + by) % 10)
    assert not luhn(digits[:place] + wrong + digits[place + 1 :])


def test_national_numbers_are_phones_where_the_column_or_the_declared_region_says_so():
    berlin = ["030 901820", "0301234567", "030/2345678"]
    assert kinds_in(berlin) == []
    assert kinds_in(berlin, name="tel") == ["telephone number"]
    assert kinds_in(berlin, regions=("DE",)) == ["telephone number"]
    assert kinds_in(["13800138000", "13912345678", "15012345678"]) == ["telephone number"]


# -- in datasets --------------------------------------------------------------------------------

NOTES = ["paid by 4111 1111 1111 1111", "none", "none"]


def described(folder, source, **sections):
    document = {
        "dataset": "crm",
        "source": source,
        "columns": {"email": "id.email", "segment": "attribute", "ok": "consent"},
        "consent": {"column": "ok", "given": ["yes"], "purposes": ["dpv:MarketResearch"],
                    "recipients": ["channel"]},
        **sections,
    }  # fmt: skip
    return read_definition(document, folder, "the description")


def table(**columns):
    emails = [f"p{i}@example.com" for i in range(3)]
    named = {"email": emails, "segment": ["gold"] * 3, "ok": ["yes"] * 3, **columns}
    return pa.table(named)


def personal(definition):
    found = inspect(definition).personal
    return [(one.column, one.kind, one.declared) for one in found]


@pytest.fixture
def source(tmp_path):
    pq.write_table(table(notes=NOTES), tmp_path / "crm.parquet")
    return tmp_path


def test_an_undeclared_column_is_named_and_its_values_are_not(source):
    definition = described(source, "crm.parquet")
    assert personal(definition) == [("notes", "payment card number", None)]
    (one,) = inspect(definition).personal
    assert not re.search(r"\d{4}", one.problem)
    (finding, *_) = check_dataset(definition).findings
    assert (finding.subject, finding.level) == ("notes", "correct")
    assert "4111" not in str(finding.to_dict())


def test_a_column_that_is_dropped_or_judged_is_left_alone(source):
    for key in ("dropped", "not_personal"):
        assert personal(described(source, "crm.parquet", scan={key: ["notes"]})) == []


def test_a_column_that_is_declared_as_something_else_is_named_too(tmp_path):
    pq.write_table(table(segment=["a@x.de", "b@x.de", "c@x.de"]), tmp_path / "crm.parquet")
    definition = described(tmp_path, "crm.parquet")
    assert personal(definition) == [("segment", "e-mail address", "attribute")]


def test_times_and_amounts_are_no_numbers_of_people(tmp_path):
    moments = pa.array([1_509_364_800, 1_509_451_200, 1_509_537_600])
    columns = {"seen": moments, "paid": ["13812345678"] * 3, "day": moments.cast(pa.timestamp("s"))}
    pq.write_table(table(**columns), tmp_path / "crm.parquet")
    definition = described(tmp_path, "crm.parquet", columns={
        "email": "id.email", "ok": "consent", "seen": "event_time", "paid": "value",
    })  # fmt: skip
    assert personal(definition) == []
    pq.write_table(table(**columns | {"seen": ["p@x.de"] * 3}), tmp_path / "crm.parquet")
    assert personal(definition) == [("seen", "e-mail address", "event_time")]


def test_what_a_query_answers_beside_the_declared_columns_is_looked_at_and_not_copied(tmp_path):
    with sqlite3.connect(tmp_path / "crm.db") as database:
        table(notes=NOTES).to_pandas().to_sql("crm", database, index=False)
    queried = {"url": "sqlite:///crm.db", "query": "SELECT * FROM crm"}
    definition = described(tmp_path, queried)
    assert personal(definition) == [("notes", "payment card number", None)]
    named = {"url": "sqlite:///crm.db", "query": "SELECT email, segment, ok FROM crm"}
    assert inspect(definition).snapshot != b""
    assert personal(described(tmp_path, named)) == []


def test_a_query_to_duckdb_is_looked_at_in_the_same_way(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    notes = table(notes=NOTES)
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as database:
        database.execute("CREATE TABLE crm AS SELECT * FROM notes")
    del notes
    definition = described(tmp_path, {"duckdb": "crm.duckdb", "query": "SELECT * FROM crm"})
    assert personal(definition) == [("notes", "payment card number", None)]


def test_columns_that_nobody_reads_need_not_be_utf8_nor_have_a_text_form(tmp_path):
    (tmp_path / "crm.csv").write_bytes(
        b"email,segment,ok,notes\n" + b"".join(
            b"p%d@example.com,gold,yes,M\xfcller p%d@mail.example\n" % (i, i) for i in range(3)
        )
    )  # fmt: skip
    definition = described(tmp_path, "crm.csv")
    assert personal(definition) == [("notes", "e-mail address", None)]
    pq.write_table(table(basket=[[1], [2], [3]]), tmp_path / "crm.parquet")
    report = inspect(described(tmp_path, "crm.parquet"))
    assert (report.personal, report.not_looked_at) == ((), ("basket",))


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"dropped": ["segment"]}, "'segment' is read"),
        ({"dropped": ["notes"], "not_personal": ["notes"]}, "both dropped and not_personal"),
        ({"droped": ["notes"]}, "unknown key"),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(source, section, problem):
    with pytest.raises(DatasetError, match=problem):
        described(source, "crm.parquet", scan=section)


def test_a_column_that_is_not_there_cannot_be_dropped(source):
    with pytest.raises(DatasetError, match="the source has no column 'tel'"):
        inspect(described(source, "crm.parquet", scan={"dropped": ["tel"]}))
