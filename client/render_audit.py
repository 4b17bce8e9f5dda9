"""What was verified, and the log's entries, as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from audit.entry import Entry
from audit.verify import Comparison, Verification


def verification_document(verification: Verification) -> dict[str, Any]:
    """Return a verification as JSON values."""
    return {"verified": True, **asdict(verification), "checks": list(verification.checks)}


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    return {
        "verified": True,
        "ours": verification_document(comparison.ours),
        "theirs": verification_document(comparison.theirs),
        "shared": list(comparison.shared),
        "only_ours": list(comparison.only_ours),
        "only_theirs": list(comparison.only_theirs),
        "checkpoints": comparison.checkpoints,
    }


def verification_shown(verification: Verification) -> list[RenderableType]:
    """Return what was checked, and what vouches for it."""
    word = f"cosigned by counterparts {verification.cosignatures} times"
    if not verification.cosignatures:
        word = "cosigned by nobody yet, so only this party vouches for it"
    return [
        f"Verified: {verification.origin}",
        f"  {verification.entries:,} entries, {verification.sessions:,} sessions, "
        f"{verification.spends:,} charges; {word}",
        *(f"  ✓ {check}" for check in verification.checks),
    ]


def comparison_shown(comparison: Comparison) -> list[RenderableType]:
    """Return both verifications, and what the two logs agree on."""
    return [
        *verification_shown(comparison.ours),
        *verification_shown(comparison.theirs),
        f"Compared: {len(comparison.shared)} sessions are told the same by both, "
        f"{len(comparison.only_ours)} stand only in the first log and "
        f"{len(comparison.only_theirs)} only in the second; {comparison.checkpoints} checkpoints "
        "that one keeps of the other lie on its tree.",
    ]


def entries_shown(entries: Iterable[Entry]) -> Table:
    """Return a line for each entry."""
    table = Table("no.", "time", "kind", "by", "session", "says")
    for entry in entries:
        said = ", ".join(f"{key} {_brief(value)}" for key, value in _said(entry).items())
        session = (entry.session or "")[:8]
        table.add_row(str(entry.seq), entry.time, entry.kind, entry.actor, session, said)
    return table


def _said(entry: Entry) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(entry.encode())["body"]
    return body


def _brief(value: object) -> str:
    """Return a value, with a digest cut to its first digits."""
    if isinstance(value, str):
        is_digest = len(value) >= 32 and all(digit in "0123456789abcdef" for digit in value)
        return f"{value[:8]}…" if is_digest else value
    if isinstance(value, list):
        return "+".join(_brief(item) for item in value)
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_brief(item)}" for key, item in value.items()) + ")"
    return str(value)
