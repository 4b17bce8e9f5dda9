"""Joining: pin whoever made an invitation, and be pinned there, in one call.

The listener's certificate is held against the line before a byte is said to it. The call itself is
mutual TLS by the key that follows from the code. A code is used up by the first party that comes;
the same party may come again.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from audit.roles import Role
from client.actors import OPERATOR
from client.calls import CALL_SECONDS, calling
from client.channel import open_channel
from client.drafting import Draft, require_new, write_draft
from client.errors import Interrupted, NotAccepted, WrongCertificate
from client.probe import Way
from commonground.v1 import joining_pb2 as pb
from commonground.v1 import joining_pb2_grpc
from party.certificate import Certificate
from party.errors import InvitationError, Refusal, RefusalStatus
from party.introduction import Introduction
from party.invitation import Invitation
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.wire import fields, limits

ATTEMPTS: Final = 3
RETRY_SECONDS: Final = 0.3


def join_with_draft(
    party: Organisation, line: str, draft: Draft, path: Path, *, replace: bool
) -> Introduction:
    """Use the invitation in a line, write a draft contract with its maker, return what it said.

    Raises:
        InvitationError, DialError, Refusal: see `join`; nothing is written then.
        ContractError: there is a file at `path` already; the invitation is not used then.
    """
    party.access.require(Role.OPERATOR, "peer.join")
    invitation = Invitation.parse(line)
    require_new(path)
    theirs = join(party, invitation, replace=replace)
    write_draft(party, theirs.card, draft, path, theirs.datasets)
    return theirs


def join(party: Organisation, invitation: Invitation, *, replace: bool) -> Introduction:
    """Use an invitation, pin its maker, and return the maker's introduction.

    `replace` lets the maker's name take the place of other keys under it.

    Raises:
        InvitationError: it is this party's own, or its maker's name is another's here.
        DialError: nobody answers, somebody else does, or the code is not known there.
        Refusal: the maker says why the invitation does not serve.
    """
    if invitation.fingerprint == party.identity.fingerprint:
        raise InvitationError(
            "this invitation is the party's own: pass the line on; the counterpart joins with it"
        )
    way = Way(invitation.address)
    pinned = _find(way, invitation)
    known = KnownPeers(party)
    if not replace:
        known.require_free(pinned.party_name, pinned.fingerprint)
    certificate = invitation.certificate.fingerprint
    mine = Introduction.make(
        party.identity, party.own_card(), invitation=certificate, part="joiner"
    )
    theirs = Introduction.decode(_call(way, invitation, pinned, mine.encode()))
    theirs.verify(invitation=certificate, part="maker")
    if theirs.card.fingerprint != invitation.fingerprint:
        raise Refusal(RefusalStatus.BAD_REQUEST, "the card that came back has another certificate")
    party.store.write(
        lambda connection: known.pin(
            connection, theirs.card, "joined", actor=OPERATOR, replace=replace
        )
    )
    return theirs


def _find(way: Way, invitation: Invitation) -> Certificate:
    """Return the certificate that answers at the address, which is the one in the line."""
    with closing(way.open()) as plain:
        found = way.certificate(plain)
    if found is None or found.fingerprint != invitation.fingerprint:
        raise WrongCertificate(
            f"somebody else answers at {way.address}: its certificate is not the one in the "
            "invitation, and nothing was said to it. Whoever made it may have replaced theirs "
            "since: ask for a new line, and who serves there"
        )
    found.require_valid(int(time.time()))
    return found


def _call(way: Way, invitation: Invitation, pinned: Certificate, introduction: bytes) -> bytes:
    """Introduce this party over mutual TLS, and return the maker's introduction."""
    request = pb.JoinRequest(introduction=introduction)
    with open_channel(
        way.address, way.proxy, [pinned], invitation.key_pem(), invitation.certificate
    ) as channel:
        stub: Any = joining_pb2_grpc.JoinServiceStub(channel)  # type: ignore[no-untyped-call]
        for _ in range(ATTEMPTS):
            try:
                with calling():
                    response = stub.Join(request, timeout=CALL_SECONDS)
            except Interrupted:
                time.sleep(RETRY_SECONDS)
                continue
            return fields.bounded_bytes(
                response.introduction, limits.MOST_INTRODUCTION_BYTES, "introduction"
            )
    with closing(way.open()):  # says so where nobody answers any more
        pass
    raise NotAccepted(
        f"what answers at {way.address} has the right certificate and does not know this "
        "invitation's code: it was withdrawn or forgotten there, or is of another version. Ask for "
        "a new line"
    )
