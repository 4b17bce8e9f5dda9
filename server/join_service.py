"""Whoever holds an invitation introduces itself here, and is pinned."""

from __future__ import annotations

import logging
from typing import Final

import grpc

from commonground.v1 import joining_pb2 as pb
from commonground.v1 import joining_pb2_grpc
from party.events import Event, note
from party.wire import fields, limits
from server.answering import answering
from server.peers import Peers, Reception

_log: Final = logging.getLogger("commonground.server")


class JoinService(joining_pb2_grpc.JoinServiceServicer):
    """The listening side of `commonground join`."""

    def __init__(self, peers: Peers, reception: Reception) -> None:
        self._peers, self._reception = peers, reception

    def Join(  # noqa: N802
        self, request: pb.JoinRequest, context: grpc.ServicerContext
    ) -> pb.JoinResponse:
        """Pin the caller and use its invitation up."""
        with answering(context):
            invitation = self._peers.require_invited(context)
            introduction = fields.bounded_bytes(
                request.introduction, limits.MOST_INTRODUCTION_BYTES, "introduction"
            )
            welcomed = self._reception.welcome(invitation, introduction)
            pinned = Event("peer.pinned", peer=welcomed.peer)
            note(_log, pinned, f"peer {welcomed.peer} has joined, {welcomed.fingerprint} is pinned")
            return pb.JoinResponse(introduction=welcomed.answer)
