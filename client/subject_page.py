"""The answer to a person as one page that a browser shows without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3em .6em;"
    "text-align:left;vertical-align:top}"
)
_NOTHING: Final = "<p>None.</p>"


def page_of(document: Mapping[str, Any]) -> str:
    """Return the page of what `SubjectDesk.access` has found; every text of it is escaped."""
    datasets, sessions = document["datasets"], document["sessions"]
    who = f"{escape(document['organisation'])} ({escape(document['party'])})"
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8"><title>What is held about you</title>',
        f"<style>{_STYLE}</style>",
        "<h1>What is held about you</h1>",
        f"<p>Answered by {who} on {escape(document['made'])}. It is about the system in which this "
        "organisation matches audiences and measures campaigns with others, without showing them "
        "its data.</p>",
        "<h2>Your data</h2>",
        "<p>The rows themselves are in the files beside this page (data-….csv).</p>",
        _table(
            ("dataset", "you are called", "rows", "identifiers", "groups you are counted in"),
            ((one["dataset"], _list(one["called"]), one["rows"], _list(one["identifier_types"]),
              _list(f"{name}: {value}" for name, value in one["labels"].items()))
             for one in datasets),
        ),
        "<h2>Your consent now</h2>",
        _table(
            ("dataset", "purpose", "for", "you have said"),
            ((one["dataset"], said["purpose"], said["recipient"], said["state"])
             for one in datasets for said in one["consent_now"]),
        ),
        "<h2>Your consent before</h2>",
        _table(
            ("dataset", "when", "purpose", "for", "you have said", "who said it"),
            ((one["dataset"], said["at"], said["purpose"] or "all", said["recipient"] or "all",
              said["state"], said["by"] or "you")
             for one in datasets for said in one["consent_history"]),
        ),
        "<h2>What your record was used for</h2>",
        "<p>The others learn counts with random noise, from which nobody can tell whether you are "
        "among them. Where it says list, the organisation that is named learnt which of its own "
        "people are known here too.</p>",
        _table(
            ("when", "what", "purpose", "with", "list for", "list ends", "details kept until"),
            ((one["began"], one["kind"], one["purpose"], _list(one["recipients"].values()),
              one["list_for"], one["list_ends"], one["kept_until"]) for one in sessions),
        ),
        _untold(document["sessions_of_which_nothing_is_kept"]),
        "<h2>Lists here with you on them</h2>",
        _table(
            ("list", "for", "learnt from", "made", "ends", "taken to"),
            ((one["title"], one["use"], one["learnt_from"], one["made"], one["ends"],
              _list(one["exported_to"])) for one in document["lists_here"]),
        ),
        "<h2>What you may ask for</h2>",
        f"<p>You may take your consent back, have wrong data corrected, and have your record "
        f"erased: write to {escape(document['organisation'])}. From then on you take part in "
        "nothing new, and you come off lists that others hold. Published counts stay: to count "
        "anew without you would show that you had been among them.</p></html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows]
    if not lines:
        return _NOTHING
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    return "\n".join(["<table>", f"<tr>{top}</tr>", *lines, "</table>"])


def _cell(value: object) -> str:
    return f"<td>{'–' if value is None else escape(str(value))}</td>"


def _list(values: Iterable[str]) -> str:
    return ", ".join(values) or "–"


def _untold(sessions: int) -> str:
    if not sessions:
        return ""
    return f"<p>Of {sessions} older sessions nothing is kept any more that tells who took part.</p>"
