"""Refusals on the wire, and the one table that gives each a gRPC status.

A call fails for one of three reasons: the session has ended with a `Refusal`; it is in a passing
`Condition`, and the caller asks again; or gRPC itself could not do it. The first two are named in
the call's trailing metadata, since several share a gRPC status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, TypeVar

from grpc import StatusCode

from commonground.v1 import collaboration_pb2 as pb
from party.errors import Refusal, RefusalStatus, RefusedThere
from party.wire.fields import line, malformed
from party.wire.limits import MOST_REASON

STATUS_KEY: Final = "commonground-status"
CONDITION_KEY: Final = "commonground-condition"

STATUS_CODES: Final[Mapping[RefusalStatus, StatusCode]] = {
    RefusalStatus.CONTRACT_UNKNOWN: StatusCode.NOT_FOUND,
    RefusalStatus.NOT_GRANTED: StatusCode.PERMISSION_DENIED,
    RefusalStatus.PROFILE_MISMATCH: StatusCode.FAILED_PRECONDITION,
    RefusalStatus.CONSENT_STALE: StatusCode.FAILED_PRECONDITION,
    RefusalStatus.BUDGET_EXHAUSTED: StatusCode.RESOURCE_EXHAUSTED,
    RefusalStatus.BELOW_MINIMUM: StatusCode.FAILED_PRECONDITION,
    RefusalStatus.DECLINED: StatusCode.PERMISSION_DENIED,
    RefusalStatus.INVALID_POINT: StatusCode.INVALID_ARGUMENT,
    RefusalStatus.WRONG_ANSWER: StatusCode.INVALID_ARGUMENT,
    RefusalStatus.LIMIT_EXCEEDED: StatusCode.OUT_OF_RANGE,
    RefusalStatus.EXPIRED: StatusCode.FAILED_PRECONDITION,
    RefusalStatus.BAD_REQUEST: StatusCode.INVALID_ARGUMENT,
    RefusalStatus.TRANSCRIPT_MISMATCH: StatusCode.ABORTED,
}


class Condition(Enum):
    """Why a call has no answer now, although the session goes on."""

    NOT_READY = "NOT_READY"
    """The listener is still computing: ask again at once."""
    GREET_FIRST = "GREET_FIRST"
    """The listener does not have the session open: greet, then ask again."""
    BUSY = "BUSY"
    """The listener runs as many sessions as it may: ask again later."""
    PENDING = "PENDING"
    """Nobody has approved the request yet."""


CONDITION_CODES: Final[Mapping[Condition, StatusCode]] = {
    Condition.NOT_READY: StatusCode.UNAVAILABLE,
    Condition.GREET_FIRST: StatusCode.FAILED_PRECONDITION,
    Condition.BUSY: StatusCode.UNAVAILABLE,
    Condition.PENDING: StatusCode.FAILED_PRECONDITION,
}

Named = TypeVar("Named", bound=Enum)
Metadata = Iterable[tuple[str, str | bytes]]


def tidy(reason: str) -> str:
    """Return a reason as the wire takes it: one printable line of bounded length."""
    printable = "".join(c if c.isprintable() else " " for c in reason).strip()
    return printable[:MOST_REASON] or "no reason was given"


def read_failure(details: str, metadata: Metadata) -> RefusedThere | Condition | None:
    """Return what a failed call says in its metadata, or None when gRPC itself failed."""
    said = {key: value for key, value in metadata if isinstance(value, str)}
    if CONDITION_KEY in said:
        return _member(Condition, said[CONDITION_KEY])
    if STATUS_KEY in said:
        return RefusedThere(_member(RefusalStatus, said[STATUS_KEY]), tidy(details))
    return None


def encode_refusal(refusal: Refusal) -> pb.Refusal:
    """Return a refusal as a message."""
    status = f"REFUSAL_STATUS_{refusal.status.value}"
    return pb.Refusal(status=status, reason=tidy(refusal.message))


def decode_refusal(message: pb.Refusal) -> RefusedThere:
    """Return the refusal in a message."""
    name = pb.RefusalStatus.DESCRIPTOR.values_by_number.get(message.status)
    if name is None or message.status == pb.REFUSAL_STATUS_UNSPECIFIED:
        raise malformed("refusal.status", "is none that this version knows")
    status = RefusalStatus(name.name.removeprefix("REFUSAL_STATUS_"))
    return RefusedThere(status, line(message.reason, MOST_REASON, "refusal.reason"))


def _member(kind: type[Named], name: str) -> Named:
    try:
        return kind(name)
    except ValueError:
        raise malformed("trailing metadata", "names a state that this version lacks") from None
