"""The answer to a person as one page that a browser shows without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from client.documents.blocks import Block, Document, Heading, Paragraph, Rows, to_html
from client.page.glossary import Glossary
from languages import ENGLISH, Language, message

_NOTHING: Final = "–"
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
_NO_IN_DATA: Final = "refused"
_NO: Final = message("refused, or taken back")


def page_of(document: Mapping[str, Any], spoken: Language = ENGLISH) -> str:
    """Return the page of what `SubjectDesk.access` has found; every text of it is escaped."""
    _ = spoken
    datasets, sessions = document["datasets"], document["sessions"]
    who = f"{document['organisation']} ({document['party']})"
    about = _(
        "Answered by {who} on {time}. It is about the system in which this organisation "
        "matches audiences and measures campaigns with others, without showing them its "
        "data.",
        who=who,
        time=_.moment(document["made"]),
    )
    blocks: list[Block] = [
        *_unread(document["datasets_not_read"], _),
        Heading(_("Your data")),
        Paragraph(_("The rows themselves are in the files beside this page (data-….csv).")),
        _rows(
            (_("dataset"), _("you are called"), _("rows"), _("identifiers"),
             _("groups you are counted in")),
            ((one["dataset"], _list(one["called"]), _.number(one["rows"]),
              _list(one["identifier_types"]),
              _list(f"{name}: {value}" for name, value in one["labels"].items()))
             for one in datasets), _,
        ),
        Heading(_("Your consent now")),
        _rows(
            (_("dataset"), _("purpose"), _("for"), _("you have said")),
            ((one["dataset"], said["purpose"], said["recipient"], standing(said["state"], _))
             for one in datasets for said in one["consent_now"]), _,
        ),
        Heading(_("Your consent before")),
        _rows(
            (_("dataset"), _("when"), _("purpose"), _("for"), _("you have said"),
             _("who said it")),
            ((one["dataset"], _.moment(said["at"]), said["purpose"] or _("all"),
              said["recipient"] or _("all"), WORDS.said(said["state"], _),
              WORDS.said(said["by"], _) or _("you"))
             for one in datasets for said in one["consent_history"]), _,
        ),
        Heading(_("What your record was used for")),
        Paragraph(
            _(
                "The others learn counts with random noise, from which nobody can tell whether "
                "you are among them. Where it says list, the organisation that is named learnt "
                "which of its own people are known here too."
            )
        ),
        _rows(
            (_("when"), _("what"), _("purpose"), _("with"), _("list for"), _("list ends"),
             _("who took consent back is off it since"), _("details kept until")),
            ((_.moment(one["began"]), WORDS.said(one["kind"], _), one["purpose"],
              _list(one["recipients"].values()), one["list_for"], _moment(one["list_ends"], _),
              _moment(one["taken_off"], _), _moment(one["kept_until"], _)) for one in sessions), _,
        ),
        *_untold(document["sessions_of_which_nothing_is_kept"], _),
        Heading(_("Lists here with you on them")),
        _rows(
            (_("list"), _("for"), _("learnt from"), _("made"), _("ends"), _("taken to")),
            ((one["title"], one["use"], one["learnt_from"], _.moment(one["made"]),
              _.moment(one["ends"]), _list(one["exported_to"]))
             for one in document["lists_here"]), _,
        ),
        Heading(_("What you may ask for")),
        Paragraph(
            _(
                "You may take your consent back, have wrong data corrected, and have your record "
                "erased: write to {organisation}. From then on you take part in nothing new, and "
                "you come off lists that others hold. Published counts stay: to count anew "
                "without you would show that you had been among them.",
                organisation=document["organisation"],
            )
        ),
    ]  # fmt: skip
    return to_html(Document("access", _("What is held about you"), about, blocks), _)


def standing(state: str, spoken: Language) -> str:
    """Say what counts now of all that somebody has said; to take back is to refuse from then on."""
    return spoken(_NO) if state == _NO_IN_DATA else WORDS.said(state, spoken)


def _rows(head: Sequence[str], rows: Iterable[Sequence[str | None]], _: Language) -> Rows:
    filled = [[_NOTHING if cell is None else cell for cell in row] for row in rows]
    return Rows(head, filled, _("None."))


def _list(values: Iterable[str]) -> str:
    return ", ".join(values) or _NOTHING


def _moment(time: str | None, spoken: Language) -> str | None:
    return None if time is None else spoken.moment(time)


def _unread(datasets: Sequence[str], _: Language) -> list[Block]:
    """Say which datasets the answer does not speak of."""
    if not datasets:
        return []
    text = _(
        "This answer is not complete. These datasets could not be read when it was written, so "
        "it does not say whether you are in them: {datasets}. Ask again.",
        datasets=_list(datasets),
    )
    return [Paragraph(text)]


def _untold(sessions: int, _: Language) -> list[Block]:
    if not sessions:
        return []
    text = _(
        "Older sessions of which nothing is kept any more that tells who took part: {sessions}.",
        sessions=_.number(sessions),
    )
    return [Paragraph(text)]
