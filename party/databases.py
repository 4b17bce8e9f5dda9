"""Engines for a store: SQLite and PostgreSQL, so that nothing is lost, or waited for for ever."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from party.errors import StoreError

BUSY_SECONDS: Final = 30
CONNECTING: Final = {
    "connect_timeout": 10,
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""libpq's words, unless the URL has its own: a server whose machine went off says nothing."""


def open_engine(text: str, *, must_exist: bool) -> Engine:
    """Return the engine of a store at a URL.

    Raises:
        StoreError: the URL does not serve, or the file is missing where it `must_exist`.
    """
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name()
        if backend == "sqlite":
            return _open_sqlite(url, must_exist=must_exist)
        if backend == "postgresql":
            usual = {key: value for key, value in CONNECTING.items() if key not in url.query}
            return sa.create_engine(
                url, isolation_level="SERIALIZABLE", pool_pre_ping=True, connect_args=usual
            )
    except (SQLAlchemyError, ValueError):
        raise StoreError(
            "the store's URL cannot be read: write postgresql+psycopg://user@host/database, or "
            "leave it empty for SQLite in the folder"
        ) from None
    except ModuleNotFoundError as error:
        raise StoreError(
            f"the store needs the package {error.name}, which is not installed: "
            "install commonground with the extra `postgresql`"
        ) from None
    raise StoreError(f"a store is in SQLite or PostgreSQL, not in {backend}")


def _open_sqlite(url: sa.URL, *, must_exist: bool) -> Engine:
    if must_exist and not Path(url.database or "").is_file():
        raise StoreError(f"there is no store at {url.database}: run `commonground init` first")
    at_rest = must_exist and _is_at_rest(Path(url.database or ""))
    if at_rest:  # SQLite makes no file beside it, and takes the one that is there as unchanging
        url = sa.make_url(f"sqlite:///file:{quote(str(url.database))}?immutable=1&uri=true")
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    # what is deleted, such as the salts of somebody who is erased, is overwritten with zeros
    pragmas = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # this module says BEGIN, not the driver
        cursor = connection.cursor()
        for pragma in pragmas if at_rest else ("journal_mode=WAL", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("commonground_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _is_at_rest(path: Path) -> bool:
    """Say whether nobody can change a store here, as on a read-only copy of a party's folder.

    One with changes beside it that were not taken in yet is read as any other, or not at all.
    """
    waiting = path.with_name(f"{path.name}-wal")
    pending = waiting.is_file() and waiting.stat().st_size > 0
    return not os.access(path.parent, os.W_OK) and not pending
