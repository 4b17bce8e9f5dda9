"""Receipts of single entries: written by a party, checked by anybody (c2sp.org/tlog-proof)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audit.checkpoint import vouching_key
from audit.errors import NoteError
from audit.note import Verifier
from audit.tlog_proof import MAX_PROOF_BYTES, LogProof, Proven, require_cosigned, verify_proof
from party.errors import ExportError, SettingsError

if TYPE_CHECKING:
    from party.organisation import Organisation


def write_receipt(party: Organisation, seq: int, path: Path) -> LogProof:
    """Write the receipt of an entry into a new file, and return it.

    Raises:
        TreeError: the log has no such entry.
        ExportError: the file exists, or cannot be written.
    """
    receipt = party.journal.receipt(seq)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(receipt.text())
    except FileExistsError:
        raise ExportError(f"{path} exists already: name a file that does not") from None
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}") from None
    return receipt


def check_receipt(path: Path, vkey: str, witnesses: Sequence[str] = ()) -> Proven:
    """Check a receipt by nothing but its file and keys that the reader has from elsewhere.

    `vkey` is the log's key; `witnesses` are the keys of those who must have cosigned: of algorithm
    04, or of a party's log, which cosigns by the same key.

    Raises:
        SettingsError: a key is malformed, or the file cannot be read.
        AuditError: the receipt does not hold.
    """
    try:
        log, vouching = Verifier.from_vkey(vkey), [vouching_key(key) for key in witnesses]
    except NoteError as error:
        raise SettingsError(f"a key is given as name+id+key: {error}") from None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PROOF_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"the receipt {path} cannot be read: {error.strerror}") from None
    proven = verify_proof(LogProof.parse(data), log, witnesses=vouching)
    require_cosigned(proven, vouching)
    return proven
