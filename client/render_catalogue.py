"""The data map of a dataset, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.table import Table

from party.catalogue import DataMap


def _before(found: DataMap) -> list[RenderableType]:
    """Say how many requests came before those that the map names."""
    if not found.uses_before:
        return []
    return [f"Requests before these: {found.uses_before:,}. See `commonground requests list`."]


def map_shown(found: DataMap) -> list[RenderableType]:
    """Return the map: columns, origin, consent, contracts, uses, recipients, ends."""
    return [
        f"Data map of {found.name}, whose people are the population {found.population}",
        _origin(found),
        _table(
            "Columns",
            ("column", "classification", "declared as", "read for"),
            (
                (one.name, one.classification, one.declared or "–", ", ".join(one.used_for) or "–")
                for one in found.columns
            ),
        ),
        *_consent(found),
        _table(
            "Contracts that name it",
            ("contract", "standing", "with", "grants"),
            (
                (one.contract, one.standing, ", ".join(one.counterparts), "\n".join(one.outputs))
                for one in found.contracts
            ),
        ),
        _table(
            "What it was asked for",
            ("request", "what", "purpose", "role", "with", "asked at", "state", "result"),
            (
                (
                    one.request[:8],
                    one.kind,
                    one.purpose,
                    one.role,
                    ", ".join(one.peers),
                    one.asked_at,
                    one.state,
                    one.result,
                )
                for one in found.uses
            ),
        ),
        *_before(found),
        _table(
            "Who has received what was made of it",
            ("who", "what", "times", "last", "until"),
            (
                (one.who, one.what, str(one.times), one.last, one.until or "no end")
                for one in found.recipients
            ),
        ),
        _table(
            "Kept, and until when",
            ("what", "name", "ends", "as stated by"),
            (
                (
                    one["what"],
                    one["name"] if one["what"] == "dataset" else one["name"][:8],
                    one["ends_at"] or "no end",
                    one["why"],
                )
                for one in found.retention
            ),
        ),
    ]


def _origin(found: DataMap) -> RenderableType:
    source = found.source
    table = Table.grid(padding=(0, 2))
    table.add_row("read from", _place(source["read_from"]))
    table.add_row("tables", ", ".join(source["tables"]) or "–")
    table.add_row("content", f"{source['snapshot'][:16]}…, since {source['content_since']}")
    table.add_row(
        "registered",
        f"{source['registered']}, first {source['first_registered']}, "
        f"{source['times_registered']} times",
    )
    if source["erased"] is not None:
        table.add_row("erased", source["erased"])
    else:
        table.add_row("ends", source["ends"] or "no end is declared")
    return table


def _place(read_from: object) -> str:
    if isinstance(read_from, dict):
        (place,) = (read_from[key] for key in read_from if key != "query")
        return f"a query to {place}"
    return str(read_from or "–")


def _consent(found: DataMap) -> list[RenderableType]:
    consent = found.consent
    last = consent["last_snapshot"]
    taken = "no snapshot was taken" if last is None else (
        f"{consent['snapshots']} snapshots were taken, the last at {last}, for "
        f"{', '.join(consent['purposes_used'])}"
    )  # fmt: skip
    return [
        _table(
            "Consent was asked for",
            ("purpose", "recipient"),
            ((one["purpose"], one["recipient"]) for one in consent["grants"]),
        ),
        f"Consent rests on {_basis(consent['rests_on'])}; {taken}.",
    ]


def _basis(rests_on: object) -> str:
    match rests_on:
        case {"table": _, "key": key}:
            return f"a table of events, by {key}"
        case {"tcf": column}:
            return f"TC strings in the column {column}"
        case {"records": key}:
            return f"the party's records, by {key}"
        case {"column": column}:
            return f"the column {column}"
    return "nothing any more"


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """Return a table, or a sentence where there is no row."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table if table.row_count else f"{title}: nothing"
