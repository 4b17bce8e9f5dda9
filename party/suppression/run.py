"""A suppression run and its acknowledgement, as the two sides of a list exchange them."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.errors import SignatureError
from party.errors import Refusal, RefusalStatus
from party.identity import Identity
from party.key_statement import Signers
from psi.errors import LimitExceeded
from psi.points import POINT_BYTES, Points
from psi.suppression import RUN_POINTS

RUN_BYTES: Final = RUN_POINTS * POINT_BYTES
SIGNATURE_PREFIX: Final = b"commonground/suppressed/v1\n"


@dataclass(frozen=True, repr=False)
class SuppressionRun:
    """Run `number` of a list, from 1: the points that it names, one after another."""

    number: int
    points: bytes

    @property
    def as_points(self) -> Points:
        """The points, shape (1024, 32).

        Raises:
            LimitExceeded: it does not have the bytes of 1,024 points.
        """
        if len(self.points) != RUN_BYTES:
            raise LimitExceeded(f"a suppression run has {RUN_POINTS} points, no more and no fewer")
        return np.frombuffer(self.points, dtype=np.uint8).reshape(RUN_POINTS, POINT_BYTES)

    def digest(self, session_id: bytes) -> bytes:
        """Return SHA-256 over the session, the number and the points."""
        number = struct.pack(">I", self.number)
        return hashlib.sha256(
            b"commonground/suppression/v1" + session_id + number + self.points
        ).digest()


@dataclass(frozen=True)
class Acknowledgement:
    """The receiver's signed word that a run is applied to its list."""

    number: int
    digest: bytes
    signature: bytes

    @classmethod
    def sign(cls, number: int, digest: bytes, identity: Identity) -> Acknowledgement:
        """Return the word of the party with these keys."""
        return cls(number, digest, identity.sign(SIGNATURE_PREFIX + digest))

    def require(self, number: int, digest: bytes, signers: Signers) -> None:
        """Require that this is the word of the owner of `signers` on one run.

        Raises:
            Refusal: it is about another run, or somebody else's.
        """
        if (self.number, self.digest) != (number, digest):
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the counterpart acknowledged something else than suppression run {number}; "
                "talk to them",
            )
        try:
            signers.verify(SIGNATURE_PREFIX + digest, self.signature)
        except SignatureError:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the acknowledgement of suppression run {number} is not signed with the "
                "counterpart's key in the contract; talk to them",
            ) from None
