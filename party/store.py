"""The party's store: SQLite in its folder, or PostgreSQL by URL, through SQLAlchemy.

One transaction records a change and the log entry about it. Transactions are serialised:
SQLite takes its write lock at the start, PostgreSQL runs SERIALIZABLE and the store repeats a
transaction that lost, so two sessions that race for the last of a budget cannot both win.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from party.errors import StoreError
from party.schema import REVISION

Result = TypeVar("Result")

ATTEMPTS: Final = 20
BUSY_SECONDS: Final = 30
SERIALIZATION_FAILURES: Final = ("40001", "40P01")
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))


class Store:
    """Transactions over one party's tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def create(cls, url: str) -> Store:
        """Open the store at `url` and bring its tables up to this version."""
        store = cls.open(url, check=False)
        store._migrate()
        return store

    @classmethod
    def open(cls, url: str, *, check: bool = True) -> Store:
        """Open the store at `url`.

        Raises:
            StoreError: it is missing, or of another version than this program.
        """
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = _open_sqlite(parsed, must_exist=check)
        else:
            engine = sa.create_engine(parsed, isolation_level="SERIALIZABLE", pool_pre_ping=True)
        store = cls(engine)
        if check:
            store._require_version()
        return store

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one serialised transaction; repeat it when it lost a race.

        `work` must therefore have no effect but through its connection.
        """
        for attempt in range(ATTEMPTS):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except OperationalError as error:
                if attempt == ATTEMPTS - 1 or not _lost_a_race(error):
                    raise StoreError(
                        f"the store did not take the change ({type(error.orig).__name__}); "
                        "nothing was recorded. Check disk space and the database, then repeat"
                    ) from error
        raise AssertionError("unreachable")

    def rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        """Return the rows of a query."""
        with self._reading() as connection:
            return list(connection.execute(query))

    def row(self, query: sa.Select[Any]) -> sa.Row[Any] | None:
        """Return the first row of a query, or None."""
        with self._reading() as connection:
            return connection.execute(query).first()

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(commonground_reading=True)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _migrate(self) -> None:
        from alembic import command

        with self._engine.begin() as connection:
            command.upgrade(_alembic_config(connection), "head")

    def _require_version(self) -> None:
        with self._reading() as connection:
            known = sa.inspect(connection).has_table(_VERSION.name)
            found = connection.execute(sa.select(_VERSION)).scalar_one_or_none() if known else None
        if found != REVISION:
            raise StoreError(
                f"the store has version {found or 'none'} and this program needs {REVISION}: "
                "use the program that wrote it, or run `commonground init --upgrade`"
            )


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return f"sqlite:///{path}"


def _open_sqlite(url: sa.URL, *, must_exist: bool) -> Engine:
    if must_exist and not Path(url.database or "").is_file():
        raise StoreError(f"there is no store at {url.database}: run `commonground init` first")
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # this module says BEGIN, not the driver
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("commonground_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _lost_a_race(error: OperationalError) -> bool:
    if getattr(error.orig, "sqlstate", None) in SERIALIZATION_FAILURES:
        return True
    return "database is locked" in str(error.orig)


def _alembic_config(connection: Connection) -> Any:  # noqa: ANN401 - alembic's own type
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "party:migrations")
    config.attributes["connection"] = connection
    return config
