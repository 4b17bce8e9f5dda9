"""The real browser of tests: Chromium, from Debian's packages or wherever it is on the path.

Without one the tests that ask for it are skipped, unless COMMONGROUND_REQUIRE_BROWSER=1: then they
fail.
"""

import os
import shutil

import pytest

REQUIRE = "COMMONGROUND_REQUIRE_BROWSER"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
START_MS = 180_000  # on a busy machine it does not always start within Playwright's half a minute


def program():
    """Return the path of the browser's program, or skip."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("NO PAGE IS OPENED IN A BROWSER: there is none; apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def chromium():
    """Yield Chromium through Playwright.

    Not for longer than a module: Playwright leaves an event loop running in this thread, and
    other modules have loops of their own.
    """
    from playwright.sync_api import sync_playwright

    path, options = program(), ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options, timeout=START_MS)
        yield browser
        browser.close()
