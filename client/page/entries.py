"""Entries of a log as one page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from audit.entry import Entry
from audit.note import Verifier
from client.page.plain import render
from languages import Language


@dataclass(frozen=True)
class Line:
    """An entry as a page shows it; `said` are the fields of its body with their values."""

    entry: Entry
    said: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Take an entry apart; nothing of it is cut."""
        fields = json.loads(entry.encode())
        about = {name: fields[name] for name in ("session", "contract") if name in fields}
        return cls(entry, tuple(_flat({**fields["body"], **about})))


def entries_page(vkey: str, entries: Sequence[Entry], language: Language) -> str:
    """Return a page of entries of the log with this key."""
    return render(
        "entries.html.jinja",
        language,
        vkey=vkey,
        origin=Verifier.from_vkey(vkey).name,
        lines=[Line.of(entry) for entry in entries],
    )


def _flat(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{path}{name}.")
        elif isinstance(item, list):
            yield f"{path}{name}", ", ".join(map(str, item))
        else:
            yield f"{path}{name}", str(item)
