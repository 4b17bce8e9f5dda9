"""The largest request of each call, in bytes of protobuf, checked before it is parsed.

A parsed message takes many times its bytes where it repeats small parts, so one bound for all calls
would let each of them cost as much memory as the largest. A call that is not listed here is not
served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from party.key_statement import MOST_BYTES as MOST_STATEMENT
from party.key_statement import MOST_STATEMENTS
from party.messages import MAX_NOTE_BYTES, MAX_PROOF_HASHES
from party.wire import limits
from psi.suppression import RUN_POINTS

_SMALL: Final = 4_096  # names, digests, signatures, one reason
_DECIMALS: Final = 10  # bytes of the longest integer
_SIZES: Final = limits.MOST_LABELS * _DECIMALS
_REQUEST: Final = limits.MOST_REQUEST_BYTES + _SMALL
_CHUNK: Final = limits.MOST_CHUNK_BYTES + limits.SEAL_BYTES + _SMALL
_PACKAGE: Final = "/commonground.v1."

MOST_BYTES: Final[Mapping[str, int]] = {
    **{
        f"{_PACKAGE}SessionService/{call}": most
        for call, most in {
            "Greet": _REQUEST + MAX_NOTE_BYTES,
            "Commit": _SMALL,
            "Reveal": _SMALL,
            "SendSet": max(_CHUNK, _SIZES + _SMALL),
            "PullSet": _SMALL,
            "SendKey": _SMALL,
            "PullKey": _SMALL,
            "SendSizes": _SIZES + _SMALL,
            "PullSizes": _SMALL,
            "SendNumbering": limits.MOST_LABELS * (limits.MOST_LABEL_NAME_BYTES + 8) + _SMALL,
            "PullNumbering": _SMALL,
            "SendRelease": 2 * limits.MOST_CELLS * _DECIMALS + _SIZES + _SMALL,
            "PullRelease": _SMALL,
            "Acknowledge": _SMALL,
            "Close": limits.MOST_STEPS * 64 + _SMALL,
            "Finish": _SMALL,
            "OfferCheckpoint": MAX_NOTE_BYTES + MAX_PROOF_HASHES * 40 + _SMALL,
            "Cosign": _SMALL,
            "Attend": _SMALL,
            "Refuse": _SMALL,
        }.items()
    },
    f"{_PACKAGE}ParcelService/SendParcel": _CHUNK,
    f"{_PACKAGE}ParcelService/PullParcel": _SMALL,
    f"{_PACKAGE}ParcelService/AcknowledgeParcel": _SMALL,
    f"{_PACKAGE}CollaborationService/SubmitRequest": _REQUEST,
    f"{_PACKAGE}CollaborationService/ListRequests": _SMALL,
    f"{_PACKAGE}CollaborationService/DecideRequest": _SMALL,
    f"{_PACKAGE}SuppressionService/Suppress": 2 * RUN_POINTS * 32 + _SMALL,
    f"{_PACKAGE}SuppressionService/FetchRun": _SMALL,
    f"{_PACKAGE}SuppressionService/AcknowledgeRun": _SMALL,
    f"{_PACKAGE}DoctorService/Examine": _SMALL,
    f"{_PACKAGE}DoctorService/Carry": limits.MOST_PROBE_BYTES + _SMALL,
    f"{_PACKAGE}KeyService/ExchangeStatements": MOST_STATEMENTS * (MOST_STATEMENT + 8) + _SMALL,
    f"{_PACKAGE}JoinService/Join": limits.MOST_INTRODUCTION_BYTES + _SMALL,
    "/grpc.health.v1.Health/Check": _SMALL,
    "/grpc.health.v1.Health/Watch": _SMALL,
}
