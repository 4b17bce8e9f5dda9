"""What the page of a quote shows, of one report or of a whole series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from client import quote_words
from client.quoting import Quoted
from client.request_words import kind_in_words
from languages import Language


def quote_values(quotes: Sequence[Quoted], _: Language) -> dict[str, Any]:
    """Return what `reports/quote_parts.html.jinja` takes.

    Several quotes are those of an overlap by identifier, of one table for each type.
    """
    quoted, several = quotes[0], len(quotes) > 1
    return {
        "kind": _("Overlap by identifier type") if several else kind_in_words(quoted.request, _),
        "types": quote_words.types_of(quotes, _) if several else [],
        "me": quoted.me,
        "others": [one for one in quoted.request.participants if one != quoted.me],
        "quality": [] if several else list(quote_words.quality_of(quoted, _)),
        "work": list(quote_words.work_of(quotes, _)),
        "paid": quote_words.paid_by(quotes, _),
        "account": quote_words.account_of(quotes, _),
        "coverage": "" if several else quote_words.coverage_of(quoted, _),
        "assumptions": [_.own(one) for one in quoted.assumptions],
    }
