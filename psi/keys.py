"""Keys: what a session hashes to the curve (docs/protocol.md, Identifiers).

A key is UTF-8 type with namespace ‖ 0x00 ‖ raw digest. Keys of several types have several lengths,
so they are kept as Arrow keeps binary: one buffer of bytes and n + 1 offsets. Keys are hashes of
identifiers and so personal data: `repr` shows neither them nor their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from psi.errors import IdentifierError

_TAKE_BLOCK = 16_384  # keys a block: bounds the index array that a gather needs


@dataclass(frozen=True, eq=False, repr=False)
class Keys:
    """n variable-length keys: key i is `data[offsets[i]:offsets[i + 1]]`.

    `data` is a buffer of bytes (kept as uint8 array), `offsets` int64 of length n + 1, from 0 to
    the length of `data`, never falling.
    """

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        data = np.frombuffer(self.data, dtype=np.uint8)
        offsets = np.asarray(self.offsets, dtype=np.int64)
        if offsets.ndim != 1 or len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(data):
            raise IdentifierError("key offsets must run from 0 to the length of the data")
        if np.any(offsets[1:] < offsets[:-1]):
            raise IdentifierError("key offsets must not fall")
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "offsets", offsets)

    @classmethod
    def empty(cls) -> Keys:
        """Return no keys."""
        return cls.from_list([])

    @classmethod
    def from_list(cls, keys: Sequence[bytes]) -> Keys:
        """Return the given keys, in their order."""
        lengths = np.fromiter((len(key) for key in keys), dtype=np.int64, count=len(keys))
        return cls(np.frombuffer(b"".join(keys), dtype=np.uint8), _offsets(lengths))

    @classmethod
    def from_digests(
        cls,
        type: str,  # noqa: A002
        digests: npt.NDArray[np.uint8],
        chosen: npt.NDArray[np.int64] | None = None,
    ) -> Keys:
        """Return type ‖ 0x00 ‖ digest for each row of `digests` (n, width), or the chosen rows."""
        return cls.of_rows(cls.rows_of_digests(type, digests, chosen))

    @classmethod
    def of_rows(cls, rows: npt.NDArray[np.uint8]) -> Keys:
        """Return n keys of one length, the rows of (n, width) bytes."""
        count, width = rows.shape
        return cls(rows.reshape(-1), np.arange(0, count * width + 1, width, dtype=np.int64))

    @staticmethod
    def rows_of_digests(
        type: str,  # noqa: A002
        digests: npt.NDArray[np.uint8],
        chosen: npt.NDArray[np.int64] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Return the keys of `from_digests` as rows, beside which nobody needs the digests."""
        prefix = np.frombuffer(type.encode() + b"\0", dtype=np.uint8)
        count = len(digests) if chosen is None else len(chosen)
        rows = np.empty((count, len(prefix) + digests.shape[1]), dtype=np.uint8)
        rows[:, : len(prefix)] = prefix
        for start in range(0, count, _TAKE_BLOCK):
            block = slice(start, start + _TAKE_BLOCK)
            rows[block, len(prefix) :] = (
                digests[block] if chosen is None else np.take(digests, chosen[block], axis=0)
            )
        return rows

    @classmethod
    def concat(cls, parts: Sequence[Keys]) -> Keys:
        """Return the keys of all parts, one part after the other."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(np.concatenate([part.data for part in parts]), _offsets(lengths))

    @classmethod
    def gathered(cls, parts: Iterable[Keys], count: int, width: int) -> Keys:
        """Return `count` keys of `width` bytes each, copied from parts as these are made.

        So there is never more than one part beside the whole, where `concat` holds all twice.
        """
        rows = np.empty((count, width), dtype=np.uint8)
        at = 0
        for part in parts:
            rows[at : at + len(part)] = part.data.reshape(-1, width)
            at += len(part)
        if at != count:
            raise IdentifierError(f"{count} keys were to be gathered, and {at} came")
        return cls.of_rows(rows)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        if not -len(self) <= index < len(self):
            raise IndexError("key index out of range")
        index %= len(self)
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keys):
            return NotImplemented
        return np.array_equal(self.offsets, other.offsets) and np.array_equal(self.data, other.data)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Keys(…)"

    def forget(self) -> None:
        """Let go of the bytes, for everybody who holds these keys; any later use of them fails."""
        object.__setattr__(self, "data", None)
        object.__setattr__(self, "offsets", None)

    def slice(self, start: int, stop: int) -> Keys:
        """Return keys start … stop − 1; the bytes are a view, only the offsets are copied."""
        start, stop, _ = slice(start, stop).indices(len(self))
        offsets = self.offsets[start : max(start, stop) + 1]
        return Keys(self.data[offsets[0] : offsets[-1]], offsets - offsets[0])

    def extended(self, chosen: npt.NDArray[np.int64], suffixes: npt.NDArray[np.uint8]) -> Keys:
        """Return key `chosen[i]` ‖ `suffixes[i]` for each row of `suffixes` (n, width).

        The keys are all of one length; IdentifierError otherwise.
        """
        if len(self) == 0:
            return Keys.empty()
        width = len(self.data) // len(self)
        if np.any(np.diff(self.offsets) != width):
            raise IdentifierError("only keys of one length can be extended together")
        heads = self.data.reshape(-1, width)
        whole = width + suffixes.shape[1]
        rows = np.empty((len(chosen), whole), dtype=np.uint8)
        for start in range(0, len(chosen), _TAKE_BLOCK):
            block = slice(start, start + _TAKE_BLOCK)
            rows[block, :width] = heads[chosen[block]]
            rows[block, width:] = suffixes[block]
        return Keys.of_rows(rows)

    def take(self, indices: npt.NDArray[np.integer[Any]]) -> Keys:
        """Return the keys at `indices`, in that order; repeats are allowed."""
        indices = np.asarray(indices, dtype=np.int64)
        lengths = np.diff(self.offsets)[indices]
        offsets = _offsets(lengths)
        data = np.empty(int(offsets[-1]), dtype=np.uint8)
        starts = self.offsets[:-1][indices]
        for block in range(0, len(indices), _TAKE_BLOCK):
            stop = min(block + _TAKE_BLOCK, len(indices))
            low, high = offsets[block], offsets[stop]
            shifts = np.repeat(starts[block:stop] - offsets[block:stop], lengths[block:stop])
            data[low:high] = self.data[shifts + np.arange(low, high)]
        return Keys(data, offsets)


def _offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
