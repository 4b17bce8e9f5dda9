"""Whoever holds an invitation introduces itself here, and is pinned."""

from __future__ import annotations

import logging
from typing import Final

import grpc

from commonground.v1 import joining_pb2 as pb
from commonground.v1 import joining_pb2_grpc
from party.errors import Refusal
from party.events import Event, note
from party.invitation import short_id
from party.wire import fields, limits
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
        invitation = self._peers.require_invited(context)
        introduction = fields.bounded_bytes(
            request.introduction, limits.MOST_INTRODUCTION_BYTES, "introduction"
        )
        try:
            welcomed = self._reception.welcome(invitation, introduction)
        except Refusal as refusal:
            _note_refusal(invitation, refusal)
            raise
        pinned = Event("peer.pinned", peer=welcomed.peer)
        note(_log, pinned, f"peer {welcomed.peer} has joined, {welcomed.fingerprint} is pinned")
        return pb.JoinResponse(introduction=welcomed.answer)


def _note_refusal(invitation: str, refusal: Refusal) -> None:
    """Tell the operator that a line was tried in vain: others may have read it."""
    refused = Event("join.refused", status=refusal.status.value, reason=refusal.message)
    sentence = f"a join with the invitation {short_id(invitation)} was refused: {refusal}"
    note(_log, refused, sentence, level=logging.WARNING)
