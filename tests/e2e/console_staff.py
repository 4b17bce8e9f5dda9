"""A party's staff before a real browser: consoles as processes of their own, steps counted.

The consoles answer over TLS, beside a counterpart that serves. What somebody clicks and types is
what docs/console.md says of their path.
"""

import json
import re
from contextlib import contextmanager
from pathlib import Path

import measured_tables
import pytest
from two_processes import copy_pair, wait_until

from audit.roles import Role
from party.organisation import Organisation
from party.staff.accounts import Staff

PASSWORD = "correct horse battery staple"
NAMES = {Role.OPERATOR: "olga", Role.ANALYST: "ana", Role.COMPLIANCE: "carl"}
WAIT_MS = 60_000
PAGE = Path(__file__).parents[2] / "docs" / "console.md"


class Consoles:
    """Both parties, with staff at each; the channel serves, and either may have its console."""

    def __init__(self, pair):
        self.pair, self._urls = pair, {}
        for one in pair:
            party = Organisation.open(one.folder)
            for role, name in NAMES.items():
                Staff(party).add(name, role, PASSWORD)
            party.close()
        pair.serve()

    def url(self, party):
        """Return the address of a party's console, which answers from now on."""
        if party.name not in self._urls:
            self._urls[party.name] = start_console(party)[1]
        return self._urls[party.name]


def start_console(party):
    """Start a party's console; return the process and the address."""
    running = party.start("console", "--http", "127.0.0.1:0", "--json")
    wait_until(lambda: running.ended or running.out.endswith("}\n"), every=0.02)
    assert not running.ended, running.err
    return running, json.loads(running.out)["url"]


@pytest.fixture(scope="module")
def consoles(template, tmp_path_factory):
    """Yield the consoles of a pair, for a module."""
    pair = copy_pair(template, tmp_path_factory.mktemp("consoles"))
    yield Consoles(pair)
    pair.end()


class Walk:
    """Somebody's way through the console; clicks and fields that are typed are counted.

    Choosing from a list is a click; a question that is answered is another.
    """

    def __init__(self, page):
        self.page, self.clicks, self.fields = page, 0, 0
        page.on("dialog", self._agree)

    def sign_in(self, url, role):
        self.page.goto(url)
        self.type("Name", NAMES[role])
        self.type("Password", PASSWORD)
        self.press("Sign in")
        self.page.get_by_role("heading", name="Home", exact=True).wait_for()

    def follow(self, name):
        """Click the first link of this whole name."""
        self._click(self.page.get_by_role("link", name=name, exact=True))

    def press(self, name):
        """Click a button of the page by its name."""
        self._click(self.page.get_by_role("main").get_by_role("button", name=name))

    def open(self, text):
        """Click what unfolds a part of the page."""
        self._click(self.page.locator("summary", has_text=text))

    def type(self, label, text):
        self.page.get_by_label(label).first.fill(text)
        self.fields += 1

    def choose(self, label, value):
        self.page.get_by_label(label).first.select_option(value)
        self.clicks += 1

    def take(self, step):
        """Do a step that hands out a file; return its bytes."""
        with self.page.expect_download(timeout=WAIT_MS) as download:
            step()
        return download.value.path().read_bytes()

    def read(self, text):
        """Wait until the page says something."""
        self.page.get_by_role("main").get_by_text(text).first.wait_for()

    def _click(self, found):
        found.first.click()
        self.clicks += 1

    def _agree(self, dialog):
        dialog.accept()
        self.clicks += 1


@pytest.fixture(scope="session")
def walked():
    """Keep how much each path took, as a table."""
    taken = {}
    yield taken
    measured_tables.keep(
        "clicks",
        "What a path through the console takes",
        "Each was gone in Chromium, from signing in to its end; choosing from a list is a click, "
        "and so is the answer to a question, which is asked where there is JavaScript.",
        ("path", "clicks with JavaScript", "clicks without", "fields typed"),
        [
            (path, by_script[True][0], by_script[False][0], by_script[True][1])
            for path, by_script in sorted(taken.items())
            if len(by_script) == 2
        ],
    )


@pytest.fixture
def walking(chromium, walked, request):
    """Return how to walk a path: `with walking(path, script) as walk`.

    At its end the path took what docs/console.md says, and no page has complained.
    """

    @contextmanager
    def walk(path, script):
        context = chromium.new_context(
            ignore_https_errors=True, java_script_enabled=script, accept_downloads=True, locale="en"
        )
        context.set_default_timeout(WAIT_MS)
        page, complaints = context.new_page(), []
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            made = Walk(page)
            yield made
        finally:
            context.close()
        assert not complaints
        walked.setdefault(path, {})[script] = (made.clicks, made.fields)
        taken, written = (made.clicks, made.fields), _written(path, script)
        assert taken == written, f"{path}: {taken} clicks and fields, and the manual says {written}"

    return walk


def _written(path, script):
    """Return the clicks and fields that the manual says of a path."""
    row = rf"(?m)^\| {re.escape(path)} \| (\d+) \| (\d+) \| (\d+) \|$"
    found = re.search(row, PAGE.read_text(encoding="utf-8"))
    assert found is not None, f"docs/console.md does not say what this takes: {path}"
    with_script, without, fields = map(int, found.groups())
    return (with_script if script else without), fields
