"""Each page in a real browser: axe finds no fault, and it fits from 320 pixels on.

By default each page is opened in the two combinations that are furthest apart. `make console-looks`
opens each in both languages, light and dark, narrow and wide, and keeps a picture of each.
"""

import os
import ssl
import threading
import urllib.request
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from organisations import Wire, file_match, run_both

from audit.roles import Role
from client.console.app import roles_of
from party.retention import prune

PICTURES = os.environ.get("COMMONGROUND_CONSOLE_PICTURES")
WIDE, NARROW = 1280, 320
EVERY = list(product(("en", "zh"), ("light", "dark"), (WIDE, NARROW)))
SOME = [("en", "light", WIDE), ("zh", "dark", NARROW)]


@pytest.fixture(scope="module")
def lived_in(parties):
    """Leave something to be seen: a session that has finished, a request that waits."""
    request = file_match(parties, parties["advertiser"].contract("test"))
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    prune(parties["advertiser"])
    return parties


def pages(app, visitor):
    """Return each page that is one without a parameter; files to be taken away are none."""
    routes = roles_of(app).items()
    found = {path for (method, path), role in routes if method == "GET" and role is not None}
    plain = sorted(path for path in found if "{" not in path)
    answers = {path: visitor.get(path) for path in plain}
    return [
        path
        for path, one in answers.items()
        if one.status_code == 200 and one.headers["content-type"].startswith("text/html")
    ]


def faults(page):
    """Return what axe-core finds, of any weight."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found]


@pytest.mark.parametrize("way", EVERY if PICTURES else SOME, ids=str)
def test_each_page_is_without_fault_and_fits(app, lived_in, looking, signed_in, way):
    language, theme, width = way
    for role, paths in (
        (None, ["/sign-in"]),
        (Role.OPERATOR, pages(app, signed_in(Role.OPERATOR))),
    ):
        with looking(role, language=language, theme=theme, width=width) as page:
            for path in paths:
                page.goto(path)
                assert faults(page) == [], path
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                if PICTURES:
                    name = path.strip("/").replace("/", "-") or "home"
                    file = Path(PICTURES) / f"{name}-{language}-{theme}-{width}.png"
                    page.screenshot(path=file, full_page=True)


def test_the_keyboard_reaches_the_content_first_and_the_menu_after(lived_in, looking):
    with looking(Role.ANALYST) as page:
        page.goto("/health")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#content"
        assert page.evaluate("document.activeElement.id") == "content"


def test_a_choice_of_language_and_light_holds_without_javascript(lived_in, looking):
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


def test_fifty_readers_at_once_are_answered_while_a_session_runs(lived_in, served, signed_in):
    """Nobody waits for a session's writes, and nobody is answered with a fault."""
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
    request = file_match(lived_in, lived_in["advertiser"].contract("test"))
    ready.wait(60)
    assert run_both(lived_in, request, Wire()) == dict.fromkeys(lived_in)
    for reader in readers:
        reader.join(180)
    assert answers == [(200, True)] * 100
