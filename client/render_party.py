"""How a new party is shown: what was made, and what to type next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from party.card import IdentityCard
from party.organisation import CARD_FILE, STORE_FILE
from party.settings import FILE


def party_document(folder: Path, name: str, card: IdentityCard) -> dict[str, Any]:
    """Return what was made as JSON values."""
    return {
        "folder": str(folder),
        "name": name,
        "organisation": card.organisation,
        "identity": card.identity,
        "fingerprint": card.fingerprint,
        "address": card.address,
        **(card.places.to_json() if card.places else {}),
        "card": str(folder / CARD_FILE),
    }


def party_made(folder: Path, name: str, card: IdentityCard) -> list[RenderableType]:
    """Return what was made, and what to do with it."""
    made = Table.grid(padding=(0, 2))
    for file, what in (
        (f"{folder / 'keys'}/", "identity, TLS and node keys: yours alone, never passed on"),
        (str(folder / FILE), "the configuration, explained line by line"),
        (_store(folder), "the store, with the audit log"),
        (str(folder / CARD_FILE), "the card for your counterparts; it holds no secret"),
    ):
        made.add_row(f"  {file}", what)
    reached = f"is reached at {card.address}" if card.address else "only dials"
    return [
        f"{name} of {card.organisation} is made, and {reached}.",
        made,
        f"Its law and its data: {card.places}. Contracts state it; another place is another card.",
        "",
        f"Fingerprint  {card.fingerprint}",
        f"Identity     {card.identity}",
        "",
        f"Next: commonground dataset add FILE.yaml --party {folder}",
        _meeting(folder, card),
        f"Or send {folder / CARD_FILE} to your counterpart, read them the fingerprint over the "
        "telephone, and begin with `commonground contract propose`.",
    ]


def _meeting(folder: Path, card: IdentityCard) -> str:
    """Say how a counterpart is met: whoever can be dialled invites."""
    if card.address is None:
        return f"      commonground join LINE --party {folder}    (their `invite` prints the line)"
    return f"      commonground invite --party {folder}    (while `commonground serve` runs)"


def _store(folder: Path) -> str:
    path = folder / STORE_FILE
    return str(path) if path.exists() else "the database"
