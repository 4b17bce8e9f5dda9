"""What the page of a quote shows, of one report or of a whole series."""

from __future__ import annotations

from typing import Any

from client import quote_words
from client.quoting import Quoted
from client.request_words import kind_in_words
from languages import Language


def quote_values(quoted: Quoted, _: Language) -> dict[str, Any]:
    """Return what `reports/quote_parts.html.jinja` takes."""
    return {
        "kind": kind_in_words(quoted.request, _),
        "me": quoted.me,
        "others": [one for one in quoted.request.participants if one != quoted.me],
        "quality": list(quote_words.quality_of(quoted, _)),
        "work": list(quote_words.work_of(quoted, _)),
        "paid": quote_words.paid_by(quoted, _),
        "account": quote_words.account_of(quoted, _),
        "coverage": quote_words.coverage_of(quoted, _),
        "assumptions": [_.own(one) for one in quoted.assumptions],
    }
