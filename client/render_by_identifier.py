"""An overlap by identifier type as people read it: the quote of the whole, and a line a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.quoting import Quoted
from client.units import shown_bytes, shown_seconds, shown_time
from privacy.units import format_delta, format_epsilon
from reports.by_identifier import PrivateByIdentifier, ShareableByIdentifier, TypeOverlap
from reports.estimate import Estimate


def quotes_document(quotes: Sequence[Quoted]) -> dict[str, Any]:
    """Return the quote of the whole as JSON values, and that of each type."""
    return {
        "request": "overlap by identifier",
        "wire_bytes": sum(one.figures.wire_bytes for one in quotes),
        "seconds": sum(one.figures.seconds for one in quotes),
        "charges": [
            {"party": party, "epsilon": format_epsilon(epsilon), "delta": format_delta(delta)}
            for party, (epsilon, delta) in _charges(quotes).items()
        ],
        "types": {_type(one): one.to_json() for one in quotes},
    }


def quotes_shown(quotes: Sequence[Quoted]) -> list[RenderableType]:
    """Return the quote of the whole, before it is asked."""
    if not quotes:
        return ["Nothing is left to ask: every type is under way or done, and paid for."]
    first = quotes[0]
    seconds = sum(one.figures.seconds for one in quotes)
    wire = sum(one.figures.wire_bytes for one in quotes)
    table = Table("  type", "own coverage", "bytes", "a cell's error, passed on", box=None)
    for one in quotes:
        document = one.to_json()
        table.add_row(
            f"  {_type(one)}",
            f"{one.holding.coverage[_type(one)]:.0%}",
            shown_bytes(one.figures.wire_bytes),
            f"± {document['shareable']['half_width']:,.0f}",
        )
    pays = Table("  pays for all", "ε", "δ", box=None)
    for party, (epsilon, delta) in _charges(quotes).items():
        pays.add_row(f"  {party}", format_epsilon(epsilon), format_delta(delta))
    epsilon_left, delta_left = first.balance.left
    return [
        f"Quote: overlap by identifier, {len(quotes)} tables, one a type",
        f"  about {shown_bytes(wire)} on the wire and {shown_seconds(seconds)} of work",
        table,
        pays,
        f"  left for {first.balance.account.population} before this: ε "
        f"{format_epsilon(epsilon_left)}, δ {format_delta(delta_left)}, until "
        f"{shown_time(first.balance.renews_at)}",
        f"  assumed: {'; '.join(first.assumptions)}",
    ]


def by_identifier_shown(
    report: PrivateByIdentifier | ShareableByIdentifier,
) -> list[RenderableType]:
    """Return the report: a line a type, then the verdicts."""
    own: Mapping[str, float] = {}
    if isinstance(report, PrivateByIdentifier):
        own = report.own_share
    headings = [
        "type",
        "matched",
        "audience",
        "match rate",
        "of smaller side",
        "coverage",
        "offered",
        "verdict",
    ]
    if own:
        headings.insert(5, "of own people")
    table = Table(*headings)
    for column in table.columns[1:-1]:
        column.justify = "right"
    for one, judged in zip(report.types, report.verdicts, strict=True):
        cells = _cells(one)
        if own:
            cells.insert(5, f"{own[one.type]:.1%}")
        table.add_row(*cells, str(judged.verdict))
    last = (
        "For your eyes only: whoever has the tables could learn exact counts from these numbers."
        if own
        else "These numbers may be passed on. More exact ones, for your eyes only: --private"
    )
    return [
        f"Overlap by identifier ({report.kind})",
        table,
        *report.notes(),
        "± is half of a 95% interval. Coverage compares with the type that most people have. A "
        "person may be found by several types, so matched does not add up. Verdicts rest on the "
        "share of the smaller side: of audience and offered, whichever is smaller.",
        last,
    ]


def _cells(one: TypeOverlap) -> list[str]:
    return [
        one.type,
        one.matched.shown("people"),
        _exact_or_noisy(one.audience),
        one.match_rate.shown("share"),
        one.found.shown("share"),
        one.coverage.shown("share"),
        one.offered.shown("keys"),
    ]


def _exact_or_noisy(estimate: Estimate) -> str:
    return estimate.shown("people") if estimate.half_width else f"{estimate.value:,.0f}"


def _type(quoted: Quoted) -> str:
    return quoted.request.identifiers[0]


def _charges(quotes: Sequence[Quoted]) -> dict[str, tuple[int, int]]:
    """Return (ε in 1e-9, δ in 1e-15) that each party pays for all."""
    total: dict[str, tuple[int, int]] = {}
    for one in quotes:
        for charge in one.figures.charges:
            party = one.request.roles[charge.role]
            epsilon, delta = total.get(party, (0, 0))
            total[party] = (epsilon + charge.epsilon_nano, delta + charge.delta_e15)
    return total
