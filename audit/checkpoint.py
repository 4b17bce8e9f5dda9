r"""Checkpoints of a log and the cosignatures of its witnesses.

c2sp.org/tlog-checkpoint: `origin\nsize\nbase64(root)\n` as a signed note, where the origin is
the name of the log's key. Extension lines are refused: no auditor can check them.
c2sp.org/tlog-cosignature v1 (algorithm 04): the witness signs `cosignature/v1\ntime T\n` and the
body, and the signature's bytes are T (8 bytes, big endian) and 64 bytes of Ed25519.

A party may sign its own log and cosign others' with one key: the ids differ by the algorithm,
and no checkpoint can be read as a cosigned message, because the second line of one is a number
and of the other is not.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.errors import CheckpointError, NoteError, SignatureError
from audit.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, RootHash
from audit.note import (
    SecretKey,
    Signature,
    Signer,
    Verifier,
    open_note,
    parse_note,
    require_name,
    sign_note,
    verify_ed25519,
)

MAX_TIME: Final = 2**63 - 1
_TIME_BYTES: Final = 8
_COSIGNATURE_BYTES: Final = _TIME_BYTES + 64
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """A tree's size and root, as one log states them.

    Args:
        origin: the log, which is the name of its key.
        size: leaves, 0 to 2**63-1.
        root: 32 bytes.
    """

    origin: str
    size: int
    root: RootHash

    def __post_init__(self) -> None:
        try:
            require_name(self.origin)
        except NoteError as error:
            raise CheckpointError("an origin is a URL without scheme, spaces or plus") from error
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointError("the size of a checkpoint is 0 to 2**63-1")
        if len(self.root) != HASH_BYTES:
            raise CheckpointError("the root of a checkpoint is 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("the root of an empty tree is the hash of nothing")

    def body(self) -> str:
        """Return the text that is signed."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\n"

    @classmethod
    def parse(cls, body: str) -> Checkpoint:
        """Read the text of a note as a checkpoint.

        Raises:
            CheckpointError: it is not exactly three lines in their canonical form.
        """
        lines = body.split("\n")
        if len(lines) != 4 or lines[3]:
            raise CheckpointError("a checkpoint is three lines: origin, size, root")
        origin, size, encoded, _ = lines
        if not _DECIMAL.fullmatch(size):
            raise CheckpointError("the size of a checkpoint is decimal, without leading zeros")
        try:
            root = base64.b64decode(encoded.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise CheckpointError("the root of a checkpoint is in standard base64") from error
        checkpoint = cls(origin, int(size), root)
        if checkpoint.body() != body:
            raise CheckpointError("the root of a checkpoint is in canonical base64")
        return checkpoint

    @classmethod
    def of_nothing(cls, origin: str) -> Checkpoint:
        """Return the checkpoint of a log before its first entry."""
        return cls(origin, 0, EMPTY_ROOT)

    def sign(self, signer: Signer) -> str:
        """Return the signed note.

        Raises:
            CheckpointError: the signer's name is not the origin.
        """
        _require_origin(self, signer.name)
        return sign_note(self.body(), signer)


class CosignatureVerifier(Verifier):
    """The public key of a witness (algorithm 04)."""

    algorithm = 4

    def verify(self, text: bytes, blob: bytes) -> None:
        """Check a timestamped signature against the body of a checkpoint.

        Raises:
            SignatureError: this witness did not cosign this body at the time stated.
        """
        if len(blob) != _COSIGNATURE_BYTES:
            raise SignatureError(f"a cosignature of {self.name} is not a time and 64 bytes")
        time = int.from_bytes(blob[:_TIME_BYTES], "big")
        if time > MAX_TIME:
            raise SignatureError(f"a cosignature of {self.name} has a time beyond 2**63-1")
        verify_ed25519(self, _cosigned_message(text, time), blob[_TIME_BYTES:])


def vouching_key(vkey: str) -> CosignatureVerifier:
    """Return what verifies the cosignatures of a witness (algorithm 04) or of a party.

    A party cosigns by the key of its own log (algorithm 01), which its card and its contracts have.

    Raises:
        NoteError: it is no key of either.
    """
    try:
        return CosignatureVerifier.from_vkey(vkey)
    except NoteError:
        return CosignatureVerifier.of(Verifier.from_vkey(vkey))


class Cosigner(SecretKey):
    """The private key of a witness: cosigns checkpoints (algorithm 04)."""

    __slots__ = ()
    algorithm = CosignatureVerifier.algorithm

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public half."""
        return CosignatureVerifier(self.name, self.public_key)

    def cosign(self, checkpoint: Checkpoint, time: int) -> str:
        """Return the signature line that says: this was the largest tree seen at `time`.

        Whoever calls this has checked the tree; `audit.witness` does.

        Args:
            checkpoint: what is cosigned.
            time: POSIX seconds.

        Raises:
            CheckpointError: the time is negative or beyond 2**63-1.
        """
        if not 0 <= time <= MAX_TIME:
            raise CheckpointError("the time of a cosignature is POSIX seconds, 0 to 2**63-1")
        signed = self._sign(_cosigned_message(checkpoint.body().encode(), time))
        blob = time.to_bytes(_TIME_BYTES, "big") + signed
        return Signature(self.name, self.verifier.key_id, blob).line()


@dataclass(frozen=True)
class Cosignature:
    """What a verified cosignature states.

    Args:
        cosigner: the name of the witness's key.
        time: POSIX seconds at which the witness signed.
    """

    cosigner: str
    time: int


def open_checkpoint(note: str | bytes, log: Verifier) -> Checkpoint:
    """Verify a log's signed checkpoint.

    Raises:
        NoteError: the note is malformed.
        SignatureError: the log's key did not sign it.
        CheckpointError: its text is not a checkpoint, or one of another origin.
    """
    checkpoint = Checkpoint.parse(open_note(note, [log]).text)
    _require_origin(checkpoint, log.name)
    return checkpoint


def verify_cosignature(
    checkpoint: Checkpoint, line: str, witnesses: Sequence[CosignatureVerifier]
) -> Cosignature:
    """Verify one cosignature line over a checkpoint.

    Raises:
        NoteError: the line is malformed.
        SignatureError: it is of none of the known witnesses, or not over this checkpoint.
    """
    signature = Signature.parse(line)
    for witness in witnesses:
        if (witness.name, witness.key_id) == (signature.name, signature.key_id):
            witness.verify(checkpoint.body().encode(), signature.blob)
            return Cosignature(witness.name, int.from_bytes(signature.blob[:_TIME_BYTES], "big"))
    raise SignatureError(
        f"the cosignature of {signature.name} ({signature.key_id.hex()}) is by no known witness"
    )


def with_cosignatures(note: str, lines: Sequence[str]) -> str:
    """Return the note of a checkpoint with cosignature lines after its own, not verified here.

    Raises:
        NoteError: the note or a line is malformed.
    """
    cosigned = note + "".join(Signature.parse(line).line() for line in lines)
    parse_note(cosigned)
    return cosigned


def _require_origin(checkpoint: Checkpoint, key_name: str) -> None:
    if checkpoint.origin != key_name:
        raise CheckpointError(
            f"the key of {key_name} speaks for its own log, not for {checkpoint.origin}"
        )


def _cosigned_message(body: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + body
