"""A party and the counterparts whose keys it has pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from audit.shapes import Digest, Label, OneOf, Record, VkeyText


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
