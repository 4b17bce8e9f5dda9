"""A lookalike as people read it: what weighs how much, and what the best tenths are worth."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from party.lookalike import Scored
from reports.lookalike_lift import Lift


def lookalike_shown(scored: Scored) -> list[RenderableType]:
    """Return tables of weights and lifts, and sentences that say what they tell."""
    parts: list[RenderableType] = [_weights(scored)]
    if scored.lookalike.tells:
        parts += [_lifts(scored), _verdict(scored.top)]
    else:
        parts.append(_noise(scored.lookalike.growth_needed))
    parts += [
        f"{scored.people:,} of your people were scored: those who consent to {scored.purpose} for "
        f"{scored.recipient} and have a label.",
        f"The best {scored.written:,} are in {scored.file}, with your own references. It and "
        f"{scored.manifest.name} are for your eyes only. Nothing was sent, and nothing spent.",
    ]
    return parts


def _weights(scored: Scored) -> Table:
    table = Table("attribute", "index", "weight", title="Weights")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in sorted(scored.lookalike.weights, key=lambda one: -one.weight):
        table.add_row(one.name, one.index.shown("index"), f"{one.weight:+.3f}")
    return table


def _lifts(scored: Scored) -> Table:
    table = Table("people", "lift", "95% interval", title="Lift, estimated on the noisy table")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in (scored.top, *scored.deciles):
        table.add_row(_named(one), *_numbers(one))
    return table


def _named(lift: Lift) -> str:
    start, stop = lift.part
    return f"best {stop:.4g}" if not start else f"{start:.4g} to {stop:.4g}"


def _numbers(lift: Lift) -> tuple[str, str]:
    estimate = lift.estimate
    if estimate.suppressed:
        return "withheld", ""
    return f"{estimate.value:.2f}", f"{estimate.low:.2f} to {estimate.high:.2f}"


def _verdict(top: Lift) -> str:
    if top.estimate.suppressed:
        return (
            "Noise dominates: of the labels that these people have, too few were matched to tell "
            "a lift."
        )
    if top.tells:
        return (
            f"The written people have the attributes of the matched {top.estimate.value:.2f} times "
            "as often as your whole base: a lift of 1 would be a lottery."
        )
    return (
        "Noise dominates the lift of the written people: its interval holds 1, which a lottery "
        "has. Write more of them (--top), or ask for insights with more ε or people."
    )


def _noise(growth: float | None) -> str:
    needed = (
        "" if growth is None else f" It would take at least {growth:.1f} times the people or ε."
    )
    return (
        "Noise dominates: no attribute differs from your base by more than its error, so all "
        f"scores are equal and who is written is a lottery.{needed}"
    )
