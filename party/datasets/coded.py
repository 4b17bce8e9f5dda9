"""A text column as codes: one integer a row, and each distinct text once.

Everything but identifiers is computed on codes, so a table of many rows a person stays small and
nothing loops over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from psi import arrow
from psi.arrow import positions

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = -1
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


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
        import pyarrow as pa
        import pyarrow.compute as pc

        codes = positions(column.indices, missing=NOTHING)
        trimmed = pc.utf8_trim_whitespace(column.dictionary)
        filled = pc.binary_length(trimmed).cast(pa.bool_())
        if trimmed.equals(column.dictionary) and pc.all(filled).as_py():
            return cls(codes, column.dictionary)
        nothing = pa.nulls(len(trimmed), trimmed.type)
        encoded = pc.if_else(filled, trimmed, nothing).dictionary_encode()
        texts = np.append(positions(encoded.indices, missing=NOTHING), NOTHING)
        return cls(texts[codes], encoded.dictionary)

    def positions_of_texts(self, texts: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return for each distinct text its position in `texts`, or -1."""
        import pyarrow.compute as pc

        return positions(pc.index_in(self.texts, value_set=arrow.texts(texts)), missing=NOTHING)

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return each distinct text as a number, NaN where it is none."""
        import pyarrow.compute as pc

        is_number = pc.match_substring_regex(self.texts, _NUMBER).to_pylist()
        texts = self.texts.to_pylist()
        numbers = (
            float(text) if fits else np.nan for text, fits in zip(texts, is_number, strict=True)
        )
        return np.fromiter(numbers, dtype=np.float64, count=len(texts))

    def positions_of(self, texts: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return for each row the position of its text in `texts`, or -1."""
        return self._positions(arrow.texts(texts))

    def positions_in(self, other: CodedColumn) -> npt.NDArray[np.int64]:
        """Return for each row the code that `other` gives to its text, or -1."""
        return self._positions(other.texts)

    def _positions(self, texts: pa.Array) -> npt.NDArray[np.int64]:
        import pyarrow.compute as pc

        found = positions(pc.index_in(self.texts, value_set=texts), missing=NOTHING)
        return np.append(found, NOTHING)[self.codes]


def together(columns: Sequence[CodedColumn], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a number for each of `rows`, from 0, that those share which have the same texts.

    Having no text is a text here.
    """
    alike = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        # Numbered anew after each column, so that the product of many columns' sizes fits.
        pairs = alike * (len(column.texts) + 1) + column.codes[rows] + 1
        _, alike = np.unique(pairs, return_inverse=True)
    return alike.astype(np.int64, copy=False)
