"""Answers to people as the one who gives them reads them, in the language that they chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import RenderableType
from rich.table import Table

from client.subject_page import WORDS, standing
from languages import Language, message, messages

if TYPE_CHECKING:
    from client.subjects import Answer, Erased
    from party.subjects.person import Person

_COLUMNS: Final = {
    "purpose": message("purpose"),
    "recipient": message("for"),
    "state": message("said"),
    "at": message("when"),
    "by": message("who said it"),
}


def answered_shown(answer: Answer, _: Language) -> list[RenderableType]:
    """Return what was found, and where the files for the person are."""
    document = answer.document
    return [
        _(
            "Datasets with this person: {datasets}. Sessions in which their record took part: "
            "{sessions}. Lists here: {lists}.",
            datasets=", ".join(one["dataset"] for one in document["datasets"]) or "–",
            sessions=_.number(len(document["sessions"])),
            lists=_.number(len(document["lists_here"])),
        ),
        *unread_shown(answer.unread, _),
        *(str(file) for file in answer.files),
    ]


def consent_shown(answer: Answer, _: Language) -> list[RenderableType]:
    """Return a person's consent, by dataset."""
    parts: list[RenderableType] = []
    for one in answer.document["datasets"]:
        name = one["dataset"]
        now = [{**said, "state": standing(said["state"], _)} for said in one["consent_now"]]
        parts.append(_table(_("{dataset}, now", dataset=name), now, _))
        if one["consent_history"]:
            parts.append(_table(_("{dataset}, before", dataset=name), one["consent_history"], _))
    return [*(parts or [_("No dataset has this person.")]), *unread_shown(answer.unread, _)]


def unread_shown(unread: Mapping[str, str], _: Language) -> list[RenderableType]:
    """Return which datasets an answer does not speak of, and why."""
    return [
        _(
            "Not read, so the answer does not say whether the person is in it: {dataset} ({why})",
            dataset=name,
            why=why,
        )
        for name, why in unread.items()
    ]


def _table(title: str, rows: Sequence[Mapping[str, Any]], _: Language) -> RenderableType:
    columns = [_(_COLUMNS[name]) for name in (rows[0] if rows else ())]
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(WORDS.said(str(value), _) for value in row.values()))
    return table


def found_shown(person: Person, _: Language) -> list[RenderableType]:
    """Return in which datasets somebody is, without naming them."""
    if not person.found:
        return [_("No dataset has this person now; what is kept of earlier sessions is erased.")]
    return list(found_in(person, _))


def found_in(person: Person, _: Language) -> Iterator[str]:
    """Yield each dataset that has somebody, with how many rows."""
    for one in person.found:
        named = {"dataset": one.dataset, "rows": _.number(len(one.rows))}
        yield _(messages("{dataset}: {rows} row", "{dataset}: {rows} rows", len(one.rows), **named))


def erased_shown(done: Erased, _: Language) -> list[RenderableType]:
    """Return what was done, and what is left to do."""
    parts: list[RenderableType] = [
        _(
            "Erased: entry {entry} of the log. The receipt for the person: {file}",
            entry=done.entry,
            file=str(done.receipt),
        )
    ]
    parts += [_("Dataset {name}: {what}", name=n, what=w) for n, w in done.datasets.items()]
    parts += [_("Taken off the list {title}", title=title) for title in done.lists]
    parts += [
        _("List of request {request}: {what}", request=name[:8], what=what)
        for name, what in done.suppressed.items()
    ]
    if done.waiting:
        again = ", ".join(f"`commonground suppress {request[:8]}`" for request in done.waiting)
        parts.append(
            _("Not acknowledged yet; go on with {commands}, or let `serve` do it", commands=again)
        )
    return parts
