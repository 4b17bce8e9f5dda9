"""Rows of several identifiers become persons: reads the columns, and names who was found.

Two identifiers are the same when their digests are: `A@x.de ` and `a@x.de` are one, and so are an
address and its SHA-256 in another column. Placeholders and invalid values connect nothing. The
`gmail` option, which a request chooses, changes keys and not persons.

This reads the identifiers of all rows, also of people who have not consented. It has to: a refusal
that stands under a person's telephone number must reach the row with their e-mail address, or they
would take part against their word. What is made of them is a number each, held in memory until the
rows have their persons; digests leave memory one type after the other. Nothing of it is stored or
leaves the party but the counts in its own quality report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.connection import Connection
from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.graph import Partition, Sightings, partition
from party.datasets.people import People
from party.errors import DatasetError
from psi.arrow import integers, positions, texts
from psi.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa

Read = Callable[[ColumnDefinition], Column | None]
"""Reads an identifier column, or returns None where it holds nothing that could connect."""

_SIZES: Final = (1, 2, 3, 6, 11, 101)  # where a class of rows a person begins


@dataclass(frozen=True)
class ConnectedType:
    """One connected type: people who have one of their own, and distinct identifiers.

    Of these, `over_shared` connect nothing; they and others are `withheld`, as nobody's.
    """

    type: str
    people: int
    identifiers: int
    over_shared: int
    withheld: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {
            "type": self.type,
            "people": self.people,
            "identifiers": self.identifiers,
            "over_shared": self.over_shared,
            "withheld": self.withheld,
        }


@dataclass(frozen=True)
class ConnectedQuality:
    """What connecting made of the rows. Counts are exact: they stay with the party.

    `sizes` counts people by how many rows they have. `rows_of_nobody` have no identifier, or none
    that is one person's. `broken` components were above the bound and had `broken_rows`.
    """

    types: tuple[ConnectedType, ...]
    sizes: Mapping[str, int]
    rows_of_nobody: int
    broken: int
    broken_rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {
            "types": [type_.to_dict() for type_ in self.types],
            "sizes": dict(self.sizes),
            "rows_of_nobody": self.rows_of_nobody,
            "broken": self.broken,
            "broken_rows": self.broken_rows,
        }


def connect(
    definition: Definition,
    connection: Connection,
    rows: int,
    read: Read,
    reference: CodedColumn | None,
) -> tuple[People, ConnectedQuality]:
    """Return the people of `rows` rows, and what became of their identifiers.

    `reference` is the column that people are called by. Raises `DatasetError` for what `read`
    does, and when references cannot tell people apart.
    """
    names, sightings = _see(definition, connection, rows, read)
    found = partition(sightings, connection)
    nobodys = np.append(found.withheld, False)
    withheld = {
        name: np.flatnonzero(nobodys[column])
        for name, column in zip(names, sightings.columns, strict=True)
    }
    references = _references(definition, found, reference)
    people = People(found.of_row, references, MappingProxyType(withheld))
    return people, _describe(connection, sightings, found)


def _see(
    definition: Definition, connection: Connection, rows: int, read: Read
) -> tuple[list[str], Sightings]:
    """Read the connected types one after the other; return the columns' names and numbers."""
    names: list[str] = []
    columns: list[npt.NDArray[np.int32]] = []
    types: list[int] = []
    starts = [0]
    for place, type_ in enumerate(connection.connect):
        declared = [
            column
            for column in definition.identifiers
            if column.spec is not None and column.spec.type == type_
        ]
        numbers, count = _number([read(column) for column in declared], rows, starts[-1])
        names += [column.name for column in declared]
        columns += numbers
        types += [place] * len(declared)
        starts.append(starts[-1] + count)
    return names, Sightings(tuple(columns), tuple(types), tuple(starts))


def _number(
    columns: list[Column | None], rows: int, start: int
) -> tuple[list[npt.NDArray[np.int32]], int]:
    """Number the distinct digests of one type's columns from `start`; return how many they are."""
    import pyarrow as pa

    valid = [np.zeros(rows, dtype=np.bool_) if one is None else one.valid for one in columns]
    parts = [_binary(one.digests[one.valid]) for one in columns if one is not None]
    columns.clear()
    if not parts:
        return [np.full(rows, NOTHING, dtype=np.int32) for _ in valid], 0
    encoded = pa.chunked_array(parts).dictionary_encode().combine_chunks()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    found = positions(encoded.indices, missing=NOTHING)
    numbers, taken = [], 0
    for filled in valid:
        column = np.full(rows, NOTHING, dtype=np.int32)
        count = int(np.count_nonzero(filled))
        column[filled] = found[taken : taken + count] + start
        numbers.append(column)
        taken += count
    return numbers, len(encoded.dictionary)


