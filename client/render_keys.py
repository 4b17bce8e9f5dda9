"""A party's own keys as people read them, and as JSON."""

from __future__ import annotations

from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from party.desk import Desk
from party.key_statement import KeyStatement
from party.node_key import place_of_node_key
from party.organisation import Organisation
from party.renewals import Renewals
from party.revocation import Revocations

_MADE, _OVERLAP, _ENDED = "made", "overlap", "ended"
_COURSE: Final = {
    _MADE: "comes into use on {starts}; the one before is accepted until {ends}",
    _OVERLAP: "in use since {starts}; the one before is accepted until {ends}",
    _ENDED: "in use since {starts}; the one before ended on {ends}",
}


def keys_document(party: Organisation) -> dict[str, Any]:
    """Return the keys as JSON values; times are Unix seconds."""
    identity = party.identity
    return {
        "log": identity.vkey,
        "signing": identity.signing,
        "fingerprint": identity.fingerprint,
        "certificate_ends": identity.certificate.not_after,
        "node_key": place_of_node_key(party.folder / "keys"),
        "statements": [_statement(one, party.now) for one in identity.statements],
        "known_by": _known_by(party),
    }


def keys_shown(party: Organisation) -> RenderableType:
    """Return the keys in use, what replaces what, and who knows."""
    identity = party.identity
    shown = Table.grid(padding=(0, 2))
    shown.add_row("log", identity.vkey)
    shown.add_row("signing", "the same" if identity.signing == identity.vkey else identity.signing)
    shown.add_row("certificate", identity.fingerprint)
    shown.add_row("", f"until {shown_time(identity.certificate.not_after)}")
    shown.add_row("node key", f"from the {place_of_node_key(party.folder / 'keys')}")
    for one in identity.statements:
        course = _COURSE[_state(one, party.now)]
        said = course.format(starts=shown_time(one.starts), ends=shown_time(one.ends))
        shown.add_row(f"statement {one.number}", f"{key_made(one)}: {said}")
    made = len(identity.statements)
    for peer, number in _known_by(party).items():
        known = f"statements up to {number} of {made}" if number else f"none of {made} yet"
        shown.add_row(f"known by {peer}", known)
    return shown


def key_made(one: KeyStatement) -> str:
    """Name the key that a statement brings."""
    return "signing key" if one.replaces_signing_key else "certificate"


def _state(one: KeyStatement, now: int) -> str:
    return _MADE if now < one.starts else _OVERLAP if now < one.ends else _ENDED


def _statement(one: KeyStatement, now: int) -> dict[str, Any]:
    return {
        "number": one.number,
        "key": "identity" if one.replaces_signing_key else "tls",
        "signing": one.after.signing,
        "fingerprint": one.after.fingerprint,
        "made": one.made,
        "starts": one.starts,
        "ends": one.ends,
        "state": _state(one, now),
    }


def _known_by(party: Organisation) -> dict[str, int]:
    """Return up to which statement each counterpart of contracts in force knows them."""
    if not party.identity.statements:
        return {}
    told = Renewals(party).told()
    found: dict[str, int] = {}
    for contract in Desk(party).contracts():
        me = contract.me(party.identity)
        pinned = party.identity.place_of(contract.parties[me].keys) or 0
        for peer in contract.counterparts(me):
            number = max(pinned, told.get(contract.parties[peer].identity, 0))
            found[peer] = max(number, found.get(peer, 0))
    return found


def revoked_document(party: Organisation) -> list[dict[str, Any]]:
    """Return who is revoked as JSON values; times are Unix seconds."""
    return [
        {"peer": one.name, "log": one.party, "since": one.since, "reason": one.reason}
        for one in Revocations(party).all()
    ]


def revoked_shown(party: Organisation) -> list[str]:
    """Return a line for everybody who is revoked."""
    return [
        f"{one.name} since {shown_time(one.since)}: {one.reason}"
        for one in Revocations(party).all()
    ]
