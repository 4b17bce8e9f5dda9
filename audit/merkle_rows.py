"""The root of a tree whose leaves are rows of an array: RFC 6962 §2.1, a level at a time."""

from __future__ import annotations

import numpy as np

from audit.merkle import EMPTY_ROOT, RootHash
from psi.points import Rows
from psi.row_hashes import hash_rows


def root_of_rows(entries: Rows) -> RootHash:
    """Return the root over n entries, the rows of (n, width) bytes, in their order."""
    level = hash_rows(b"\x00", entries)
    if not len(level):
        return EMPTY_ROOT
    while len(level) > 1:
        even = len(level) // 2 * 2  # a last node without a sibling moves up as it is
        above = hash_rows(b"\x01", level[:even].reshape(even // 2, -1))
        level = np.concatenate([above, level[even:]])
    return bytes(level[0])
