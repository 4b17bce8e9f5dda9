"""The way from the list of grants to the quote of a report, page by page."""

import re
from html import unescape


def links(page, beginning):
    """Return the addresses of a page's links that have `beginning` in them."""
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', page) if beginning in one]


def hidden(page):
    """Return the hidden fields of a page, or of a part of one."""
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    }


def quoted_reach(analyst):
    """Go from the list of grants to the quote of a reach; return the quote's page."""
    chosen = links(analyst.get("/reports/new").text, "/reports/new/labels")
    forms = [analyst.get(one).text for one in chosen]
    form = next(one for one in forms if "how many were reached" in one.lower())
    fields = dict(
        re.findall(r'<select id="field-(label-[a-z]+)".*?<option value="([^"]*)"', form, re.S)
    )
    quoted = analyst.get("/reports/new/quote", params={**hidden(form), **fields})
    assert quoted.status_code == 200, quoted.text
    return quoted.text
