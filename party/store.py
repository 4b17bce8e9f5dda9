"""The party's store: SQLite in its folder, or PostgreSQL by URL, through SQLAlchemy.

One transaction records a change and the log entry about it. Transactions are serialised:
SQLite takes its write lock at the start, PostgreSQL runs SERIALIZABLE and the store repeats a
transaction that lost, so two sessions that race for the last of a budget cannot both win. One that
has lost several times runs while no other does, so that nobody loses for ever. A transaction whose
connection broke is run again once the server is back, unless it was committed: that is looked for,
so that nothing is recorded twice and nothing is believed that is not there.
What is looked for is a mark that the transaction wrote itself. Its number alone would not do: a
server that crashed, or a standby that took over, gives numbers again that it never saw.

Refused: a store that is missing, that another version wrote, or that does not answer. Messages
never hold the password of a URL.
"""

from __future__ import annotations

import random
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from party.databases import open_engine
from party.errors import StoreError
from party.schema import COMMITS, LOG_HEAD, REVISION

Result = TypeVar("Result")

ATTEMPTS: Final = 30
LONGEST_PAUSE_SECONDS: Final = 0.5
PATIENT_RACES: Final = 5
"""How many races a transaction loses before it runs alone."""
LOST_RACES: Final = ("40001", "40P01", "23505")
"""PostgreSQL's words for a transaction that lost: two of them took the same next number of the
log (23505), or one read what the other wrote (40001), or each waited for the other (40P01)."""
GONE: Final = ("08", "57P", "25006")
"""How PostgreSQL's words begin for a connection or a server that is gone: broken (08), ended or
starting (57P), or a standby that takes no changes (25006)."""
STANDBY: Final = ("25006",)
GONE_SECONDS: Final = 30.0
"""How long a transaction waits for its server to come back."""
MARKS: Final = 256
"""How many marks of transactions that were answered are left before they are deleted."""
FORGOTTEN_SECONDS: Final = 86_400
"""When a mark is deleted that nobody will ask for: its process ended without doing so."""
_UNSEEN: Final = "22023"
_PLAIN: Final = re.compile("[0-9a-z]+")
_LONGEST_REST: Final = 32
_NUMBER: Final = sa.text("CAST(pg_current_xact_id() AS text)")
_HOW_IT_ENDED: Final = sa.text("SELECT pg_xact_status(CAST(:number AS xid8))")
_BESIDE_OTHERS: Final = sa.text(f"LOCK TABLE {COMMITS.name} IN ROW EXCLUSIVE MODE")
_ALONE: Final = sa.text(f"LOCK TABLE {COMMITS.name} IN SHARE ROW EXCLUSIVE MODE")
"""What a change begins with, before PostgreSQL decides which moment's store it is to see."""
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))


class _Attempt(Generic[Result]):
    """One run of a transaction: number, mark and result from just before its COMMIT on."""

    def __init__(self) -> None:
        self.number: str | None = None
        self.mark = secrets.token_hex(16)
        self.result: tuple[Result, ...] = ()


class _Patience:
    """Waits for a server that is gone, longer each time, and not for ever."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._times = 0

    def wait(self, error: DBAPIError) -> None:
        """Wait a moment, or raise when the server has been gone for too long."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > GONE_SECONDS:
            raise StoreError(
                f"the store has not answered for {GONE_SECONDS:g} seconds ({_reason(error)}), and "
                "what was under way may be recorded or not. Check the database, then repeat: "
                "nothing is recorded or charged twice"
            ) from error
        _pause(self._times)
        self._times += 1


