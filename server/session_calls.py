"""Which session a call belongs to, and what a refusal inside it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from party.errors import Breach, Refusal
from party.incidents import incident_of
from party.wire.names import SessionName
from server.errors import Told
from server.peers import Caller, Peers
from server.sessions import Session, Sessions


@dataclass(frozen=True)
class SessionCalls:
    """Finds the session of a call by who makes it."""

    peers: Peers
    sessions: Sessions

    def caller(self, context: grpc.ServicerContext, name: SessionName) -> Caller:
        """Return who calls, under the contract of the session that it names."""
        fingerprint = self.peers.require_pinned(context)
        return self.peers.under(fingerprint, name.contract_hash)

    def find(self, context: grpc.ServicerContext, name: SessionName) -> Session:
        """Return the caller's open session, and note that the caller is there."""
        caller = self.caller(context, name)
        return self.sessions.find(caller.peer, name)


@contextmanager
def ending(session: Session) -> Iterator[None]:
    """Let a refusal that a call earns end its session.

    The session's driver records what was done; where none is at work, the call itself tells of it.
    """
    try:
        yield
    except Refusal as refusal:
        session.meeting.stop(refusal)
        if session.runs:
            raise Told(refusal) from None
        if incident_of(refusal) is not None:
            raise Breach(refusal.status, refusal.message) from None
        raise
