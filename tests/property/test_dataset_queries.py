"""Queries: they read and nothing else, and whatever stops one is a single clear error."""

import os
import socket
import sqlite3
import sys
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from dataset_builder import describe, prepared
from source_builder import COLUMNS, rows_of, source_of

from party.datasets import inspect
from party.datasets.rows import open_source
from party.errors import DatasetError

DATABASES = ("sqlite", "postgresql", "duckdb")
ALL = ", ".join(COLUMNS)
SECRET = "let-the-tests-in"


@pytest.fixture(scope="module", params=DATABASES)
def asked(request, tmp_path_factory):
    """A folder and a source in it, which no test may change."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    folder = tmp_path_factory.mktemp(request.param)
    return folder, source_of(request.param, folder, rows_of(20), server)


def count_of(folder, source):
    """Return how many rows the table has now, asked without this program."""
    query = "SELECT count(*) FROM receipts"
    if "duckdb" in source:
        with duckdb.connect(str(folder / source["duckdb"])) as connection:
            return connection.execute(query).fetchone()[0]
    if "url" in source:
        connection = sqlite3.connect(next(folder.glob("*.db")))
        count = connection.execute(query).fetchone()[0]
        connection.close()
        return count
    engine = sa.create_engine((folder / source["url_file"]).read_text().strip())
    with engine.connect() as connection:
        count = connection.exec_driver_sql(query).scalar_one()
    engine.dispose()
    return count


WRITES = [
    "DELETE FROM receipts",
    "delete from receipts returning *",
    "/* harmless */ -- yes\n ( UPDATE receipts SET email = 'x' RETURNING * )",
    "INSERT INTO receipts (household) VALUES ('x') RETURNING *",
    "CREATE TABLE stolen AS SELECT * FROM receipts",
    "DROP TABLE receipts",
    "WITH gone AS (DELETE FROM receipts RETURNING *) SELECT * FROM gone",
    "WITH gone AS (SELECT 1) DELETE FROM receipts",
    f"SELECT {ALL} FROM receipts; DELETE FROM receipts",
    f"SELECT {ALL} FROM receipts; COMMIT; DELETE FROM receipts",
    "COMMIT; DELETE FROM receipts",
    "PRAGMA query_only = OFF",
    "SET TRANSACTION READ WRITE",
    "ATTACH 'other.db' AS other",
    "EXPLAIN ANALYZE DELETE FROM receipts",
]


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused_and_nothing_changes(asked, query):
    folder, source = asked
    with pytest.raises(DatasetError) as caught:
        prepared(describe(folder, source=source | {"query": query}))
    words = str(caught.value)
    assert any(said in words for said in ("read", "writes", "one SELECT", "does not fit")), words
    assert count_of(folder, source) == 21
    assert {path.name for path in folder.iterdir()} <= {
        "crm-url", "dataset.yaml", "receipts.duckdb", "receipts ?#%20.db",
    }  # fmt: skip


def test_a_function_that_writes_is_refused_by_the_transaction(tmp_path, postgresql):
    source = source_of("postgresql", tmp_path, rows_of(3), postgresql)
    engine = sa.create_engine((tmp_path / "crm-url").read_text().strip())
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION empty_it() RETURNS text LANGUAGE sql AS "
            "'DELETE FROM receipts RETURNING household'"
        )
    engine.dispose()
    for query in (
        f"SELECT {ALL}, empty_it() FROM receipts",
        "SELECT set_config('transaction_read_only', 'off', false)",
    ):
        with pytest.raises(DatasetError, match="the query writes, and a source is only read"):
            prepared(describe(tmp_path, source=source | {"query": query}))
    assert count_of(tmp_path, source) == 4


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (f"SELECT {ALL}, email FROM receipts", "the column 'email' stands twice"),
        ("SELECT household, email, segment FROM receipts", "there is no column 'tel'"),
        (f"SELECT {ALL} FROM receipts WHERE 1 = 0", "has a header and no rows"),
        (f"SELECT {ALL} FROM nowhere", "the query does not fit: .*nowhere"),
        ("SELECT nothing FROM receipts", "the query does not fit: .*nothing"),
        ("SELECT FROM FROM", "the query does not fit"),
        ("SELECT household, 1.5E0 AS email, tel, segment, opt_in FROM receipts",
         "'email': holds floating-point numbers"),
        ("CALL do_it()", "starts with SELECT, .* this one with CALL"),
        ("7", "starts with SELECT"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_serve_says_why(asked, query, says):
    folder, source = asked
    for read in (inspect, prepared):
        if "1.5E0" in query and "url_file" in source:
            query = query.replace("1.5E0", "1.5::float8")
        with pytest.raises(DatasetError, match=says) as caught:
            read(describe(folder, source=source | {"query": query}))
        assert "LINE" not in str(caught.value)


BREAKS = {
    # SQLite's, PostgreSQL's and DuckDB's ways to stumble over a cell in the middle.
    "sqlite": "SELECT {most}, CASE WHEN household = 'h0009' THEN abs(-9223372036854775808) "
    "ELSE opt_in END AS opt_in FROM receipts ORDER BY rowid",
    "postgresql": "SELECT {most}, CASE WHEN household = 'h0009' THEN email::int::text "
    "ELSE opt_in END AS opt_in FROM receipts",
    "duckdb": "SELECT {most}, CASE WHEN household = 'h0009' THEN email::int::text "
    "ELSE opt_in END AS opt_in FROM receipts",
}


def test_a_query_that_dies_halfway_is_one_error_without_a_cell(asked, monkeypatch):
    folder, source = asked
    kind = "duckdb" if "duckdb" in source else "sqlite" if "url" in source else "postgresql"
    monkeypatch.setattr("party.datasets.database.BATCH_ROWS", 4)
    query = BREAKS[kind].format(most=", ".join(COLUMNS[:-1]))
    with pytest.raises(DatasetError, match=r"the query broke off.*nothing of it is kept") as caught:
        prepared(describe(folder, source=source | {"query": query}))
    assert "example.com" not in str(caught.value).lower()
    assert ("after row" in str(caught.value)) == (kind != "duckdb")
    assert caught.value.__cause__ is None


def test_a_server_that_ends_halfway_is_one_error(tmp_path, postgresql, monkeypatch):
    monkeypatch.setattr("party.datasets.database.BATCH_ROWS", 4)
    source = source_of("postgresql", tmp_path, rows_of(20), postgresql)
    query = (
        f"SELECT {ALL} FROM receipts WHERE household < 'h0005' OR "
        "pg_terminate_backend(pg_backend_pid())"
    )
    with pytest.raises(DatasetError, match="the query broke off after row") as caught:
        prepared(describe(tmp_path, source=source | {"query": query}))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("kind", DATABASES)
def test_the_passes_over_a_query_read_the_same_rows(tmp_path, request, kind):
    server = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    source = source_of(kind, tmp_path, rows_of(20), server)
    with open_source(describe(tmp_path, source=source)) as opened:
        before, snapshot = opened.read(["email"])["email"], opened.snapshot()
        if "duckdb" in source:
            with duckdb.connect(str(tmp_path / source["duckdb"])) as connection:
                connection.execute("DELETE FROM receipts")
        elif "url" in source:
            with sqlite3.connect(next(tmp_path.glob("*.db"))) as connection:
                connection.execute("DELETE FROM receipts")
            connection.close()
        else:
            engine = sa.create_engine((tmp_path / "crm-url").read_text().strip())
            with engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM receipts")
            engine.dispose()
        assert opened.read(["email"])["email"].equals(before)
        assert opened.snapshot() == snapshot
    with pytest.raises(DatasetError, match="no rows"):
        prepared(describe(tmp_path, source=source))


def test_the_snapshot_of_a_query_is_that_of_its_rows_however_they_come(
    tmp_path, postgresql, monkeypatch
):
    rows = rows_of(50)
    sources = {kind: source_of(kind, tmp_path, rows, postgresql) for kind in DATABASES}
    digests = set()
    for batch in (3, 16_384):
        for module in ("database", "duckdb_file"):
            monkeypatch.setattr(f"party.datasets.{module}.BATCH_ROWS", batch)
        for source in sources.values():
            with open_source(describe(tmp_path, source=source)) as opened:
                digests.add(opened.files[0].content.digest())
    assert len(digests) == 1


def test_only_declared_columns_of_a_query_are_kept(asked):
    folder, source = asked
    query = f"SELECT {ALL}, 'x' AS notes FROM receipts"
    definition = describe(folder, source=source | {"query": query})
    assert inspect(definition).undeclared == ("notes",)
    with open_source(definition) as opened:
        stored = opened.files[0].content.open().read()
    assert b"household" in stored
    assert b"notes" not in stored


def test_values_of_a_database_are_the_texts_of_an_export(tmp_path, postgresql):
    source = source_of("postgresql", tmp_path, rows_of(1), postgresql)
    query = (
        "SELECT 7 AS household, 'a@example.com' AS email, 2125550100::numeric AS tel, "
        "TIMESTAMPTZ '2026-01-31 10:00+00' AS segment, true AS opt_in "
        "UNION ALL SELECT 8, 'b@example.com', NULL, NULL, false -- 50% of ':all'"
    )
    with open_source(describe(tmp_path, source=source | {"query": query})) as opened:
        read = {name: column.to_pylist() for name, column in opened.read(COLUMNS).items()}
    assert read["household"] == ["7", "8"]
    assert read["tel"] == ["2125550100", None]
    assert read["segment"][0].startswith("2026-01-31 10:00:00+00")
    assert read["opt_in"] == ["true", "false"]


@pytest.mark.parametrize("value", ["'{}'::jsonb", "'a'::bytea", "ARRAY['a']"])
def test_a_value_without_a_text_form_is_named_by_row_and_column(tmp_path, postgresql, value):
    source = source_of("postgresql", tmp_path, rows_of(1), postgresql)
    query = f"SELECT '1' AS household, 'a' AS email, 'b' AS tel, {value} AS segment, 'y' AS opt_in"
    with pytest.raises(DatasetError, match=r"row 1, column 'segment': .* cast it in the query"):
        prepared(describe(tmp_path, source=source | {"query": query}))


def test_a_text_of_sqlite_that_is_not_utf8_is_not_quoted(tmp_path):
    source = source_of("sqlite", tmp_path, rows_of(2))
    with sqlite3.connect(next(tmp_path.glob("*.db"))) as connection:
        connection.execute("UPDATE receipts SET email = CAST(x'6a6f73e9' AS TEXT)")
    connection.close()
    with pytest.raises(DatasetError, match="is not UTF-8") as caught:
        prepared(describe(tmp_path, source=source))
    assert "jos" not in str(caught.value)


# -- where the database is -------------------------------------------------------------------


def url_in_file(folder, url, mode=0o600):
    path = folder / "crm-url"
    path.unlink(missing_ok=True)
    path.touch()
    path.write_text(url, encoding="utf-8")
    path.chmod(mode)
    return {"url_file": "crm-url", "query": "SELECT 1"}


def refused(folder, source, says):
    with pytest.raises(DatasetError, match=says) as caught:
        prepared(describe(folder, source=source))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_wrong_password_is_not_repeated(tmp_path, postgresql):
    source = url_in_file(tmp_path, postgresql.url(password=f"{SECRET}-not"))
    refused(tmp_path, source, "refuses the user or the password")


def test_a_database_or_server_that_is_not_there_is_named(tmp_path, postgresql):
    refused(tmp_path, url_in_file(tmp_path, postgresql.url("nowhere")), "no such database or user")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        url = f"postgresql+psycopg://u:{SECRET}@127.0.0.1:{port}/crm"
        said = refused(tmp_path, url_in_file(tmp_path, url), "cannot be reached; look at host")
    assert f"PostgreSQL database crm at 127.0.0.1:{port}" in said


def test_a_user_without_the_right_to_read_is_told(tmp_path, postgresql):
    url = postgresql.new_database()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE receipts (email text)")
        connection.exec_driver_sql("DROP ROLE IF EXISTS nobody_here")
        connection.exec_driver_sql(f"CREATE ROLE nobody_here LOGIN PASSWORD '{SECRET}'")
    engine.dispose()
    database = sa.make_url(url).database
    source = url_in_file(tmp_path, postgresql.url(database, user="nobody_here"))
    refused(tmp_path, source | {"query": "SELECT * FROM receipts"}, "grant SELECT")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"mysql://u:{SECRET}@h/d", "run on postgresql and sqlite, not on mysql"),
        (f"not a url {SECRET}", "is not a database's URL"),
        (f"postgresql://u:{SECRET}@h:port/d", "is not a database's URL"),
        (f"postgresql+nosuch://u:{SECRET}@h/d", "no driver 'postgresql[+]nosuch'"),
        ("", "is not a database's URL"),
        ("sqlite:///nowhere.db", r"nowhere\.db: there is no SQLite file"),
        ("sqlite://", "there is no SQLite file"),
    ],
)
def test_a_url_that_cannot_serve_is_refused_and_not_repeated(tmp_path, url, says):
    refused(tmp_path, url_in_file(tmp_path, url), says)


def test_a_file_of_a_url_that_others_can_read_is_refused(tmp_path):
    refused(tmp_path, url_in_file(tmp_path, "sqlite:///x.db", 0o640), "with mode 0600")
    (tmp_path / "crm-url").unlink()
    refused(tmp_path, {"url_file": "crm-url", "query": "SELECT 1"}, "must be there")


def test_a_url_comes_from_the_environment(tmp_path, postgresql, monkeypatch):
    source_of("postgresql", tmp_path, rows_of(5), postgresql)
    source = {"url_env": "CRM_URL", "query": "SELECT * FROM receipts"}
    monkeypatch.delenv("CRM_URL", raising=False)
    refused(tmp_path, source, "the environment variable CRM_URL is not set")
    monkeypatch.setitem(os.environ, "CRM_URL", (tmp_path / "crm-url").read_text())
    report = inspect(describe(tmp_path, source=source))
    assert report.rows == 6
    assert SECRET not in str(report.to_dict())


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.db").write_bytes(b"household,email\n" * 99)
    query = "SELECT * FROM receipts"
    refused(tmp_path, {"url": "sqlite:///x.db", "query": query}, "is not an SQLite file")
    refused(tmp_path, {"duckdb": "x.db", "query": query}, "is not a DuckDB file")
    refused(tmp_path, {"duckdb": "y.db", "query": query}, "there is no DuckDB file")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM rows",
        "SELECT * FROM glob('/*')",
        "FROM sqlite_scan('{secret}', 'receipts')",
    ],
)
def test_a_duckdb_query_sees_nothing_but_its_file(tmp_path, query):
    source = source_of("duckdb", tmp_path, rows_of(3))
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    query = query.format(secret=tmp_path / "secret.csv")
    refused(tmp_path, source | {"query": query}, "reaches for other files|does not fit|broke off")


def test_without_duckdb_the_error_says_what_to_install(tmp_path, monkeypatch):
    source = source_of("duckdb", tmp_path, rows_of(3))
    monkeypatch.setitem(sys.modules, "duckdb", None)
    refused(tmp_path, source, "with the extra `duckdb`")


def test_the_database_file_is_left_as_it_was(tmp_path):
    for kind in ("sqlite", "duckdb"):
        source = source_of(kind, tmp_path / kind, rows_of(9))
        before = {path: path.read_bytes() for path in Path(tmp_path / kind).iterdir()}
        prepared(describe(tmp_path / kind, source=source))
        (tmp_path / kind / "dataset.yaml").unlink()
        assert {path: path.read_bytes() for path in Path(tmp_path / kind).iterdir()} == before
