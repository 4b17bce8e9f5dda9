"""The reports that three parties make together, and what holds them against the truth.

The truth is the exact table of three, cell by cell; a number is a sum over some of its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from examples.demo.picture import draw
from examples.demo.reports import Report, Rows, Truth
from examples.demo.score import Compared, pick
from examples.demo.truth_of_three import NONE

AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
HOUSEHOLDS = ("1 Adult Kids", "1 Adult No Kids", "2 Adults Kids", "2 Adults No Kids")
UNKNOWN = "not known to vendor"
ARMS = ("treatment", "control")
Which = Callable[[str], bool]
"""Which labels of a party count; `NONE` is that it lacks the person."""


def anybody(label: str) -> bool:
    """Count people whether the party has them or not."""
    del label
    return True


def known(label: str) -> bool:
    """Count whom the party has."""
    return label != NONE


def one(name: str | None) -> Which:
    """Count one label of the party; of the vendor also those whom it lacks, or everybody."""
    if name is None:
        return anybody
    wanted = NONE if name == UNKNOWN else name
    return lambda label: label == wanted


def short(attribute: str | None) -> str:
    """Name an attribute's value in few letters."""
    return {None: "all", UNKNOWN: "unknown"}.get(attribute, str(attribute))


def people(truth: Truth, table: str, channel: Which, customers: Which, vendor: Which) -> int:
    """Count the people of a table's cells."""
    return sum(
        count
        for t, r, v, count in truth["three"][table]
        if channel(t) and customers(r) and vendor(v)
    )


