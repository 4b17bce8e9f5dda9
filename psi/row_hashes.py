"""SHA-256 of many messages at a time: rows of one width behind a prefix, and texts under a key.

The engine hashes a block of them at a time, and a prefix before each once. So no message is laid
out, and neither HMAC's padded key nor the mark of a tree's node is hashed for every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from psi.arrow import text_buffers
from psi.engines import engine
from psi.points import HASH_BYTES, Rows

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK: Final = 65_536  # messages
_PAD_BYTES: Final = 64  # a block of SHA-256, to which HMAC fills up its key (RFC 2104)
_INNER, _OUTER = bytes([0x36]), bytes([0x5C])


def hash_rows(prefix: bytes, rows: Rows) -> Rows:
    """Return SHA-256 of prefix ‖ row for each row of (n, width) bytes: shape (n, 32)."""
    hashes = np.empty((len(rows), HASH_BYTES), dtype=np.uint8)
    for start, stop in _blocks(len(rows)):
        hashes[start:stop] = _hash_block(prefix, rows[start:stop])
    return hashes


def hash_texts(texts: pa.Array, *, width: int = HASH_BYTES) -> Rows:
    """Return the first `width` bytes of SHA-256 of n large strings, none null: shape (n, width)."""
    hashes = np.empty((len(texts), width), dtype=np.uint8)
    for start, stop in _blocks(len(texts)):
        block = text_buffers(texts.slice(start, stop - start))
        hashes[start:stop] = engine().hash_behind(b"", *block)[:, :width]
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
        block = text_buffers(texts.slice(start, stop - start))
        inside = engine().hash_behind(inner, *block)
        macs[start:stop] = _hash_block(outer, inside)[:, :width]
    return macs


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))


def _padded(key: bytes, pad: bytes) -> bytes:
    return bytes(a ^ pad[0] for a in key.ljust(_PAD_BYTES, b"\0"))


def _hash_block(prefix: bytes, rows: Rows) -> Rows:
    count, width = rows.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    return engine().hash_behind(prefix, np.ascontiguousarray(rows).reshape(-1), offsets)
