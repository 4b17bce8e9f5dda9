"""Counterparts tell of keys that they replaced, and are told of this party's."""

from __future__ import annotations

from typing import Protocol

import grpc

from commonground.v1 import keys_pb2 as pb
from commonground.v1 import keys_pb2_grpc
from party.card import IdentityCard
from party.renewals import Statements
from party.wire.keys import decode_statements, encode_response
from server.peers import Peers


class KeyDesk(Protocol):
    """What a listener needs of the party that it serves; called from several threads."""

    def exchange_statements(self, cards: list[IdentityCard], said: Statements) -> Statements:
        """Take a counterpart's statements, and return this party's."""


class KeyService(keys_pb2_grpc.KeyServiceServicer):
    """The listening side of statements of keys."""

    def __init__(self, peers: Peers, desk: KeyDesk) -> None:
        self._peers, self._desk = peers, desk

    def ExchangeStatements(  # noqa: N802
        self, request: pb.ExchangeStatementsRequest, context: grpc.ServicerContext
    ) -> pb.ExchangeStatementsResponse:
        """Take the caller's statements, and say this party's."""
        fingerprint = self._peers.require_let_in(context)
        said = decode_statements(request)
        return encode_response(
            self._desk.exchange_statements(self._peers.cards_of(fingerprint), said)
        )
