"""The calls in which a dialler carries parcels between this party and one that it does not meet."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from commonground.v1 import parcels_pb2 as pb
from commonground.v1 import parcels_pb2_grpc
from party.wire.parcels import (
    decode_acknowledgement,
    decode_chunk,
    decode_header,
    decode_opening,
    decode_pull,
    encode_chunk,
    encode_header,
)
from server.peers import Peers
from server.session_calls import SessionCalls, ending
from server.sessions import Sessions

Context = grpc.ServicerContext


class ParcelService(parcels_pb2_grpc.ParcelServiceServicer):
    """The listening side of every parcel."""

    def __init__(self, peers: Peers, sessions: Sessions) -> None:
        self._calls = SessionCalls(peers, sessions)

    def SendParcel(  # noqa: N802
        self, request_iterator: Iterator[pb.SendParcelRequest], context: Context
    ) -> pb.SendParcelResponse:
        """Take a parcel of another party from the first missing chunk on."""
        name = decode_opening(next(request_iterator, None))
        session = self._calls.find(context, name.session)
        with ending(session):
            box = session.box(name.party)
            stream = box.open(name.number)
            header = next(request_iterator, None)
            if header is not None:
                stream.begin(decode_header(header))
            for message in request_iterator:
                stream.accept(*decode_chunk(message))
            return pb.SendParcelResponse(
                first_missing=stream.first_missing, receipt=box.receipt(name.number) or b""
            )

    def PullParcel(  # noqa: N802
        self, request: pb.PullParcelRequest, context: Context
    ) -> Iterator[pb.PullParcelResponse]:
        """Serve a parcel for another party from a chunk on."""
        name, first = decode_pull(request)
        session = self._calls.find(context, name.session)
        with ending(session):
            header, chunks = session.box(name.party).pull(name.number, first)
            yield pb.PullParcelResponse(header=encode_header(header))
            for index, data in enumerate(chunks, first):
                yield pb.PullParcelResponse(chunk=encode_chunk(index, data))
                session.meeting.notice()

    def AcknowledgeParcel(  # noqa: N802
        self, request: pb.AcknowledgeParcelRequest, context: Context
    ) -> pb.AcknowledgeParcelResponse:
        """Take the other party's word that it has a parcel on disk."""
        name, receipt = decode_acknowledgement(request)
        session = self._calls.find(context, name.session)
        with ending(session):
            session.box(name.party).acknowledge(name.number, receipt)
            return pb.AcknowledgeParcelResponse()
