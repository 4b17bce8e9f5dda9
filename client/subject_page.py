"""The answer to a person as one page that a browser shows without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from client.page.glossary import Glossary
from languages import ENGLISH, Language, message

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3em .6em;"
    "text-align:left;vertical-align:top}"
)
WORDS: Final = Glossary(
    (
        message("given"),
        message("refused"),
        message("withdrawn"),
        message("expired"),
        message("nothing said"),
        message("subject"),
        message("guardian"),
        message("controller"),
        message("match"),
        message("reach"),
        message("overlap"),
        message("insights"),
        message("funnel"),
        message("attribution"),
        message("delay"),
        message("lift"),
        message("table"),
        message("cross-channel"),
    )
)
"""What is data in English: what was said, by whom, and kinds of requests."""


def page_of(document: Mapping[str, Any], spoken: Language = ENGLISH) -> str:
    """Return the page of what `SubjectDesk.access` has found; every text of it is escaped."""
    _ = spoken
    datasets, sessions = document["datasets"], document["sessions"]
    who = f"{document['organisation']} ({document['party']})"
    title = _text(_("What is held about you"))
    parts = [
        "<!doctype html>",
        f'<html lang="{_.tag}"><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>{title}</h1>",
        _paragraph(
            _(
                "Answered by {who} on {time}. It is about the system in which this organisation "
                "matches audiences and measures campaigns with others, without showing them its "
                "data.",
                who=who,
                time=_.moment(document["made"]),
            )
        ),
        *_unread(document["datasets_not_read"], _),
        _head(_("Your data")),
        _paragraph(_("The rows themselves are in the files beside this page (data-….csv).")),
        _table(
            (_("dataset"), _("you are called"), _("rows"), _("identifiers"),
             _("groups you are counted in")),
            ((one["dataset"], _list(one["called"]), _.number(one["rows"]),
              _list(one["identifier_types"]),
              _list(f"{name}: {value}" for name, value in one["labels"].items()))
             for one in datasets), _,
        ),
        _head(_("Your consent now")),
        _table(
            (_("dataset"), _("purpose"), _("for"), _("you have said")),
            ((one["dataset"], said["purpose"], said["recipient"], WORDS.said(said["state"], _))
             for one in datasets for said in one["consent_now"]), _,
        ),
        _head(_("Your consent before")),
        _table(
            (_("dataset"), _("when"), _("purpose"), _("for"), _("you have said"),
             _("who said it")),
            ((one["dataset"], _.moment(said["at"]), said["purpose"] or _("all"),
              said["recipient"] or _("all"), WORDS.said(said["state"], _),
              WORDS.said(said["by"], _) or _("you"))
             for one in datasets for said in one["consent_history"]), _,
        ),
        _head(_("What your record was used for")),
        _paragraph(
            _(
                "The others learn counts with random noise, from which nobody can tell whether "
                "you are among them. Where it says list, the organisation that is named learnt "
                "which of its own people are known here too."
            )
        ),
        _table(
            (_("when"), _("what"), _("purpose"), _("with"), _("list for"), _("list ends"),
             _("details kept until")),
            ((_.moment(one["began"]), WORDS.said(one["kind"], _), one["purpose"],
              _list(one["recipients"].values()), one["list_for"], _moment(one["list_ends"], _),
              _moment(one["kept_until"], _)) for one in sessions), _,
        ),
        *_untold(document["sessions_of_which_nothing_is_kept"], _),
        _head(_("Lists here with you on them")),
        _table(
            (_("list"), _("for"), _("learnt from"), _("made"), _("ends"), _("taken to")),
            ((one["title"], one["use"], one["learnt_from"], _.moment(one["made"]),
              _.moment(one["ends"]), _list(one["exported_to"]))
             for one in document["lists_here"]), _,
        ),
        _head(_("What you may ask for")),
        _paragraph(
            _(
                "You may take your consent back, have wrong data corrected, and have your record "
                "erased: write to {organisation}. From then on you take part in nothing new, and "
                "you come off lists that others hold. Published counts stay: to count anew "
                "without you would show that you had been among them.",
                organisation=document["organisation"],
            )
        ),
        "</html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _text(text: object) -> str:
    return escape(str(text))


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _head(text: str) -> str:
    return f"<h2>{_text(text)}</h2>"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], spoken: Language) -> str:
    lines = ["<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows]
    if not lines:
        return _paragraph(spoken("None."))
    top = "".join(f"<th>{_text(name)}</th>" for name in head)
    return "\n".join(["<table>", f"<tr>{top}</tr>", *lines, "</table>"])


def _cell(value: object) -> str:
    return f"<td>{'–' if value is None else _text(value)}</td>"


def _list(values: Iterable[str]) -> str:
    return ", ".join(values) or "–"


def _moment(time: str | None, spoken: Language) -> str | None:
    return None if time is None else spoken.moment(time)


def _unread(datasets: Sequence[str], _: Language) -> list[str]:
    """Say which datasets the answer does not speak of."""
    if not datasets:
        return []
    text = _(
        "This answer is not complete. These datasets could not be read when it was written, so "
        "it does not say whether you are in them: {datasets}. Ask again.",
        datasets=_list(datasets),
    )
    return [f"<p><strong>{_text(text)}</strong></p>"]


def _untold(sessions: int, _: Language) -> list[str]:
    if not sessions:
        return []
    return [
        _paragraph(
            _(
                "Older sessions of which nothing is kept any more that tells who took part: "
                "{sessions}.",
                sessions=_.number(sessions),
            )
        )
    ]
