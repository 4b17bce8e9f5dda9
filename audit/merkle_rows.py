"""The root of a tree whose leaves are rows of an array: RFC 6962 §2.1, a level at a time."""

from __future__ import annotations

import numpy as np

from audit.merkle import EMPTY_ROOT, RootHash
from psi.points import Places, Rows
from psi.row_hashes import HASH_BYTES, hash_rows

_BLOCK = 65_536  # entries that are put into their order at a time


def root_of_rows(entries: Rows, order: Places) -> RootHash:
    """Return the root over n entries, the rows of (n, width) bytes, taken in an order (n,)."""
    level = np.empty((len(order), HASH_BYTES), dtype=np.uint8)
    for start in range(0, len(order), _BLOCK):
        block = slice(start, start + _BLOCK)
        level[block] = hash_rows(b"\x00", entries[order[block]])
    if not len(level):
        return EMPTY_ROOT
    while len(level) > 1:
        pairs, odd = divmod(len(level), 2)
        above = np.empty((pairs + odd, HASH_BYTES), dtype=np.uint8)
        above[:pairs] = hash_rows(b"\x01", level[: 2 * pairs].reshape(pairs, -1))
        above[pairs:] = level[2 * pairs :]  # a last node without a sibling moves up as it is
        level = above
    return bytes(level[0])
