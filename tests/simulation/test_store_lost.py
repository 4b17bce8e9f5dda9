"""PostgreSQL goes away in the middle of a spend: ended connections, a restart, an unheard COMMIT.

Covers: a connection that the server ends before, at and after COMMIT; a server that falls and comes
up again; one that does not come back; processes that race for a budget meanwhile. Does not cover:
a standby that lacks what was committed (docs/operations.md says how not to have one).
"""

import random
import threading
import time
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa

from party.errors import Refusal, StoreError
from party.ledger import Account, Allowance, admit, charge, rows
from party.store import Store
from privacy.accounting import Spend

ACCOUNT = Account("customers", "other.test/log", 1_000)
ONE = Spend.pure(10**9)
ALLOWANCE = Allowance(20 * 10**9, 10**6, "basic", 30)


@pytest.fixture
def store(postgresql):
    made = Store.create(postgresql.new_database())
    yield made
    made.close()


def spend(request, begun=None):
    """Return a transaction that admits and charges as a session does."""

    def work(connection):
        if begun is not None:
            begun.append(1)
        admit(connection, ACCOUNT, ALLOWANCE, ONE)
        return charge(connection, request, "session", ACCOUNT, ONE, 2_000)

    return work


def charged(store):
    return sorted(row.request for row in store.read(rows))


def end_all(postgresql, database=None):
    """Have the server end every connection but this one, as an administrator does."""
    with psycopg.connect(conninfo(postgresql), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def conninfo(postgresql):
    return sa.make_url(postgresql.url()).set(drivername="postgresql").render_as_string(False)


def test_a_connection_that_ends_in_the_middle_of_a_spend_is_begun_anew(store, postgresql):
    begun = []

    def work(connection):
        done = spend("r", begun)(connection)
        if len(begun) == 1:
            end_all(postgresql)
        return done

    assert store.write(work)
    assert (len(begun), charged(store)) == (2, ["r"])


def test_one_that_ends_at_its_commit_is_not_in_the_store_and_is_begun_anew(
    store, postgresql, monkeypatch
):
    begun, honest = [], store._engine.dialect.do_commit

    def do_commit(connection):
        if len(begun) == 1:
            end_all(postgresql)
        honest(connection)

    monkeypatch.setattr(store._engine.dialect, "do_commit", do_commit)
    assert store.write(spend("r", begun))
    assert (len(begun), charged(store)) == (2, ["r"])


def test_a_commit_whose_answer_was_lost_is_not_made_twice(store, monkeypatch):
    """The server has committed; the ledger would say `known` at a second try, and not `charged`."""
    begun, honest, lost = [], store._engine.dialect.do_commit, []

    def do_commit(connection):
        honest(connection)
        if not lost:
            lost.append(1)
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(store._engine.dialect, "do_commit", do_commit)
    assert store.write(spend("r", begun)) is True
    assert (len(begun), charged(store)) == (1, ["r"])


def test_a_server_that_falls_and_comes_up_is_waited_for(store, postgresql):
    for number in range(2):
        store.write(spend(f"before{number}"))
    postgresql.fall()
    coming = threading.Timer(0.5, postgresql.come_up)
    coming.start()
    try:
        assert store.write(spend("after"))
    finally:
        coming.join()
    assert charged(store) == ["after", "before0", "before1"]


def test_a_server_that_does_not_come_back_is_told_and_nothing_is_claimed(
    store, postgresql, monkeypatch
):
    monkeypatch.setattr("party.store.GONE_SECONDS", 0.3)
    postgresql.fall()
    try:
        with pytest.raises(StoreError, match="may be recorded or not"):
            store.write(spend("r"))
        with pytest.raises(StoreError, match="has not answered"):
            store.read(rows)
    finally:
        postgresql.come_up()
    assert charged(store) == []


def test_a_budget_holds_while_connections_end_and_the_server_falls(store, postgresql):
    """Three spenders, more requests than the budget pays for, each asked for twice."""
    url = store._engine.url.render_as_string(hide_password=False)
    words, ended = [], threading.Event()

    def spender(name, mine):
        for number in range(10):
            for _ in range(2):
                try:
                    words.append(mine.write(spend(f"{name}{number}")))
                except Refusal:
                    words.append(None)
        mine.close()

    def trouble():
        dice = random.Random(7)
        for _ in range(12):
            time.sleep(dice.uniform(0.01, 0.08))
            with suppress(psycopg.OperationalError):
                end_all(postgresql)
        postgresql.fall()
        postgresql.come_up()
        ended.set()

    threads = [threading.Thread(target=spender, args=(name, Store.open(url))) for name in "abc"]
    threads.append(threading.Thread(target=trouble))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert ended.is_set()
    assert len(words) == 60
    assert len(charged(store)) == len(set(charged(store))) == 20
    assert words.count(True) == 20  # what was said to be charged is, once each


def test_a_server_that_takes_no_changes_any_more_is_left_for_the_one_that_does(store, postgresql):
    """As after a failover: what answers is read-only, until the name leads to the new primary."""
    database = sa.make_url(store._engine.url).database

    def read_only(word):
        with psycopg.connect(conninfo(postgresql), autocommit=True) as connection:
            connection.execute(
                f"ALTER DATABASE {database} SET default_transaction_read_only={word}"
            )

    read_only("on")
    end_all(postgresql)
    with pytest.raises(sa.exc.DBAPIError, match="read-only"), store._engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a int)"))
    leading = threading.Timer(0.5, read_only, ["off"])
    leading.start()
    try:
        assert store.write(spend("r"))
    finally:
        leading.join()
    assert charged(store) == ["r"]
