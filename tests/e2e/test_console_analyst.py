"""An analyst in a real browser: from signing in to a report as a file, with JavaScript and without.

The console and the counterpart (`serve`) are processes of their own, over TLS. What the browser
shows is held against the people that both sides hold.
"""

import pytest

from audit.roles import Role

PATH = "an analyst: from signing in to a report as a file"


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_analyst_gets_a_report_as_a_file(consoles, walking, script):
    advertiser = consoles.pair.advertiser
    with walking(PATH, script) as walk:
        walk.sign_in(consoles.url(advertiser), Role.ANALYST)
        walk.follow("Reports")
        walk.follow("New report")
        walk.follow("How many were reached, and how often")
        walk.choose("By which label of channel", "few/frequency")
        walk.choose("By which label of yours", "few/segment")
        walk.open("Privacy and expectations")
        walk.type("ε of the table", "20")
        walk.press("Show the quote")
        walk.read("What is left of your people's budget")
        walk.read("Left afterwards")
        walk.press("Ask for it")
        walk.follow("Open the report")
        walk.read("Shareable: this may be passed on")
        images = walk.page.locator(".report figure img")
        images.first.wait_for()
        images.first.scroll_into_view_if_needed()
        file = walk.take(lambda: walk.follow("CSV"))
        assert b"shareable" in file
        request = walk.page.url.split("?")[0].rpartition("/")[2]
    assert advertiser.read("requests", "show", request)["state"] == "finished"
