"""What a pinned peer may ask to find out why two parties do not work together.

Nothing here reads data or changes anything; sizes are bounded by the messages themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import grpc

from commonground.v1 import doctor_pb2 as pb
from commonground.v1 import doctor_pb2_grpc
from party.wire import fields, limits
from party.wire.doctor import Examination, encode_examination
from psi.identifiers import Profile
from server.peers import Peers


class DoctorService(doctor_pb2_grpc.DoctorServiceServicer):
    """The listening side of `commonground doctor --peer`."""

    def __init__(self, peers: Peers, now: Callable[[], float], seen: Callable[[str], str]) -> None:
        """Take the clock, and what gives the log's checkpoint that was seen of a certificate."""
        self._peers, self._now, self._seen = peers, now, seen

    def Examine(  # noqa: N802
        self, request: pb.ExamineRequest, context: grpc.ServicerContext
    ) -> pb.ExamineResponse:
        """Say the clock, the profile, the contracts with the caller, what was seen of its log."""
        del request
        fingerprint = self._peers.require_known(context)
        return encode_examination(
            Examination(
                time_ms=int(self._now() * 1000),
                profile=Profile.current(),
                contracts=self._peers.contracts_with(fingerprint),
                seen_checkpoint=self._seen(fingerprint),
            )
        )

    def Carry(  # noqa: N802
        self, request: pb.CarryRequest, context: grpc.ServicerContext
    ) -> pb.CarryResponse:
        """Drop what came, and answer with as many bytes as are wanted."""
        self._peers.require_known(context)
        if len(request.payload) > limits.MOST_PROBE_BYTES:
            raise fields.too_large("payload", limits.MOST_PROBE_BYTES, "bytes")
        wanted = fields.whole(request.wanted, limits.MOST_PROBE_BYTES, "wanted")
        return pb.CarryResponse(payload=bytes(wanted))
