"""Holding what the parties found against the generator's truth; imports nothing of the product."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

Cells = dict[tuple[str, str], int]


def score_match(found: list[str], truth: dict[str, Any]) -> dict[str, Any]:
    """Compare the receiver's list with the people it should have found."""
    right = set(truth["match"]["subscribers"])
    return {
        "found": len(found),
        "truth": len(right),
        "wrong": len(set(found) ^ right),
    }


def score_reach(rows: list[dict[str, Any]], truth: dict[str, Any], label: str) -> dict[str, Any]:
    """Compare a table's cells and total with the exact crosstab.

    The interval is held against every cell; of a suppressed cell only its error is published,
    so `within` counts shown cells.
    """
    exact = exact_cells(truth, label)
    cells = {
        (name(row["label"]), row["segment"]): row
        for row in rows
        if row["metric"] == "reach exactly" and row["segment"] is not None
    }
    shown = [(key, row) for key, row in cells.items() if not row["suppressed"]]
    within = [row["low"] <= exact[key] <= row["high"] for key, row in shown]
    total = next(
        row["value"] for row in rows if row["metric"] == "reach" and row["segment"] is None
    )
    true_total = truth["reach"][label]["total"]
    return {
        "cells": len(cells),
        "within_95_share": round(sum(within) / len(within), 4) if within else math.nan,
        "total_relative_error": round(abs(total - true_total) / true_total, 5),
        "suppressed_share": round(1 - len(shown) / len(cells), 4),
    }


def exact_cells(truth: dict[str, Any], label: str) -> Cells:
    """Return the exact crosstab by (label, segment)."""
    return {
        (name(value), segment): count
        for value, segments in truth["reach"][label]["cells"].items()
        for segment, count in segments.items()
    }


def name(label: str) -> str:
    """Name a set of campaigns alike, in whatever order it is written."""
    return "+".join(sorted(label.split("+"))) if label.startswith("C") else label


def read_references(path: Path) -> list[str]:
    """Return the references of a match list in CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["reference"] for row in csv.DictReader(file)]
