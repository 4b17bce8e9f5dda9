"""Proposed bounds as people read them before they put them into a description."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from client.bounds import Bounds
from client.units import shown_time
from party.top_bound import TopBound
from privacy.units import format_epsilon
from psi.buckets import REFUND


def bounds_shown(proposed: Sequence[Bounds]) -> list[RenderableType]:
    """Return the lines for the description, and a comparison; the chosen ratio is the first."""
    chosen = proposed[0]
    table = Table("ratio", "labels", "noise of a sum", "above a direct sum", "rounding at most")
    for column in table.columns:
        column.justify = "right"
    for one in sorted(proposed, key=lambda each: float(each.ratio)):
        table.add_row(
            f"{one.ratio}{' <' if one is chosen else ''}",
            str(len(one.labels)),
            f"± {one.noise:,.0f}",
            f"{one.above_direct:.0%}",
            f"{one.rounding:.2%}",
        )
    return [
        *_lines(chosen.labels),
        table,
        "Noise: the standard error of the value of one label of the tabulator, in the private "
        "reading; each label of the recipient is a cell, so more of them cost more dummies.",
        f"Rounding: the standard error that it adds at most to a sum of {chosen.people:,} equal "
        "values between the lowest bound and the top, as a share of the sum.",
        "Take bounds from what is known in public, such as prices: who reads them in the contract "
        "learns what they were made from.",
    ]


def top_bound_shown(found: TopBound) -> list[RenderableType]:
    """Return the lines for the description, and what they have cost."""
    return [
        *_lines(found.buckets.labels),
        f"By noisy counts {found.above:.1%} of the people with a value above 0 are above the top; "
        f"{1 - found.share:.1%} was asked for at most.",
        f"Charged: ε {format_epsilon(found.epsilon_nano)}, as {found.charge[:8]} in the ledger and "
        "the log. The bounds may be passed on.",
    ]


def bounds_taken(found: Sequence[TopBound]) -> list[RenderableType]:
    """Return a line for each top bound that was taken from data."""
    if not found:
        return ["No top bound was taken from data here; see `commonground dataset top-bound`"]
    table = Table("taken", "charge", "dataset", "column", "top", "share above", "ε")
    for one in found:
        table.add_row(
            shown_time(one.chosen_at), one.charge[:8], one.dataset, one.column,
            one.buckets.labels[-1], f"{one.above:.1%}", format_epsilon(one.epsilon_nano),
        )  # fmt: skip
    return [table]


def _lines(labels: Sequence[str]) -> list[str]:
    quoted = ", ".join(f'"{label}"' for label in labels if label != REFUND)
    lines = ["In the dataset's description:", f"  bounds: [{quoted}]"]
    return [*lines, "  refunds: true"] if labels[0] == REFUND else lines
