"""The store, on SQLite and on PostgreSQL: migrations up and down, versions, races, failures."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from organisations import make_party
from store_backends import PostgreSQLStores

from party.errors import StoreError
from party.places import Places
from party.schema import DATASETS, LOG_ENTRIES, METADATA, REQUEST_PEERS, REQUESTS, REVISION, SALTS
from party.settings import Settings
from party.store import Store, _alembic_config, sqlite_url

ROW = {
    "definition": "{}",
    "quality": "{}",
    "population": "p",
    "snapshot": "s",
    "registered_at": 0,
}
RACERS, EACH = 4, 5


@pytest.fixture
def url(stores, tmp_path):
    return stores.new_url(tmp_path)


@pytest.fixture
def store(url):
    made = Store.create(url)
    yield made
    made.close()


def tables_of(store):
    with store._engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def differences(store):
    with store._engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), METADATA)


def set_version(store, version):
    with store._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{version}'"))


def migrate(store, to, how=command.upgrade):
    with store._engine.begin() as connection:
        how(_alembic_config(connection), to)


# -- migrations ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("really_migrated")
def test_migrations_build_the_tables_that_the_code_uses(store):
    assert differences(store) == []


def test_stores_of_other_tests_have_the_same_tables(store):
    assert differences(store) == []


def test_the_version_that_the_code_needs_is_that_of_the_last_migration():
    scripts = ScriptDirectory.from_config(_alembic_config(None))
    assert scripts.get_current_head() == REVISION


def test_versions_are_numbers_in_their_order():
    """A store of a newer program is told from an older one by comparing the two."""
    scripts = ScriptDirectory.from_config(_alembic_config(None))
    versions = [script.revision for script in scripts.walk_revisions()][::-1]
    assert versions == [f"{number + 1:04d}" for number in range(len(versions))]


@pytest.mark.usefixtures("really_migrated")
def test_every_migration_goes_down_to_nothing_and_up_again(store):
    scripts = ScriptDirectory.from_config(_alembic_config(None))
    for script in scripts.walk_revisions():
        migrate(store, script.down_revision or "base", command.downgrade)
    assert tables_of(store) == {"alembic_version"}
    for script in reversed(list(scripts.walk_revisions())):
        migrate(store, script.revision)
    assert differences(store) == []


def test_requests_of_before_are_numbered_in_the_order_of_their_times(store):
    migrate(store, "0005", command.downgrade)
    columns = "id, mine, contract, peer, kind, body, state, created_at, updated_at"
    with store._engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO contracts VALUES ('c', 'n', 't', 0)")
        for name, time in (("b", 7), ("c", 5), ("a", 7)):
            values = f"'{name}', 1, 'c', 'p', 'match', '', 'pending', {time}, {time}"
            connection.exec_driver_sql(f"INSERT INTO requests ({columns}) VALUES ({values})")
    migrate(store, "0006")
    rows = store.rows(sa.select(REQUESTS.c.id).order_by(REQUESTS.c.number))
    assert [row.id for row in rows] == ["c", "a", "b"]


def test_the_counterpart_of_a_request_of_before_keeps_its_word(store):
    migrate(store, "0008", command.downgrade)
    columns = "id, mine, contract, peer, kind, body, state, created_at, updated_at"
    filed = [
        ("a", 0, "pending", "approved"),
        ("b", 1, "approved", "pending"),
        ("c", 1, "finished", "approved"),
        ("d", 1, "refused", "refused"),
    ]
    with store._engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO contracts VALUES ('c', 'n', 't', 0)")
        for name, mine, state, _ in filed:
            values = f"'{name}', {mine}, 'c', 'p-{name}', 'reach', '', '{state}', 0, 0"
            connection.exec_driver_sql(f"INSERT INTO requests ({columns}) VALUES ({values})")
    migrate(store, "0009")
    rows = store.rows(sa.select(REQUEST_PEERS).order_by(REQUEST_PEERS.c.request))
    assert [tuple(row) for row in rows] == [
        (name, f"p-{name}", 0, word) for name, _, _, word in filed
    ]
    migrate(store, "0008", command.downgrade)
    with store._engine.begin() as connection:
        found = connection.exec_driver_sql("SELECT id, peer FROM requests ORDER BY id").all()
    assert found == [(name, f"p-{name}") for name, *_ in filed]
    migrate(store, "0009")


@pytest.mark.usefixtures("really_migrated")
@pytest.mark.parametrize("failing", [1, 5, 12])
def test_a_migration_that_is_interrupted_leaves_the_store_as_it_was(url, monkeypatch, failing):
    """The step that fails may be any: tables are made in one transaction, on both backends."""
    honest, made = Operations.create_table, []

    def create_table(self, *words, **options):
        made.append(words[0])
        if len(made) == failing:
            raise sa.exc.OperationalError("CREATE TABLE", {}, OSError("no space left"))
        return honest(self, *words, **options)

    monkeypatch.setattr(Operations, "create_table", create_table)
    with pytest.raises(StoreError, match="is as it was"):
        Store.create(url)
    with pytest.raises(StoreError, match=r"version none|no store"):
        Store.open(url)
    monkeypatch.undo()
    store = Store.create(url)
    assert differences(store) == []
    store.close()


def test_a_kill_in_the_middle_of_a_migration_leaves_the_store_as_it_was(url):
    """The process ends at the fifth table, without a word to the database."""
    code = (
        "import os, sys\n"
        "from alembic.operations import Operations\n"
        "from party.store import Store\n"
        "honest, made = Operations.create_table, []\n"
        "def create_table(self, *words, **options):\n"
        "    made.append(1)\n"
        "    if len(made) == 5: os._exit(9)\n"
        "    return honest(self, *words, **options)\n"
        "Operations.create_table = create_table\n"
        "Store.create(sys.argv[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", code, url], check=False).returncode == 9
    with pytest.raises(StoreError, match="version none"):
        Store.open(url)
    store = Store.create(url)
    assert differences(store) == []
    store.close()


# -- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [Store.open, Store.create])
def test_a_store_of_a_newer_version_is_refused_and_stays_as_it_is(url, store, use):
    set_version(store, "9999")
    with pytest.raises(StoreError, match=r"version 9999.*a newer program wrote it"):
        use(url)
    assert store.rows(sa.select(sa.table("alembic_version", sa.column("version_num")))) == [
        ("9999",)
    ]


def test_a_store_of_an_older_version_says_how_it_is_brought_up(url, store):
    set_version(store, "0000")
    with pytest.raises(StoreError, match=r"version 0000.*init --upgrade"):
        Store.open(url)
    with pytest.raises(StoreError, match="no way leads"):
        Store.create(url)


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(tmp_path):
    path = tmp_path / "nowhere.db"
    with pytest.raises(StoreError, match="no store"):
        Store.open(sqlite_url(path))
    assert not path.exists()


def test_a_database_that_is_no_store_is_refused(stores, tmp_path):
    (tmp_path / "party.db").touch()
    with pytest.raises(StoreError, match="version none"):
        Store.open(stores.new_url(tmp_path))


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "party.db").write_bytes(b"these are no tables" * 100)
    for use in (Store.open, Store.create):
        with pytest.raises(StoreError, match="DatabaseError"):
            use(sqlite_url(tmp_path / "party.db"))


# -- what is at the URL --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://db/x", "not in mysql"),
        ("oracle+cx_oracle://db/x", "not in oracle"),
        ("postgresql+nodriver://db/x", "cannot be read"),
        ("postgresql+pg8000://db/x", "pg8000, which is not installed"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url, said):
    for use in (Store.open, Store.create):
        with pytest.raises(StoreError, match=said):
            use(url)


@pytest.mark.parametrize("changed", [{"password": "wrong-pass"}, {"database": "absent"}])
def test_a_server_that_does_not_let_us_in_is_told_without_the_password(postgresql, changed):
    url = postgresql.url(**changed)
    for use in (Store.open, Store.create):
        with pytest.raises(StoreError) as caught:
            use(url)
        assert "OperationalError" in str(caught.value)
        assert not {"wrong-pass", "let-the-tests-in"} & set(str(caught.value).split())


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(StoreError, match="does not answer"):
        Store.open("postgresql+psycopg://u:p@127.0.0.1:9/x?connect_timeout=2")


def test_a_database_serves_one_party_and_another_one_is_not_half_made(postgresql, tmp_path):
    first = make_party(tmp_path, "advertiser", PostgreSQLStores(postgresql))
    settings = Settings("The channel", store=first.settings.store)
    with pytest.raises(StoreError, match="another party's log"):
        type(first).create(
            tmp_path / "channel",
            settings,
            name="channel",
            log_origin="c.test/log",
            hosts=[],
            places=Places.of("NL"),
        )
    assert not (tmp_path / "channel").exists()
    assert len(first.store.rows(sa.select(LOG_ENTRIES.c.seq))) == 1
    first.close()


# -- transactions --------------------------------------------------------------------------------


def test_opening_a_store_loads_no_migrations(url, store):
    """Every command opens the store, and what migrates takes longer to load than most commands."""
    code = (
        "import sys; from party.store import Store; Store.open(sys.argv[1]).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, url], check=False).returncode == 0


def test_a_failing_transaction_leaves_nothing(store):
    def work(connection):
        connection.execute(sa.insert(DATASETS).values(name="a", **ROW))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(work)
    assert store.rows(sa.select(DATASETS)) == []


def append_next(url, begin, race):
    """Append numbered rows as the log does: read the last number, write the next."""
    store, begun = Store.open(url), []

    def work(connection):
        begun.append(1)
        last = connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
        if len(begun) == 1 and race:
            begin.wait(60)  # all have read the same number
        seq = 0 if last is None else last + 1
        connection.execute(sa.insert(LOG_ENTRIES).values(seq=seq, data=b"", leaf=b""))

    begin.wait(60)
    for _ in range(EACH):
        store.write(work)
    store.close()
    return len(begun)


def test_processes_that_append_at_once_leave_no_gap_and_lose_nothing(url, store, stores):
    """Who lost a race runs again; on PostgreSQL it happens, on SQLite they wait for the lock."""
    spawn = multiprocessing.get_context("spawn")
    races = stores.kind == "postgresql"
    with spawn.Manager() as manager, spawn.Pool(RACERS) as pool:
        begin = manager.Barrier(RACERS)
        racers = [pool.apply_async(append_next, (url, begin, races)) for _ in range(RACERS)]
        begun = sum(racer.get(120) for racer in racers)
    seqs = [row.seq for row in store.rows(sa.select(LOG_ENTRIES.c.seq).order_by(LOG_ENTRIES.c.seq))]
    assert seqs == list(range(RACERS * EACH))
    if races:
        assert begun >= RACERS * EACH + RACERS - 1


def test_nobody_loses_for_ever_against_whoever_is_quicker(url, store):
    """Between what it reads and what it writes another appends, if that is let."""
    rival, behind = Store.open(url), []

    def append(connection):
        last = connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
        seq = 0 if last is None else last + 1
        connection.execute(sa.insert(LOG_ENTRIES).values(seq=seq, data=b"", leaf=b""))

    with ThreadPoolExecutor() as quicker:

        def work(connection):
            connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
            behind.append(quicker.submit(rival.write, append))
            wait(behind, 1)  # until it is done, or for a while where it waits itself
            append(connection)

        store.write(work)
        assert all(one.exception() is None for one in behind)
    rival.close()
    seqs = [row.seq for row in store.rows(sa.select(LOG_ENTRIES.c.seq).order_by(LOG_ENTRIES.c.seq))]
    assert seqs == list(range(len(behind) + 1))


def test_a_transaction_that_loses_every_time_gives_up_with_nothing_recorded(store, monkeypatch):
    monkeypatch.setattr("party.store._pause", lambda attempt: None)

    class LostError(Exception):
        sqlstate = "40001"

    def work(connection):
        connection.execute(sa.insert(DATASETS).values(name="a", **ROW))
        raise sa.exc.OperationalError("COMMIT", {}, LostError())

    with pytest.raises(StoreError, match="nothing was recorded"):
        store.write(work)
    assert store.rows(sa.select(DATASETS)) == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (sa.exc.OperationalError, "40001"),
        (sa.exc.OperationalError, "40P01"),
        (sa.exc.IntegrityError, "23505"),
    ],
)
def test_a_transaction_that_lost_once_runs_again_and_is_recorded_once(store, kind, state):
    """The database's words for a lost race; another one took the same key meanwhile (23505)."""
    begun = []

    class LostError(Exception):
        sqlstate = state

    def work(connection):
        begun.append(1)
        connection.execute(sa.insert(DATASETS).values(name="a", **ROW))
        if len(begun) == 1:
            raise kind("COMMIT", {}, LostError())

    store.write(work)
    assert len(begun) == 2
    assert len(store.rows(sa.select(DATASETS))) == 1


