"""Lists as people read them: what each is for, how large, until when, who came and who went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from party.activation import Exported
from party.filing import Filed
from party.list_files import Part
from party.lists import MatchedList


def list_document(found: MatchedList) -> dict[str, Any]:
    """Return a list as JSON values; its sizes are for its owner's eyes."""
    return {
        "name": found.name,
        "use": found.use.value,
        "request": found.request.id,
        "contract": found.request.contract,
        "peer": found.peer,
        "dataset": found.dataset,
        "people": found.people,
        "list_file": str(found.file),
        "made_at": found.made_at,
        "expires_at": found.expires_at,
        "suppressed": found.suppressed,
        **{
            part.value: {"people": held.people, "file": str(held.file)}
            for part, held in found.parts.items()
            if part is not Part.WHOLE
        },
    }


def list_shown(found: MatchedList) -> list[RenderableType]:
    """Return a list as sentences."""
    lines: list[RenderableType] = [
        f"{found.people:,} of your people are known to {found.peer} too.",
        f"The list {found.title}, to {found.use}, is in {found.file}, with your own references. It "
        f"expires on {shown_time(found.expires_at)}. Its request is {found.request.id[:8]}.",
    ]
    if Part.ADDED in found.parts:
        added, removed = found.part(Part.ADDED), found.part(Part.REMOVED)
        lines.append(
            f"Since the list before it: {added.people:,} added ({added.file.name}), "
            f"{removed.people:,} removed ({removed.file.name})."
        )
    if found.suppressed:
        lines.append(
            f"Suppression run {found.suppressed['run']} was applied on "
            f"{shown_time(found.suppressed['at'])}: take the list from here again wherever you "
            "have put it."
        )
    return lines


def lists_shown(
    held: Sequence[MatchedList], under_way: Sequence[tuple[str, Filed]], now: int
) -> RenderableType:
    """Return a line for each list, and for each that is being made."""
    if not held and not under_way:
        return "There are no lists. `commonground match` makes one."
    table = Table("name", "to", "with", "people", "made", "expires", "state")
    table.columns[3].justify = "right"
    for one in held:
        state = one.state(now)
        people = f"{one.people:,}" if state == "live" else ""
        table.add_row(
            one.title,
            one.use.value,
            one.peer,
            people,
            shown_time(one.made_at),
            shown_time(one.expires_at),
            state,
        )
    for name, filed in under_way:
        state = f"being made: requests resume {filed.request.id[:8]}"
        use = filed.request.use
        table.add_row(name, use.value if use else "", filed.peer, "", "", "", state)
    return table


def exported_shown(done: Exported) -> list[RenderableType]:
    """Return an export as sentences, with the reminder of its end."""
    lines: list[RenderableType] = [f"Written to {done.file}: {done.lines:,} lines."]
    if done.apart:
        lines.append(
            f"Not in it: {', '.join(done.apart)}, which {done.to} takes in a file and a list of "
            f"its own (--identifier {done.apart[0]})."
        )
    if done.part is Part.REMOVED:
        lines += _removal(done)
        return lines
    if done.left_out:
        lines.append(
            f"{done.left_out:,} people of the list are left out: they do not consent now, or are "
            "not in your dataset any more."
        )
    lines.append(
        f"Delete it, and the audience made of it, by {shown_time(done.expires_at)}; "
        f"{done.manifest.name} says so too."
    )
    return lines


def _removal(done: Exported) -> list[RenderableType]:
    """Say what a file of those who went is for, and whom it lacks."""
    lines: list[RenderableType] = []
    if done.left_out:
        lines.append(
            f"{done.left_out:,} people are left out: they are not in your dataset any more. They "
            f"come off the audience at {done.to} only when you replace it by the whole list."
        )
    lines.append(
        "Take these people off the audience, never add them, and delete the file at once; "
        f"{done.manifest.name} says so too."
    )
    return lines
