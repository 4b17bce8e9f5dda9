"""The offline receipt of one entry, as in c2sp.org/tlog-proof@v1: a text that says where it stands.

A receipt holds the entry's index, the inclusion proof and the log's checkpoint with its
cosignatures. Its extra data, which the format leaves to the application, are the entry's own
bytes, so that one file is enough. They are not trusted: they are hashed and proven like any others.

Whoever checks a receipt brings the log's key, and the witnesses' keys where they are to count. A
receipt cannot show that its log has no other history; the cosignatures can.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.checkpoint import (
    Checkpoint,
    Cosignature,
    CosignatureVerifier,
    open_checkpoint,
    verify_cosignature,
)
from audit.errors import InclusionError, ReceiptError
from audit.merkle import (
    HASH_BYTES,
    MAX_SIZE,
    NodeHash,
    Nodes,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from audit.note import MAX_NOTE_BYTES, Verifier, parse_note

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
MAX_PROOF_BYTES: Final = MAX_NOTE_BYTES + 128 * 1024
"""A checkpoint of the largest note, an entry in base64, and 63 hashes."""
_MOST_HASHES: Final = 63
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class LogProof:
    """A receipt taken apart, with nothing verified.

    Args:
        index: the entry's place in the log, from 0.
        hashes: the inclusion proof, from the leaf's sibling up; 32 bytes each.
        checkpoint: the signed note of the log, with what cosignatures it has.
        entry: the entry's bytes; None where the receipt leaves them out.
    """

    index: int
    hashes: tuple[NodeHash, ...]
    checkpoint: str
    entry: bytes | None = None

    def text(self) -> str:
        """Return the receipt as it is passed on."""
        extra = [] if self.entry is None else [f"extra {_encode(self.entry)}"]
        lines = [HEADER, *extra, f"index {self.index}", *map(_encode, self.hashes)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, data: str | bytes) -> LogProof:
        """Take a receipt apart.

        Raises:
            ReceiptError: it is malformed or too large.
            NoteError: its checkpoint is no signed note.
        """
        head, blank, checkpoint = _read_text(data).partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != HEADER:
            raise ReceiptError(f"a receipt begins with {HEADER}, and its checkpoint stands last")
        entry = None
        if lines and lines[0].startswith("extra "):
            entry = _decode(lines.pop(0).removeprefix("extra "), "the extra data")
        index = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if index is None or int(index[1]) >= MAX_SIZE:
            raise ReceiptError("a receipt has a line `index N`, decimal, without leading zeros")
        if len(lines) > _MOST_HASHES:
            raise ReceiptError(f"an inclusion proof has at most {_MOST_HASHES} hashes")
        hashes = tuple(_decode(line, "a hash of the proof") for line in lines)
        if any(len(item) != HASH_BYTES for item in hashes):
            raise ReceiptError(f"each hash of a receipt's proof is {HASH_BYTES} bytes")
        parse_note(checkpoint)
        return cls(int(index[1]), hashes, checkpoint, entry)


@dataclass(frozen=True)
class Proven:
    """What a receipt proves.

    Args:
        entry: the bytes that are in the log.
        index: where they stand.
        checkpoint: the tree that has them.
        cosignatures: the witnesses, of those that were named, who vouch for this tree.
    """

    entry: bytes
    index: int
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


def prove(nodes: Nodes, index: int, note: str, entry: bytes | None = None) -> LogProof:
    """Make the receipt of an entry in the tree of a checkpoint, which is one's own.

    Args:
        nodes: the stored hashes of the log.
        index: the entry's place.
        note: the checkpoint, signed, with its cosignatures.
        entry: the entry's bytes, to stand in the receipt.

    Raises:
        TreeError: the checkpoint's tree has no such entry.
        CheckpointError: the note's text is no checkpoint.
    """
    size = Checkpoint.parse(parse_note(note).text).size
    return LogProof(index, inclusion_proof(nodes, index, size), note, entry)


def verify_proof(
    proof: LogProof,
    log: Verifier,
    *,
    witnesses: Sequence[CosignatureVerifier] = (),
    entry: bytes | None = None,
) -> Proven:
    """Check that the log has the entry where the receipt says.

    Args:
        proof: the receipt.
        log: the log's key, from where its owner cannot change it alone.
        witnesses: the keys whose cosignatures count; those of others are set aside.
        entry: the entry's bytes, where the receipt leaves them out or is to be held against them.

    Raises:
        ReceiptError: there are no bytes of the entry, or two that differ.
        NoteError, CheckpointError: the checkpoint is not the log's, or a known witness's
            cosignature is wrong.
        InclusionError: the log has not these bytes there.
    """
    if entry is not None and proof.entry not in (None, entry):
        raise ReceiptError("the receipt is of another entry than the one that it is held against")
    data = proof.entry if entry is None else entry
    if data is None:
        raise ReceiptError("the receipt leaves its entry out: give the entry's bytes beside it")
    checkpoint = open_checkpoint(proof.checkpoint, log)
    if proof.index >= checkpoint.size:
        raise InclusionError(f"a tree of {checkpoint.size} leaves has no leaf {proof.index}")
    verify_inclusion(leaf_hash(data), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return Proven(data, proof.index, checkpoint, _cosignatures(proof, checkpoint, witnesses))


def require_cosigned(proven: Proven, witnesses: Sequence[CosignatureVerifier]) -> None:
    """Require that each of the witnesses has cosigned the checkpoint of a receipt.

    Raises:
        ReceiptError: one has not; the sentence names all who have not.
    """
    missing = {one.name for one in witnesses} - {one.cosigner for one in proven.cosignatures}
    if missing:
        raise ReceiptError(f"the receipt has no cosignature of {', '.join(sorted(missing))}")


def _cosignatures(
    proof: LogProof, checkpoint: Checkpoint, witnesses: Sequence[CosignatureVerifier]
) -> tuple[Cosignature, ...]:
    known = {(witness.name, witness.key_id) for witness in witnesses}
    return tuple(
        verify_cosignature(checkpoint, signature.line(), witnesses)
        for signature in parse_note(proof.checkpoint).signatures
        if (signature.name, signature.key_id) in known
    )


def _read_text(data: str | bytes) -> str:
    try:
        raw = data if isinstance(data, bytes) else data.encode()
        if len(raw) > MAX_PROOF_BYTES:
            raise ReceiptError(
                f"a receipt has at most {MAX_PROOF_BYTES} bytes, this has {len(raw)}"
            )
        return raw.decode()
    except UnicodeError as error:
        raise ReceiptError("a receipt is UTF-8 text") from error


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ReceiptError(f"{what} of a receipt is in standard base64") from error
    if not data or _encode(data) != text:
        raise ReceiptError(f"{what} of a receipt is in canonical base64, and not empty")
    return data