def test_any_other_broken_rule_of_a_table_is_a_fault_and_is_not_repeated(store):
    begun = []

    def work(connection):
        begun.append(1)
        connection.execute(sa.insert(DATASETS).values(name=None, **ROW))

    with pytest.raises(sa.exc.IntegrityError):
        store.write(work)
    assert len(begun) == 1


def test_writes_survive_the_process_synchronously(tmp_path):
    """WAL with full synchronisation: what is committed is on disk."""
    store = Store.create(sqlite_url(tmp_path / "party.db"))
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    store.close()


def test_what_is_deleted_does_not_stay_in_the_file(tmp_path):
    """Many builds of SQLite do so anyway; on others it is the store's pragma that does."""
    store, salt = Store.create(sqlite_url(tmp_path / "store.sqlite")), bytes(range(100, 132))
    row = {"commitment": bytes(32), "salt": salt, "value": b"v"}
    store.write(lambda connection: connection.execute(sa.insert(SALTS).values(**row)))
    store.close()
    assert salt in (tmp_path / "store.sqlite").read_bytes()
    store = Store.open(sqlite_url(tmp_path / "store.sqlite"))
    store.write(lambda connection: connection.execute(sa.delete(SALTS)))
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["store.sqlite"]
    assert salt not in (tmp_path / "store.sqlite").read_bytes()


def test_postgresql_runs_every_transaction_serializable_and_synchronously(postgresql):
    store = Store.create(postgresql.new_database())
    with store._engine.connect() as connection:
        shown = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        assert shown == "serializable"
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    store.close()
