"""What the parties of a session say to each other, as our own types.

Protobuf stays outside: `party.wire` is the one place that turns the wire's messages into
these and back, and refuses what is out of shape. Every exchange is symmetrical: each side
says its own and hears the other's of the same type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psi.sets import LabelledSet

if TYPE_CHECKING:
    from party.request import Request
    from psi.identifiers import Profile

COMMITMENT_BYTES = 32
NONCE_BYTES = 32
MAX_NOTE_BYTES = 16_384
MAX_PROOF_HASHES = 63


@dataclass(frozen=True)
class ConsentStatement:
    """The consent snapshot that a party's input rests on: root, sequence number, Unix time."""

    root: bytes
    sequence: int
    taken_at: int


@dataclass(frozen=True)
class Hello:
    """The first word: what is asked, under which contract, by which reading of identifiers."""

    party: str
    request: Request
    contract_hash: bytes
    profile: Profile
    consent: ConsentStatement
    checkpoint: str
    """The signed note of the sender's log as it stands."""
    seen_size: int
    """The size of the receiver's log that the sender saw last; 0 when it has seen none."""


@dataclass(frozen=True)
class Commitment:
    """Bind seed, input and nonce before anything that depends on them is known."""

    party: str
    seed: bytes
    nonce: bytes


@dataclass(frozen=True)
class Nonce:
    """Open the nonce, from which all parties derive the session id."""

    party: str
    nonce: bytes


@dataclass(frozen=True)
class Closing:
    """What a party saw: the digest of each step by its index in the leg table."""

    party: str
    digests: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Finish:
    """The transcript hash that a party has reached."""

    party: str
    transcript: bytes


@dataclass(frozen=True)
class CheckpointOffer:
    """The log after the session, with the proof that it extends what the other side saw."""

    party: str
    checkpoint: str
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class Cosignature:
    """The counterpart's cosignature on the checkpoint just offered: one note signature line."""

    party: str
    line: str


Exchange = Hello | Commitment | Nonce | Closing | Finish | CheckpointOffer | Cosignature


@dataclass(frozen=True)
class KeyArtefact:
    """A route key: one canonical point, 32 bytes."""

    point: bytes


@dataclass(frozen=True)
class SizesArtefact:
    """Points sent under each label number."""

    sizes: tuple[int, ...]


@dataclass(frozen=True)
class NumberingArtefact:
    """Label names in the order of their session numbers."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ReleaseArtefact:
    """The noisy table: `cells` in row-major order over `shape`; counts may be negative.

    Two parties: shape (tabulator's labels by name, recipient's by number); `totals` are the
    tabulator's people by coalition where the request asks for them, noisy too. Three: one more
    axis, and index 0 of the others' axes is `∅`; `totals` (others' axes only, first without
    `∅`) then stands beside it. `numbering` is the session's number of each of the
    tabulator's label names, with which the recipient finds the sizes that it saw.
    """

    shape: tuple[int, ...]
    cells: tuple[int, ...]
    numbering: tuple[int, ...]
    totals: tuple[int, ...] = ()


Artefact = LabelledSet | KeyArtefact | SizesArtefact | NumberingArtefact | ReleaseArtefact
"""What a step of the leg table carries."""
