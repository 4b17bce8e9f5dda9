"""The reports of the demonstration: what is asked, and what is true; nothing of the product."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from examples.demo.score import Compared, exact_cells, pick
from examples.demo.truth import LOOKBACK_SLOTS, MOST_BASKETS, SEASON_CAMPAIGNS, SLOT_SECONDS
from examples.demo.world import SEASON, SEASON_HOURS

Rows = Sequence[dict[str, Any]]
Truth = dict[str, Any]

HOUR = 3_600
MOST_KEYS = "160"
_CENTS = 100


@dataclass(frozen=True)
class Report:
    """One report: a headline, the words after `commonground report`, and what it should say.

    `compare` puts the numbers that are scored beside the truth; `total` is the one that all hang
    on, for the relative error; `remarks` are said below them. With `quoted`, a quote goes before.
    """

    name: str
    headline: str
    words: tuple[str, ...]
    compare: Callable[[Rows, Truth], Iterator[Compared]]
    total: Callable[[Rows, Truth], Compared]
    remarks: Callable[[Rows, Truth], Iterable[str]] = lambda rows, truth: ()
    quoted: bool = False


def reach_cells(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare each frequency in each segment."""
    for (label, segment), true in exact_cells(truth, "frequency").items():
        row = pick(rows, "reach exactly", label, segment)
        yield Compared(f"{label} campaigns, {segment}", row, true)


def reach_total(rows: Rows, truth: Truth) -> Compared:
    """Compare everybody who was reached."""
    return Compared("reach", pick(rows, "reach"), truth["reach"]["frequency"]["total"])


def suppressed_cells(rows: Rows, truth: Truth) -> Iterator[str]:
    """Say how many cells are not shown."""
    hidden = [one for one in reach_cells(rows, truth) if one.suppressed]
    if hidden:
        yield f"{len(hidden)} cells are too small beside their noise, and are not shown."


def noise_dominates(rows: Rows, truth: Truth) -> Iterator[str]:
    """Say which campaigns this many households are too few for, and how many it would take."""
    del truth
    for campaign in SEASON_CAMPAIGNS:
        row = pick(rows, "conversions, last", campaign)
        if row["noise_dominated"]:
            yield (
                f"{campaign}, last touch: noise dominates; it needs {row['epsilon_factor']:.2f} "
                "times the people or ε."
            )


def burst(rows: Rows, truth: Truth) -> Iterator[str]:
    """Say what the table cannot tell, and that several baskets of a day each count."""
    yield from noise_dominates(rows, truth)
    known = truth["attribution"]["three_in_a_day"]
    if known:
        yield f"{known:,} households paid three baskets within a day: each counts as three."


def chance_and_noise(rows: Rows, truth: Truth) -> Iterator[str]:
    """Divide the error of a lift: chance in who buys would be there without any privacy."""
    known = truth["lift"]
    chance = math.hypot(
        *(_rate_error(known["conversions"][arm], people) for arm, people in known["people"].items())
    )
    row = pick(rows, "lift")
    noise = math.sqrt(max(row["standard_error"] ** 2 - chance**2, 0))
    yield (
        f"Of the lift's standard error of {100 * row['standard_error']:.2f} points, chance in who "
        f"buys is {100 * chance:.2f} and the noise {100 * noise:.2f} (they add up as squares)."
    )


def _rate_error(conversions: float, people: int) -> float:
    """Return the standard error that chance alone gives a conversion rate."""
    rate = conversions / people
    return math.sqrt(rate * (1 - rate) / people)


