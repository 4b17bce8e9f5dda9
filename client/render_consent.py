"""Records of consent and receipts, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.consenting import Said
from client.units import shown_time
from party.consent.receipt import Checked


def said_shown(said: Said, out: object = None) -> list[RenderableType]:
    """Return what was recorded, and what follows from it."""
    parts: list[RenderableType] = [f"Recorded: {_sentence(one)}" for one in said.statements]
    if said.lists:
        parts.append("It counts from the next session on. These lists may hold the person:")
        parts += [
            f"  {one.request.id[:8]} to {one.peer}: commonground suppress {one.request.id[:8]} "
            "(`serve` does it once a day)"
            for one in said.lists
        ]
    if out is not None:
        parts.append(f"Receipt for the person: {out}")
    return parts


def history_shown(history: Mapping[str, Any]) -> list[RenderableType]:
    """Return a person's records, and what stands."""
    table = Table("purpose", "recipient", "says now")
    for one in history["standing"]:
        table.add_row(one["purpose"], one["recipient"], one["says"])
    parts: list[RenderableType] = [f"Person {history['subject'][:16]}…", table]
    for record in history["records"]:
        parts.append(f"Record {record['record'][:8]} on notice {record['notice']['notice']}:")
        parts += [f"  {_sentence(event)}" for event in record["events"]]
    return parts


def checked_document(checked: Checked) -> dict[str, Any]:
    """Return what a receipt proves, as JSON values."""
    return {
        "statements": list(checked.statements),
        "log": checked.log.vkey,
        "entry": checked.entry.seq,
        "kind": checked.entry.kind,
        "time": checked.entry.time,
        "cosignatures": [{"by": one.cosigner, "at": one.time} for one in checked.cosignatures],
    }


def checked_shown(checked: Checked, *, trusted: bool) -> list[RenderableType]:
    """Return what a receipt proves; `trusted` where the log's key was given from elsewhere."""
    parts: list[RenderableType] = [
        f"{_sentence(one)}, in the notice {one['notice'][:16]}…" for one in checked.statements
    ]
    entry = checked.entry
    parts.append(f"It stands in the log {checked.log.name}, entry {entry.seq}, {entry.time}.")
    parts += [
        f"Cosigned by {one.cosigner} on {shown_time(one.time)}." for one in checked.cosignatures
    ]
    if not checked.cosignatures:
        parts.append("Who has cosigned the log was not asked: name them with --witness")
    if not trusted:
        parts.append(
            f"By the key that the receipt itself names: {checked.log.vkey}. Compare it with the "
            "party's published key, or give that with --key"
        )
    return parts


def _sentence(statement: Mapping[str, Any]) -> str:
    scope = [statement[key] for key in ("purpose", "recipient") if key in statement]
    about = " for ".join(scope) if scope else "all that the notice names"
    return (
        f"{statement['state']} at {statement['at']} by the {statement['by']} ({statement['how']}): "
        f"{about}"
    )
