"""English that is left on a page in 简体中文: runs of words in texts, and in what is read out.

What a page marks as data is skipped: code, what was typed, and parts in another `lang`.
"""

import re
from html.parser import HTMLParser

SKIPPED = ("script", "style", "code", "pre", "textarea")
VOID = ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr")
READ_OUT = ("alt", "aria-label", "title", "placeholder", "data-ask")
_WORD = r"[A-Za-z][A-Za-z'’-]+"
_RUN = re.compile(rf"{_WORD}(?:[ ,:;]+{_WORD})+")


class _Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.found = [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.found += [values[name] for name in READ_OUT if values.get(name) and self._counts()]
        if tag not in VOID:
            classes = (values.get("class") or "").split()
            english = values.get("lang", "zh-Hans") != "zh-Hans"
            self.open.append((tag, tag in SKIPPED or "code" in classes or english))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._counts():
            self.found.append(" ".join(data.split()))

    def _counts(self):
        return not any(skipped for _, skipped in self.open)


def english_in(page, allowed):
    """Return the runs of two English words or more in a page, without the `allowed` ones."""
    texts = _Texts()
    texts.feed(page)
    found = []
    for text in texts.found:
        for one in allowed:
            text = text.replace(one, "·")
        found += [(run, text) for run in _RUN.findall(text)]
    return found