class Store:
    """Transactions over one party's tables.

    `guard` is entered around each change; it raises where whoever is at work may not make it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answered: deque[str] = deque()
        self.guard: Callable[[], AbstractContextManager[None]] = nullcontext

    @classmethod
    def create(cls, url: str) -> Store:
        """Open the store at `url` and bring its tables up to this version.

        Raises:
            StoreError: it does not answer, a newer program wrote it, or a migration failed; then
                it is as it was.
        """
        store = cls(open_engine(url, must_exist=False))
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
        store = cls(open_engine(url, must_exist=True))
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
        return self.read(lambda connection: connection.execute(query.limit(1)).first())

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file."""
        return self._engine.dialect.name == "sqlite"

    def at_one_moment(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which reads for a long time and may not be repeated, on one moment's store.

        PostgreSQL waits for a moment at which such a reader disturbs nobody and is not disturbed.

        Raises:
            StoreError: the store does not answer.
        """
        options = {"commonground_reading": True, "postgresql_readonly": True}
        with _explained("it could not be read"), self._engine.connect() as connection:
            connection = connection.execution_options(**options, postgresql_deferrable=True)
            with connection.begin():
                return work(connection)

    def require_answer(self) -> None:
        """Raise StoreError unless the store answers now; nobody waits for it to come back."""
        with _explained("it does not answer"), self._engine.connect() as connection:
            reading = connection.execution_options(commonground_reading=True)
            reading.execute(sa.select(LOG_HEAD.c.size)).first()

    def close(self) -> None:
        """Close every connection."""
        self._delete_marks()
        self._engine.dispose()

    def _repeated(self, work: Callable[[Connection], Result], *, reading: bool) -> Result:
        """Run `work` in a transaction until it has not lost a race or its connection."""
        races, patience = 0, _Patience()
        while True:
            attempt: _Attempt[Result] = _Attempt()
            try:
                alone = races >= PATIENT_RACES
                return self._once(work, attempt, reading=reading, alone=alone)
            except DBAPIError as error:
                if self._is_gone(error):
                    if self._was_committed(attempt, patience, error):
                        return attempt.result[0]
                    patience.wait(error)
                    continue
                races += 1
                lost = _lost_a_race(error)
                if not lost and not isinstance(error, OperationalError):
                    raise  # two rows of one key: a fault of the program
                if races == ATTEMPTS or not lost:
                    raise _no_answer(error, reading=reading) from error
                _pause(races - 1)

    def _once(
        self,
        work: Callable[[Connection], Result],
        attempt: _Attempt[Result],
        *,
        reading: bool,
        alone: bool,
    ) -> Result:
        races = not reading and not self.is_sqlite
        with self._engine.connect() as connection:
            connection = connection.execution_options(commonground_reading=reading)
            with connection.begin():
                if races:
                    connection.execute(_ALONE if alone else _BESIDE_OTHERS)
                result = work(connection)
                if races:
                    attempt.result = (result,)
                    mark = {"token": attempt.mark, "made_at": int(time.time())}
                    writing = sa.insert(COMMITS).values(**mark).returning(_NUMBER)
                    attempt.number = connection.execute(writing).scalar_one()
        if attempt.number is not None:
            self._answered.append(attempt.mark)
            if len(self._answered) >= MARKS:
                self._delete_marks()
        return result

    def _delete_marks(self) -> None:
        """Delete the marks of what was answered, and those that nobody will ask for."""
        answered = [self._answered.popleft() for _ in range(len(self._answered))]
        if not answered:
            return
        old = COMMITS.c.made_at < int(time.time()) - FORGOTTEN_SECONDS
        # Read committed: it is in nobody's way, and what is not deleted now is deleted in a day.
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            apart = connection.execution_options(isolation_level="READ COMMITTED")
            with apart.begin():
                apart.execute(sa.delete(COMMITS).where(COMMITS.c.token.in_(answered) | old))

    def _is_gone(self, error: DBAPIError) -> bool:
        """Say whether it is the connection that failed, or the server behind it."""
        state = getattr(error.orig, "sqlstate", None)
        if self.is_sqlite or isinstance(error, IntegrityError):
            return False
        if state in STANDBY:  # the connections of the pool are to a server that leads no longer
            self._engine.dispose()
        unheard = state is None and isinstance(error, OperationalError)
        return error.connection_invalidated or unheard or (state or "").startswith(GONE)

    def _was_committed(
        self, attempt: _Attempt[Result], patience: _Patience, error: DBAPIError
    ) -> bool:
        """Say whether a transaction whose COMMIT was not answered is in the store.

        One that had not come so far is not. One that has ended is if its mark is there.
        """
        marked = sa.select(COMMITS.c.token).where(COMMITS.c.token == attempt.mark)
        while attempt.number is not None:
            patience.wait(error)
            try:
                if not self._goes_on(attempt.number):
                    with self._engine.connect() as connection:
                        return connection.execute(marked).first() is not None
            except DBAPIError as again:
                if not self._is_gone(again):
                    raise _no_answer(again, reading=False) from again
        return False

    def _goes_on(self, number: str) -> bool:
        """Say whether the server still works on the transaction of a number."""
        try:
            with self._engine.connect() as connection:
                asked = connection.execute(_HOW_IT_ENDED, {"number": number})
                return bool(asked.scalar_one() == "in progress")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _UNSEEN:  # it knows of none so high
                return False
            raise

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


def begins_with(column: sa.Column[Any], text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column begins with a text, found by the column's index.

    Of other texts than of digits and small letters, whose order is the same everywhere, all are
    looked at.
    """
    begins = column.startswith(text, autoescape=True)
    if not _PLAIN.fullmatch(text):
        return begins
    return sa.and_(column >= text, column <= text + "z" * _LONGEST_REST, begins)


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return f"sqlite:///{path}"


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


def _no_answer(error: DBAPIError, *, reading: bool) -> StoreError:
    what = "did not answer" if reading else "did not take the change"
    return StoreError(
        f"the store {what} ({_reason(error)}); nothing was recorded. Check disk space and the "
        "database, then repeat"
    )


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
