"""What is kept and what was deleted, as a person reads it and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from party.contract import DAY_SECONDS
from party.contract_terms import write_time
from party.kept import Kept


def kept_document(found: Sequence[Kept], now: int) -> dict[str, Any]:
    """Return what is kept as JSON values."""
    return {"now": write_time(now), "kept": [one.to_dict() for one in found]}


def kept_shown(found: Sequence[Kept], now: int) -> RenderableType:
    """Return a line for each thing that is kept."""
    if not found:
        return "Nothing is kept that could end. The log and the contracts stay."
    table = Table(title="Kept, and until when", title_justify="left")
    for heading in ("what", "name", "ends"):
        table.add_column(heading)
    table.add_column("left", justify="right")
    table.add_column("as stated by", overflow="fold")
    for one in found:
        table.add_row(one.what, _short(one), _end(one), _left(one, now), one.why)
    return table


def deleted_document(ended: Sequence[Kept], *, dry_run: bool) -> dict[str, Any]:
    """Return what was deleted, or would be, as JSON values."""
    return {"dry_run": dry_run, "ended": [one.to_dict() for one in ended]}


def deleted_shown(ended: Sequence[Kept], *, dry_run: bool) -> list[RenderableType]:
    """Return what was deleted, or would be, and what is left to its owner."""
    if not ended:
        return ["Nothing has come to its end."]
    said = "would be deleted" if dry_run else "deleted and logged"
    parts: list[RenderableType] = [
        f"{one.what} {_short(one)}: {said}; it ended on {_end(one)} ({one.why})" for one in ended
    ]
    parts += [
        f"Yours to delete: what dataset {one.name} was read from, {one.source}"
        for one in ended
        if one.source is not None
    ]
    return parts


def _short(one: Kept) -> str:
    return one.name if one.what == "dataset" else one.name[:8]


def _end(one: Kept) -> str:
    return "no end" if one.ends_at is None else write_time(one.ends_at)


def _left(one: Kept, now: int) -> str:
    if one.ends_at is None:
        return "–"
    days = (one.ends_at - now) // DAY_SECONDS
    return "overdue" if one.has_ended(now) else f"{days} days"
