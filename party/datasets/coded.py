"""A text column as codes: one integer a row, and each distinct text once.

Everything but identifiers is computed on codes, so a table of many rows a person stays small and
nothing loops over people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = -1


@dataclass(frozen=True, eq=False, repr=False)
class CodedColumn:
    """`codes` (rows,) int64 index `texts`, the distinct trimmed texts; -1 where there is none.

    Texts stand in the order in which they first appear.
    """

    codes: npt.NDArray[np.int64]
    texts: pa.Array

    @classmethod
    def of(cls, column: pa.DictionaryArray) -> CodedColumn:
        """Return the column with white space trimmed; blank text is nothing."""
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(column.dictionary)
        blank = pc.equal(trimmed, "")
        if trimmed.equals(column.dictionary) and not pc.any(blank).as_py():
            return cls(_codes(column), column.dictionary)
        encoded = pc.if_else(blank, None, trimmed).dictionary_encode()
        texts = np.append(_codes(encoded), NOTHING)
        return cls(texts[_codes(column)], encoded.dictionary)

    def positions_of(self, texts: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return for each row the position of its text in `texts`, or -1."""
        import pyarrow as pa

        return self._positions(pa.array(texts, self.texts.type))

    def positions_in(self, other: CodedColumn) -> npt.NDArray[np.int64]:
        """Return for each row the code that `other` gives to its text, or -1."""
        return self._positions(other.texts)

    def _positions(self, texts: pa.Array) -> npt.NDArray[np.int64]:
        import pyarrow.compute as pc

        listed = pc.index_in(self.texts, value_set=texts).fill_null(NOTHING)
        found = listed.to_numpy(zero_copy_only=False).astype(np.int64)
        return np.append(found, NOTHING)[self.codes]


def _codes(column: pa.DictionaryArray) -> npt.NDArray[np.int64]:
    codes = column.indices.fill_null(NOTHING).to_numpy(zero_copy_only=False)
    return np.asarray(codes, dtype=np.int64)
