"""Statements of keys on the wire, and the counts by which each side says what it knows."""

from __future__ import annotations

from collections.abc import Sequence

from commonground.v1 import keys_pb2 as pb
from party.key_statement import MOST_BYTES, MOST_STATEMENTS
from party.renewals import Statements
from party.wire import fields


def encode_request(said: Statements) -> pb.ExchangeStatementsRequest:
    """Return what a caller says."""
    return pb.ExchangeStatementsRequest(statements=said.own, known=said.known)


def encode_response(said: Statements) -> pb.ExchangeStatementsResponse:
    """Return what a listening party says."""
    return pb.ExchangeStatementsResponse(statements=said.own, known=said.known)


def decode_statements(
    message: pb.ExchangeStatementsRequest | pb.ExchangeStatementsResponse,
) -> Statements:
    """Return what the other side says."""
    return Statements(
        _bounded(message.statements), fields.whole(message.known, MOST_STATEMENTS, "known")
    )


def _bounded(statements: Sequence[bytes]) -> tuple[bytes, ...]:
    fields.counted(statements, 0, MOST_STATEMENTS, "statements")
    return tuple(fields.bounded_bytes(one, MOST_BYTES, "statements") for one in statements)
