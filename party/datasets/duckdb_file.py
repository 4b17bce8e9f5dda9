"""A query to a DuckDB file, which is opened for reading and shut off from everything else.

The query sees no other file, no network, no extension that is not there, and no variable of this
program; it cannot undo that. DuckDB's messages are passed on only where they speak of the query.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from party.datasets.origin import DuckDBQuery
from party.datasets.query_text import require_reading
from party.datasets.spill import Watch, spill
from party.datasets.table_file import TableFile, as_text, require_columns, require_once
from party.datasets.table_forms import BATCH_ROWS, header_of
from party.errors import DatasetError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_WITHOUT_EXTENSIONS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
_SHUT_OFF: Final = "SET enable_external_access = false; SET lock_configuration = true"
_DUCKDBS_OWN: Final = ("memory", "system", "temp")


def open_duckdb(
    folder: Path,
    origin: DuckDBQuery,
    required: Sequence[str],
    exact: Sequence[str],
    watch: Watch | None = None,
) -> TableFile:
    """Run the query and return its rows as a private table of the `required` columns.

    `watch` is shown the others as they pass; they are not kept.

    Raises `DatasetError` when DuckDB or the file is missing, the query does more than read one
    answer, a column is missing or stands twice, or the answer breaks off.
    """
    path = folder / origin.file
    name = f"query to {path}"
    require_reading(name, origin.query)
    with closing(_connect(path)) as connection:
        return _run(name, connection, origin.query, required, exact, watch)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError:
        raise DatasetError(
            f"{path}: reading DuckDB files needs DuckDB: install "
            "commonground with the extra `duckdb`"
        ) from None
    if not path.is_file():
        raise DatasetError(
            f"{path}: there is no DuckDB file; the path is relative to the description"
        )
    # In an instance of its own: DuckDB shares one that opens a file between all who open it here.
    connection = duckdb.connect(":memory:", config=_WITHOUT_EXTENSIONS)
    try:
        _attach(connection, path)
        connection.execute(_SHUT_OFF)
    except duckdb.Error as error:
        connection.close()
        in_use = "lock" in str(error)
        raise DatasetError(
            f"{path}: " + ("another program writes to it; wait for it" if in_use else "is not a "
            "DuckDB file of a version that this DuckDB reads, or is damaged")
        ) from None  # fmt: skip
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Open the file for reading, under the name that DuckDB itself would give it."""
    name = path.stem if path.stem not in _DUCKDBS_OWN else "source"
    quoted_name = '"' + name.replace('"', '""') + '"'
    quoted_path = "'" + str(path.absolute()).replace("'", "''") + "'"
    connection.execute(f"ATTACH {quoted_path} AS {quoted_name} (TYPE duckdb, READ_ONLY)")
    connection.execute(f"USE {quoted_name}")


def _run(
    name: str,
    connection: duckdb.DuckDBPyConnection,
    query: str,
    required: Sequence[str],
    exact: Sequence[str],
    watch: Watch | None,
) -> TableFile:
    import duckdb
    import pyarrow as pa

    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise DatasetError(f"{name}: the query is not one SELECT; a source is only read")
        relation = connection.sql(statements[0].query)
        require_once(name, relation.columns)
        with relation.to_arrow_reader(BATCH_ROWS) as reader:
            header = header_of(reader.schema)
            require_columns(name, header, required, exact)
            return spill(name, header, required, _texts(name, reader, required, watch))
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DatasetError(f"{name}: {_fault(error)}") from None


def _texts(
    name: str, reader: pa.RecordBatchReader, required: Sequence[str], watch: Watch | None
) -> Iterator[list[pa.Array]]:
    others = [column for column in reader.schema.names if column not in required]
    for batch in reader:
        if watch is not None:
            for column in others:
                watch(column, batch.column(column))
        yield [as_text(name, column, batch.column(column)) for column in required]


def _fault(error: Exception) -> str:
    """Return what an error means, without cells."""
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return "the query reaches for other files or the network; it may read this file alone"
    if "read-only mode" in str(error):
        return "the query writes, and a source is only read; write a SELECT. Nothing was changed"
    if isinstance(error, duckdb.ParserException | duckdb.CatalogException | duckdb.BinderException):
        return f"the query does not fit: {str(error).splitlines()[0][:200]}"
    return (
        f"the query broke off ({type(error).__name__}) and nothing of it is kept; run it by hand "
        "to see why, then repeat"
    )
