"""The portable engine: `cryptography`'s X25519 and hash-to-curve in NumPy, for spawned processes.

Raising is OpenSSL's and constant-time. Hashing is not (psi/field.py) and need not be: it works
on the party's own identifiers and sees no scalar, so its time tells a co-resident at most about
those. The functions take and return plain buffers and stand at module level, so that they go to
a worker that imports nothing but this module, NumPy and `cryptography`. A scalar crosses as its
bytes, through the pipe to the party's own worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from psi.elligator import points_of_pairs
from psi.expand import DST, hash_to_field
from psi.points import HASH_BYTES, POINT_BYTES, Places, Points, Rows, as_words

_BATCH = 2048  # keys: two field elements each, and the squaring's buffers stay within 1.5 MB
_ZERO = bytes(POINT_BYTES)


def raise_chunk(points: Points, scalar: bytes) -> Points:
    """Raise (n, 32) canonical points; the row of a point of low order is zero."""
    private = X25519PrivateKey.from_private_bytes(scalar)
    encoded = points.tobytes()
    images = [
        _raise_point(private, encoded[i : i + POINT_BYTES])
        for i in range(0, len(encoded), POINT_BYTES)
    ]
    return _as_points(images)


def _raise_point(private: X25519PrivateKey, point: bytes) -> bytes:
    public = X25519PublicKey.from_public_bytes(point)
    try:
        return private.exchange(public)
    except ValueError:  # how OpenSSL refuses an image that is zero; it has no other refusal
        return _ZERO


def hash_chunk(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], prefix: bytes
) -> Points:
    """Hash prefix ‖ data[offsets[i]:offsets[i + 1]] to the curve, for each i: shape (n, 32)."""
    keys = data.tobytes()
    messages = [keys[start:stop] for start, stop in pairwise(offsets.tolist())]
    return hash_messages(messages, prefix=prefix)


def hash_and_raise_chunk(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], prefix: bytes, scalar: bytes
) -> Points:
    """Hash a chunk of keys and raise the points, in one pass."""
    return raise_chunk(hash_chunk(data, offsets, prefix), scalar)


def hash_messages(messages: Sequence[bytes], *, prefix: bytes, dst: bytes = DST) -> Points:
    """Return x of curve25519_XMD:SHA-512_ELL2_RO_ of each prefix ‖ message, shape (n, 32)."""
    batches = [
        points_of_pairs(hash_to_field(messages[i : i + _BATCH], prefix=prefix, dst=dst))
        for i in range(0, len(messages), _BATCH)
    ]
    return np.concatenate([_as_points([]), *batches])


def public_chunk(scalars: bytes) -> Points:
    """Raise the base point 9 to each scalar, 32 bytes each: shape (n, 32)."""
    return _as_points(
        [private.public_key().public_bytes_raw() for private in _private_keys(scalars)]
    )


def raise_to_chunk(point: bytes, scalars: bytes) -> Points:
    """Raise one canonical point to each scalar, 32 bytes each: shape (n, 32), zero as it comes."""
    return _as_points([_raise_point(private, point) for private in _private_keys(scalars)])


def find(wanted: Rows, rows: Rows) -> Places:
    """Return where each row of `wanted` stands in `rows`, the first place, or -1: (n,) int64."""
    if not len(rows):
        return np.full(len(wanted), -1, dtype=np.int64)
    words, asked = as_words(rows), as_words(wanted)
    order = np.argsort(words, kind="stable")
    places = order[np.minimum(np.searchsorted(words, asked, sorter=order), len(rows) - 1)]
    return np.where(words[places] == asked, places, -1).astype(np.int64)


def sort_order(rows: Rows) -> Places:
    """Return the place of each row in bytewise order: (n,) int64; equal rows keep theirs."""
    return np.argsort(as_words(rows), kind="stable").astype(np.int64, copy=False)


def hash_behind(prefix: bytes, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Rows:
    """Return SHA-256 of prefix ‖ data[offsets[i]:offsets[i + 1]] for each i: shape (n, 32)."""
    begun, held, hashes = sha256(prefix), data.data, []
    for start, stop in pairwise(offsets.tolist()):
        one = begun.copy()
        one.update(held[start:stop])
        hashes.append(one.digest())
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, HASH_BYTES)


def _private_keys(scalars: bytes) -> Iterator[X25519PrivateKey]:
    for start in range(0, len(scalars), POINT_BYTES):
        yield X25519PrivateKey.from_private_bytes(scalars[start : start + POINT_BYTES])


def _as_points(encoded: Sequence[bytes]) -> Points:
    return np.frombuffer(b"".join(encoded), dtype=np.uint8).reshape(-1, POINT_BYTES)
