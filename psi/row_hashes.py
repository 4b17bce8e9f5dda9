"""SHA-256 of many messages at a time: rows of one width under a prefix, and texts under a key.

The engine hashes a column without a Python object a row, where it can. Messages are laid out a
block at a time, so that a prefix before each costs no memory that grows with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from psi.arrow import binaries, text_buffers
from psi.engines import engine
from psi.points import Rows

if TYPE_CHECKING:
    import pyarrow as pa

HASH_BYTES: Final = 32
_BLOCK: Final = 65_536  # messages
_PAD_BYTES: Final = 64  # a block of SHA-256, to which HMAC fills up its key (RFC 2104)
_INNER, _OUTER = bytes([0x36]), bytes([0x5C])

_Messages = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]  # bytes, and n + 1 offsets


def hash_rows(prefix: bytes, rows: Rows) -> Rows:
    """Return SHA-256 of prefix ‖ row for each row of (n, width) bytes: shape (n, 32)."""
    hashes = np.empty((len(rows), HASH_BYTES), dtype=np.uint8)
    for start, stop in _blocks(len(rows)):
        hashes[start:stop] = _sha256(_behind(prefix, rows[start:stop]))
    return hashes


def hash_texts(texts: pa.Array, *, width: int = HASH_BYTES) -> Rows:
    """Return the first `width` bytes of SHA-256 of n large strings, none null: shape (n, width)."""
    hashes = np.empty((len(texts), width), dtype=np.uint8)
    for start, stop in _blocks(len(texts)):
        block = texts.slice(start, stop - start)
        hashes[start:stop] = _sha256(text_buffers(block))[:, :width]
    return hashes


def mac_texts(key: bytes, texts: pa.Array, *, width: int = HASH_BYTES) -> Rows:
    """Return the first `width` bytes of HMAC-SHA256 of each text: shape (n, width).

    Args:
        key: 64 bytes at most, which need no hashing first.
        texts: n large strings or binaries, none of them null.
        width: 32 at most.
    """
    macs = np.empty((len(texts), width), dtype=np.uint8)
    inner, outer = (_padded(key, pad) for pad in (_INNER, _OUTER))
    for start, stop in _blocks(len(texts)):
        inside = _sha256(_texts_behind(inner, texts.slice(start, stop - start)))
        macs[start:stop] = _sha256(_behind(outer, inside))[:, :width]
    return macs


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))


def _padded(key: bytes, pad: bytes) -> bytes:
    return bytes(a ^ pad[0] for a in key.ljust(_PAD_BYTES, b"\0"))


def _behind(prefix: bytes, rows: Rows) -> _Messages:
    count, width = rows.shape
    messages = np.empty((count, len(prefix) + width), dtype=np.uint8)
    messages[:, : len(prefix)] = np.frombuffer(prefix, dtype=np.uint8)
    messages[:, len(prefix) :] = rows
    return messages.reshape(-1), np.arange(count + 1, dtype=np.int64) * messages.shape[1]


def _texts_behind(prefix: bytes, texts: pa.Array) -> _Messages:
    import pyarrow as pa
    import pyarrow.compute as pc

    bounds = np.array([0, 0, len(prefix)], dtype=np.int64)
    nothing, before = binaries(np.frombuffer(prefix, dtype=np.uint8), bounds)
    return text_buffers(pc.binary_join_element_wise(before, texts.cast(pa.large_binary()), nothing))


def _sha256(messages: _Messages) -> Rows:
    data, offsets = messages
    digest = engine().digest_plain
    if digest is not None:
        return digest("text", HASH_BYTES, data, offsets)[0]
    held = data.data
    hashes = b"".join(
        sha256(held[start:stop]).digest() for start, stop in pairwise(offsets.tolist())
    )
    return np.frombuffer(hashes, dtype=np.uint8).reshape(-1, HASH_BYTES)
