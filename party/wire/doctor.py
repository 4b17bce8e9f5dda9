"""What a party says of itself to a peer that looks for a fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.note import MAX_NOTE_BYTES
from commonground.v1 import doctor_pb2 as pb
from party.wire import fields, limits
from party.wire.exchanges import decode_profile, encode_profile
from psi.identifiers import Profile


@dataclass(frozen=True)
class Examination:
    """What must agree before a session.

    `time_ms` is the clock in Unix milliseconds; `contracts` the hashes (64 hex digits) of the
    contracts in force there that pin the caller; `seen_checkpoint` the caller's own checkpoint
    that was witnessed there last, "" for none.
    """

    time_ms: int
    profile: Profile
    contracts: tuple[str, ...]
    seen_checkpoint: str


def encode_examination(found: Examination) -> pb.ExamineResponse:
    """Return an examination as a message, with as many contracts as one may carry."""
    kept: Sequence[str] = found.contracts[: limits.MOST_KNOWN_CONTRACTS]
    return pb.ExamineResponse(
        time_ms=found.time_ms,
        profile=encode_profile(found.profile),
        contracts=[bytes.fromhex(digest) for digest in kept],
        seen_checkpoint=found.seen_checkpoint,
    )


def decode_examination(message: pb.ExamineResponse) -> Examination:
    """Return the examination in a message."""
    fields.require_present(message, "profile")
    fields.counted(message.contracts, 0, limits.MOST_KNOWN_CONTRACTS, "contracts")
    return Examination(
        time_ms=fields.whole(message.time_ms, limits.MOST_WHOLE, "time_ms"),
        profile=decode_profile(message.profile),
        contracts=tuple(fields.digest(one, "contracts").hex() for one in message.contracts),
        seen_checkpoint=_decode_seen(message.seen_checkpoint),
    )


def _decode_seen(text: str) -> str:
    return fields.block(text, MAX_NOTE_BYTES, "seen_checkpoint") if text else ""
