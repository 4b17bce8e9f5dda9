"""Accounts, sessions, tokens and guessing, on SQLite and on PostgreSQL.

What they hold is a row that two consoles, or two tries at once, may reach for: each claim is about
the store as much as about the console.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from visitors import PASSWORD, Visitor, newest, session_of, staffed_pair

from audit.roles import Role
from party.errors import AccessError
from party.evidence import StoredLog, verify_log
from party.schema import METADATA
from party.staff import entrance, sessions
from party.staff.accounts import Staff
from party.staff.entrance import Entrance
from party.staff.sessions import Sessions

AT_ONCE = 8
DAY = 86_400


@pytest.fixture(scope="module")
def parties(tmp_path_factory, stores):
    """Yield the parties of every test here, once on each kind of store."""
    yield from staffed_pair(tmp_path_factory.mktemp(f"staff-{stores.kind}"), stores)


def everything_in(party):
    """Return the bytes of every row of a store, and of its files where it is files."""
    with party.store._engine.connect() as connection:
        rows = [
            repr(tuple(row)).encode()
            for table in METADATA.sorted_tables
            for row in connection.execute(sa.select(table))
        ]
    return b"".join([*rows, *(path.read_bytes() for path in party.folder.glob("party.db*"))])


def at_once(work):
    """Do work in threads that begin together; return what each found."""
    ready = Barrier(AT_ONCE)

    def begin(number):
        ready.wait(60)
        return work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(begin, range(AT_ONCE)))


# -- accounts and tokens --------------------------------------------------------------------------


def test_a_name_is_given_once_however_many_ask_for_it_at_once(party):
    staff = Staff(party)

    def add(_):
        try:
            return staff.add("nina", Role.ANALYST, PASSWORD).account
        except AccessError as error:
            return str(error)

    found = at_once(add)
    assert sorted(found) == ["nina~console", *["there is an account nina already"] * (AT_ONCE - 1)]
    granted = [one for one in newest(party, AT_ONCE) if one.kind == "access.granted"]
    assert [one.body.account for one in granted].count("nina~console") == 1
    staff.remove("nina~console")


def test_two_first_sign_ins_at_once_are_one_account(party):
    """Each has found nobody of this subject before it adds them."""
    staff = Staff(party)

    def add(subject):
        return staff.add_subject("nora", Role.ANALYST, "https://login.example", subject)

    first = add("1")
    assert add("1") == first
    assert {one.account for one in at_once(lambda number: add(str(number // 2)))} == {
        "nora~console", "nora-2~console", "nora-3~console", "nora-4~console"
    }  # fmt: skip
    granted = [one for one in newest(party, AT_ONCE) if one.kind == "access.granted"]
    assert len([one for one in granted if one.body.account.startswith("nora")]) == AT_ONCE // 2
    for number in range(AT_ONCE // 2):
        staff.remove(staff.by_subject("https://login.example", str(number)).account)


def test_a_token_is_somebodys_until_it_ends_or_is_revoked(party, later):
    staff = Staff(party)
    made, token = staff.add_token("nightly", Role.ANALYST, 2)
    assert staff.by_token(token) == made
    assert staff.by_token(token[:-1]) is None
    later(2 * DAY - 60)
    assert staff.by_token(token) == made
    later(60)
    assert staff.by_token(token) is None
    assert [one.name for one in staff.tokens()] == ["nightly"]  # and is there to be seen
    staff.remove("nightly~token")
    _, token = staff.add_token("nightly", Role.OPERATOR, 2)
    staff.remove("nightly~token")
    assert staff.by_token(token) is None


def test_guesses_that_come_at_once_are_each_counted(party, mallory, stopped):
    """Nobody gets more tries by making them together."""
    tried = at_once(
        lambda number: Entrance(party).by_password(mallory, "wrong", f"10.1.0.{number}")
    )
    assert sum(not one.waits for one in tried) == entrance.FREE_OF_ACCOUNT + 1
    assert Entrance(party).by_password(mallory, PASSWORD, "10.1.1.1").waits


# -- what the pages make of them ------------------------------------------------------------------


def test_a_role_that_is_taken_away_is_lost_at_once(party, app, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    assert visitor.get("/").url.path == "/"
    Staff(party).set_role("mallory~console", Role.COMPLIANCE)
    assert visitor.get("/").url.path == "/sign-in"


def test_a_cookie_is_worth_nothing_after_signing_out(party, app, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    kept = session_of(visitor)
    visitor.send("/", "/sign-out")
    replayed = Visitor(app)
    replayed.client.cookies.set("__Host-commonground-443-session", kept, domain="testserver.local")
    assert replayed.get("/").url.path == "/sign-in"
    assert Sessions(party).find(kept) is None
    assert [one.kind for one in newest(party, 2)] == ["console.signed_in", "console.signed_out"]
    assert newest(party)[0].actor == "mallory~console/analyst"


def test_a_session_ends_when_nothing_is_asked_and_after_a_day_of_work(party, app, later, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    secret = session_of(visitor)
    later(sessions.IDLE_SECONDS - 60)
    assert Sessions(party).find(secret) is not None
    later(sessions.IDLE_SECONDS)
    assert Sessions(party).find(secret) is None
    visitor.sign_in(mallory)
    secret = session_of(visitor)
    for _ in range(sessions.LONGEST_SECONDS // 1200):
        later(1200)
        found = Sessions(party).find(secret)
    assert found is None


@pytest.mark.parametrize("change", ["password", "role", "remove"])
def test_a_change_of_the_account_ends_its_sessions(party, app, mallory, change):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    account, staff = "mallory~console", Staff(party)
    {
        "password": lambda: staff.set_password(account, PASSWORD + "!"),
        "role": lambda: staff.set_role(account, Role.OPERATOR),
        "remove": lambda: staff.remove(account),
    }[change]()
    assert Sessions(party).find(session_of(visitor)) is None


def test_the_store_holds_no_secret_of_a_session_or_a_token(party, app, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    _, token = Staff(party).add_token("reader", Role.COMPLIANCE, 1)
    data = everything_in(party)
    for secret in (session_of(visitor), token, PASSWORD):
        assert secret.encode() not in data
    assert b"$argon2id$" in data
    Staff(party).remove("reader~token")


def test_guessing_is_slowed_by_account_and_by_address_and_outlives_a_start(
    party, stopped, later, mallory
):
    door = Entrance(party)
    for _ in range(entrance.FREE_OF_ACCOUNT):
        assert door.by_password(mallory, "wrong", "10.0.0.1").wait_seconds == 0
    waits = []
    for _ in range(12):
        tried = Entrance(party).by_password(mallory, "wrong", "10.0.0.1")  # as after a start
        assert tried.account is None
        waits.append(tried.wait_seconds)
        assert Entrance(party).by_password(mallory, PASSWORD, "10.0.0.2").waits
        later(tried.wait_seconds)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2, entrance.LONGEST_SECONDS)
    assert Entrance(party).by_password(mallory, PASSWORD, "10.0.0.2").account is not None
    assert Entrance(party).by_password(mallory, "wrong", "10.0.0.2").wait_seconds == 0


def test_an_address_that_guesses_at_many_accounts_is_slowed(party, stopped):
    door = Entrance(party)
    for number in range(entrance.FREE_OF_ADDRESS):
        assert not door.by_password(f"user{number}", "wrong", "10.0.0.9").waits
    assert door.by_password("another", "wrong", "10.0.0.9").wait_seconds > 0
    assert door.by_password("another", "wrong", "10.0.0.9").waits
    assert not door.by_password("someone", "wrong", "10.0.0.10").waits


def test_an_account_that_does_not_exist_is_answered_as_one_that_does(
    party, app, mallory, monkeypatch
):
    asked = []
    monkeypatch.setattr(entrance, "fits", lambda *given: asked.append(given) or False)
    texts = []
    for name in (mallory, "nobody"):
        answer = Visitor(app).sign_in(name, "wrong")
        text = re.sub(r'value="[^"]*"', "", answer.text)
        texts.append((answer.status_code, text))
    assert texts[0] == texts[1]
    assert len(asked) == 2  # a hash was computed for both
    refused = newest(party, 2)
    assert [one.kind for one in refused] == ["console.refused"] * 2
    assert [one.body.account for one in refused] == ["mallory~console", None]
    assert b"nobody" not in refused[1].encode()


def test_the_log_with_all_of_this_in_it_verifies(party, app, mallory):
    Visitor(app).sign_in(mallory)
    verify_log(StoredLog(party.store, party.identity))
