"""A party and the counterparts whose keys it has pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from audit.shapes import Digest, Label, Natural, OneOf, Record, Sentence, UnixTime, VkeyText


@dataclass(frozen=True)
class PartyCreated(Record):
    """`party.created`, the first entry of every log.

    Args:
        vkey: the key of this log, in text form.
        certificate: SHA-256 of the party's certificate (DER).
    """

    vkey: VkeyText
    certificate: Digest


@dataclass(frozen=True)
class PeerPinned(Record):
    """`peer.pinned`: a counterpart's keys, as both sides learnt them by an invitation.

    Args:
        peer: the counterpart's name.
        vkey: its identity key, in text form.
        certificate: SHA-256 of its certificate (DER).
        how: `invited`, where it came to this party, or `joined`, where this party came to it.
    """

    peer: Label
    vkey: VkeyText
    certificate: Digest
    how: Annotated[Literal["invited", "joined"], OneOf(("invited", "joined"))]


@dataclass(frozen=True)
class PeerForgotten(Record):
    """`peer.forgotten`: keys that an invitation had pinned are let in no longer.

    Args:
        peer: the counterpart's name.
        vkey: its identity key, in text form.
        certificate: SHA-256 of its certificate (DER).
    """

    peer: Label
    vkey: VkeyText
    certificate: Digest


@dataclass(frozen=True)
class PeerRevoked(Record):
    """`peer.revoked`: nothing is done with a counterpart any more, whatever contracts say.

    Args:
        peer: the counterpart's name.
        vkey: the key of its log, by which it is known.
        reason: why, in words.
    """

    peer: Label
    vkey: VkeyText
    reason: Sentence


@dataclass(frozen=True)
class PeerRestored(Record):
    """`peer.restored`: a counterpart is again what contracts and invitations make it.

    Args:
        peer: the counterpart's name.
        vkey: the key of its log, by which it is known.
        reason: why, in words.
    """

    peer: Label
    vkey: VkeyText
    reason: Sentence


@dataclass(frozen=True)
class KeyRotated(Record):
    """`key.rotated`: this party replaced a key, and says so to counterparts in a statement.

    Args:
        number: of the statement, from 1.
        key: which was replaced, `signing` or `tls`.
        signing: the signing key from then on, in text form; the log's key stays.
        certificate: SHA-256 of the certificate (DER) from then on.
        statement: SHA-256 of what both signing keys have signed.
        starts: when the new key comes into use.
        ends: until when the one before is accepted.
    """

    number: Natural
    key: Annotated[str, OneOf(("signing", "tls"))]
    signing: VkeyText
    certificate: Digest
    statement: Digest
    starts: UnixTime
    ends: UnixTime


@dataclass(frozen=True)
class PeerRenewed(Record):
    """`peer.renewed`: a counterpart's statement of keys was verified and is known from now on.

    Args:
        peer: the counterpart's name.
        vkey: the key of its log, by which it is known.
        number: of the statement, from 1.
        signing: its signing key after that, in text form.
        certificate: SHA-256 of its certificate (DER) after that.
        statement: SHA-256 of what both signing keys have signed.
        ends: until when the keys before are accepted.
    """

    peer: Label
    vkey: VkeyText
    number: Natural
    signing: VkeyText
    certificate: Digest
    statement: Digest
    ends: UnixTime
