"""A sandbox as its user meets it: what was made, and what to type next."""

from __future__ import annotations

from shlex import quote
from typing import Any

from client.sandbox import Sandbox
from client.sandbox_people import SEGMENTS


def sandbox_document(sandbox: Sandbox) -> dict[str, Any]:
    """Return a sandbox as JSON values."""
    return {
        "folder": str(sandbox.folder),
        "you": str(sandbox.you),
        "partner": str(sandbox.partner),
        "address": sandbox.address,
        "people": sandbox.people,
        "truth": {"matched": sandbox.truth.matched, "reached": sandbox.truth.reached},
        "commands": commands(sandbox),
    }


def commands(sandbox: Sandbox) -> list[str]:
    """Return the three commands to try next."""
    party = f"--party {quote(str(sandbox.you))}"
    table = "reach --segment segment --by frequency"
    return [
        f"commonground quote {table} {party}",
        f"commonground match --receiver you {party}",
        f"commonground report {table} {party}",
    ]


def sandbox_shown(sandbox: Sandbox) -> list[str]:
    """Return what was made, what to try, and what is true of the made-up people."""
    quote_it, match_it, measure_it = commands(sandbox)
    reached = sandbox.truth.reached
    cells = ", ".join(f"{segment} {reached[segment]:,}" for segment in SEGMENTS)
    return [
        f"Your party is in {sandbox.you}, a made-up partner in {sandbox.partner}. Each has "
        f"{sandbox.people:,} made-up people, described in {sandbox.folder / 'data'}; the contract "
        f"is {sandbox.folder / 'contract.yaml'}.",
        "",
        "Try in another terminal:",
        f"  {quote_it}",
        "      What it would cost and how exact it would be. Nothing is spent.",
        f"  {match_it}",
        f"      The truth: {sandbox.truth.matched:,} people. A list is exact.",
        f"  {measure_it}",
        f"      The truth: {sum(reached.values()):,} people reached ({cells}). A report is noisy.",
    ]
