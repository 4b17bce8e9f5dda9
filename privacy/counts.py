"""Counts of people before and after noise, as types that cannot be mistaken for each other.

An exact count shows nothing in `repr`, does not compare, format, pickle or convert to a number;
only `privacy.release` reads it, and gives back its noisy counterpart.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from privacy.errors import InvalidParameter, PrivacyError


class ExactTable:
    """A table of exact counts, (rows, columns) int64, none negative."""

    __slots__ = ("_counts",)

    def __init__(self, counts: npt.ArrayLike) -> None:
        self._counts = _table(counts)
        if self._counts.size and int(self._counts.min()) < 0:
            raise InvalidParameter("an exact count is below 0")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns): public, since label lists are."""
        rows, columns = self._counts.shape
        return rows, columns

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"{type(self).__name__}({rows}×{columns}, hidden)"

    def __reduce__(self) -> NoReturn:
        raise PrivacyError("exact counts are not pickled; store the released table")


class ExactCount(ExactTable):
    """One exact count."""

    __slots__ = ()

    def __init__(self, count: int) -> None:
        super().__init__([[count]])


class NoisyTable:
    """A table of released counts, (rows, columns) int64; negative ones are possible."""

    __slots__ = ("_counts",)

    def __init__(self, counts: npt.ArrayLike) -> None:
        self._counts = _table(counts)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """The released integers; the array is read-only."""
        return self._counts

    def __repr__(self) -> str:
        return f"NoisyTable({self._counts.tolist()})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoisyTable):
            return NotImplemented
        return np.array_equal(self._counts, other._counts)

    def __hash__(self) -> int:
        return hash((self._counts.shape, self._counts.tobytes()))


class NoisyCount(int):
    """One released count."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"NoisyCount({int(self)})"


def _table(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    given = np.asarray(counts)
    if given.ndim != 2 or given.dtype.kind not in "iu":
        raise InvalidParameter("a table is two-dimensional and holds integers")
    table = given.astype(np.int64)
    table.flags.writeable = False
    return table
