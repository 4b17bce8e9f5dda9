"""When certificates end, this party's own and those of its counterparts in contracts, told in time.

A certificate that has ended lets nobody in, so its owner replaces it before (`party.rotation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from languages import Message, message, messages
from party.ledger import DAY_SECONDS

if TYPE_CHECKING:
    from party.organisation import Organisation

WARNED_DAYS: Final = 60


@dataclass(frozen=True)
class CertificateWarning:
    """A certificate that ends soon or has ended: whose, when (Unix seconds), and what to do.

    `peer` is None for this party's own.
    """

    peer: str | None
    ends: int
    sentence: str


@dataclass(frozen=True)
class CertificateInUse:
    """Whose certificate, when it ends (Unix seconds), and its fingerprint."""

    party: str
    ends: int
    fingerprint: str


def certificates(party: Organisation) -> list[CertificateInUse]:
    """Return this party's newest certificate, then its counterparts' by name.

    They are the newest of each party of contracts that have not ended.
    """
    name, own = party.identity.name, party.identity.newest.certificate
    peers: dict[str, CertificateInUse] = {}
    for contract in party.contracts():
        for card in contract.parties.values():
            if contract.ends <= party.now or card.identity == party.identity.vkey:
                continue
            newest = card.newest.parsed
            known = peers.get(newest.party_name)
            if known is None or newest.not_after > known.ends:
                one = CertificateInUse(newest.party_name, newest.not_after, newest.fingerprint)
                peers[newest.party_name] = one
    return [
        CertificateInUse(name, own.not_after, own.fingerprint),
        *(peers[one] for one in sorted(peers)),
    ]


def certificate_warnings(party: Organisation) -> list[CertificateWarning]:
    """Return a warning for each certificate that ends within 60 days or has ended."""
    found = []
    own = party.identity.newest.certificate
    if own.not_after - party.now < WARNED_DAYS * DAY_SECONDS:
        sentence = message(
            "this party's certificate {ends}: `commonground keys rotate tls` replaces it",
            ends=_when(own.not_after, party.now),
        )
        found.append(CertificateWarning(None, own.not_after, sentence))
    for one in certificates(party)[1:]:
        if one.ends - party.now < WARNED_DAYS * DAY_SECONDS:
            sentence = message(
                "the certificate of '{peer}' {ends}: they replace it with `commonground keys "
                "rotate tls`",
                peer=one.party,
                ends=_when(one.ends, party.now),
            )
            found.append(CertificateWarning(one.party, one.ends, sentence))
    return found


def _when(ends: int, now: int) -> Message:
    if ends <= now:
        return message("has ended")
    days = (ends - now) // DAY_SECONDS
    return messages("ends in {number} day", "ends in {number} days", days)
