"""Sealing and signing: what makes a parcel one sender's, one receiver's, and of one session.

A chunk is sealed to the receiver's session key with HPKE (RFC 9180, base mode: DHKEM(X25519,
HKDF-SHA256), HKDF-SHA256, AES-128-GCM). Base mode says nothing about the sender, so the sender
signs what it sealed with its identity key. Both cover the request, both ends with their roles, and
the parcel's number, so nothing opens or verifies anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from audit.errors import SignatureError
from party.errors import Refusal, RefusalStatus
from party.key_statement import Signers
from party.request import Request
from psi.seed import Seed

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_PARCEL: Final = b"commonground/parcel/v1\n"
_CHUNK: Final = b"commonground/parcel-chunk/v1\n"
_RECEIPT: Final = b"commonground/parcel-receipt/v1\n"
_SESSION_KEY: Final = "session-key"


@dataclass(frozen=True)
class ParcelHeader:
    """What a sender signs of a parcel: its chunks, their bytes together, and their digest."""

    chunks: int
    size: int
    digest: bytes
    signature: bytes = b""


class Seal:
    """One party's end of what it exchanges with `peer` in the session of a request.

    `sign` is by this party's signing key, `signers` gives those of the other, as they stand. `seed`
    gives the session's seed, which exists when the first parcel is made.
    """

    def __init__(
        self,
        request: Request,
        own: str,
        peer: str,
        sign: Callable[[bytes], bytes],
        signers: Callable[[], Signers],
        seed: Callable[[], Seed],
    ) -> None:
        self.own, self.peer = own, peer
        self._sign, self._signers, self._seed = sign, signers, seed
        roles = {party: role for role, party in request.roles.items()}
        here, there = ({"party": name, "role": roles[name]} for name in (own, peer))
        self._outgoing = {"request": request.digest, "from": here, "to": there}
        self._incoming = {"request": request.digest, "from": there, "to": here}

    @cached_property
    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._seed().derive(b"", _SESSION_KEY))

    @property
    def public_key(self) -> bytes:
        """This party's public key in the session (32 bytes)."""
        return self._key.public_key().public_bytes_raw()

    # -- what leaves ------------------------------------------------------------------------

    def seal(self, number: int, index: int, chunks: int, data: bytes, key: bytes) -> bytes:
        """Return chunk `index` of `chunks` of a parcel, sealed to the public key `key`.

        Raises:
            Refusal: the key is none (of low order).
        """
        info = _text(_CHUNK, self._outgoing, number=number, chunk=index, chunks=chunks)
        try:
            return SUITE.encrypt(data, X25519PublicKey.from_public_bytes(key), info)
        except ValueError:
            raise self._refusal("the session key does not serve") from None

    def signed(self, number: int, chunks: int, size: int, digest: bytes) -> ParcelHeader:
        """Return the signed header of a parcel."""
        header = ParcelHeader(chunks, size, digest)
        text = _header_text(self._outgoing, number, header)
        return ParcelHeader(chunks, size, digest, self._sign(text))

    def receipt(self, number: int, digest: bytes) -> bytes:
        """Return this party's word that a parcel of the other's is on disk: a signature."""
        return self._sign(_text(_RECEIPT, self._incoming, number=number, digest=digest.hex()))

    # -- what comes -------------------------------------------------------------------------

    def open(self, number: int, index: int, chunks: int, data: bytes) -> bytes:
        """Return what chunk `index` of `chunks` of a parcel holds.

        Raises:
            Refusal: it was sealed to another key, or is not this chunk of this parcel.
        """
        info = _text(_CHUNK, self._incoming, number=number, chunk=index, chunks=chunks)
        try:
            return SUITE.decrypt(data, self._key, info)
        except (InvalidTag, ValueError):
            raise self._refusal(f"chunk {index} of parcel {number} does not open") from None

    def verify_header(self, number: int, header: ParcelHeader) -> None:
        """Raise Refusal unless the other party signed this header for this parcel."""
        text = _header_text(self._incoming, number, header)
        self._verify(text, header.signature, f"parcel {number} is not signed")

    def verify_receipt(self, number: int, digest: bytes, receipt: bytes) -> None:
        """Raise Refusal unless the other party signed that it has this parcel."""
        text = _text(_RECEIPT, self._outgoing, number=number, digest=digest.hex())
        self._verify(text, receipt, f"the receipt of parcel {number} is not signed")

    def _verify(self, text: bytes, signature: bytes, problem: str) -> None:
        try:
            self._signers().verify(text, signature)
        except SignatureError:
            raise self._refusal(f"{problem} by '{self.peer}' for this session") from None

    def _refusal(self, problem: str) -> Refusal:
        return Refusal(
            RefusalStatus.BAD_REQUEST,
            f"{problem}; '{self.peer}' or whoever carried it has altered it, and the session ends "
            "here",
        )


def _text(prefix: bytes, ends: Mapping[str, object], **more: object) -> bytes:
    return prefix + rfc8785.dumps({**ends, **more})  # type: ignore[dict-item]


def _header_text(ends: Mapping[str, object], number: int, header: ParcelHeader) -> bytes:
    return _text(
        _PARCEL,
        ends,
        number=number,
        chunks=header.chunks,
        size=header.size,
        digest=header.digest.hex(),
    )
