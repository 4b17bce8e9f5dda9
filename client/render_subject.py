"""Answers to people as the one who gives them reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from client.subjects import Answer, Erased
    from party.subjects.person import Person


def answered_shown(answer: Answer) -> list[RenderableType]:
    """Return what was found, and where the files for the person are."""
    document = answer.document
    datasets = ", ".join(one["dataset"] for one in document["datasets"]) or "none"
    return [
        f"Datasets with this person: {datasets}. Sessions in which their record took part: "
        f"{len(document['sessions'])}. Lists here: {len(document['lists_here'])}.",
        *(str(file) for file in answer.files),
    ]


def consent_shown(answer: Answer) -> list[RenderableType]:
    """Return a person's consent, by dataset."""
    parts: list[RenderableType] = []
    for one in answer.document["datasets"]:
        parts.append(_table(f"{one['dataset']}, now", one["consent_now"]))
        if one["consent_history"]:
            parts.append(_table(f"{one['dataset']}, before", one["consent_history"]))
    return parts or ["No dataset has this person."]


def _table(title: str, rows: Sequence[dict[str, str]]) -> RenderableType:
    table = Table(*(rows[0] if rows else ()), title=title, title_justify="left")
    for row in rows:
        table.add_row(*row.values())
    return table


def found_shown(person: Person) -> list[RenderableType]:
    """Return in which datasets somebody is, without naming them."""
    if not person.found:
        return ["No dataset has this person now; what is kept of earlier sessions is erased."]
    return [f"{one.dataset}: {len(one.rows)} rows" for one in person.found]


def erased_shown(done: Erased) -> list[RenderableType]:
    """Return what was done, and what is left to do."""
    parts: list[RenderableType] = [
        f"Erased: entry {done.entry} of the log. The receipt for the person: {done.receipt}"
    ]
    parts += [f"Dataset {name}: {what}" for name, what in done.datasets.items()]
    parts += [f"Taken off the list {title}" for title in done.lists]
    parts += [f"List of request {name[:8]}: {said}" for name, said in done.suppressed.items()]
    if done.waiting:
        again = ", ".join(f"`commonground suppress {request[:8]}`" for request in done.waiting)
        parts.append(f"Not acknowledged yet; go on with {again}, or let `serve` do it")
    return parts
