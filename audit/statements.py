"""What is signed in a source of a log: its checkpoint, and what was cosigned on either side.

Everything here has had its signature verified; whether the entries fit is for `audit.verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.checkpoint import (
    Checkpoint,
    Cosignature,
    CosignatureVerifier,
    open_checkpoint,
    verify_cosignature,
)
from audit.errors import AuditError, NoteError, VerificationError
from audit.merkle import RootHash
from audit.note import Verifier
from audit.source import Cosigned, LogSource


@dataclass(frozen=True)
class Statements:
    """What is signed in a source, with every signature verified."""

    source: LogSource
    log: Verifier
    checkpoint: Checkpoint
    counterparts: Sequence[Verifier]
    cosigned: Sequence[tuple[Checkpoint, Cosignature]]
    witnessed: Sequence[Checkpoint]

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log.name

    @classmethod
    def of(cls, source: LogSource) -> Statements:
        """Read a source; raise VerificationError for the first signature that does not hold."""
        log = _read_key(source.vkey)
        try:
            checkpoint = open_checkpoint(source.checkpoint(), log)
        except AuditError as error:
            raise VerificationError(f"{log.name}: the checkpoint: {error}") from error
        counterparts, witnesses = _read_keys(source.counterparts())
        me = [CosignatureVerifier.of(log)]
        cosigned = list(_open_all(source.cosigned(), [log], witnesses, f"{log.name}: cosigned"))
        kept = _open_all(source.witnessed(), counterparts, me, f"{log.name}: witnessed")
        witnessed = [mark for mark, _ in kept]
        _require_no_fork(log.name, witnessed)
        return cls(source, log, checkpoint, counterparts, cosigned, witnessed)

    def seen_of(self, origin: str) -> list[Checkpoint]:
        """Return the checkpoints of another log that this log's owner keeps."""
        return [mark for mark in self.witnessed if mark.origin == origin]


def _require_no_fork(keeper: str, marks: Sequence[Checkpoint]) -> None:
    roots: dict[tuple[str, int], RootHash] = {}
    for mark in marks:
        if roots.setdefault((mark.origin, mark.size), mark.root) != mark.root:
            raise VerificationError(
                f"{keeper}: witnessed: {mark.origin} has signed two logs of {mark.size} entries"
            )


def _open_all(
    stored: Iterable[Cosigned],
    logs: Sequence[Verifier],
    witnesses: Sequence[CosignatureVerifier],
    where: str,
) -> Iterator[tuple[Checkpoint, Cosignature]]:
    """Verify stored checkpoints and the cosignature on each."""
    for number, item in enumerate(stored):
        try:
            checkpoint = _open_of_any(item.checkpoint, logs)
            cosignature = verify_cosignature(checkpoint, item.line, witnesses)
        except AuditError as error:
            raise VerificationError(f"{where} checkpoint {number}: {error}") from error
        yield checkpoint, cosignature


def _open_of_any(note: str, logs: Sequence[Verifier]) -> Checkpoint:
    """Verify a checkpoint of one of several logs: the one whose name it begins with."""
    origin = note.partition("\n")[0]
    for log in logs:
        if log.name == origin:
            return open_checkpoint(note, log)
    raise NoteError("the checkpoint is of a log whose key is not known here")


def _read_key(vkey: str) -> Verifier:
    try:
        return Verifier.from_vkey(vkey)
    except NoteError as error:
        raise VerificationError(f"the key of the log: {error}") from error


def _read_keys(vkeys: Iterable[str]) -> tuple[list[Verifier], list[CosignatureVerifier]]:
    """Return the counterparts' keys as logs, and as witnesses."""
    logs, witnesses = [], []
    for vkey in vkeys:
        try:
            witnesses.append(CosignatureVerifier.from_vkey(vkey))
        except NoteError:
            log = _read_key(vkey)
            logs.append(log)
            witnesses.append(CosignatureVerifier.of(log))
    return logs, witnesses
