"""What names a session, a step and a contract on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from commonground.v1 import session_pb2 as pb
from party.wire import fields, limits


@dataclass(frozen=True)
class SessionName:
    """The request that a session answers (32 hex digits) and its contract's hash (32 bytes)."""

    request_id: str
    contract_hash: bytes


def encode_name(name: SessionName) -> pb.SessionName:
    """Return a session's name as a message."""
    return pb.SessionName(request_id=name.request_id, contract_hash=name.contract_hash)


def decode_name(message: fields.Presence) -> SessionName:
    """Return the name of the session that a request belongs to."""
    fields.require_present(message, "session")
    session: pb.SessionName = message.session  # type: ignore[attr-defined]
    return SessionName(
        request_id=fields.request_id(session.request_id, "session.request_id"),
        contract_hash=fields.digest(session.contract_hash, "session.contract_hash"),
    )


def decode_step(step: int) -> int:
    """Return an index in a leg table."""
    if step >= limits.MOST_STEPS:
        raise fields.malformed("step", f"must be below {limits.MOST_STEPS}")
    return step
