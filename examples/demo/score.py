"""Holding what the parties found against the generator's truth; imports nothing of the product."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Cells = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Compared:
    """One released number beside its truth; `name` is how a page would call it."""

    name: str
    row: dict[str, Any]
    true: float

    @property
    def suppressed(self) -> bool:
        """Whether the number is not shown."""
        return bool(self.row["suppressed"])

    @property
    def holds(self) -> bool:
        """Whether the truth lies in the 95% interval."""
        return bool(self.row["low"] <= self.true <= self.row["high"])

    @property
    def line(self) -> str:
        """Truth, released number and whether the interval holds, for a table of text."""
        verdict = "–" if self.suppressed else "holds" if self.holds else "misses"
        return f"  {self.name:>34} {self.row['shown']:>36} {self._true:>14}   {verdict}"

    @property
    def _true(self) -> str:
        match self.row["unit"]:
            case "points":
                return f"{100 * self.true:+.2f} pp"
            case "value":
                return f"{self.true:,.2f}"
            case _:
                return f"{self.true:,.0f}"


def score_match(found: list[str], truth: dict[str, Any]) -> dict[str, Any]:
    """Compare the receiver's list with the people it should have found."""
    right = set(truth["match"]["subscribers"])
    return {
        "found": len(found),
        "truth": len(right),
        "wrong": len(set(found) ^ right),
    }


def score(numbers: Sequence[Compared], total: Compared) -> dict[str, Any]:
    """Say how near a report's numbers are, and its total.

    Of a suppressed number only its error is published, so `within` counts those that are shown.
    """
    shown = [number for number in numbers if not number.suppressed]
    within = [number.holds for number in shown]
    return {
        "cells": len(numbers),
        "within_95_share": round(sum(within) / len(within), 4) if within else math.nan,
        "total_relative_error": round(abs(total.row["value"] / total.true - 1), 5),
        "suppressed_share": round(1 - len(shown) / len(numbers), 4),
    }


def exact_cells(truth: dict[str, Any], label: str) -> Cells:
    """Return the exact crosstab by (label, segment)."""
    return {
        (name(value), segment): count
        for value, segments in truth["reach"][label]["cells"].items()
        for segment, count in segments.items()
    }


def pick(
    rows: Iterable[dict[str, Any]],
    metric: str,
    label: str | None = None,
    segment: str | None = None,
    *,
    attribute: str | None = None,
) -> dict[str, Any]:
    """Return the one row of these names."""
    wanted = metric, label, segment, attribute
    named = ("metric", "label", "segment", "attribute")
    return next(row for row in rows if tuple(row[name] for name in named) == wanted)


def name(label: str) -> str:
    """Name a set of campaigns alike, in whatever order it is written."""
    return "+".join(sorted(label.split("+"))) if label.startswith("C") else label


def read_references(path: Path) -> list[str]:
    """Return the references of a match list in CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["reference"] for row in csv.DictReader(file)]
