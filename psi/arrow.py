"""Between Arrow and NumPy by buffers alone.

Arrow loads pandas as soon as a Python object or a NumPy array is handed to it, which costs each
process of a session half a second and 45 MB. Buffers cross without.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa


def positions(indices: pa.Array, *, missing: int) -> npt.NDArray[np.int64]:
    """Return an Arrow array of integers as (n,) int64, with `missing` where it has none."""
    import pyarrow as pa

    if len(indices) == 0:
        return np.zeros(0, dtype=np.int64)
    filling = integers(np.array([missing]))[0]
    whole = indices.cast(pa.int64()).fill_null(filling)
    return np.frombuffer(whole.buffers()[1], np.int64, len(whole), whole.offset * 8)


def integers(values: npt.NDArray[np.int64]) -> pa.Array:
    """Return (n,) int64 as an Arrow array over the same memory."""
    import pyarrow as pa

    contiguous = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(contiguous)])


def flags(values: npt.NDArray[np.bool_]) -> pa.Array:
    """Return n truth values as an Arrow array."""
    import pyarrow as pa

    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def is_compact(values: pa.DictionaryArray) -> bool:
    """Say whether a dictionary is of large strings, each of them some row's, and none null."""
    import pyarrow as pa

    if values.type.value_type != pa.large_string() or values.dictionary.null_count:
        return False
    used = np.zeros(len(values.dictionary) + 1, dtype=np.bool_)
    used[positions(values.indices, missing=-1)] = True
    return bool(used[:-1].all())


def present(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Say of each of n values whether it is there, and not null."""
    validity = values.buffers()[0]
    if validity is None or not values.null_count:
        return np.ones(len(values), dtype=np.bool_)
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].view(np.bool_)


def text_buffers(values: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the bytes of n large strings, none of them null, and their n + 1 offsets."""
    _, offsets, data = values.buffers()
    if len(values) == 0 or offsets is None:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return held, np.frombuffer(offsets, np.int64, len(values) + 1, values.offset * 8)


def binaries(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.Array:
    """Return n byte strings, data[offsets[i]:offsets[i + 1]] each, over the same memory."""
    import pyarrow as pa

    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return texts, or None for nothing, as an Arrow array of large strings."""
    import pyarrow as pa

    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1)
    present = None
    if None in values:
        filled = np.array([value is not None for value in values], dtype=np.bool_)
        present = pa.py_buffer(np.packbits(filled, bitorder="little"))
    buffers = [present, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)
