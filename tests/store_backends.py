"""Stores of both kinds for the same tests: SQLite files, and schemas on a PostgreSQL server.

A test that takes the fixture `stores` runs once with each.
"""

from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgresql import PostgreSQL

from party.schema import METADATA
from party.store import sqlite_url

_NUMBERS = count()


@dataclass(frozen=True)
class SQLiteStores:
    """A file in each party's folder."""

    kind = "sqlite"

    def new(self):
        """Return what a party's configuration says about its store."""
        return ""

    def copy_of(self, url):
        """Return the same for a copy of a party at rest: the file is copied with the folder."""
        return url

    def new_url(self, folder: Path):
        """Return the URL of a store that is not made yet."""
        return sqlite_url(folder / "party.db")


_SAME_NAMES = """
DO $$ DECLARE one record; BEGIN
    FOR one IN
        SELECT made.indexname AS made, meant.indexname AS meant
        FROM pg_indexes made JOIN pg_indexes meant ON made.tablename = meant.tablename
            AND substring(made.indexdef from ' USING .*')
                = substring(meant.indexdef from ' USING .*')
        WHERE made.schemaname = '{new}' AND meant.schemaname = '{old}'
            AND made.indexname <> meant.indexname
    LOOP
        EXECUTE format('ALTER INDEX {new}.%%I RENAME TO %%I', one.made, one.meant);
    END LOOP;
END $$"""
"""PostgreSQL names the indexes of a table that is made like another by itself."""


@dataclass(frozen=True)
class PostgreSQLStores:
    """A schema for each party, in one database: making a database takes longer than a test."""

    server: PostgreSQL
    kind = "postgresql"

    def new(self):
        schema = f"party_{next(_NUMBERS)}"
        self._do(f"CREATE SCHEMA {schema}")
        return f"{self.server.url()}&options=-csearch_path%3D{schema}"

    def copy_of(self, url):
        copy = self.new()
        old, new = (sa.make_url(one).query["options"].partition("=")[2] for one in (url, copy))
        tables = ("alembic_version", *(table.name for table in METADATA.sorted_tables))
        self._do(
            "; ".join(
                f"CREATE TABLE {new}.{table} (LIKE {old}.{table} INCLUDING ALL); "
                f"INSERT INTO {new}.{table} SELECT * FROM {old}.{table}"
                for table in tables
            )
        )
        self._do(_SAME_NAMES.format(old=old, new=new))
        return copy

    def new_url(self, folder: Path):
        del folder
        return self.new()

    def _do(self, statement):
        engine = sa.create_engine(self.server.url(), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stores(request):
    """Yield stores of each kind."""
    if request.param == "sqlite":
        return SQLiteStores()
    return PostgreSQLStores(request.getfixturevalue("postgresql"))


SQLITE = SQLiteStores()
