"""The party's store: SQLite in its folder, or PostgreSQL by URL, through SQLAlchemy.

One transaction records a change and the log entry about it. Transactions are serialised:
SQLite takes its write lock at the start, PostgreSQL runs SERIALIZABLE and the store repeats a
transaction that lost, so two sessions that race for the last of a budget cannot both win.

Refused: a store that is missing, that another version wrote, or that does not answer. Messages
never hold the password of a URL.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from party.errors import StoreError
from party.schema import REVISION

Result = TypeVar("Result")

ATTEMPTS: Final = 30
BUSY_SECONDS: Final = 30
LONGEST_PAUSE_SECONDS: Final = 0.5
LOST_RACES: Final = ("40001", "40P01", "23505")
"""PostgreSQL's words for a transaction that lost: two of them took the same next number of the
log (23505), or one read what the other wrote (40001), or each waited for the other (40P01)."""
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))


class Store:
    """Transactions over one party's tables.

    `guard` is entered around each change; it raises where whoever is at work may not make it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.guard: Callable[[], AbstractContextManager[None]] = nullcontext

    @classmethod
    def create(cls, url: str) -> Store:
        """Open the store at `url` and bring its tables up to this version.

        Raises:
            StoreError: it does not answer, a newer program wrote it, or a migration failed; then
                it is as it was.
        """
        store = cls(_open_engine(url, must_exist=False))
        with _explained("it could not be brought up to this version, and is as it was"):
            _require_not_newer(store._version())
            store._migrate()
        return store

    @classmethod
    def open(cls, url: str) -> Store:
        """Open the store at `url`.

        Raises:
            StoreError: it is missing, does not answer, or is of another version than this program.
        """
        store = cls(_open_engine(url, must_exist=True))
        with _explained("it does not answer"):
            store._require_version()
        return store

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one serialised transaction; repeat it when it lost a race.

        `work` must therefore have no effect but through its connection.
        """
        with self.guard():
            return self._repeated(work, reading=False)

    def record(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` as `write` does, past the guard: for entries about reading and refusals."""
        return self._repeated(work, reading=False)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which changes nothing, on the store as it is at one moment."""
        return self._repeated(work, reading=True)

    def rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        """Return the rows of a query."""
        return self.read(lambda connection: list(connection.execute(query)))

    def row(self, query: sa.Select[Any]) -> sa.Row[Any] | None:
        """Return the first row of a query, or None."""
        return self.read(lambda connection: connection.execute(query).first())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _repeated(self, work: Callable[[Connection], Result], *, reading: bool) -> Result:
        """Run `work` in a transaction until it has not lost a race."""
        for attempt in range(ATTEMPTS):
            try:
                with self._engine.connect() as connection:
                    connection = connection.execution_options(commonground_reading=reading)
                    with connection.begin():
                        return work(connection)
            except (OperationalError, IntegrityError) as error:
                lost = _lost_a_race(error)
                if isinstance(error, IntegrityError) and not lost:
                    raise  # two rows of one key: a fault of the program
                if attempt == ATTEMPTS - 1 or not lost:
                    what = "did not answer" if reading else "did not take the change"
                    raise StoreError(
                        f"the store {what} ({_reason(error)}); nothing was recorded. Check disk "
                        "space and the database, then repeat"
                    ) from error
                _pause(attempt)
        raise AssertionError("unreachable")

    def _migrate(self) -> None:
        from alembic import command
        from alembic.util import CommandError

        try:
            with self._engine.begin() as connection:
                command.upgrade(_alembic_config(connection), "head")
        except CommandError as error:
            raise StoreError(
                f"no way leads from the store's version to {REVISION}, and it is as it was: "
                "restore it from a backup"
            ) from error

    def _version(self) -> str | None:
        with self._engine.connect() as connection:
            connection = connection.execution_options(commonground_reading=True)
            if not sa.inspect(connection).has_table(_VERSION.name):
                return None
            found: str | None = connection.execute(sa.select(_VERSION)).scalar_one_or_none()
            return found

    def _require_version(self) -> None:
        found = self._version()
        _require_not_newer(found)
        if found is None:
            raise StoreError(
                "the store has no tables of a party (version none): check the configuration, or "
                "make a party with `commonground init`"
            )
        if found != REVISION:
            raise StoreError(
                f"the store has version {found} and this program needs {REVISION}: make a backup, "
                "then run `commonground init --upgrade DIR`"
            )


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return f"sqlite:///{path}"


def _open_engine(text: str, *, must_exist: bool) -> Engine:
    """Return the engine of a store; nothing is asked of it yet."""
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name()
        if backend == "sqlite":
            return _open_sqlite(url, must_exist=must_exist)
        if backend == "postgresql":
            return sa.create_engine(url, isolation_level="SERIALIZABLE", pool_pre_ping=True)
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


def _require_not_newer(found: str | None) -> None:
    if found is not None and found > REVISION:
        raise StoreError(
            f"the store has version {found}, and this program knows versions up to {REVISION} "
            "only: a newer program wrote it. Install that one; nothing was changed"
        )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an error of the database into one sentence about the store."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = _reason(error) if isinstance(error, DBAPIError) else type(error).__name__
        raise StoreError(
            f"the store: {what} ({reason}). Check the database, its address, user and password"
        ) from error


def _reason(error: DBAPIError) -> str:
    """Return the database's word for an error, without what it quotes."""
    state = getattr(error.orig, "sqlstate", None)
    return type(error.orig).__name__ + (f" {state}" if state else "")


def _lost_a_race(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in LOST_RACES:
        return True
    return "database is locked" in str(error.orig)


def _pause(attempt: int) -> None:
    """Wait a random time, longer at each attempt, so that those who raced do not race again."""
    longest = min(LONGEST_PAUSE_SECONDS, 0.002 * 2**attempt)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret


def _alembic_config(connection: Connection) -> Any:  # noqa: ANN401 - alembic's own type
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "party:migrations")
    config.attributes["connection"] = connection
    return config
