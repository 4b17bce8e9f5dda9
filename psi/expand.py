"""Messages to pairs of field elements: `hash_to_field` of RFC 9380 §5.2 and §5.3.1.

`expand_message_xmd` with SHA-512 gives 96 bytes a message, 48 for each of the two elements. The
state of SHA-512 after the padding block and the common prefix is computed once for all messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from psi.field import ByteRows, Elements, from_bytes

DST = b"COMMONGROUND-V01-curve25519_ELL2_RO"
_ELEMENT_BYTES = 48  # L of §8.5: 128 bits more than p has, so that the reduction shows no bias
_LENGTH = 2 * _ELEMENT_BYTES
_BLOCK_BYTES = 128
_DIGEST_BYTES = 64


def expand_messages(messages: Iterable[bytes], *, prefix: bytes, dst: bytes) -> ByteRows:
    """Return the 96 uniform bytes of each prefix ‖ message, shape (n, 96).

    `dst` has 1 to 255 bytes; a longer one would have to be hashed first (§5.3.3), and none is.
    """
    dst_prime = dst + len(dst).to_bytes(1, "big")
    padded = hashlib.sha512(bytes(_BLOCK_BYTES) + prefix)
    tail = _LENGTH.to_bytes(2, "big") + b"\x00" + dst_prime
    first = []
    for message in messages:
        state = padded.copy()
        state.update(message + tail)
        first.append(state.digest())
    b0 = np.frombuffer(b"".join(first), dtype=np.uint8).reshape(-1, _DIGEST_BYTES)
    b1 = _digest_rows(b0, b"\x01" + dst_prime)
    b2 = _digest_rows(b0 ^ b1, b"\x02" + dst_prime)
    return np.hstack((b1, b2[:, : _LENGTH - _DIGEST_BYTES]))


def _digest_rows(rows: ByteRows, tail: bytes) -> ByteRows:
    """Return SHA-512 of each row ‖ tail, for rows that are themselves digests."""
    buffer = rows.tobytes()
    digests = [
        hashlib.sha512(buffer[i : i + _DIGEST_BYTES] + tail).digest()
        for i in range(0, len(buffer), _DIGEST_BYTES)
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, _DIGEST_BYTES)


def hash_to_field(messages: Iterable[bytes], *, prefix: bytes, dst: bytes) -> Elements:
    """Return u₀ of all n messages, then u₁ of all: shape (9, 2n)."""
    uniform = expand_messages(messages, prefix=prefix, dst=dst)
    big_endian = np.vstack((uniform[:, :_ELEMENT_BYTES], uniform[:, _ELEMENT_BYTES:]))
    return from_bytes(big_endian[:, ::-1])
