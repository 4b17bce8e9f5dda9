"""The curve's figures as text."""

from __future__ import annotations

from typing import Any

from benchmarks.text_table import MARK_LEGEND, number, text_table

_HEADINGS = (
    "engine", "raise us", "hash us", "fused us", "public us", "hash/raise", "openssl/raise",
    "cryptography/raise", "all cores/one",
)  # fmt: skip


def curve_table(figures: dict[str, Any]) -> str:
    """Return a row an engine, and the two that they are compared with."""
    rows = [
        [
            tier["engine"],
            number(tier["raise_us"]),
            number(tier["hash_us"]),
            number(tier["fused_us"]),
            number(tier["public_us"]),
            number(tier["hash_per_raise"]),
            number(tier["openssl_ratio"]),
            number(tier["cryptography_ratio"]),
            number(tier["scaling"]),
        ]
        for tier in figures["tiers"]
    ]
    beside = (
        f"On one core `openssl speed` needs {number(figures['openssl_us'])} us for an X25519, "
        f"`cryptography` {number(figures['cryptography_us'])} us from raw bytes; "
        f"{figures['cores']} cores, {figures['rounds']} rounds."
    )
    notes = [f"Not here: {reason}" for reason in figures["unavailable"]]
    if figures["load"]["disturbed"]:
        notes.append(MARK_LEGEND)
    return "\n".join(
        ["The curve, microseconds a point", text_table(_HEADINGS, rows), beside, *notes]
    )
