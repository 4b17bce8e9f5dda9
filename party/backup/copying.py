"""A store copied as it is at one moment: into an SQLite file, and out of it into another store.

SQLite is copied by its own online backup, PostgreSQL row by row in one transaction that sees the
store as it stood when it began. Neither stops whoever writes meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.errors import StoreError
from party.schema import METADATA
from party.store import Store, sqlite_url

ROWS: Final = 1000


def copy_into_file(store: Store, path: Path) -> None:
    """Copy a store into a new SQLite file, for its owner's eyes only, and check the file.

    Raises:
        StoreError: the store does not answer, or the copy is damaged.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if store.is_sqlite:
        store.at_one_moment(lambda source: _back_up(source, path))
    else:
        copy = Store.create(sqlite_url(path))
        try:
            store.at_one_moment(lambda source: copy.write(lambda target: _copy(source, target)))
        finally:
            copy.close()
    _close_up(path)


def copy_into_store(path: Path, store: Store) -> None:
    """Copy what `copy_into_file` wrote into an empty store of the same version, whole or not."""
    copy = Store.open(sqlite_url(path))
    try:
        copy.at_one_moment(lambda source: store.record(lambda target: _copy(source, target)))
    finally:
        copy.close()


def _back_up(source: Connection, path: Path) -> None:
    driver = source.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    with closing(sqlite3.connect(path)) as target:
        driver.backup(target)


def _copy(source: Connection, target: Connection) -> None:
    """Copy every row of every table, what is referred to before what refers to it."""
    for table in METADATA.sorted_tables:
        found = source.execute(sa.select(table).execution_options(yield_per=ROWS))
        for part in found.mappings().partitions():
            target.execute(sa.insert(table), [dict(row) for row in part])
        _go_on_counting(target, table)


def _go_on_counting(target: Connection, table: sa.Table) -> None:
    """Let PostgreSQL number the next row after those that came with their numbers."""
    column = table.autoincrement_column
    if column is None or target.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    last = sa.select(sa.func.max(column)).scalar_subquery()
    target.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(last, 0) + 1, False)))


def _close_up(path: Path) -> None:
    """Leave one file with everything in it, which SQLite finds whole, on the disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StoreError("the copy of the store is damaged: is the store? Try again, and see disks")
