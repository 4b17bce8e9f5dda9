"""A party with its console in this process, and visitors of each role who are signed in."""

import re
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))

import sqlalchemy as sa
from starlette.testclient import TestClient
from visitors import NAMES, PASSWORD, PLACE, Visitor, bearer, staffed_pair

from audit.roles import Role
from client.console.app import make_app
from client.console.hosting import hosting
from party.schema import STAFF_DELAYS
from party.staff import passwords
from party.staff.accounts import Staff


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords():
    """Hash with the least that argon2 takes: what it costs is a test of its own."""
    from argon2 import PasswordHasher

    passwords._hasher.cache_clear()
    kept, passwords._hasher = passwords._hasher, lambda: PasswordHasher(1, 8, 1)
    yield
    passwords._hasher = kept


@pytest.fixture(scope="module")
def parties(tmp_path_factory):
    """Yield advertiser and channel, with a contract and datasets, and staff at the advertiser."""
    yield from staffed_pair(tmp_path_factory.mktemp("console"))


@pytest.fixture
def party(parties):
    """The advertiser, whose clock a test may set."""
    made = parties["advertiser"]
    clock = made.clock
    yield made
    made.clock = clock


@pytest.fixture
def stopped(party):
    """Let no time pass."""
    now = party.clock()
    party.clock = lambda: now


@pytest.fixture
def later(party):
    """Let time pass."""

    def pass_(seconds):
        before = party.clock
        party.clock = lambda: before() + seconds

    return pass_


@pytest.fixture
def mallory(party):
    """Somebody's account, new in each test; nobody has tried to sign in before."""
    party.store.record(lambda connection: connection.execute(sa.delete(STAFF_DELAYS)))
    staff = Staff(party)
    staff.add("mallory", Role.ANALYST, PASSWORD)
    yield "mallory"
    if staff.find("mallory~console") is not None:
        staff.remove("mallory~console")


@pytest.fixture(scope="module")
def app(parties):
    """Return the console of the advertiser."""
    return make_app(parties["advertiser"], PLACE)


@pytest.fixture(scope="module")
def signed_in(app):
    """Return a visitor by role, signed in once a module."""
    made = {}

    def visitor(role):
        if role not in made:
            made[role] = Visitor(app)
            assert made[role].sign_in(NAMES[role]).status_code == 200
        return made[role]

    return visitor


@pytest.fixture(scope="module")
def tokens(parties):
    """Return a token of each role."""
    staff = Staff(parties["advertiser"])
    return {role: staff.add_token(f"t-{role.value}", role, 1)[1] for role in Role}


@pytest.fixture
def client(parties):
    """A program's client, of a console whose calls are not slowed by other tests."""
    return TestClient(make_app(parties["advertiser"], PLACE), base_url="https://testserver")


@pytest.fixture
def calling(client, tokens):
    """Return a call of the API by role: `calling(role)("GET", path, …)`, its answer unread."""

    def by(role):
        def call(method, path, **options):
            return client.request(method, f"/api/v1{path}", headers=bearer(tokens[role]), **options)

        return call

    return by


@pytest.fixture
def stranger(app):
    """Return a visitor who has not signed in."""
    return Visitor(app)


# -- a real browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(parties):
    """Yield the URL of the advertiser's console, which answers over TLS in this process."""
    with hosting(parties["advertiser"], "127.0.0.1:0") as url:
        yield url


@pytest.fixture(scope="module")
def looking(chromium, served):
    """Return how to open a browser that is signed in: `looking(role, language=…, theme=…, …)`.

    A role of None is a stranger.

    It yields Playwright's page; whatever the page complains of fails the test. `javascript=False`
    is a browser without it.
    """
    states = {}

    @contextmanager
    def look(role, *, language="en", theme="light", width=1280, javascript=True):
        options = {
            "base_url": served,
            "ignore_https_errors": True,  # the certificate is the party's own
            "locale": "zh-CN" if language == "zh" else "en-GB",
            "color_scheme": theme,
            "viewport": {"width": width, "height": 900},
            "java_script_enabled": javascript,
            "reduced_motion": "reduce",
        }
        context = chromium.new_context(**options, storage_state=states.get(role))
        context.set_default_timeout(60_000)
        page, complaints = context.new_page(), []

        def hear(said):
            itself = (
                said.location.get("url") == page.url
            )  # a page of an error says so by its status
            if said.type == "error" and not itself:
                complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            if role is not None and role not in states:
                page.goto("/sign-in")
                page.fill("[name=name]", NAMES[role])
                page.fill("[name=password]", PASSWORD)
                page.click("main button")
                page.wait_for_url(re.compile(r"/$"))
                states[role] = context.storage_state()
            yield page
        finally:
            context.close()
        assert not complaints

    return look
