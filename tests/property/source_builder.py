"""The same rows in every kind of source."""

import sqlite3
from urllib.parse import quote

import duckdb
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import sqlalchemy as sa
from dataset_builder import describe, row, write

COLUMNS = ("household", "email", "tel", "segment", "opt_in")
QUERY = "SELECT * FROM receipts"


def rows_of(count):
    """Return rows with gaps, repeats, and texts that need care."""
    made = [
        row(
            f"h{number // 2:04d}",
            None if number % 5 == 0 else f"Person{number}@Example.com",
            None if number % 3 == 0 else f"(212) 555-{number:04d}",
            ["gold", "silver", "new", None][number % 4],
            ["yes", "no", "yes", "yes"][number % 4],
        )
        for number in range(count)
    ]
    return [*made, row("h'\";%x –é\n", "quote@example.com", segment="gold")]


def source_of(kind, folder, rows, postgresql=None):
    """Put rows into a kind of source under `folder`; return what stands under `source`."""
    folder.mkdir(exist_ok=True)
    return _KINDS[kind](folder, pd.DataFrame(rows, columns=list(COLUMNS)), postgresql)


def described(kind, folder, rows, postgresql=None):
    return describe(folder, source=source_of(kind, folder, rows, postgresql))


def _file(suffix):
    def make(folder, frame, _):
        write(folder, frame, name=f"receipts{suffix}")
        return f"receipts{suffix}"

    return make


def _feather(folder, frame, _):
    feather.write_feather(pa.Table.from_pandas(frame), folder / "receipts.feather", "lz4")
    return "receipts.feather"


def _arrow_stream(folder, frame, _):
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(folder / "receipts.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return "receipts.arrow"


def _sqlite(folder, frame, _):
    with sqlite3.connect(folder / "receipts ?#%20.db") as connection:
        frame.to_sql("receipts", connection, index=False)
    connection.close()
    return {"url": f"sqlite:///{quote('receipts ?#%20.db')}", "query": QUERY}


def _postgresql(folder, frame, server):
    url = server.new_database()
    engine = sa.create_engine(url)
    frame.to_sql("receipts", engine, index=False)
    engine.dispose()
    secret = folder / "crm-url"
    secret.touch(mode=0o600)
    secret.write_text(url + "\n", encoding="utf-8")
    return {"url_file": "crm-url", "query": QUERY}


def _duckdb(folder, frame, _):
    with duckdb.connect(str(folder / "receipts.duckdb")) as connection:
        connection.register("given", pa.Table.from_pandas(frame))
        connection.execute("CREATE TABLE receipts AS SELECT * FROM given")
    return {"duckdb": "receipts.duckdb", "query": QUERY}


def _memory(folder, frame, _):
    url = f"memory://{folder.name}-{id(frame)}"
    with fsspec.open(f"{url}/b.parquet", "wb") as file:
        frame[len(frame) // 2 :].to_parquet(file, index=False)
    with fsspec.open(f"{url}/a.csv", "wb") as file:
        frame[: len(frame) // 2].to_csv(file, index=False)
    return f"{url}/*.*"


def _local_url(folder, frame, _):
    (folder / "in").mkdir()
    write(folder, frame, name="in/receipts.csv")
    return f"file://{folder}/in"


_KINDS = {
    "csv": _file(".csv"),
    "parquet": _file(".parquet"),
    "feather": _feather,
    "arrow": _arrow_stream,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "duckdb": _duckdb,
    "memory": _memory,
    "file": _local_url,
}
KINDS = tuple(_KINDS)
