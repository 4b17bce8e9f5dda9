"""The figures of identifier columns as text."""

from __future__ import annotations

from typing import Any

from benchmarks.text_table import MARK_LEGEND, number, text_table

_HEADINGS = ("column", "read us", "bare loop us", "read/bare")


def columns_table(figures: dict[str, Any]) -> str:
    """Return a row a kind of column."""
    rows = [
        [kind["declaration"], number(kind["product_us"]), number(kind["bare_us"]),
         number(kind["ratio"])]
        for kind in figures["kinds"]
    ]  # fmt: skip
    heading = f"Identifiers to digests, microseconds a row on one core ({figures['rows']:,} rows)"
    notes = [MARK_LEGEND] if figures["load"]["disturbed"] else []
    return "\n".join([heading, text_table(_HEADINGS, rows), *notes])
