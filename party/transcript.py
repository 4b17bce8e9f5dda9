"""What the parties of a session said to each other, and the two hashes that name the session.

docs/protocol.md, A session from hello to cosignature: the session id is over what was said, the
transcript hash over that and the digest of every step. Nothing of it is secret once a session has
finished: a result keeps it, so that evidence can show what the hash in the log is of.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from party.messages import ConsentStatement

_SESSION = b"commonground/session/v1"
_TRANSCRIPT = b"commonground/transcript/v1"


@dataclass(frozen=True)
class Said:
    """What one party is bound to, all of it known to all when the session id is.

    `seed` and `nonce_commitment` are the commitments, `nonce` the opened nonce; 32 bytes each.
    """

    party: str
    consent: ConsentStatement
    seed: bytes
    nonce_commitment: bytes
    nonce: bytes

    def encode(self) -> bytes:
        """Return the bytes that both hashes cover."""
        consent = struct.pack(">QQ", self.consent.sequence, self.consent.taken_at)
        return self.consent.root + consent + self.seed + self.nonce_commitment + self.nonce

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, with bytes in hexadecimal digits."""
        consent = self.consent
        return {
            "party": self.party,
            "consent": {
                "root": consent.root.hex(),
                "sequence": consent.sequence,
                "taken_at": consent.taken_at,
            },
            "seed_commitment": self.seed.hex(),
            "nonce_commitment": self.nonce_commitment.hex(),
            "nonce": self.nonce.hex(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        consent = value["consent"]
        root = bytes.fromhex(consent["root"])
        return cls(
            value["party"],
            ConsentStatement(root, consent["sequence"], consent["taken_at"]),
            bytes.fromhex(value["seed_commitment"]),
            bytes.fromhex(value["nonce_commitment"]),
            bytes.fromhex(value["nonce"]),
        )


@dataclass(frozen=True)
class Conversation:
    """Everything said before the first step: by each party, in the order of roles.

    `request` is the request's digest, 32 bytes.
    """

    request: bytes
    said: tuple[Said, ...]

    def encode(self) -> bytes:
        """Return the bytes that both hashes cover."""
        return self.request + b"".join(one.encode() for one in self.said)

    @property
    def session_id(self) -> bytes:
        """The session's id, 32 bytes."""
        return sha256(_SESSION + self.encode()).digest()


@dataclass(frozen=True)
class Transcript:
    """A whole session: what was said, and the digest of each step in the order of the leg table."""

    conversation: Conversation
    steps: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        """The transcript hash, 32 bytes."""
        return sha256(_TRANSCRIPT + self.conversation.encode() + b"".join(self.steps)).digest()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; the request's digest is not repeated."""
        return {
            "parties": [one.to_json() for one in self.conversation.said],
            "steps": [step.hex() for step in self.steps],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], request: str) -> Self:
        """Read what `to_json` wrote of the request with this digest (hexadecimal digits)."""
        said = tuple(Said.from_json(one) for one in value["parties"])
        steps = tuple(bytes.fromhex(step) for step in value["steps"])
        return cls(Conversation(bytes.fromhex(request), said), steps)
