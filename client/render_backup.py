"""A backup that was made and a party that was restored, as a person reads them and as JSON."""

from __future__ import annotations

from typing import Any

from client.units import shown_bytes
from party.backup.making import Backup
from party.backup.restoring import Restored
from party.contract_terms import write_time


def backup_document(made: Backup) -> dict[str, Any]:
    """Return a backup as JSON values."""
    return {
        "file": str(made.file),
        "made_at": write_time(made.made_at),
        "entries": made.entries,
        "bytes": made.size,
        "keys": "sealed" if made.sealed else "left out",
    }


def backup_shown(made: Backup) -> list[str]:
    """Say what is in a backup, and what is not."""
    lines = [
        f"{made.file}: the party on {write_time(made.made_at)}, {made.entries} log entries, "
        f"{shown_bytes(made.size)}."
    ]
    if made.sealed:
        lines.append("All of it is sealed under the passphrase, the keys too.")
    else:
        lines.append(
            "The keys are not in it: keep a copy of the folder `keys` elsewhere, or nobody can "
            "restore it. What is in it is not sealed: lists, results and tables lie open."
        )
    lines.append("Files that datasets are read from are not in it.")
    return lines


def restored_document(restored: Restored) -> dict[str, Any]:
    """Return what was restored as JSON values."""
    return {
        "folder": str(restored.folder),
        "backed_up_at": write_time(restored.made_at),
        "entries": restored.verified.entries,
        "spends": restored.verified.spends,
        "checks": list(restored.verified.checks),
        "asked": [
            {"name": one.by, "answered": one.problem is None, "problem": one.problem}
            for one in restored.seen
        ],
        "requests_ended": restored.ended,
        "invitations_withdrawn": restored.withdrawn,
        "budgets": "kept" if restored.kept else "closed",
    }


def restored_shown(restored: Restored) -> list[str]:
    """Say what was restored, what was verified, and what its operator has to do now."""
    when = write_time(restored.made_at)
    lines = [
        f"{restored.folder} is the party of {when}: {restored.verified.entries} log entries and "
        f"{restored.verified.spends} charges, verified.",
    ]
    for one in restored.seen:
        answer = "has seen no more of the log" if one.problem is None else one.problem
        lines.append(f"  {one.by}: {answer}")
    if restored.ended:
        lines.append(f"{restored.ended} open requests have ended; ask them anew.")
    if restored.withdrawn:
        lines.append(f"{restored.withdrawn} open invitations are withdrawn.")
    if restored.kept:
        lines.append("Budgets go on as they were then, on your word that nothing was spent since.")
    else:
        lines.append(
            "Budgets are closed until their windows renew, since what was spent after the backup "
            "is not known."
        )
    lines.append(
        f"What was done here after {when} is not in it. Do again before you serve: withdrawals of "
        "consent, people erased, peers forgotten or revoked, members removed, contracts signed."
    )
    return lines