def profile(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare whom both have, whom of them the vendor knows, and the index of each age."""
    for metric, vendor in (
        ("matched", anybody),
        ("matched and known", known),
        ("matched and not known", one(UNKNOWN)),
    ):
        yield Compared(metric, pick(rows, metric), people(truth, "age", known, known, vendor))
    for age in AGES:
        row = pick(rows, "matched with", attribute=age)
        yield Compared(f"aged {age}", row, people(truth, "age", known, known, one(age)))
    for age in AGES:
        shares = [
            people(truth, "age", which, which, one(age)) / people(truth, "age", which, which, known)
            for which in (known, anybody)
        ]
        row = pick(rows, "index", attribute=age)
        yield Compared(f"index of {age}", row, 100 * shares[0] / shares[1])


def profile_total(rows: Rows, truth: Truth) -> Compared:
    """Compare whom all three have."""
    row = pick(rows, "matched and known")
    return Compared("known", row, people(truth, "age", known, known, known))


def reach_by_age(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare who was reached of each age, and of those whom the vendor does not know."""
    for age in (*AGES, UNKNOWN):
        row = pick(rows, "reach", attribute=age)
        yield Compared(f"reach, {short(age)}", row, people(truth, "age", known, known, one(age)))
        row = pick(rows, "reach exactly", "5+", attribute=age)
        true = people(truth, "age", one("5+"), known, one(age))
        yield Compared(f"5+ campaigns, {short(age)}", row, true)


def reach_total(rows: Rows, truth: Truth) -> Compared:
    """Compare everybody who was reached."""
    return Compared("reach", pick(rows, "reach"), people(truth, "age", known, known, anybody))


def lift_by_household(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare people and buyers of each arm in each kind of household.

    A buyer's value stands in a bucket; two buyers with one e-mail in different buckets are dropped,
    which this truth does not do: a household in ten thousand.
    """
    for kind in (None, *HOUSEHOLDS, UNKNOWN):
        for arm in ARMS:
            for metric, what, customers in (
                ("people", "people", anybody),
                ("conversions", "buyers", known),
            ):
                row = pick(rows, metric, arm, attribute=kind)
                true = people(truth, "household", in_arm(arm), customers, one(kind))
                yield Compared(f"{arm} {what}, {short(kind)}", row, true)


def in_arm(arm: str) -> Which:
    """Count whom the channel has in one arm, exposed or not."""
    return lambda label: label.startswith(f"{arm} ")


def lift_total(rows: Rows, truth: Truth) -> Compared:
    """Compare the buyers of the treatment arm."""
    row = pick(rows, "conversions", "treatment")
    return Compared("buyers", row, people(truth, "household", in_arm("treatment"), known, anybody))


def channels(rows: Rows, truth: Truth) -> Iterator[Compared]:
    """Compare whom each channel met, whom one alone, and both, and how often."""

    def met(channel: Which, vendor: Which) -> int:
        return people(truth, "coupons", channel, known, vendor)

    neither = one(UNKNOWN)
    yield Compared("reach of the channel", pick(rows, "reach", "channel"), met(known, anybody))
    yield Compared("reach of the vendor", pick(rows, "reach", "vendor"), met(anybody, known))
    yield reached_by_either(rows, truth)
    for name, channel, vendor in (
        ("channel only", known, neither),
        ("vendor only", neither, known),
        ("both", known, known),
    ):
        yield Compared(name, pick(rows, "reached by", name), met(channel, vendor))
    for times in ("1", "2", "3", "4", "5+"):
        name = f"channel only: {times}"
        yield Compared(name, pick(rows, "reached exactly", name), met(one(times), neither))
    for times in ("1", "2", "3+"):
        name = f"vendor only: {times}"
        yield Compared(name, pick(rows, "reached exactly", name), met(neither, one(times)))


def reached_by_either(rows: Rows, truth: Truth) -> Compared:
    """Compare who was met by either, each counted once."""
    neither = one(UNKNOWN)
    everybody = people(truth, "coupons", anybody, known, anybody)
    nobody = people(truth, "coupons", neither, known, neither)
    return Compared("reach of either", pick(rows, "reach"), everybody - nobody)


def without_counting_twice(rows: Rows, truth: Truth) -> Iterator[str]:
    """Say what adding both reaches up would have counted twice."""
    del truth
    met = {name: pick(rows, "reach", name)["value"] for name in ("channel", "vendor", None)}
    twice = (met["channel"] + met["vendor"]) / met[None] - 1
    yield f"Both reaches added up are {twice:.0%} more than the people whom they count."


def picture_of_three(compared: Mapping[str, Sequence[Compared]]) -> dict[str, Any]:
    """Draw what three parties found beside the truth, from the numbers by report."""
    insights, two = compared["insights"], compared["cross-channel"]
    return draw(
        "What three parties found, and what is true",
        "Dots are released numbers, bars their 95% intervals, strokes the truth.",
        (
            ("people whom advertiser and channel share, by what the vendor knows of them",
             [one for one in insights if one.row["unit"] == "people"]),
            ("index of their ages (100: as in the vendor's whole panel)",
             [one for one in insights if one.row["unit"] == "index"]),
            ("customers whom two channels met, nobody counted twice", two),
        ),
    )  # fmt: skip


def reports_of_three() -> tuple[Report, ...]:
    """Return the reports in the order in which they are asked for."""
    customers = ("--segment", "segment", "--dataset", "customers")
    agreed = ("--contract", "three", "--identifier", "email", "--third", "vendor")
    receipts = ("--their-dataset", "receipts")
    panel = ("--third-dataset", "demographics", "--attribute", "age")
    return (
        Report(
            "insights",
            "Insights of three. What they are like whom advertiser and channel share.",
            ("insights", *customers, *receipts, *panel, *agreed),
            profile,
            profile_total,
            quoted=True,
        ),
        Report(
            "reach",
            "Reach by age. The vendor's attribute on the frequency of the other two.",
            ("reach", "--by", "frequency", *customers, *receipts, *panel, *agreed),
            reach_by_age,
            reach_total,
        ),
        Report(
            "lift",
            "Lift by household. The experiment, by what the vendor knows of households.",
            ("lift", "--by", "test", "--segment", "promoted", "--dataset", "customers",
             "--their-dataset", "experiment", "--third-dataset", "demographics",
             "--attribute", "household", *agreed),
            lift_by_household,
            lift_total,
        ),
        Report(
            "cross-channel",
            "Two channels. Whom campaigns and coupons met, alone and both, and nobody twice.",
            ("cross-channel", "--by", "frequency", *customers, *receipts,
             "--third-dataset", "coupons", "--attribute", "coupons", *agreed),
            channels,
            reached_by_either,
            without_counting_twice,
        ),
    )  # fmt: skip
