"""Labels by SQL expression: equal to pandas where honest, refused where hostile."""

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import describe, prepared, row, steps_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

import party.datasets.expression_engine as engine
from client.output import as_text
from client.render_dataset import quality_shown
from party.datasets import Definition, inspect
from party.datasets.coded import CodedColumn
from party.datasets.expression import ExpressionLabel
from party.datasets.expression_engine import check, compute
from party.datasets.expression_tree import FUNCTIONS, NotAllowed
from party.errors import DatasetError

WORLDS = settings(max_examples=15, deadline=None)
PEOPLE = 3
TEXT = st.sampled_from(["Süd", "süd", "nord", "北", "'", 'a"b', "n/a", " nord ", "", None])
DAY = st.dates(date(2023, 12, 30), date(2024, 3, 2)).map(str) | st.sampled_from(["", None])
PRICE = st.decimals(-10, 10, places=2).map(str) | st.sampled_from(["", None])
ROWS = st.lists(st.tuples(st.integers(-1, PEOPLE - 1), TEXT, DAY, PRICE), max_size=8)


checked = lru_cache(check)


def assigned(expression, values, rows, names=("region", "day", "price")):
    """Return each person's label value, who conflicts and where it fails."""
    columns = {
        name: CodedColumn.of(
            pa.array([one[at + 1] for one in rows], pa.large_string()).dictionary_encode()
        )
        for at, name in enumerate(names)
    }
    person = np.array([one[0] for one in rows], dtype=np.int64)
    label = ExpressionLabel(checked(expression), values)
    found = label.assign(columns, person, PEOPLE)
    given = [None if at < 0 else label.values[at] for at in found.positions]
    return given, found.conflicting.tolist(), found.outside.tolist()


def by_pandas(of_row, rows):
    """Return the same of a function that gives a row's value, None for none."""
    frame = pd.DataFrame(rows, columns=["person", "region", "day", "price"])
    said = [set() for _ in range(PEOPLE)]
    for one in frame.itertuples():
        texts = [None if pd.isna(t) or not t.strip() else t.strip() for t in one[2:]]
        value = of_row(*texts)
        if one.person >= 0 and value is not None:
            said[one.person].add(value)
    return [next(iter(s)) if len(s) == 1 else None for s in said], [len(s) > 1 for s in said]


def lower(region, day, price):
    return None if region is None else ("S" if region.lower() == "süd" else "other")


def february(region, day, price):
    if day is None:
        return None
    found = date.fromisoformat(day)
    late = found + timedelta(days=1) > date(2024, 2, 28)
    return "late" if late else f"{found.month}"


def dear(region, day, price):
    if price is None or region is None:
        return None
    return "yes" if Decimal(price) * 3 >= Decimal("9.99") and region != "nord" else "no"


def in_three(region, day, price):
    """SQL's logic of three values: false wins over nothing."""
    parts = [None if region is None else region == "nord", None if day is None else day > "2024"]
    if False in parts:
        return "no"
    return None if None in parts else "yes"


@WORLDS
@given(ROWS)
@pytest.mark.parametrize(
    ("expression", "values", "of_row"),
    [
        ("CASE WHEN lower(region) = 'süd' THEN 'S' WHEN region IS NOT NULL THEN 'other' END",
         ("S", "other"), lower),
        ("CASE WHEN CAST(day AS DATE) + 1 > DATE '2024-02-28' THEN 'late'\n"
         "ELSE CAST(month(day::DATE) AS VARCHAR) END -- by month",
         ("late", "12", "1", "2", "3"), february),
        ("price::DECIMAL(8,2) * 3 >= 9.99 AND region <> 'nord'", ("yes", "no"),
         lambda *texts: dear(*texts) if texts[0] and texts[2] else dear_of_nothing(*texts)),
        ("region = 'nord' AND day > '2024'", ("yes", "no"), in_three),
        ("region", ("Süd", "北", "'", 'a"b', "n/a", "nord", "süd"), lambda region, *_: region),
    ],
)  # fmt: skip
def test_an_honest_expression_gives_what_pandas_gives(expression, values, of_row, rows):
    found, conflicting, failing = assigned(expression, values, rows)
    wanted, conflicts = by_pandas(of_row, rows)
    assert (found, conflicting) == (wanted, conflicts)
    assert not any(failing)


