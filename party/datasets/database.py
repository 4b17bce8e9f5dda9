"""A query to PostgreSQL or SQLite, read once in a transaction that cannot write.

PostgreSQL answers from one snapshot (REPEATABLE READ, READ ONLY) through a cursor that it keeps;
SQLite is opened read-only. Other databases are refused: this program cannot hold them to reading.
The URL with its password is used to connect and for nothing else. What a driver says is passed on
only where it speaks of the query's words: anything else may quote a cell or the URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from party.datasets.origin import DatabaseQuery
from party.datasets.query_text import require_reading
from party.datasets.spill import Watch, spill
from party.datasets.table_file import TableFile, require_columns, require_once
from party.datasets.table_forms import BATCH_ROWS, Header
from party.datasets.value_text import text_of
from party.errors import DatasetError, IdentityError
from party.key_files import read_key_file
from psi import arrow

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

_CONNECT_TIMEOUT: Final = {"connect_timeout": "15"}
_STREAMING: Final = {"stream_results": True, "no_parameters": True}
_READ_ONLY: Final = ("25006", "25001")
_TEXTS: Final = {str, type(None)}
_NO_RIGHT: Final = "42501"
_ABOUT_THE_QUERY: Final = "42"
_SQLITE_ABOUT_THE_QUERY: Final = re.compile(
    r'no such (table|column|function): |near "|ambiguous column name: |incomplete input'
)
_SQLITE_WRITES: Final = re.compile(r"attempt to write a readonly database|not authorized")


def open_query(
    folder: Path,
    origin: DatabaseQuery,
    required: Sequence[str],
    exact: Sequence[str],
    watch: Watch | None = None,
) -> TableFile:
    """Run the query and return its rows as a private table of the `required` columns.

    `watch` is shown the others as they pass; they are not kept.

    Raises `DatasetError` when the database does not answer, the query writes, a column is missing
    or stands twice, or the answer breaks off.
    """
    url = _url_of(folder, origin)
    name = _described(url)
    require_reading(name, origin.query)
    with _connected(name, url) as connection:
        answer = _Answer(name, connection, origin.query)
        header = Header(answer.columns)
        require_once(name, header.columns)
        require_columns(name, header, required, ())
        table = spill(name, header, required, answer.batches(required, watch))
    header = Header(header.columns, frozenset(answer.floating))
    try:
        require_columns(name, header, required, exact)
    except DatasetError:
        table.content.close()
        raise
    return replace(table, header=header)


class _Answer:
    """The rows of a query as they come; `floating` grows with them."""

    def __init__(self, name: str, connection: sa.Connection, query: str) -> None:
        self._name, self._rows = name, 0
        self.floating: set[str] = set()
        with self._explained():
            self._result = connection.exec_driver_sql(
                query.rstrip().rstrip(";"), execution_options=_STREAMING
            )
        if self._result.cursor is None or not self._result.cursor.description:
            raise DatasetError(f"{name}: the query has no rows as its answer; write a SELECT")
        self.columns = tuple(str(column[0]) for column in self._result.cursor.description)

    def batches(self, required: Sequence[str], watch: Watch | None) -> Iterator[list[pa.Array]]:
        """Yield the rows in batches: for each required column an array of text."""
        places = [self.columns.index(name) for name in required]
        others = [name for name in self.columns if name not in required]
        while True:
            with self._explained():
                rows = self._result.fetchmany(BATCH_ROWS)
            if not rows:
                return
            cells = list(zip(*rows, strict=True))
            if watch is not None:
                for name in others:
                    texts = [text_of(cell) for cell in cells[self.columns.index(name)]]
                    watch(name, arrow.texts(texts))
            yield [
                arrow.texts(self._texts(name, cells[place]))
                for name, place in zip(required, places, strict=True)
            ]
            self._rows += len(rows)

    def _texts(self, column: str, cells: Sequence[object]) -> Sequence[str | None]:
        """Return the texts of a column's cells; most columns are of text, and stay as they are."""
        types = set(map(type, cells))
        if types <= _TEXTS:
            return cast("Sequence[str | None]", cells)
        if any(issubclass(kind, float) for kind in types):
            self.floating.add(column)
        return [self._text(column, offset, value) for offset, value in enumerate(cells)]

    def _text(self, column: str, offset: int, value: object) -> str | None:
        text = text_of(value)
        if text is None and value is not None:
            raise DatasetError(
                f"{self._name}, row {self._rows + offset + 1}, column '{column}': is of type "
                f"{type(value).__name__}, which has no text form; cast it in the query"
            )
        return text

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a driver's error into what went wrong, where, and what to do."""
        import sqlalchemy as sa

        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            place = f" after row {self._rows}" if self._rows else ""
            raise DatasetError(f"{self._name}: {_fault(error, place)}") from None
        except UnicodeDecodeError:
            raise DatasetError(
                f"{self._name}: after row {self._rows}: a text is not UTF-8"
            ) from None


