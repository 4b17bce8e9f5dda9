"""A quote as people read it before they ask."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from client.quoting import Quoted
from client.units import shown_bytes, shown_seconds, shown_time
from party.contract_terms import ListUse
from privacy.units import format_delta, format_epsilon
from reports.laws import NORMAL_QUANTILE
from reports.match_quote import MatchQuote
from reports.quote import CellError, Quote


def quote_shown(quoted: Quoted) -> list[RenderableType]:
    """Return the quote as paragraphs and a table of what each party pays."""
    figures, request = quoted.figures, quoted.request
    roles = ", ".join(f"{party} as {role}" for role, party in request.roles.items())
    parts: list[RenderableType] = [
        f"Quote: {request.kind}, with {roles}",
        f"  about {shown_bytes(figures.wire_bytes)} on the wire and "
        f"{shown_seconds(figures.seconds)} of work",
        *_quality(figures, request.use or ListUse.INCLUDE),
        *_of_the_third(figures),
        *_value(quoted),
        *_touching(quoted),
        _charges(quoted),
        _left(quoted),
        _coverage(quoted),
        f"  assumed: {'; '.join(quoted.assumptions)}",
    ]
    return parts


def charged(quoted: Quoted) -> list[tuple[str, str, str, str]]:
    """Return who would pay: party, role, ε and δ as exact decimal text."""
    return [
        (
            quoted.request.roles[charge.role],
            charge.role,
            format_epsilon(charge.epsilon_nano),
            format_delta(charge.delta_e15),
        )
        for charge in quoted.figures.charges
    ]


def _quality(figures: Quote | MatchQuote, use: ListUse) -> list[str]:
    if isinstance(figures, MatchQuote):
        return [
            f"  a list to {use}: a disclosure, the receiver learns which of its people the sender "
            "has",
            f"  with {figures.sufficient_common:,} or more identifiers in common the minimum "
            "holds for certain",
        ]
    return [
        f"  {figures.cells:,} cells; a cell's error is {_error(figures.private)} for the "
        f"recipient's own eyes, {_error(figures.shareable)} in what it passes on",
        f"  cells likely suppressed: {figures.suppressed_private:,}, and "
        f"{figures.suppressed_shareable:,} in what is passed on",
    ]


def _of_the_third(figures: Quote | MatchQuote) -> list[str]:
    """Say what the third party costs beside the same table of two."""
    if not isinstance(figures, Quote) or figures.without_third is None:
        return []
    two = figures.without_third
    points = sum(leg.points for leg in figures.legs) - sum(leg.points for leg in two.legs)
    return [
        f"  the third adds {shown_bytes(figures.wire_bytes - two.wire_bytes)} on the wire, "
        f"{shown_seconds(figures.seconds - two.seconds)} of work, "
        f"{len(figures.legs) - len(two.legs)} legs, {points:,} points (with "
        f"{figures.dummies_third:,} dummies of its own) and {figures.cells - two.cells:,} cells",
        f"  without it a cell's error is {_error(two.private)} for the recipient's own eyes, "
        f"{_error(two.shareable)} in what it passes on",
    ]


def _value(quoted: Quoted) -> list[str]:
    errors = quoted.value_errors
    if errors is None:
        return []
    private, shareable = (NORMAL_QUANTILE * error for error in errors)
    return [
        f"  the noise of a label's value is ± {private:,.0f} for the recipient's own eyes, "
        f"± {shareable:,.0f} in what it passes on; rounding to bounds adds to it"
    ]


def _touching(quoted: Quoted) -> list[str]:
    touching = quoted.touching
    if touching is None:
        return []
    return [
        f"  about {touching.keys_a_person:,.0f} keys for each touched person at {touching.touches} "
        f"touches; {touching.most_keys:,} at most, later ones are left out"
    ]


def _error(error: CellError) -> str:
    return f"± {error.half_width:,.0f}"


def _charges(quoted: Quoted) -> Table:
    table = Table("  pays", "as", "ε", "δ", box=None)
    for party, *paid in charged(quoted):
        table.add_row(f"  {party}", *paid)
    return table


def _left(quoted: Quoted) -> str:
    epsilon, delta = quoted.balance.left
    return (
        f"  left for {quoted.balance.account.population} before this: ε "
        f"{format_epsilon(epsilon)}, δ {format_delta(delta)}, "
        f"until {shown_time(quoted.balance.renews_at)}"
    )


def _coverage(quoted: Quoted) -> str:
    shares = ", ".join(f"{kind} {share:.0%}" for kind, share in quoted.holding.coverage.items())
    return f"  own coverage by identifier, in the contract's order: {shares}"