def _binary(digests: npt.NDArray[np.uint8]) -> pa.Array:
    """Return (n, width) digests as an Arrow array of fixed-size binary over the same memory."""
    import pyarrow as pa

    kind = pa.binary(digests.shape[1])
    data = pa.py_buffer(np.ascontiguousarray(digests).data)
    return pa.Array.from_buffers(kind, len(digests), [None, data])


def _references(definition: Definition, found: Partition, column: CodedColumn | None) -> pa.Array:
    """Return what each person is called: the smallest text that is theirs alone, or a row.

    Without a column, the number of the first row. With one, a person whose rows have no text, or
    only texts that others have too, is called `row 17`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    first = np.zeros(found.persons, dtype=np.int64)
    rows = np.flatnonzero(found.of_row != NOTHING)[::-1]
    first[found.of_row[rows]] = rows  # the first row is written last
    numbers = integers(first + 1).cast(pa.large_string())
    if column is None:
        return numbers
    smallest = integers(_smallest_own(found, column))
    is_there = pc.not_equal(smallest, integers(np.array([NOTHING]))[0])
    own = column.texts.take(pc.if_else(is_there, smallest, pa.nulls(len(smallest), pa.int64())))
    word, space = texts(["row", " "])
    references = pc.coalesce(own, pc.binary_join_element_wise(word, numbers, space))
    if pc.count_distinct(references).as_py() != found.persons:
        raise DatasetError(
            f"dataset {definition.name}, column '{definition.person_column}': holds texts such as "
            "'row 17', which stand for rows; people cannot be called by it, name another column"
        )
    return references


def _smallest_own(found: Partition, column: CodedColumn) -> npt.NDArray[np.int64]:
    """Return the code of the smallest text that only this person's rows have, or -1."""
    import pyarrow.compute as pc

    rows = np.flatnonzero((column.codes != NOTHING) & (found.of_row != NOTHING))
    codes, persons = column.codes[rows], found.of_row[rows]
    owner = np.full(len(column.texts), NOTHING, dtype=np.int64)
    owner[codes] = persons
    shared = np.zeros(len(column.texts), dtype=np.bool_)
    shared[codes[owner[codes] != persons]] = True
    order = positions(pc.sort_indices(column.texts), missing=NOTHING)
    order = order[(owner[order] != NOTHING) & ~shared[order]][::-1]
    smallest = np.full(found.persons, NOTHING, dtype=np.int64)
    smallest[owner[order]] = order  # the smallest is written last
    return smallest


def _describe(connection: Connection, sightings: Sightings, found: Partition) -> ConnectedQuality:
    somebodys = found.of_row[found.of_row != NOTHING]
    return ConnectedQuality(
        types=tuple(
            _describe_type(sightings, found, place, type_)
            for place, type_ in enumerate(connection.connect)
        ),
        sizes=_count_sizes(np.bincount(somebodys, minlength=found.persons)),
        rows_of_nobody=len(found.of_row) - len(somebodys),
        broken=found.broken,
        broken_rows=found.broken_rows,
    )


def _describe_type(sightings: Sightings, found: Partition, place: int, type_: str) -> ConnectedType:
    start, stop = sightings.starts[place], sightings.starts[place + 1]
    owned = np.append(~found.withheld, False)
    has_one = np.zeros(found.persons, dtype=np.bool_)
    for column in sightings.of_type(place):
        has_one[found.of_row[owned[column]]] = True
    return ConnectedType(
        type_,
        people=int(np.count_nonzero(has_one)),
        identifiers=stop - start,
        over_shared=int(np.count_nonzero(found.over_shared[start:stop])),
        withheld=int(np.count_nonzero(found.withheld[start:stop])),
    )


def _count_sizes(rows_a_person: npt.NDArray[np.int64]) -> dict[str, int]:
    """Return how many people have 1, 2, 3–5 … rows."""
    counts: dict[str, int] = {}
    for least, beyond in zip(_SIZES, (*_SIZES[1:], None), strict=True):
        inside = rows_a_person >= least
        if beyond is None:
            name = f"{least}+"
        else:
            inside &= rows_a_person < beyond
            name = str(least) if beyond == least + 1 else f"{least}–{beyond - 1}"
        counts[name] = int(np.count_nonzero(inside))
    return counts
