"""Requests and decisions as the wire has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from commonground.v1 import collaboration_pb2 as pb
from party.decision import Decision, State
from party.errors import Breach, Refusal
from party.request import Request
from party.wire import fields, limits
from party.wire.refusals import decode_refusal, encode_refusal

_STATES: Final[dict[State, pb.DecisionState]] = {
    "pending": pb.DECISION_STATE_PENDING,
    "approved": pb.DECISION_STATE_APPROVED,
    "refused": pb.DECISION_STATE_REFUSED,
    "finished": pb.DECISION_STATE_FINISHED,
}


def encode_request(request: Request) -> pb.SignedRequest:
    """Return a request as a message: its canonical JSON."""
    return pb.SignedRequest(document=request.encode())


def decode_request(message: pb.SignedRequest) -> Request:
    """Return the request in a message; its signature is not checked here."""
    data = fields.bounded_bytes(message.document, limits.MOST_REQUEST_BYTES, "request.document")
    try:
        return Request.decode(data)
    except Refusal as refusal:
        raise Breach(refusal.status, refusal.message) from None


def encode_listing(requests: Iterable[Request]) -> pb.ListRequestsResponse:
    """Return as many requests, from the first on, as one response may carry."""
    listing = pb.ListRequestsResponse()
    room = limits.MOST_LISTED_BYTES
    for request in requests:
        message = encode_request(request)
        room -= len(message.document)
        if room < 0 or len(listing.requests) == limits.MOST_LISTED_REQUESTS:
            break
        listing.requests.append(message)
    return listing


def decode_listing(message: pb.ListRequestsResponse) -> list[Request]:
    """Return the requests in a response."""
    fields.counted(message.requests, 0, limits.MOST_LISTED_REQUESTS, "requests")
    return [decode_request(entry) for entry in message.requests]


def encode_decision(decision: Decision) -> pb.Decision:
    """Return a decision as a message."""
    refusal = decision.refusal
    return pb.Decision(
        state=_STATES[decision.state],
        refusal=None if refusal is None else encode_refusal(refusal),
    )


def decode_decision(message: pb.Decision) -> Decision:
    """Return the decision in a message."""
    state = next((name for name, value in _STATES.items() if value == message.state), None)
    if state is None:
        raise fields.malformed("decision.state", "is none that this version knows")
    if message.HasField("refusal") != (state == "refused"):
        raise fields.malformed("decision.refusal", "belongs to a refused request, and only there")
    if state != "refused":
        return Decision(state)
    refusal = decode_refusal(message.refusal)
    return Decision("refused", refusal.status, refusal.message)
