"""A dataset's identifier columns, read one at a time: of chosen people, or whole to connect rows.

The texts of a column leave memory before the next one is read; what stays is a digest for each
identifier.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING
from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.offers import Offers, Persons
from party.datasets.people import People
from party.datasets.source import Source
from party.errors import DatasetError
from psi.arrow import integers, positions, present
from psi.columns import Column, ColumnSpec, read_column
from psi.errors import EmptyColumn, IdentifierError
from psi.identifiers import ALGORITHMS, digest_width, kind_of
from psi.plain import digest_plain, reads_plain

if TYPE_CHECKING:
    import pyarrow as pa

_NONE: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class HeldTexts:
    """The different texts of a column that each person has, as they are written there.

    n pairs, sorted by person: `person` (n,) int64, `texts` (n,), `rows` (n,) int64, the row from 0
    in which each pair first stands.
    """

    person: npt.NDArray[np.int64]
    texts: pa.Array
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class IdentifierColumns:
    """Reads identifiers of `people` from a source, under one choice of the `gmail` option."""

    definition: Definition
    source: Source
    people: People
    gmail: bool
    executor: Executor | None

    def offers_of(self, type: str) -> Offers:  # noqa: A002
        """Return every identifier of one type of every person, from all columns of that type."""
        parts = [
            self._read(column.name, replace(column.spec, gmail=self._gmail_of(column)))
            for column in self.definition.identifiers
            if column.spec is not None and column.spec.type == type
        ]
        return Offers.gather(type, digest_width(type), parts)

    def texts_of(self, name: str) -> HeldTexts:
        """Return the texts of one column."""
        column = self.source.read([name])[name]
        codes = positions(column.indices, missing=NOTHING)
        offered = (codes != NOTHING) & (self.people.of_row != NOTHING)
        offered[self.people.withheld.get(name, _NONE)] = False
        rows = np.flatnonzero(offered)
        width = max(1, len(column.dictionary))
        pairs = self.people.of_row[rows] * width + codes[rows]
        unique, first = np.unique(pairs, return_index=True)
        person, code = np.divmod(unique, width)
        return HeldTexts(person, column.dictionary.take(integers(code)), rows[first])

    def _gmail_of(self, column: ColumnDefinition) -> bool:
        spec = column.spec
        return self.gmail and spec is not None and spec.type == "email" and not spec.digested

    def _read(self, name: str, spec: ColumnSpec) -> tuple[Persons, npt.NDArray[np.uint8]]:
        """Return (person, digest) of a column's usable identifiers."""
        if reads_plain(kind_of(spec.type), digested=spec.digested, gmail=spec.gmail):
            return self._read_in_batches(name, spec)
        held = self.texts_of(name)
        digests, valid = self._read_texts(name, spec, held.texts, held.rows)
        return held.person[valid].astype(np.int32), digests[valid]

    def _read_in_batches(
        self, name: str, spec: ColumnSpec
    ) -> tuple[Persons, npt.NDArray[np.uint8]]:
        """Read a column of which the engine reads most values; no text outlives its batch."""
        import pyarrow as pa

        kind = kind_of(spec.type)
        offered = self.people.of_row != NOTHING
        offered[self.people.withheld.get(name, _NONE)] = False
        person = np.empty(np.count_nonzero(offered), dtype=np.int32)
        digests = np.empty((len(person), digest_width(spec.type)), dtype=np.uint8)
        row = done = 0
        for texts in self.source.stream(name):
            rows = row + np.flatnonzero(offered[row : row + len(texts)] & present(texts))
            chosen = texts.take(integers(rows - row)) if len(rows) < len(texts) else texts
            row += len(texts)
            plain = digest_plain(kind, ALGORITHMS[kind], spec.digested, chosen, gmail=spec.gmail)
            found, taken = plain if plain else _nothing_read(len(rows), digests.shape[1])
            others = np.flatnonzero(~taken)
            if len(others):
                held = chosen.take(integers(others))
                found[others], taken[others] = self._read_texts(name, spec, held, rows[others])
            stop = done + int(np.count_nonzero(taken))
            person[done:stop] = self.people.of_row[rows[taken]]
            digests[done:stop] = found[taken]
            done = stop
        pa.default_memory_pool().release_unused()
        return person[:done], digests[:done]

    def _read_texts(
        self, name: str, spec: ColumnSpec, texts: pa.Array, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """Return the digests (n, width) of texts that stand in `rows`, and which are usable."""
        try:
            read = read_column(spec, texts, rows=rows, executor=self.executor)
        except EmptyColumn:
            return _nothing_read(len(rows), digest_width(spec.type))
        except IdentifierError as error:
            raise column_error(self.definition, self.source, name, error) from None
        return read.digests, read.valid


def _nothing_read(count: int, width: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    return np.zeros((count, width), dtype=np.uint8), np.zeros(count, dtype=np.bool_)


def read_whole(
    definition: Definition, source: Source, column: ColumnDefinition, executor: Executor | None
) -> Column | None:
    """Return the digests of all rows of a column, or None when it holds no value.

    Raises `DatasetError` when the column contradicts its declaration.
    """
    if column.spec is None:
        return None
    try:
        return read_column(column.spec, source.read([column.name])[column.name], executor=executor)
    except EmptyColumn:
        return None
    except IdentifierError as error:
        raise column_error(definition, source, column.name, error) from None


def read_usable(source: Source, column: ColumnDefinition) -> Column | None:
    """Return the digests of all rows of a column, or None when it cannot be used."""
    if column.spec is None:
        return None
    try:
        return read_column(column.spec, source.read([column.name])[column.name])
    except IdentifierError:
        return None


def column_error(
    definition: Definition, source: Source, name: str, error: IdentifierError
) -> DatasetError:
    """Return what is wrong with an identifier column as an error that says where."""
    several = " (rows run through all files, in the order of their names)"
    return DatasetError(
        f"dataset {definition.name}, column '{name}': {error}{several * (len(source.files) > 1)}"
    )
