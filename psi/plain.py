"""Identifiers in plain writing, read a whole column at a time where the engine can.

A column of a million values is mostly lower-case addresses or hex digests. The engine reads those
without a Python object a row, and leaves out whatever is not plain; `psi.columns` reads the rest
one by one and refuses what is to be refused. What is taken here has the digest that it has there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from psi.arrow import text_buffers
from psi.digests import WIDTHS
from psi.engines import engine
from psi.placeholders import placeholder_digests

if TYPE_CHECKING:
    import pyarrow as pa

_RAW = frozenset({"email", "maid"})  # kinds of which the kernel knows the plain writing


def reads_plain(kind: str, *, digested: bool, gmail: bool) -> bool:
    """Say whether the engine knows the plain writing of a column; see `digest_plain`."""
    return engine().digest_plain is not None and not gmail and (digested or kind in _RAW)


def digest_plain(
    kind: str, algorithm: str, digested: bool, texts: pa.Array, *, gmail: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]] | None:
    """Return the digests (n, width) of distinct texts and which are taken, or None for no help.

    Args:
        kind: the type without its namespace.
        algorithm: `sha256` or `md5`.
        digested: the column holds digests, and not raw values.
        texts: n large strings, none null.
        gmail: Gmail's aliases are removed, which the engine does not do.
    """
    digest = engine().digest_plain
    if digest is None or not reads_plain(kind, digested=digested, gmail=gmail):
        return None
    form = "digest" if digested else kind
    digests, taken = digest(form, WIDTHS[algorithm], *text_buffers(texts))
    placeholders = np.frombuffer(b"".join(placeholder_digests(kind, algorithm)), np.uint8)
    found = engine().find(digests, placeholders.reshape(-1, digests.shape[1])) >= 0
    return digests, taken & ~found
