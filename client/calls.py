"""One call: its deadline, and what its failure means.

A failure is the counterpart's refusal, a condition that passes, a broken connection, or a state of
the counterpart; gRPC's own exceptions go no further than this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, cast

import grpc

from client.errors import Deferred, Interrupted, NotAccepted, PeerFailed
from party.errors import Refusal, RefusalStatus
from party.wire.limits import HOLD_SECONDS, MOST_MESSAGE_BYTES
from party.wire.refusals import Condition, read_failure, tidy

CALL_SECONDS: Final = HOLD_SECONDS + 15.0
STREAM_SECONDS: Final = 600.0
"""A stream that takes longer is cut, and resumed where it was."""

_BROKEN: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


@contextmanager
def calling() -> Iterator[None]:
    """Raise what a failed call means, in the place of gRPC's exception.

    Raises:
        RefusedThere: the counterpart refused.
        Refusal: its message is larger than any may be, or its version knows no such call.
        Deferred: it has no answer now.
        Interrupted: the connection broke, or the deadline passed.
        NotAccepted: it does not accept this party's certificate.
        PeerFailed: it stopped on an error of its own.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise _meaning(error) from None
    except grpc.FutureCancelledError:
        raise Interrupted("the call was broken off here") from None


def _meaning(error: grpc.RpcError) -> Exception:
    details = tidy(error.details() or "")
    metadata = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    said = read_failure(details, metadata)
    if isinstance(said, Condition):
        return Deferred(said)
    if said is not None:
        return said
    return _meaning_of_status(error.code(), details)


def _meaning_of_status(code: grpc.StatusCode, details: str) -> Exception:
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
        return Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            f"the counterpart sent a message of more than {MOST_MESSAGE_BYTES} bytes",
        )
    if code in _BROKEN:
        return Interrupted(details)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return NotAccepted(f"the counterpart did not accept this party's certificate: {details}")
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Refusal(
            RefusalStatus.BAD_REQUEST,
            "the counterpart does not know this call; both sides must run compatible versions",
        )
    return PeerFailed(f"the counterpart failed ({code.name}): {details}")
