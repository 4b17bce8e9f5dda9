"""The one seed of a party and session, and HKDF-SHA-512 (RFC 5869) over it.

Scalars, orders, label numbering, dummy counts and fillers all follow from these 32 bytes
(docs/protocol.md, The group), so that a session resumed from its sealed seed repeats its bytes.
The salt is the session id and each draw has a context of its own, named
`commonground/v1/` ‖ context: HKDF ends at 16,320 bytes, and a shared context would repeat draws.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from psi.errors import LimitExceeded
from psi.scalar import Scalar
from psi.secret import SECRET_BYTES, Secret

MAX_DERIVED_BYTES = 255 * 64
_INFO = b"commonground/v1/"
_BLOCK_BYTES = 128
_INNER_PAD = bytes(0x36 ^ x for x in range(256))
_OUTER_PAD = bytes(0x5C ^ x for x in range(256))


class Seed(Secret):
    """32 bytes of the operating system's randomness, from which one session follows.

    The extraction for the last session id used is kept, since a session draws many times.
    """

    __slots__ = ("_expander", "_session_id")

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret)
        self._session_id: bytes | None = None
        self._expander: _Expander | None = None

    @classmethod
    def generate(cls) -> Seed:
        """Return a fresh seed."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def derive(self, session_id: bytes, context: str, length: int = 32) -> bytes:
        """Return `length` bytes for a named context.

        Raises:
            LimitExceeded: more than 16,320 bytes.
        """
        return self._extract(session_id).expand(_INFO + context.encode(), length)

    def derive_many(
        self, session_id: bytes, context: str, count: int, length: int = 32
    ) -> list[bytes]:
        """Return the derivations of `context/0` … `context/(count − 1)`, at 3 µs each."""
        expander = self._extract(session_id)
        prefix = _INFO + context.encode() + b"/"
        return [expander.expand(prefix + b"%d" % i, length) for i in range(count)]

    def scalar(self, session_id: bytes) -> Scalar:
        """Return the party's scalar of the session."""
        return Scalar.from_bytes(self.derive(session_id, "scalar"))

    def _extract(self, session_id: bytes) -> _Expander:
        if self._expander is None or self._session_id != session_id:
            self._expander = _Expander(hmac.digest(session_id, self._secret, "sha512"))
            self._session_id = session_id
        return self._expander


class _Expander:
    """HKDF-Expand under one pseudorandom key of 64 bytes.

    The two keyed states of HMAC are made once and copied for each block: half the cost of keying
    it anew, and a session has a block for each filler.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(_BLOCK_BYTES, b"\x00")
        self._inner = hashlib.sha512(padded.translate(_INNER_PAD))
        self._outer = hashlib.sha512(padded.translate(_OUTER_PAD))

    def expand(self, info: bytes, length: int) -> bytes:
        if length > MAX_DERIVED_BYTES:
            raise LimitExceeded(
                f"one context gives {MAX_DERIVED_BYTES} bytes at most: use a context a draw"
            )
        block = output = self._mac(info + b"\x01")
        for i in range(2, -(-length // len(block)) + 1):
            block = self._mac(block + info + bytes((i,)))
            output += block
        return output[:length]

    def _mac(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()
