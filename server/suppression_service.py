"""The calls about suppression runs, answered by the party's desk for them."""

from __future__ import annotations

import logging
from typing import Final, Protocol

import grpc

from commonground.v1 import suppression_pb2 as pb
from commonground.v1 import suppression_pb2_grpc
from party.contract import Contract
from party.events import Event, note
from party.suppression.run import Acknowledgement, SuppressionRun
from party.wire import fields
from party.wire.names import decode_name
from party.wire.suppression import (
    decode_acknowledgement,
    decode_run,
    encode_acknowledgement,
    encode_run,
)
from server.peers import Peers

_log: Final = logging.getLogger("commonground.server")


class SuppressionDesk(Protocol):
    """What a listener needs of the party that it serves; called from several threads."""

    def receive(
        self, peer: str, request_id: str, contract_hash: bytes, run: SuppressionRun
    ) -> Acknowledgement:
        """Apply a run of the sender's."""

    def waiting(self, peer: str, request_id: str, contract_hash: bytes) -> SuppressionRun | None:
        """Return the run that the receiver has not acknowledged yet."""

    def acknowledged(
        self, peer: str, request_id: str, contract_hash: bytes, word: Acknowledgement
    ) -> None:
        """Take the receiver's word on a run."""

    def ended_contracts(self) -> list[Contract]:
        """Return the contracts that have ended while a list under them may still be out."""


class SuppressionService(suppression_pb2_grpc.SuppressionServiceServicer):
    """The listening side of suppression runs, in either role."""

    def __init__(self, peers: Peers, desk: SuppressionDesk) -> None:
        self._peers, self._desk = peers, desk

    def Suppress(  # noqa: N802
        self, request: pb.SuppressRequest, context: grpc.ServicerContext
    ) -> pb.SuppressResponse:
        """Take a run that the sender of a list brings."""
        peer, request_id, contract_hash = self._where(request, context)
        fields.require_present(request, "run")
        run = decode_run(request.run)
        word = self._desk.receive(peer, request_id, contract_hash, run)
        _note(run.number, request_id, peer, "applied")
        return pb.SuppressResponse(acknowledgement=encode_acknowledgement(word))

    def FetchRun(  # noqa: N802
        self, request: pb.FetchRunRequest, context: grpc.ServicerContext
    ) -> pb.FetchRunResponse:
        """Return the run that waits for the receiver of a list."""
        run = self._desk.waiting(*self._where(request, context))
        return pb.FetchRunResponse(run=None if run is None else encode_run(run))

    def AcknowledgeRun(  # noqa: N802
        self, request: pb.AcknowledgeRunRequest, context: grpc.ServicerContext
    ) -> pb.AcknowledgeRunResponse:
        """Take the receiver's word on a run that it fetched."""
        peer, request_id, contract_hash = self._where(request, context)
        fields.require_present(request, "acknowledgement")
        word = decode_acknowledgement(request.acknowledgement)
        self._desk.acknowledged(peer, request_id, contract_hash, word)
        _note(word.number, request_id, peer, "acknowledged")
        return pb.AcknowledgeRunResponse()

    def _where(
        self, request: fields.Presence, context: grpc.ServicerContext
    ) -> tuple[str, str, bytes]:
        """Return who calls, and about which request and contract, which may have ended."""
        fingerprint = self._peers.require_list_party(context)
        name = decode_name(request)
        caller = self._peers.under_list(fingerprint, name.contract_hash)
        return caller.peer, name.request_id, name.contract_hash


def _note(number: int, request_id: str, peer: str, state: str) -> None:
    event = Event("suppression", request=request_id, peer=peer, state=state)
    note(_log, event, f"suppression run {number} of list {request_id[:8]} with {peer}: {state}")
