"""Computes an SQL expression over texts, in a DuckDB that is shut off from everything.

The one query that is run has the expression in one place. DuckDB's own parser is asked for its
tree; with the expression taken out, that tree must equal the tree of the same query around NULL, so
nothing can end the expression early and add to the query. The expression itself goes through the
allow-list (`expression_tree`). Then it runs in memory, in a database without tables, files,
network, extensions or variables of this program, with its configuration locked, in one thread, and
for so many seconds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from party.datasets.expression_tree import Found, NotAllowed, require_allowed
from party.datasets.table_forms import BATCH_ROWS
from party.errors import DatasetError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SECONDS: Final = 120.0
_AGAIN_SECONDS: Final = 0.05
_MOST_BYTES: Final = 1 << 30
_VECTOR_ROWS: Final = 2048
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": 1,
    "memory_limit": "1GB",
}
_SHUT_OFF: Final = "SET enable_external_access = false; SET lock_configuration = true"
_BEFORE: Final = "SELECT TRY({'found': (\n"
_AFTER: Final = "\n)}) FROM rows"
_NOT_ONE: Final = (
    "it is not one expression of columns: it ends early and something follows it, or it has a "
    "parameter"
)
_PLACES: Final = ("query_location", "query_location_length")


@dataclass(frozen=True)
class Checked:
    """An expression that may be computed: what it reads, and its kind, BOOLEAN or VARCHAR."""

    text: str
    columns: tuple[str, ...]
    references: int
    kind: str


def check(text: str) -> Checked:
    """Return what an expression reads and gives; every column is text.

    Raises `NotAllowed`, and `DatasetError` where DuckDB is missing.
    """
    empty = _table({})
    with closing(_connect(empty)) as connection:
        found = _find(connection, text)
    if len({name.casefold() for name in found.columns}) != len(found.columns):
        raise NotAllowed("it names a column in two letter cases; write it as it is declared")
    with closing(_connect(_table(dict.fromkeys(found.columns, ())))) as connection:
        kind = _kind_of(connection, text)
    return Checked(text, found.columns, found.references, kind)


def compute(checked: Checked, table: pa.Table, seconds: float = SECONDS) -> pa.StructArray:
    """Return for each row a struct of `found`; the struct is null where the expression failed.

    `table` has a text column for each of `checked.columns`. Raises `DatasetError` when it takes
    more than `seconds`, or texts are too long.
    """
    import duckdb
    import pyarrow as pa

    _require_short(checked, table)
    with closing(_connect(table)) as connection:
        # It may come from a store that another hand has written to.
        _find(connection, checked.text)
        with _interrupted_after(connection, seconds) as interrupted:
            try:
                relation = connection.sql(_query(checked.text))
                with relation.to_arrow_reader(BATCH_ROWS) as reader:
                    batches = [batch.column(0) for batch in reader]
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise DatasetError(
                    _too_slow(seconds)
                    if interrupted.is_set()
                    else f"an expression broke off ({type(error).__name__}); make it simpler"
                ) from None
    return pa.concat_arrays(batches)


def _too_slow(seconds: float) -> str:
    return (
        f"an expression took more than {seconds:g} seconds and was stopped; make it simpler, or "
        "write TRY_CAST where it casts texts that are often no numbers"
    )


def _query(text: str) -> str:
    return f"{_BEFORE}{text}{_AFTER}"


def _find(connection: duckdb.DuckDBPyConnection, text: str) -> Found:
    """Return what an allowed expression refers to, after the whole query was compared."""
    frame, expression = _taken_apart(_tree(connection, _query(text)))
    if frame != _taken_apart(_tree(connection, _query("NULL")))[0]:
        raise NotAllowed(_NOT_ONE)
    return require_allowed(expression)


def _tree(connection: duckdb.DuckDBPyConnection, query: str) -> Any:  # noqa: ANN401 - JSON
    import duckdb

    try:
        rows = connection.execute("SELECT json_serialize_sql($1)", [query]).fetchall()
        tree = _without_places(json.loads(rows[0][0]))
    except (duckdb.Error, RecursionError):
        raise NotAllowed("it is nested too deep; make it simpler") from None
    if tree.get("error", True):
        message = str(tree.get("error_message", "")).splitlines()
        raise NotAllowed(f"it is not SQL: {message[0][:200] if message else 'unknown'}")
    return tree


def _taken_apart(tree: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
    """Return the query's tree without the expression, and the expression."""
    try:
        (statement,) = tree["statements"]
        (selected,) = statement["node"]["select_list"]
        (packed,) = selected["children"]
        (argument,) = packed["arguments"]
        expression = argument.pop("expression")
        argument["alias"], expression["alias"] = expression["alias"], ""
    except (ValueError, KeyError, TypeError):
        raise NotAllowed(_NOT_ONE) from None
    return tree, expression


def _without_places(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a tree without where in the text its parts stand."""
    if isinstance(value, dict):
        return {key: _without_places(one) for key, one in value.items() if key not in _PLACES}
    return [_without_places(one) for one in value] if isinstance(value, list) else value


def _kind_of(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    import duckdb

    try:
        with _interrupted_after(connection, SECONDS):
            ((_, kind),) = connection.sql(_query(text)).types[0].children
    except duckdb.Error as error:
        raise NotAllowed(f"it does not fit: {str(error).splitlines()[0][:200]}") from None
    if str(kind) not in ("BOOLEAN", "VARCHAR"):
        raise NotAllowed(f"it gives {kind}; let it give a truth value, or a text by CASE or CAST")
    return str(kind)


def _require_short(checked: Checked, table: pa.Table) -> None:
    """Raise where what the expression may make of one vector of rows would not fit in memory."""
    import pyarrow.compute as pc

    longest = max(
        (pc.max(pc.binary_length(table.column(name))).as_py() or 0) for name in checked.columns
    )
    most = _MOST_BYTES // _VECTOR_ROWS // checked.references
    if longest > most:
        raise DatasetError(
            f"an expression names columns {checked.references} times, and a text in them is too "
            f"long for that; the most is {most:,} bytes"
        )


@contextmanager
def _interrupted_after(
    connection: duckdb.DuckDBPyConnection, seconds: float
) -> Iterator[threading.Event]:
    """Stop whatever the connection runs when the time is over; the event says that it was."""
    done, interrupted = threading.Event(), threading.Event()

    def watch() -> None:
        done.wait(seconds)
        while not done.wait(_AGAIN_SECONDS):
            interrupted.set()
            connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield interrupted
    finally:
        done.set()
        watcher.join()


def _table(columns: dict[str, Sequence[str]]) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: pa.array([], pa.large_string()) for name in columns or ("none",)})


def _connect(table: pa.Table) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError:
        raise DatasetError(
            "labels by expression need DuckDB: install commonground with the extra `duckdb`"
        ) from None
    connection = duckdb.connect(":memory:", config=_CONFIG)
    connection.register("rows", table)
    connection.execute(_SHUT_OFF)
    return connection