def dear_of_nothing(region, day, price):
    parts = [
        None if price is None else Decimal(price) * 3 >= Decimal("9.99"),
        None if region is None else region != "nord",
    ]
    return "no" if False in parts else None


def test_a_truth_value_with_one_name_labels_those_of_whom_it_is_true():
    rows = [(0, "a", None, None), (1, "b", None, None), (2, "a", None, None), (2, "b", None, None)]
    found, conflicting, _ = assigned("region = 'a'", ("loyal",), rows)
    assert (found, conflicting) == (["loyal", None, None], [False, False, True])


def test_a_million_rows_keep_their_order():
    texts = [str(number) for number in range(200_000)]
    table = pa.table({"a": pa.array(texts, pa.large_string())})
    found = compute(check("CAST(a AS INTEGER) % 7 = 0"), table).field("found").to_pylist()
    assert found == [number % 7 == 0 for number in range(200_000)]


HOSTILE = {
    "(SELECT count(*) FROM read_csv('/etc/passwd')) > 1": "a SELECT inside",
    "region IN (SELECT 'a')": "a SELECT inside",
    "EXISTS (FROM 'x.parquet')": "a SELECT inside",
    "region = ANY(['a'])": "a SELECT inside",
    "read_text('/etc/passwd') = region": "the function 'read_text' is not allowed",
    "getenv('HOME') = region": "the function 'getenv'",
    "current_setting('home_directory') = region": "the function 'current_setting'",
    "random() > 0.5 OR region = 'a'": "the function 'random'",
    "now() > day::TIMESTAMP": "the function 'now'",
    "day::DATE = current_date": "declare it under columns",
    "day::DATE = today()": "the function 'today'",
    "age(day::TIMESTAMP) > 3": "the function 'age'",
    "uuid() = region": "the function 'uuid'",
    "nextval('s') = 1 OR region = 'a'": "the function 'nextval'",
    "region = repeat('a', 10000000000)": "the function 'repeat'",
    "lpad(region, 2000000000, 'x') = 'y'": "the function 'lpad'",
    "replace(replace(region, 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa') = 'y'": "the function 'replace'",
    "printf('%1000000000d', 1) = region": "the function 'printf'",
    "len(range(10000000000)) > 1 OR region = 'a'": "the function 'len'",
    "list_transform([region], x -> x) = ['a']": "the function 'list_value'",
    "region IN ['a']": "the function 'contains'|not allowed",
    "count(*) > 1": "the function 'count_star'",
    "max(region) = 'a'": "the function 'max'",
    "row_number() OVER () > 1": r"a window \(OVER\)",
    "region = ?": "or it has a parameter",
    "region = $other": "or it has a parameter",
    "COLUMNS('.*') = 'a'": "COLUMNS is not allowed",
    "region COLLATE NOCASE = 'a'": "COLLATE is not allowed",
    "#1 = 'a'": "its number",
    "rows.region = 'a'": "without a table",
    "main.lower(region) = 'a'": "without a schema",
    "lower(DISTINCT region) = 'a'": "not allowed, such as DISTINCT",
    "lower(col := region) = 'a'": "such as DISTINCT or a name",
    "struct_pack(a := region).a = 'a'": "not allowed",
    "region[1] = 'a'": r"with \[ \] is not allowed",
    "region::BLOB = 'a'": "a cast goes to",
    "day::TIMESTAMPTZ > '2024-01-01'": "a cast goes to",
    "region::main.VARCHAR = 'a'": "a cast goes to",
    "regexp_matches(region, day)": "the pattern of regexp_matches",
    "regexp_replace(region, '.', '\\0\\0', 'g') = 'a'": "the function 'regexp_replace'",
    "1 = 1": "reads no column",
    "region = 'a')}) FROM rows, read_csv('/etc/passwd') --": "not SQL",
    "region = 'a')}) FROM rows, read_csv('/etc/passwd') WHERE ({'found': (true": "not SQL",
    "region = 'a'), 'more': (1": "not SQL|ends early",
    "region = 'a')}), TRY({'found': (true": "ends early",
    "region = 'a')}) FROM rows; COPY (SELECT 1) TO '/tmp/x' --": "not SQL|ends early",
    "region = 'a')}) FROM rows; SELECT TRY({'found': (true": "ends early",
    "region = 'a')}) FROM rows UNION SELECT TRY({'found': (true": "ends early",
    "region = 'a')}) FROM (SELECT 1 AS region) rows WHERE ((true": "not SQL|ends early",
    "true)}) FROM rows WITH x AS (SELECT 1": "not SQL|ends early",
    "COPY rows TO '/tmp/x'": "not SQL",
    "ATTACH '/tmp/x.db'": "a cast goes to",
    "PRAGMA database_list": "not SQL",
    "SET threads = 4": "not SQL",
    "INSTALL httpfs": "not SQL",
    "CREATE MACRO f(x) AS x": "not SQL",
    "/* never ended": "not SQL",
    "'never ended": "not SQL",
    "(" * 1500 + "region" + ")" * 1500: "Max expression depth|simpler",
    "NOT " * 60 + "region = 'a'": "nested deeper than 50",
    "region = 'a' OR " * 240 + "region = 'a'": "more than 500 parts",
    "length(region)": "it gives BIGINT",
    "CAST(price AS DATE)": "it gives DATE",
    "lower(region, 2) = 'a'": "it does not fit",
    "region > 5 AND regio = 'a'": "declare it under columns|does not fit",
    "Region = 'a'": "write it as there: .*region",
    "region = 'a' AND REGION = 'b'": "two letter cases",
    "email = 'a@example.com'": "declared as id.email",
    "opt_in = 'yes'": "declared as consent",
    "undeclared = 'a'": "no declared column",
    "x" * 4001: "1 to 4000 characters",
}  # fmt: skip
COLUMNS = {
    "email": "id.email",
    "opt_in": "consent",
    "region": "attribute",
    "day": "event_time",
    "price": "value",
}


