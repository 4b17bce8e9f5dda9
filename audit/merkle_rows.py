"""The root of a tree whose leaves are rows of an array (RFC 6962 §2.1), a subtree at a time."""

from __future__ import annotations

import numpy as np

from audit.merkle import EMPTY_ROOT, HASH_BYTES, RootHash
from psi.points import Places, Rows
from psi.row_hashes import hash_rows

_SUBTREE = 65_536  # entries; a power of two, so that the subtrees' roots are a level of the tree


def root_of_rows(entries: Rows, order: Places) -> RootHash:
    """Return the root over n entries, the rows of (n, width) bytes, taken in an order (n,)."""
    if not len(order):
        return EMPTY_ROOT
    parts = (order[start : start + _SUBTREE] for start in range(0, len(order), _SUBTREE))
    roots = [_root_of_level(hash_rows(b"\x00", np.take(entries, part, axis=0))) for part in parts]
    return _root_of_level(np.frombuffer(b"".join(roots), np.uint8).reshape(-1, HASH_BYTES))


def _root_of_level(level: Rows) -> RootHash:
    while len(level) > 1:
        pairs, odd = divmod(len(level), 2)
        above = np.empty((pairs + odd, HASH_BYTES), dtype=np.uint8)
        above[:pairs] = hash_rows(b"\x01", level[: 2 * pairs].reshape(pairs, -1))
        above[pairs:] = level[2 * pairs :]  # a last node without a sibling moves up as it is
        level = above
    return bytes(level[0])
