"""The store: migrations build the tables that the code uses, and a lost race repeats."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from party.errors import StoreError
from party.schema import DATASETS, METADATA, REVISION
from party.store import Store, _alembic_config, sqlite_url

ROW = {
    "definition": "{}",
    "quality": "{}",
    "population": "p",
    "snapshot": "s",
    "registered_at": 0,
}


@pytest.fixture
def store(tmp_path):
    made = Store.create(sqlite_url(tmp_path / "party.db"))
    yield made
    made.close()


def test_migrations_build_the_tables_that_the_code_uses(store):
    with store._engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(tmp_path):
    path = tmp_path / "nowhere.db"
    with pytest.raises(StoreError, match="no store"):
        Store.open(sqlite_url(path))
    assert not path.exists()


def test_a_store_of_another_version_is_refused(tmp_path, store):
    with store._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="version 9999"):
        Store.open(sqlite_url(tmp_path / "party.db"))


def test_a_database_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError, match="version none"):
        Store.open(sqlite_url(path))


def test_the_version_that_the_code_needs_is_that_of_the_last_migration():
    scripts = ScriptDirectory.from_config(_alembic_config(None))
    assert scripts.get_current_head() == REVISION


def test_opening_a_store_loads_no_migrations(tmp_path, store):
    """Every command opens the store, and what migrates takes longer to load than most commands."""
    code = (
        "import sys; from party.store import Store; Store.open(sys.argv[1]).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    words = [sys.executable, "-c", code, sqlite_url(tmp_path / "party.db")]
    assert subprocess.run(words, check=False).returncode == 0


def test_a_failing_transaction_leaves_nothing(store):
    def work(connection):
        connection.execute(sa.insert(DATASETS).values(name="a", **ROW))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(work)
    assert store.rows(sa.select(DATASETS)) == []


def test_writes_survive_the_process_synchronously(store):
    """WAL with full synchronisation: what is committed is on disk."""
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