def declared(expression, values=("yes",)):
    return {"x": {"expression": expression, "values": list(values)}}


class Reader:
    """A connection that takes a query apart and says its types; rows cannot be had from it."""

    def __init__(self, connection):
        self._connection, self.close = connection, connection.close

    def execute(self, query, parameters):
        assert query == "SELECT json_serialize_sql($1)"
        return self._connection.execute(query, parameters)

    def sql(self, query):
        return SimpleNamespace(types=self._connection.sql(query).types)


@pytest.mark.parametrize("expression", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_expression_is_refused_unrun_when_the_description_is_read(
    tmp_path, monkeypatch, expression
):
    connect = engine._connect
    monkeypatch.setattr(engine, "_connect", lambda table: Reader(connect(table)))
    with pytest.raises(DatasetError, match=HOSTILE[expression]) as refused:
        describe(tmp_path, columns=COLUMNS, labels=declared(expression))
    assert "labels" in str(refused.value)


def test_every_allowed_function_depends_on_its_arguments_alone():
    """A macro or a volatile function under a listed name would be one by another name."""
    with duckdb.connect() as connection:
        known = connection.execute(
            "SELECT function_name, function_type, stability, database_name FROM duckdb_functions()"
        ).fetchall()
    for name in FUNCTIONS:
        found = {tuple(one[1:]) for one in known if one[0] == name}
        assert found, name
        assert {kind for kind, _, _ in found} <= {"scalar", "macro"}, name
        assert {stable for _, stable, _ in found} <= {"CONSISTENT", None}, name
    macros = {one[0] for one in known if one[1] == "macro"} & FUNCTIONS
    assert macros <= {"if", "nullif"}


def test_the_engine_is_shut_off_though_an_expression_had_passed(tmp_path, monkeypatch):
    """The second wall: what the allow-list would let through by a fault still reaches nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    monkeypatch.setenv("SECRET_OF_A_TEST", "secret")
    table = pa.table({"region": pa.array(["a"], pa.large_string())})
    with engine._connect(table) as connection:
        for query in (
            f"SELECT * FROM read_text('{secret}')",
            f"SELECT * FROM '{secret}'",
            f"COPY rows TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "RESET lock_configuration",
            "SELECT * FROM table",
            "SELECT * FROM secret",
            "SELECT getenv('SECRET_OF_A_TEST')",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


def test_what_is_stored_is_checked_again_before_it_runs():
    good = check("region = 'a'")
    table = pa.table({"region": pa.array(["a"], pa.large_string())})
    forged = engine.Checked("random() > 2 OR region = 'a'", good.columns, 1, "BOOLEAN")
    with pytest.raises(NotAllowed, match="random"):
        compute(forged, table)


def test_an_expression_that_takes_too_long_is_stopped():
    texts = pa.array([f"{'a' * 3000}{number}" for number in range(50_000)], pa.large_string())
    slow = check(" OR ".join(f"regexp_matches(a, '(a|b|ab)*{number}x')" for number in range(40)))
    with pytest.raises(DatasetError, match=r"more than 0\.3 seconds and was stopped"):
        compute(slow, pa.table({"a": texts}), seconds=0.3)


def test_texts_that_would_fill_the_memory_are_refused_before_it_runs():
    long = check(" || ".join(["a"] * 40) + " = 'x'")
    table = pa.table({"a": pa.array(["x" * 20_000], pa.large_string())})
    with pytest.raises(DatasetError, match="names columns 40 times, and a text in them is too"):
        compute(long, table)


AGED = {"adult": {"expression": "CAST(age AS INTEGER) >= 18", "values": ["adult", "minor"]}}
AGED_COLUMNS = COLUMNS | {"age": "value"}


def aged(person, age, **more):
    return row(person, f"{person}@example.com", age=age, region="a", day=None, price=None, **more)


PERSONS = (
    aged("1", "17"), aged("2", "18"), aged("3", "secret-word"), aged("4", "2026-01-31"),
    aged("5", None), aged("6", "30"), aged("6", "10"), aged("7", "other-word"),
    aged("8", "not-consented", opt_in="no"),
)  # fmt: skip


class TestInADataset:
    def test_rows_that_fail_give_no_label_and_are_a_step(self, tmp_path):
        definition = write(tmp_path, PERSONS, columns=AGED_COLUMNS, labels=AGED)
        result = prepared(definition, label="adult", values=["adult", "minor"])
        names = result.person_refs.to_pylist()
        labels = zip(result.persons, result.labels, strict=True)
        assert {names[person]: int(label) for person, label in labels} == {"1": 1, "2": 0}
        steps = steps_of(result)
        assert steps["people whose rows agree on the label"] == (7, 6)
        name = "people on whose rows the expression works, with their values in a range"
        assert steps[name] == (6, 3)
        assert steps["people with a requested label"] == (3, 2)

    def test_the_quality_report_says_what_kind_of_rows_fail_and_shows_no_value(self, tmp_path):
        report = inspect(write(tmp_path, PERSONS, columns=AGED_COLUMNS, labels=AGED))
        (label,) = report.labels
        assert label.people == {"adult": 1, "minor": 1}
        assert (label.outside, label.conflicting) == (4, 1)
        assert label.failing == {"age is another text": 3, "age is a time": 1}
        shown = as_text(*quality_shown(report.to_dict()))
        assert re.search(r"rows where age is another text\W+3\b", shown)
        assert "word" not in shown
        assert "consented" not in shown

    def test_it_combines_with_other_labels(self, tmp_path):
        labels = AGED | {"both": {"all_of": ["adult", "place"]}}
        labels["place"] = {"column": "region", "values": ["a"]}
        definition = write(tmp_path, PERSONS, columns=AGED_COLUMNS, labels=labels)
        assert Definition.from_dict(definition.to_dict()) == definition
        result = prepared(definition, label="both", values=["adult × a"])
        assert result.person_refs.to_pylist() == ["2"]

    @pytest.mark.parametrize(
        ("label", "says"),
        [
            ({"expression": "region = 'a'"}, "values: is missing"),
            ({"expression": "region = 'a'", "values": ["a", "b", "c"]}, "two at most"),
            ({"expression": 5, "values": ["a"]}, "put it in quotes"),
            ({"expression": "region = 'a'", "column": "region", "values": ["a"]}, "exactly one of"),
        ],
    )
    def test_a_label_that_says_too_little_or_too_much_is_refused(self, tmp_path, label, says):
        with pytest.raises(DatasetError, match=says):
            describe(tmp_path, columns=COLUMNS, labels={"x": label})

    def test_without_duckdb_the_error_says_what_to_install(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
        with pytest.raises(DatasetError, match="extra `duckdb`"):
            describe(tmp_path, columns=COLUMNS, labels=declared("region = 'a'"))