def _url_of(folder: Path, origin: DatabaseQuery) -> sa.URL:
    import sqlalchemy as sa

    text, place = _read_url(folder, origin)
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise DatasetError(
            f"{place} is not a database's URL; it looks like postgresql://user@host/database"
        ) from None
    if backend not in ("postgresql", "sqlite"):
        raise DatasetError(
            f"{place}: queries run on postgresql and sqlite, not on {backend[:32]}; export the "
            "rows to a file"
        )
    if backend == "sqlite":
        return _sqlite_url(folder, url)
    return url if "connect_timeout" in url.query else url.update_query_dict(_CONNECT_TIMEOUT)


def _read_url(folder: Path, origin: DatabaseQuery) -> tuple[str, str]:
    """Return the URL and what to call the place where it stands."""
    if origin.place == "url":
        return origin.text, "source.url"
    if origin.place == "url_env":
        text = os.environ.get(origin.text, "").strip()
        if not text:
            raise DatasetError(
                f"the environment variable {origin.text} is not set; put the database's URL into it"
            )
        return text, f"the environment variable {origin.text}"
    path = folder / origin.text
    try:
        data = read_key_file(path)
        return data.decode().strip(), str(path)
    except IdentityError:
        raise DatasetError(
            f"{path}: the file of the URL must be there, with mode 0600 (chmod 600), so that "
            "nobody else on this machine reads the password"
        ) from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: is not UTF-8; write the URL into it") from None


def _sqlite_url(folder: Path, url: sa.URL) -> sa.URL:
    """Return the URL that opens the file for reading only."""
    import sqlalchemy as sa

    path = folder / (url.database or "")
    if not path.is_file():
        raise DatasetError(
            f"{path}: there is no SQLite file; the path is relative to the description"
        )
    return sa.URL.create(
        "sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"}
    )


def _described(url: sa.URL) -> str:
    """Return what messages call a database: never who asks, nor with which parameters."""
    if url.get_backend_name() == "sqlite":
        from urllib.parse import unquote

        return f"query to {unquote((url.database or '').removeprefix('file:'))}"
    host = url.host or "this machine"
    port = f":{url.port}" if url.port else ""
    return f"query to PostgreSQL database {url.database} at {host}{port}"


@contextmanager
def _connected(name: str, url: sa.URL) -> Iterator[sa.Connection]:
    """Open a connection that only reads, and end its transaction without effect."""
    import sqlalchemy as sa

    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, hide_parameters=True)
    except (ImportError, sa.exc.SQLAlchemyError):
        raise DatasetError(
            f"{name}: there is no driver '{url.drivername}' here: for "
            "postgresql+psycopg install commonground with the extra `postgresql`"
        ) from None
    try:
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(engine.connect())
                _forbid_writing(connection)
            except (sa.exc.SQLAlchemyError, ValueError, TypeError) as error:
                raise DatasetError(f"{name}: {_connecting_fault(error)}") from None
            yield connection
    finally:
        engine.dispose()


def _forbid_writing(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        return
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    # Without it, two scans of one large table may begin at different rows.
    connection.exec_driver_sql("SET LOCAL synchronize_seqscans = off")


def _connecting_fault(error: Exception) -> str:
    message = str(getattr(error, "orig", ""))
    if "authentication failed" in message or "no password supplied" in message:
        return "refuses the user or the password; correct the URL where it is kept"
    if "does not exist" in message:
        return "there is no such database or user; correct the URL where it is kept"
    if "file is not a database" in message:
        return "is not an SQLite file, or is damaged"
    return "cannot be reached; look at host, port and network, or whether the server runs"


def _fault(error: Exception, place: str) -> str:
    """Return what a driver's error means, without cells."""
    original = getattr(error, "orig", None)
    state = str(getattr(original, "sqlstate", None) or "")
    first = next(iter(str(original or "").splitlines()), "")[:200]
    known = _known_fault(state, first)
    if known is not None:
        return known
    if "decode to UTF-8" in first:
        return f"a text{place} is not UTF-8; correct it in the database"
    kind = f"SQLSTATE {state}" if state else type(original or error).__name__
    return (
        f"the query broke off{place} ({kind}) and nothing of it is kept; run it by hand to see "
        "why, then repeat"
    )


def _known_fault(state: str, first: str) -> str | None:
    """Return what an SQLSTATE or a message's first line says of the query as a whole."""
    if state in _READ_ONLY or "data-modifying" in first or _SQLITE_WRITES.match(first):
        return "the query writes, and a source is only read; write a SELECT. Nothing was changed"
    if "multiple commands" in first or "one statement at a time" in first:
        return "the query has several statements; write one SELECT"
    if state == _NO_RIGHT:
        return "the user may not read this; grant SELECT to it"
    if state.startswith(_ABOUT_THE_QUERY) or _SQLITE_ABOUT_THE_QUERY.match(first):
        return f"the query does not fit: {first}"
    if "not a database" in first or "malformed" in first:
        return "is not an SQLite file, or is damaged"
    return None
