"""What was verified, and the log's entries, as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.note import parse_note
from audit.tlog_proof import LogProof, Proven
from audit.verify import Comparison, Verification
from client.units import shown_time
from client.witnessing import Asked

if TYPE_CHECKING:
    from client.audit_files import Shown


def verification_document(verification: Verification) -> dict[str, Any]:
    """Return a verification as JSON values."""
    return {
        "verified": True,
        **asdict(verification),
        "cosigners": list(verification.cosigners),
        "checks": list(verification.checks),
        "overdue": [asdict(one) for one in verification.overdue],
    }


def comparisons_document(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return comparisons of every two logs as JSON values; two logs have one."""
    if len(comparisons) == 1:
        (comparison,) = comparisons
        return {
            "verified": True,
            "ours": verification_document(comparison.ours),
            "theirs": verification_document(comparison.theirs),
            **_agreement(comparison),
        }
    return {
        "verified": True,
        "logs": [verification_document(one) for one in _logs_of(comparisons)],
        "pairs": [
            {"ours": one.ours.origin, "theirs": one.theirs.origin, **_agreement(one)}
            for one in comparisons
        ],
    }


def verification_shown(verification: Verification) -> list[RenderableType]:
    """Return what was checked, and what vouches for it."""
    by = ", ".join(verification.cosigners)
    word = f"cosigned by counterparts {verification.cosignatures} times ({by})"
    if not verification.cosignatures:
        word = "cosigned by nobody yet, so only this party vouches for it"
    return [
        f"Verified: {verification.origin}",
        f"  {verification.entries:,} entries, {verification.sessions:,} sessions, "
        f"{verification.spends:,} charges; {word}",
        *(f"  ✓ {check}" for check in verification.checks),
        *(
            f"  Overdue: the list of request {one.request[:8]} with {one.recipient} had no run "
            f"after a withdrawal by {shown_time(one.due_at)}, as the contract asks"
            for one in verification.overdue
        ),
    ]


def comparisons_shown(comparisons: Sequence[Comparison]) -> list[RenderableType]:
    """Return each log's verification, and what every two of them agree on."""
    verified = [line for one in _logs_of(comparisons) for line in verification_shown(one)]
    return [*verified, *(_compared(one, len(comparisons) > 1) for one in comparisons)]


def _compared(comparison: Comparison, named: bool) -> str:
    which = f"{comparison.ours.origin} with {comparison.theirs.origin}, " if named else ""
    return (
        f"Compared: {which}{len(comparison.shared)} sessions are told the same by both, "
        f"{len(comparison.only_ours)} stand only in the first log and "
        f"{len(comparison.only_theirs)} only in the second; {comparison.checkpoints} checkpoints "
        "that one keeps of the other lie on its tree."
    )


def _agreement(comparison: Comparison) -> dict[str, Any]:
    return {
        "shared": list(comparison.shared),
        "only_ours": list(comparison.only_ours),
        "only_theirs": list(comparison.only_theirs),
        "checkpoints": comparison.checkpoints,
    }


def _logs_of(comparisons: Sequence[Comparison]) -> list[Verification]:
    """Return each log's verification once, in the order of the logs."""
    every = [log for one in comparisons for log in (one.ours, one.theirs)]
    return list({log.origin: log for log in every}.values())


def receipt_document(receipt: LogProof, path: Path, vkey: str) -> dict[str, Any]:
    """Return a receipt that was written as JSON values."""
    return {"entry": receipt.index, "file": str(path), "key": vkey, "size": _size(receipt)}


def receipt_shown(
    receipt: LogProof, path: Path, vkey: str, counterparts: Sequence[str]
) -> list[RenderableType]:
    """Return where a receipt lies, and how it is checked: by whose keys of the `counterparts`."""
    signed = {signature.name for signature in parse_note(receipt.checkpoint).signatures}
    vouching = [key for key in counterparts if key.partition("+")[0] in signed]
    words = [f"commonground audit check-receipt {path}", f"--key {vkey}"]
    words += [f"--witness {key}" for key in vouching]
    return [
        f"Wrote the receipt of entry {receipt.index} in a log of {_size(receipt)} entries: {path}",
        "Whoever has it checks it with these keys, each as they know it from elsewhere:",
        "  " + " \\\n    ".join(words),
        *([] if vouching else ["Nobody has cosigned the log as far as this entry yet."]),
    ]


def proven_document(proven: Proven) -> dict[str, Any]:
    """Return what a receipt proves as JSON values."""
    return {
        "verified": True,
        "origin": proven.checkpoint.origin,
        "index": proven.index,
        "size": proven.checkpoint.size,
        "cosigners": [one.cosigner for one in proven.cosignatures],
        "entry": json.loads(proven.entry),
    }


def proven_shown(proven: Proven) -> list[RenderableType]:
    """Return what a receipt proves."""
    by = ", ".join(one.cosigner for one in proven.cosignatures) or "nobody who was named"
    return [
        f"Verified: entry {proven.index} is in the log of {proven.checkpoint.origin} "
        f"({proven.checkpoint.size:,} entries; cosigned by {by})",
        entries_shown([Entry.parse(proven.entry)]),
    ]


def asked_document(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return what became of asking witnesses as JSON values."""
    return {"witnesses": [asdict(one) for one in asked]}


def asked_shown(asked: Sequence[Asked]) -> list[RenderableType]:
    """Return a line for each witness."""
    if not asked:
        return ["party.toml names no outside witnesses: add them as witnesses = ['VKEY URL']"]
    return [
        f"{one.witness}: has cosigned {one.size:,} entries"
        + (f"; {one.problem}" if one.problem else "")
        for one in asked
    ]


def _size(receipt: LogProof) -> int:
    return Checkpoint.parse(parse_note(receipt.checkpoint).text).size


def entries_shown(entries: Iterable[Entry]) -> Table:
    """Return a line for each entry."""
    table = Table("no.", "time", "kind", "by", "session", "says")
    for entry in entries:
        said = ", ".join(f"{key} {_brief(value)}" for key, value in _said(entry).items())
        session = (entry.session or "")[:8]
        table.add_row(str(entry.seq), entry.time, entry.kind, entry.actor, session, said)
    return table


def entry_shown(entry: Entry) -> list[RenderableType]:
    """Return one entry in full: nothing of it is cut."""
    table = Table(show_header=False)
    for name, value in json.loads(entry.encode()).items():
        whole = value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)
        table.add_row(name, str(whole))
    return [table]


def evidence_document(shown: Shown) -> dict[str, Any]:
    """Return what was written as JSON values."""
    evidence = shown.evidence
    return {
        "file": str(shown.path),
        "request": evidence.request.id,
        "contract": evidence.contract.digest,
        "entries": [entry.seq for entry in evidence.entries],
        "cosigned": evidence.cosigned,
        "cosigners": list(evidence.cosigners),
        "transcript": evidence.transcript is not None,
        "report": shown.report,
    }


def evidence_shown(shown: Shown) -> list[RenderableType]:
    """Return what was written, and how somebody else checks it."""
    evidence = shown.evidence
    late = sum(entry.seq >= evidence.cosigned for entry in evidence.entries)
    by = ", ".join(evidence.cosigners) or "nobody yet"
    return [
        f"Written to {shown.path}: {len(evidence.entries)} entries with their proofs, "
        f"cosigned by {by}{f'; {late} came later' if late and evidence.cosigners else ''}.",
        "Whoever gets it unpacks it and types, with the hash as they know it:",
        f"  python3 -I verify.py --contract {evidence.contract.digest}",
    ]


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
