"""One short run of `make failover`, and what a number of a transaction cannot tell.

Covers: a primary killed under spenders whose standby takes over; a COMMIT that a crash undid, whose
number the server gives to another transaction. Does not cover: a primary that comes back and
believes that it leads.
"""

import psycopg
import pytest
import sqlalchemy as sa
from failover import faults_of, play, spend

from party.databases import CONNECTING
from party.ledger import rows
from party.schema import COMMITS
from party.store import Store


def charged(store):
    return sorted(row.request for row in store.read(rows))


@pytest.mark.usefixtures("postgresql")  # or skip
def test_nothing_is_lost_or_charged_twice_when_a_standby_takes_over_in_the_middle_of_spends():
    assert faults_of(*play(seed=1)) == []


@pytest.fixture
def store(postgresql):
    made = Store.create(postgresql.new_database())
    yield made
    made.close()


def test_a_commit_that_was_undone_is_not_believed_for_anothers_that_has_its_number(
    store, postgresql, monkeypatch
):
    """The server falls before the COMMIT is on disk, and counts from where its disk ends."""
    honest, undone = store._engine.dialect.do_commit, []

    def do_commit(connection):
        if undone:
            return honest(connection)
        driver = connection.dbapi_connection
        [number] = driver.execute("SELECT CAST(pg_current_xact_id() AS text)").fetchone()
        undone.append(int(number))
        postgresql.fall()
        postgresql.come_up()
        url = store._engine.url.set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(url, autocommit=True) as other:
            while int(other.execute("SELECT pg_current_xact_id()").fetchone()[0]) < int(number):
                pass
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(store._engine.dialect, "do_commit", do_commit)
    assert store.write(spend("r")) is True
    assert charged(store) == ["r"]
    assert undone


def test_marks_of_commits_do_not_pile_up(store, monkeypatch):
    monkeypatch.setattr("party.store.MARKS", 5)
    for number in range(8):
        store.write(lambda c, n=number: c.execute(sa.text(f"SELECT {n}")))
    assert len(store.rows(sa.select(COMMITS))) == 3
    store.write(lambda c: c.execute(sa.update(COMMITS).values(made_at=1)))  # of one that was killed
    store.close()
    assert store.rows(sa.select(COMMITS)) == []


def test_a_server_that_falls_silent_is_not_waited_for_for_ever(postgresql):
    """What libpq was told; the URL's own word stands."""
    url = sa.make_url(postgresql.url()).update_query_dict({"connect_timeout": "3"})
    store = Store(Store.create(url.render_as_string(False))._engine)
    with store._engine.connect() as connection:
        told = connection.connection.dbapi_connection.info.get_parameters()
    wanted = {key: str(value) for key, value in CONNECTING.items()} | {"connect_timeout": "3"}
    assert {key: told[key] for key in wanted} == wanted
    store.close()
