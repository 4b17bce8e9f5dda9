"""What a party does with a counterpart's checkpoint: check that it extends the last one, cosign.

Counterparts are each other's witnesses (docs/audit, Cosignatures). This module decides and signs;
it stores nothing. Whoever calls it reads the last checkpoint, calls `witness` and stores the new
one in one transaction, so that of two concurrent calls none can roll the other back; and it keeps
the notes of a refusal, which may be evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, Cosigner, open_checkpoint
from audit.errors import CheckpointError, ForkError, RollbackError
from audit.merkle import NodeHash, verify_consistency
from audit.note import Verifier


@dataclass(frozen=True)
class Witnessed:
    """A checkpoint that was found to extend the last one, and our cosignature on it.

    Args:
        checkpoint: to be stored as the last one seen of this origin.
        line: the cosignature, one signature line with its newline.
    """

    checkpoint: Checkpoint
    line: str


def witness(
    note: str,
    *,
    log: Verifier,
    last: Checkpoint | None,
    proof: Sequence[NodeHash],
    cosigner: Cosigner,
    time: int,
) -> Witnessed:
    """Verify a counterpart's new checkpoint against the last one seen, and cosign it.

    Args:
        note: the signed checkpoint.
        log: the counterpart's key, from the contract.
        last: the checkpoint of this log that we cosigned last, None when there is none.
        proof: from the size of `last` to the new size; empty when there is no `last`.
        cosigner: our own key.
        time: POSIX seconds, now.

    Raises:
        NoteError: the note is malformed.
        SignatureError: the counterpart's key did not sign it.
        CheckpointError: it is no checkpoint, or not of this log.
        RollbackError: it is smaller than the last one.
        ForkError: it has the size of the last one and another root.
        ConsistencyError: the proof does not show that it extends the last one.
    """
    checkpoint = open_checkpoint(note, log)
    _require_growth(checkpoint, last)
    old = last or Checkpoint.of_nothing(checkpoint.origin)
    verify_consistency(old.size, old.root, checkpoint.size, checkpoint.root, proof)
    return Witnessed(checkpoint, cosigner.cosign(checkpoint, time))


def _require_growth(new: Checkpoint, last: Checkpoint | None) -> None:
    """Refuse what no proof can mend; the origin first, since sizes of two logs say nothing."""
    if last is None:
        return
    if new.origin != last.origin:
        raise CheckpointError(
            f"the checkpoint is of {new.origin} and the last one seen is of {last.origin}"
        )
    if new.size < last.size:
        raise RollbackError(
            f"{new.origin} shows {new.size} entries after it has shown {last.size}: "
            "its log was rolled back, or an old checkpoint was sent",
            seen_size=last.size,
        )
    if new.size == last.size and new.root != last.root:
        raise ForkError(f"{new.origin} has signed two different logs of {new.size} entries")