def spend_by_campaign(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare whom each campaign met, and what they spent in the year."""
    for campaign in ("C8", "C13", "C18"):
        met = [one for label, one in truth["spend"].items() if campaign in label.split("+")]
        people, cents = (sum(one[key] for one in met) for key in ("people", "cents"))
        yield Compared(f"reach of {campaign}", pick(rows, "reach", campaign), people)
        yield Compared(f"spend behind {campaign}", pick(rows, "value", campaign), cents / _CENTS)


def spend_total(rows: Rows, truth: Truth) -> Compared:
    """Compare what all whom these campaigns met have spent."""
    named = [one for label, one in truth["spend"].items() if label != "none"]
    return Compared("spend", pick(rows, "value"), sum(one["cents"] for one in named) / _CENTS)


def lifts(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare people and buyers of each arm, exactly known, and the effect that was planted."""
    known = truth["lift"]
    for arm in ("treatment", "control"):
        for metric in ("people", "conversions"):
            yield Compared(f"{metric} in {arm}", pick(rows, metric, arm), known[metric][arm])
    yield Compared("lift of all", pick(rows, "lift"), known["effect"]["all"])
    yield Compared(
        "lift of the exposed", pick(rows, "lift", "exposed, by ghosts"), known["effect"]["exposed"]
    )


def lift_total(rows: Rows, truth: Truth) -> Compared:
    """Compare the buyers of the treatment arm."""
    true = truth["lift"]["conversions"]["treatment"]
    return Compared("buyers", pick(rows, "conversions", "treatment"), true)


def credited(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare what first and last touch give each campaign."""
    known = truth["attribution"]
    for campaign in SEASON_CAMPAIGNS:
        for model in ("last", "first"):
            row = pick(rows, f"conversions, {model}", campaign)
            yield Compared(f"baskets, {model} touch {campaign}", row, known[model][campaign])
        row = pick(rows, "value, last", campaign)
        paid = known["last_cents"][campaign] / _CENTS
        yield Compared(f"value, last touch {campaign}", row, paid)


def credited_total(rows: Rows, truth: Truth) -> Compared:
    """Compare the baskets that any campaign led to."""
    true = sum(truth["attribution"]["last"].values())
    return Compared("attributed baskets", pick(rows, "conversions"), true)


def reports(households: int) -> tuple[Report, ...]:
    """Return the reports in the order in which they are asked for."""
    customers = ("--dataset", "customers")
    return (
        Report(
            "reach",
            "Reach. How many customers of each segment had 1, 2, … 5+ campaigns, with noise.",
            ("reach", "--by", "frequency", "--segment", "segment", *customers,
             "--their-dataset", "receipts"),
            reach_cells,
            reach_total,
            suppressed_cells,
            quoted=True,
        ),
        Report(
            "spend",
            "Spend by campaign. Whom the three biggest campaigns met, and what they spend a year.",
            ("reach", "--by", "campaigns", "--segment", "spend", *customers,
             "--their-dataset", "receipts"),
            spend_by_campaign,
            spend_total,
        ),
        Report(
            "lift",
            "Lift. What an ad has changed, between two arms. Arms and effect are simulated.",
            ("lift", "--by", "test", "--segment", "promoted", *customers,
             "--their-dataset", "experiment"),
            lifts,
            lift_total,
            chance_and_noise,
        ),
        Report(
            "attribution",
            "Attribution. Which campaigns had reached those who bought, basket by basket.",
            ("attribution", "--by", "journey", "--segment", "basket", "--dataset", "baskets",
             "--their-dataset", "receipts", "--start", _date(SEASON),
             "--end", _date(SEASON + SEASON_HOURS * HOUR),
             "--slot-minutes", str(SLOT_SECONDS // 60),
             "--lookback-days", str(LOOKBACK_SLOTS * SLOT_SECONDS // (24 * HOUR)),
             "--most-conversions", str(MOST_BASKETS), "--room", str(_room(households)),
             "--most-keys", MOST_KEYS,
             "--epsilon-people", "0.5"),
            credited,
            credited_total,
            burst,
        ),
    )  # fmt: skip


def _room(households: int) -> int:
    """Return how many baskets of one size a season has room for, from last year's sales, say."""
    return households * 5 // 4


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
