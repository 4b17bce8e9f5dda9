"""Peers and invitations as people read them: who is let in, and who still could come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from party.key_statement import KeyStatement
from party.known_peers import Peer
from party.reception import Issued


def peer_document(peer: Peer) -> dict[str, Any]:
    """Return a peer as JSON values."""
    return {
        "peer": peer.name,
        "organisation": peer.card.organisation,
        "address": peer.card.address,
        "identity": peer.card.identity,
        "fingerprint": peer.card.newest.fingerprint,
        "pinned_at": peer.pinned_at,
        "contracts": list(peer.contracts),
        "revoked_at": None if peer.revoked is None else peer.revoked.since,
    }


def peers_shown(peers: Sequence[Peer]) -> list[RenderableType]:
    """Return a paragraph for each peer; fingerprints are whole, since people compare them."""
    if not peers:
        return ["Nobody is pinned here. `commonground invite` or `commonground join` begins."]
    lines: list[RenderableType] = []
    for peer in peers:
        shown = Table.grid(padding=(0, 2))
        for word, what in (
            ("organisation", peer.card.organisation),
            ("reached", peer.card.address or "never: it only dials"),
            ("fingerprint", peer.card.newest.fingerprint),
            ("pinned by", _pinned_by(peer)),
        ):
            shown.add_row(f"  {word}", what)
        lines += [peer.name, shown]
    return lines


def _pinned_by(peer: Peer) -> str:
    if peer.revoked is not None:
        return f"nothing: revoked, {shown_time(peer.revoked.since)}, {peer.revoked.reason}"
    by = [] if peer.pinned_at is None else [f"an invitation, {shown_time(peer.pinned_at)}"]
    if peer.contracts:
        by.append(f"contract {', '.join(peer.contracts)}")
    return "; ".join(by)


def invitation_document(issued: Issued, now: int) -> dict[str, Any]:
    """Return an invitation as JSON values; its code is kept nowhere."""
    return {
        "id": issued.id,
        "certificate": issued.fingerprint,
        "for": issued.for_name,
        "replaces": issued.replaces,
        "state": issued.state(now),
        "made_at": issued.made_at,
        "ends": issued.ends_at,
        "used_at": issued.used_at,
        "used_by": issued.used_by,
        "peer": issued.peer,
        "withdrawn_at": issued.withdrawn_at,
        "offers": list(issued.datasets),
    }


def invitations_shown(issued: Sequence[Issued], now: int) -> RenderableType:
    """Return a line for each invitation."""
    if not issued:
        return "There are no invitations. `commonground invite` makes one."
    table = Table("id", "for", "offers", "made", "ends", "state")
    for one in issued:
        who = one.for_name or "anybody who has the line"
        if one.replaces:
            who += ", also with new keys"
        table.add_row(
            one.id,
            who,
            ", ".join(one.datasets),
            shown_time(one.made_at),
            shown_time(one.ends_at),
            _state(one, now),
        )
    return table


def ended_by(statement: KeyStatement, issued: Sequence[Issued]) -> list[Issued]:
    """Return the invitations that end because another certificate comes into use."""
    if statement.replaces_signing_key:
        return []
    return [
        one
        for one in issued
        if one.ends_at == statement.starts and one.used_at is None and one.withdrawn_at is None
    ]


def made_again(one: Issued) -> str:
    """Say that an invitation ends with its certificate, and what to type for another one."""
    command = "commonground invite"
    if one.for_name is not None:
        command += f" --for {one.for_name}"
    command += "".join(f" --offer {name}" for name in one.datasets)
    return (
        f"The invitation {one.id} ends on {shown_time(one.ends_at)}, since its line names the "
        f"certificate before. After that `{command}` makes another"
    )


def _state(one: Issued, now: int) -> str:
    state = one.state(now)
    if one.used_at is None:
        return state
    came = f"used on {shown_time(one.used_at)} by " + (one.peer or f"{one.used_by}, not pinned now")
    return f"{came}; withdrawn" if state == "withdrawn" else came
