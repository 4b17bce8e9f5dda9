"""An analyst in a real browser: from signing in to a report as a file, with JavaScript and without.

The console and the counterpart (`serve`) are processes of their own, over TLS. What the browser
shows is held against the people that both sides hold.
"""

import json
import os
import shutil

import pytest
from browser import PROGRAMS, REQUIRE
from two_processes import copy_pair, wait_until

from audit.roles import Role
from party.organisation import Organisation
from party.staff.accounts import Staff

PASSWORD = "correct horse battery staple"
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def chromium():
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get(REQUIRE) == "1":
            pytest.fail("there is no Chromium here")
        pytest.skip("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(template, tmp_path_factory):
    """Serve the channel, answer browsers for the advertiser; return both and the address."""
    pair = copy_pair(template, tmp_path_factory.mktemp("console"))
    party = Organisation.open(pair.advertiser.folder)
    Staff(party).add("ana", Role.ANALYST, PASSWORD)
    party.close()
    pair.serve()
    running = pair.advertiser.start("console", "--http", "127.0.0.1:0", "--json")
    wait_until(lambda: running.ended or running.out.endswith("}\n"))
    assert not running.ended, running.err
    yield pair, json.loads(running.out)["url"]
    pair.end()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_analyst_gets_a_report_as_a_file(chromium, served, script):
    pair, console = served
    context = chromium.new_context(
        ignore_https_errors=True, java_script_enabled=script, accept_downloads=True, locale="en"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(console)
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Reports", exact=True).click()
    page.get_by_role("link", name="New report").click()
    page.get_by_role("link", name="How many were reached, and how often").first.click()
    page.get_by_label("By which label of channel").select_option("few/frequency")
    page.get_by_label("By which label of yours").select_option("few/segment")
    page.get_by_text("Privacy and expectations").click()
    page.get_by_label("ε of the table").fill("20")
    page.get_by_role("button", name="Show the quote").click()
    page.get_by_role("heading", name="What is left of your people's budget").wait_for()
    assert "Left afterwards" in page.inner_text("main")
    page.get_by_role("button", name="Ask for it").click()
    page.get_by_role("link", name="Open the report").click()
    page.get_by_text("Shareable: this may be passed on").wait_for()
    images = page.locator(".report figure img")
    assert images.count() >= 1
    images.first.scroll_into_view_if_needed()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert b"shareable" in download.value.path().read_bytes()
    request = page.url.split("?")[0].rpartition("/")[2]
    assert pair.advertiser.read("requests", "show", request)["state"] == "finished"
    context.close()
