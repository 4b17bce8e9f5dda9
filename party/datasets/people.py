"""Which rows are one person, and what the party calls that person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING, CodedColumn
from psi.arrow import flags, integers

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class People:
    """`of_row` (rows,) int64: the person of each row, or -1; `references`: a text a person.

    People are numbered in the order in which they first appear. `withheld` names, by identifier
    column, the rows whose identifier there is nobody's, though the row is somebody's.
    """

    of_row: npt.NDArray[np.int64]
    references: pa.Array
    withheld: Mapping[str, npt.NDArray[np.int64]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of_column(cls, column: CodedColumn) -> People:
        """Return the people that a column tells apart; a row without a text is nobody's."""
        return cls(column.codes, column.texts)

    @classmethod
    def of_rows(cls, rows: int) -> People:
        """Return one person a row, called by the row's number from 1 through all files."""
        import pyarrow as pa

        numbers = np.arange(rows, dtype=np.int64)
        return cls(numbers, integers(numbers + 1).cast(pa.large_string()))

    def __len__(self) -> int:
        return len(self.references)

    def of_rows_left(self, of_row: npt.NDArray[np.int64]) -> People:
        """Return the same people with fewer rows: `of_row` is -1 for those that have left."""
        return replace(self, of_row=of_row)

    def only(self, chosen: npt.NDArray[np.bool_]) -> People:
        """Return the chosen people (a truth value each), renumbered; others' rows are nobody's."""
        number = np.full(len(chosen) + 1, NOTHING, dtype=np.int32)  # the last is nobody's
        number[:-1][chosen] = np.arange(np.count_nonzero(chosen), dtype=np.int32)
        of_row = np.take(number, self.of_row).astype(np.int64)
        del number  # before as much again is made
        return replace(self, of_row=of_row, references=self.references.filter(flags(chosen)))
