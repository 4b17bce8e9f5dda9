"""The figures of time keys as text."""

from __future__ import annotations

from typing import Any

from benchmarks.text_table import MARK_LEGEND, number, text_table

_HEADINGS = ("touches a person", "lookback days", "keys a person", "us a key", "key/bare join")


def moments_table(figures: dict[str, Any]) -> str:
    """Return a row a case."""
    rows = [
        [str(case["touches"]), str(case["lookback_days"]), number(case["keys_a_person"], 1),
         number(case["key_us"]), number(case["ratio"])]
        for case in figures["cases"]
    ]  # fmt: skip
    heading = f"Touches to time keys, 30 days hourly, one core ({figures['people']:,} people)"
    notes = [MARK_LEGEND] if figures["load"]["disturbed"] else []
    return "\n".join([heading, text_table(_HEADINGS, rows), *notes])
