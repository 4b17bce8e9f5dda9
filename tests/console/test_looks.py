"""Each page in a real browser, with something to be seen in it: axe finds no fault, and it fits.

By default each page is opened in the two ways that are furthest apart, and axe looks at it in one
of them. `make console-looks` opens each in both languages, light and dark, narrow and wide, lets
axe look at all, and keeps a picture of each and a table of what axe has found.
"""

import logging
import ssl
import threading
import urllib.request
from itertools import product
from pathlib import Path

import measured_tables
import pytest
from axe_playwright_python.sync_playwright import Axe
from lived_in import FILES, FORMS, LED_TO, Places
from organisations import Wire, file_match, run_both

from audit.roles import Role
from client.console.app import roles_of
from party import web_listener

WIDE, NARROW = 1280, 320
EVERY = list(product(("en", "zh"), ("light", "dark"), (WIDE, NARROW)))
SOME = [("en", "light", WIDE), ("zh", "dark", NARROW)]
WAYS = EVERY if measured_tables.FOLDER else SOME


@pytest.fixture(scope="module")
def places(parties, signed_in, tmp_path_factory):
    return Places(parties, signed_in, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def seen():
    """Keep what axe has found, by page and way, as a table."""
    found = {}
    yield found
    names = sorted({name for name, _ in found})
    measured_tables.keep(
        "axe",
        "What axe-core finds",
        "Faults of any weight on each page, by language, light and width in pixels.",
        ("page", *(" ".join(map(str, way)) for way in WAYS)),
        [(name, *(found.get((name, way), "–") for way in WAYS)) for name in names],
    )


def routes(app):
    """Return the paths of all pages for somebody who has signed in."""
    found = roles_of(app).items()
    return sorted(path for (method, path), role in found if method == "GET" and role is not None)


def faults(page):
    """Return what axe-core finds, of any weight."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found]


def test_every_page_is_looked_at(app, places):
    for path in routes(app):
        assert path in FILES or path in LED_TO or places.of(path), f"{path}: see lived_in"
    assert set(LED_TO.values()) <= set(FORMS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way)))
def test_each_page_is_without_fault_and_fits(app, places, looking, seen, way, caplog):
    language, theme, width = way
    ways_there = {
        name: lambda page, address=address: page.goto(address)
        for path in routes(app)
        if path not in FILES
        for name, address in places.of(path).items()
    } | FORMS
    wrong = []

    def look(page, name, number):
        every = measured_tables.FOLDER is not None
        if every or (number + WAYS.index(way)) % 2 == 0:
            found = faults(page)
            seen[name, way] = len(found)
            wrong.extend((name, *one) for one in found)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append((name, "wider than the window"))
        if every:
            file = f"{name}-{language}-{theme}-{width}.png"
            page.screenshot(path=Path(measured_tables.FOLDER, file), full_page=True)

    with looking(None, language=language, theme=theme, width=width) as page:
        page.goto("/sign-in")
        look(page, "sign-in", 0)
    with looking(Role.OPERATOR, language=language, theme=theme, width=width) as page:
        for number, (name, go) in enumerate(ways_there.items()):
            go(page)
            look(page, name, number)
    assert wrong == []
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_the_keyboard_reaches_the_content_first_and_the_menu_after(places, looking):
    with looking(Role.ANALYST) as page:
        page.goto("/health")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#content"
        assert page.evaluate("document.activeElement.id") == "content"


def test_a_choice_of_language_and_light_holds_without_javascript(places, looking):
    with looking(Role.COMPLIANCE, javascript=False) as page:
        page.goto("/health")
        page.click("button[value=zh]")
        assert page.url.endswith("/health")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        page.click("button[value=dark]")
        assert page.get_attribute("html", "data-theme") == "dark"
        page.click(".who button")
        assert "/sign-in" in page.url
        page.goto("/")
        assert "/sign-in" in page.url


def test_fifty_readers_at_once_are_answered_while_a_session_runs(
    parties, served, signed_in, monkeypatch
):
    """Nobody waits for a session's writes, and nobody is answered with a fault."""
    monkeypatch.setattr(web_listener, "FIRST_REQUEST_SECONDS", 120.0)  # fifty handshakes at once
    cookie = signed_in(Role.COMPLIANCE).client.cookies["__Host-commonground-443-session"]
    port = served.rpartition(":")[2]
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    answers, ready = [], threading.Barrier(51)

    def read():
        ready.wait(60)
        for path in ("/", "/health"):
            asked = urllib.request.Request(served + path)
            asked.add_header("Cookie", f"__Host-commonground-{port}-session={cookie}")
            with urllib.request.urlopen(asked, timeout=120, context=trusting) as answer:
                answers.append((answer.status, b'aria-current="page"' in answer.read()))

    readers = [threading.Thread(target=read) for _ in range(50)]
    for reader in readers:
        reader.start()
    request = file_match(parties, parties["advertiser"].contract("test"))
    ready.wait(60)
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    for reader in readers:
        reader.join(180)
    assert answers == [(200, True)] * 100
