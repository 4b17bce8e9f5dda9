"""Requests from, for and about the counterparts, answered by the party's desk."""

from __future__ import annotations

import grpc

from commonground.v1 import collaboration_pb2 as pb
from commonground.v1 import collaboration_pb2_grpc
from party.errors import Refusal, RefusalStatus
from party.wire import fields
from party.wire.collaboration import (
    decode_decision,
    decode_request,
    encode_decision,
    encode_listing,
)
from server.peers import Peers
from server.sessions import Desk, Sessions


class CollaborationService(collaboration_pb2_grpc.CollaborationServiceServicer):
    """The listening side of requests."""

    def __init__(self, peers: Peers, desk: Desk, sessions: Sessions) -> None:
        self._peers, self._desk, self._sessions = peers, desk, sessions

    def SubmitRequest(  # noqa: N802
        self, request: pb.SubmitRequestRequest, context: grpc.ServicerContext
    ) -> pb.SubmitRequestResponse:
        """Take a counterpart's request, or say how it stands."""
        caller = self._peers.require_pinned(context)
        fields.require_present(request, "request")
        asked = decode_request(request.request)
        known = self._peers.under(caller, bytes.fromhex(asked.contract))
        decision = self._desk.submit(known.peer, asked)
        if decision.state == "approved":
            self._sessions.expect(known.own, known.peer, asked)
        return pb.SubmitRequestResponse(decision=encode_decision(decision))

    def ListRequests(  # noqa: N802
        self, request: pb.ListRequestsRequest, context: grpc.ServicerContext
    ) -> pb.ListRequestsResponse:
        """List the own requests that wait for the counterpart."""
        caller = self._peers.require_pinned(context)
        contract_hash = fields.digest(request.contract_hash, "contract_hash")
        peer = self._peers.under(caller, contract_hash).peer
        return encode_listing(self._desk.offered(contract_hash, peer))

    def DecideRequest(  # noqa: N802
        self, request: pb.DecideRequestRequest, context: grpc.ServicerContext
    ) -> pb.DecideRequestResponse:
        """Take the counterpart's decision on an own request."""
        caller = self._peers.require_pinned(context)
        contract_hash = fields.digest(request.contract_hash, "contract_hash")
        peer = self._peers.under(caller, contract_hash).peer
        request_id = fields.request_id(request.request_id, "request_id")
        decision = decode_decision(request.decision)
        if decision.state not in ("approved", "refused"):
            raise fields.malformed("decision.state", "must be APPROVED or REFUSED")
        if all(one.id != request_id for one in self._desk.offered(contract_hash, peer)):
            raise Refusal(
                RefusalStatus.BAD_REQUEST, "no request with this id waits for the caller here"
            )
        self._desk.decide(peer, request_id, decision)
        return pb.DecideRequestResponse()
