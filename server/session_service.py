"""The calls of a session, each answered from its mailbox (docs/protocol.md, Transport).

A call is authenticated, its session is found, and what it brings is decoded, before anything else
happens. A refusal that a call of the session earns ends the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message

from commonground.v1 import session_pb2 as pb
from commonground.v1 import session_pb2_grpc
from party.artefacts import header_of, read_chunks
from party.errors import Refusal, RefusalStatus
from party.messages import Artefact, Hello
from party.wire import fields
from party.wire.artefacts import (
    SMALL_KINDS,
    SmallKind,
    decode_chunk,
    decode_opening,
    encode_chunk,
    encode_header,
    small_kind,
)
from party.wire.exchanges import EXCHANGES, ExchangeKind
from party.wire.names import decode_name, decode_step
from party.wire.refusals import decode_refusal
from psi.sets import LabelledSet
from server.peers import Peers
from server.session_calls import SessionCalls, ending
from server.sessions import Session, Sessions

Context = grpc.ServicerContext
_EXCHANGES = {kind.rpc: kind for kind in EXCHANGES}
_SMALL = {kind.rpc: kind for kind in SMALL_KINDS}


class InSession(Protocol):
    """A request whose field `session` names its session."""

    session: pb.SessionName

    def HasField(self, field_name: str, /) -> bool:  # noqa: N802 - protobuf's name
        """Say whether a submessage is there."""


class SessionService(session_pb2_grpc.SessionServiceServicer):
    """The listening side of every session."""

    def __init__(self, peers: Peers, sessions: Sessions) -> None:
        self._calls, self._sessions = SessionCalls(peers, sessions), sessions

    # -- exchanges ---------------------------------------------------------------------------

    def Greet(self, request: pb.GreetRequest, context: Context) -> Message:  # noqa: N802
        """Open the session, and exchange the first words."""
        kind = _EXCHANGES["Greet"]
        name = decode_name(request)
        caller = self._calls.caller(context, name)
        hello = kind.carried(request)
        if not isinstance(hello, Hello):
            raise fields.malformed("hello", "is missing")
        session = self._sessions.greet(caller.own, caller.peer, name, hello)
        with ending(session):
            return kind.response(session.mailbox.hear(kind, hello))

    def Commit(self, request: pb.CommitRequest, context: Context) -> Message:  # noqa: N802
        """Exchange commitments."""
        return self._exchange(_EXCHANGES["Commit"], request, context)

    def Reveal(self, request: pb.RevealRequest, context: Context) -> Message:  # noqa: N802
        """Exchange nonces."""
        return self._exchange(_EXCHANGES["Reveal"], request, context)

    def Close(self, request: pb.CloseRequest, context: Context) -> Message:  # noqa: N802
        """Exchange what each side saw."""
        return self._exchange(_EXCHANGES["Close"], request, context)

    def Finish(self, request: pb.FinishRequest, context: Context) -> Message:  # noqa: N802
        """Exchange transcripts."""
        return self._exchange(_EXCHANGES["Finish"], request, context)

    def OfferCheckpoint(  # noqa: N802
        self, request: pb.OfferCheckpointRequest, context: Context
    ) -> Message:
        """Exchange checkpoints."""
        return self._exchange(_EXCHANGES["OfferCheckpoint"], request, context)

    def Cosign(self, request: pb.CosignRequest, context: Context) -> Message:  # noqa: N802
        """Exchange cosignatures."""
        return self._exchange(_EXCHANGES["Cosign"], request, context)

    # -- sets --------------------------------------------------------------------------------

    def SendSet(  # noqa: N802
        self, request_iterator: Iterator[pb.SendSetRequest], context: Context
    ) -> pb.SendSetResponse:
        """Take a set from the first missing chunk on."""
        opening = decode_opening(next(request_iterator, None))
        session = self._calls.find(context, opening.session)
        with ending(session):
            stream = session.intake.open(opening.step, opening.header)
            for message in request_iterator:
                stream.accept(decode_chunk(message))
            return pb.SendSetResponse(
                first_missing=stream.first_missing, digest=stream.digest or b""
            )

    def PullSet(  # noqa: N802
        self, request: pb.PullSetRequest, context: Context
    ) -> Iterator[pb.PullSetResponse]:
        """Serve a set from a chunk on."""
        with self._in_session(request, context) as session:
            step = decode_step(request.step)
            artefact = self._pulled(session, step, None)
            if not isinstance(artefact, LabelledSet):
                raise _not_that(step)
            header = header_of(artefact)
            if request.first_chunk > header.chunks:
                raise fields.malformed("first_chunk", "is beyond the end of the set")
            yield pb.PullSetResponse(header=encode_header(header))
            for chunk in read_chunks(artefact, step, start=request.first_chunk):
                yield pb.PullSetResponse(chunk=encode_chunk(chunk))
                session.meeting.notice()

    # -- what travels whole --------------------------------------------------------------------

    def SendKey(self, request: pb.SendKeyRequest, context: Context) -> pb.SendKeyResponse:  # noqa: N802
        """Take a route key."""
        return pb.SendKeyResponse(digest=self._take(_SMALL["Key"], request, context))

    def PullKey(self, request: pb.PullKeyRequest, context: Context) -> Message:  # noqa: N802
        """Serve a route key."""
        return self._serve(_SMALL["Key"], request, context)

    def SendSizes(self, request: pb.SendSizesRequest, context: Context) -> pb.SendSizesResponse:  # noqa: N802
        """Take the sizes of a set."""
        return pb.SendSizesResponse(digest=self._take(_SMALL["Sizes"], request, context))

    def PullSizes(self, request: pb.PullSizesRequest, context: Context) -> Message:  # noqa: N802
        """Serve the sizes of a set."""
        return self._serve(_SMALL["Sizes"], request, context)

    def SendNumbering(  # noqa: N802
        self, request: pb.SendNumberingRequest, context: Context
    ) -> pb.SendNumberingResponse:
        """Take the names behind label numbers."""
        return pb.SendNumberingResponse(digest=self._take(_SMALL["Numbering"], request, context))

    def PullNumbering(self, request: pb.PullNumberingRequest, context: Context) -> Message:  # noqa: N802
        """Serve the names behind label numbers."""
        return self._serve(_SMALL["Numbering"], request, context)

    def SendRelease(  # noqa: N802
        self, request: pb.SendReleaseRequest, context: Context
    ) -> pb.SendReleaseResponse:
        """Take the noisy table."""
        return pb.SendReleaseResponse(digest=self._take(_SMALL["Release"], request, context))

    def PullRelease(self, request: pb.PullReleaseRequest, context: Context) -> Message:  # noqa: N802
        """Serve the noisy table."""
        return self._serve(_SMALL["Release"], request, context)

    def Acknowledge(  # noqa: N802
        self, request: pb.AcknowledgeRequest, context: Context
    ) -> pb.AcknowledgeResponse:
        """Take the dialler's word that it has a pulled step on disk."""
        with self._in_session(request, context) as session:
            digest = fields.digest(request.digest, "digest")
            session.mailbox.acknowledge(decode_step(request.step), digest)
            return pb.AcknowledgeResponse()

    # -- life and death ------------------------------------------------------------------------

    def Attend(self, request: pb.AttendRequest, context: Context) -> pb.AttendResponse:  # noqa: N802
        """Note that the dialler is there."""
        self._calls.find(context, decode_name(request))
        return pb.AttendResponse()

    def Refuse(self, request: pb.RefuseRequest, context: Context) -> pb.RefuseResponse:  # noqa: N802
        """End the session as the dialler says, whether or not it is open."""
        name = decode_name(request)
        caller = self._calls.caller(context, name)
        fields.require_present(request, "refusal")
        self._sessions.refuse(caller.peer, name, decode_refusal(request.refusal))
        return pb.RefuseResponse()

    # -- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _in_session(self, request: InSession, context: Context) -> Iterator[Session]:
        """Give the session of a request; a refusal inside ends it."""
        session = self._calls.find(context, decode_name(request))
        with ending(session):
            yield session

    def _exchange(self, kind: ExchangeKind, request: InSession, context: Context) -> Message:
        with self._in_session(request, context) as session:
            return kind.response(session.mailbox.hear(kind, kind.carried(request)))

    def _take(self, kind: SmallKind, request: Any, context: Context) -> bytes:  # noqa: ANN401
        with self._in_session(request, context) as session:
            return session.intake.take(decode_step(request.step), kind.carried(request))

    def _serve(self, kind: SmallKind, request: Any, context: Context) -> Message:  # noqa: ANN401
        with self._in_session(request, context) as session:
            step = decode_step(request.step)
            return kind.pull_response(self._pulled(session, step, kind))

    def _pulled(self, session: Session, step: int, kind: SmallKind | None) -> Artefact:
        """Return what a step carries, asked for in the way of its kind."""
        if small_kind(session.mailbox.turns.outgoing(step)) is not kind:
            raise _not_that(step)
        return session.mailbox.pull(step)


def _not_that(step: int) -> Refusal:
    return Refusal(
        RefusalStatus.BAD_REQUEST, f"step {step} carries something else than was asked for"
    )
