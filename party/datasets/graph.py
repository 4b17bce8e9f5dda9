"""Persons from identifiers: connected components, within bounds, by numbers alone.

Rows are joined by the identifiers that they share. What must not happen is that one number which
many people use (the telephone of an office, the tablet of a family, the address that testers type)
makes one person of them all. So there are two bounds and one principle:

1. **Over-shared identifiers connect nothing.** An identifier is over-shared when it stands in rows
   beside more than `most_sharing` distinct identifiers of one type that says more about who
   somebody is, or when it and what it stands beside are already more than a person may have.
2. **A component above `most_identifiers` is broken.** Its weakest type connects nothing in it any
   more; what is still above the bound loses the next type, until its rows stand alone.
3. **An identifier belongs to one person or to nobody.** One that stands in the rows of several
   persons after this, and one that is over-shared, is withheld: it is offered for none of them.
   A row that has no other belongs to nobody.

Each step looks at sets only, so neither the order of rows nor their repetition changes who is a
person. Nothing here sees an identifier: rows hold numbers, -1 where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING
from party.datasets.connection import Connection

Numbers: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Persons: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Sightings:
    """Which identifiers stand in which rows.

    `columns[c]` (rows,) int32 numbers the identifiers of a column, -1 where there is none; all
    columns of type t, which is `types[c]`, number from `starts[t]` to below `starts[t + 1]`.
    Types stand in the order of `Connection.connect`.
    """

    columns: tuple[Numbers, ...]
    types: tuple[int, ...]
    starts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])

    @property
    def identifiers(self) -> int:
        """How many distinct identifiers there are."""
        return self.starts[-1]

    def of_type(self, type_: int) -> list[Numbers]:
        """Return the columns of one type."""
        return [
            column for column, its in zip(self.columns, self.types, strict=True) if its == type_
        ]

    def among(self, rows: npt.NDArray[np.int64]) -> Sightings:
        """Return the same of some rows."""
        return Sightings(tuple(column[rows] for column in self.columns), self.types, self.starts)


@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """Who the rows are: `of_row` (rows,) int64, persons in the order of their first row, or -1.

    `over_shared` and `withheld` (identifiers,) mark those that connect nothing and those that are
    nobody's; the first are among the second. `broken` counts the components above the bound and
    `broken_rows` their rows.
    """

    of_row: Persons
    persons: int
    over_shared: Flags
    withheld: Flags
    broken: int
    broken_rows: int


def partition(sightings: Sightings, bounds: Connection) -> Partition:
    """Return the persons of rows. Time and memory grow with the number of rows."""
    over_shared = find_over_shared(sightings, bounds)
    component = link(sightings, ~over_shared)
    sizes = _sizes(sightings, component, over_shared)
    above = sizes > bounds.most_identifiers
    rows = np.flatnonzero(above[component])
    if len(rows):
        of_row, alike = _alike(sightings, rows)
        pieces = _break(sightings.among(alike), over_shared, bounds.most_identifiers)[of_row]
        component[rows] = len(sizes) + pieces
    withheld = over_shared | _of_several(sightings, component)
    of_row, persons = _number(sightings, component, withheld)
    return Partition(
        of_row, persons, over_shared, withheld, int(np.count_nonzero(above)), len(rows)
    )


def find_over_shared(sightings: Sightings, bounds: Connection) -> Flags:
    """Return which identifiers stand beside more others than a person can explain."""
    in_rows = _times_seen(sightings)
    over_shared = np.zeros(sightings.identifiers, dtype=np.bool_)
    others = len(sightings.columns) - 1
    for type_, (start, stop) in enumerate(
        zip(sightings.starts[:-1], sightings.starts[1:], strict=True)
    ):
        beside_any = np.zeros(stop - start, dtype=np.int64)
        may_fill = in_rows * others >= bounds.most_identifiers
        for other in set(sightings.types):
            stronger = other < type_
            may_count = may_fill
            if stronger:
                most = in_rows * len(sightings.of_type(other))
                may_count = may_fill | (most > bounds.most_sharing)
            beside = _count_beside(sightings, type_, other, may_count)
            beside_any += beside
            if stronger:
                over_shared[start:stop] |= beside > bounds.most_sharing
        over_shared[start:stop] |= beside_any >= bounds.most_identifiers
    return over_shared


def link(sightings: Sightings, connecting: Flags) -> Persons:
    """Return the component of each row, joined by the `connecting` identifiers.

    One column is taken at a time: each joins the components that the columns before it have made.
    """
    connecting = connecting & (_times_seen(sightings) > 1)
    number = np.where(connecting, np.cumsum(connecting) - 1, NOTHING).astype(np.int32)
    nodes = int(np.count_nonzero(connecting))
    number = np.append(number, np.int32(NOTHING))
    label = np.arange(nodes, dtype=np.int32)
    anchor = np.full(sightings.rows, NOTHING, dtype=np.int32)
    for column in sightings.columns:
        here = number[column]
        both = np.flatnonzero((anchor != NOTHING) & (here != NOTHING))
        if len(both):
            label, nodes = _join(label, nodes, anchor[both], here[both])
        anchor = np.where(anchor == NOTHING, here, anchor)
    alone = anchor == NOTHING
    component = np.append(label, np.int32(NOTHING))[anchor].astype(np.int64)
    component[alone] = nodes + np.arange(np.count_nonzero(alone))
    return component


def _join(label: Numbers, nodes: int, one: Numbers, other: Numbers) -> tuple[Numbers, int]:
    """Return the labels and their number once `one` and `other` are in one component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (np.ones(len(one), dtype=np.bool_), (label[one], label[other]))
    graph = coo_array(edges, shape=(nodes, nodes)).tocsr()
    count, joined = connected_components(graph, directed=False)
    return joined.astype(np.int32)[label], int(count)


def _alike(
    sightings: Sightings, rows: npt.NDArray[np.int64]
) -> tuple[Persons, npt.NDArray[np.int64]]:
    """Return which of the different ones each row is, and a row for each of these.

    Rows of the very same identifiers are one, or a person that an export has twice would be torn
    apart where nothing joins any more.
    """
    found = np.column_stack(
        [
            np.sort(np.column_stack([column[rows] for column in sightings.of_type(type_)]), axis=1)
            for type_ in sorted(set(sightings.types))
        ]
    )
    _, first, of_row = np.unique(found, axis=0, return_index=True, return_inverse=True)
    return of_row.reshape(-1), rows[first]


def _break(sightings: Sightings, over_shared: Flags, most: int) -> Persons:
    """Return the pieces of components above the bound: without the weakest types, as few as do."""
    pieces = np.zeros(sightings.rows, dtype=np.int64)
    rows = np.arange(sightings.rows)
    given = 0
    for kept in range(len(sightings.starts) - 2, -1, -1):
        part = sightings.among(rows)
        connecting = ~over_shared
        connecting[sightings.starts[kept] :] = False
        found = link(part, connecting)
        sizes = _sizes(part, found, over_shared)
        pieces[rows] = given + found
        given += len(sizes)
        rows = rows[(sizes > most)[found]]
        if not len(rows):
            break
    return pieces


def _sizes(sightings: Sightings, component: Persons, over_shared: Flags) -> npt.NDArray[np.int64]:
    """Return how many distinct identifiers each component has, without the over-shared."""
    sizes = np.zeros(int(component.max(initial=-1)) + 1, dtype=np.int64)
    counted = np.append(~over_shared, False)
    for type_ in sorted(set(sightings.types)):
        pairs = []
        for column in sightings.of_type(type_):
            rows = np.flatnonzero(counted[column])
            pairs.append(component[rows] * sightings.identifiers + column[rows])
        owners = _distinct(pairs) // max(1, sightings.identifiers)
        sizes += np.bincount(owners, minlength=len(sizes))
    return sizes


def _count_beside(
    sightings: Sightings, type_: int, other: int, may_count: Flags
) -> npt.NDArray[np.int64]:
    """Return beside how many identifiers of type `other` each of `type_` stands in some row."""
    start, stop = sightings.starts[type_], sightings.starts[type_ + 1]
    considered = np.append(may_count, False)
    pairs = []
    for index, one in enumerate(sightings.columns):
        for place, beside in enumerate(sightings.columns):
            if index == place or (sightings.types[index], sightings.types[place]) != (type_, other):
                continue
            rows = np.flatnonzero(considered[one] & (beside != NOTHING) & (one != beside))
            pairs.append(
                (one[rows] - start).astype(np.int64) * sightings.identifiers + beside[rows]
            )
    found = _distinct(pairs) // max(1, sightings.identifiers)
    return np.bincount(found, minlength=stop - start)


def _of_several(sightings: Sightings, component: Persons) -> Flags:
    """Return which identifiers stand in rows of more than one component."""
    several = np.zeros(sightings.identifiers, dtype=np.bool_)
    of_identifier = np.full(sightings.identifiers, NOTHING, dtype=np.int64)
    filled = [np.flatnonzero(column != NOTHING) for column in sightings.columns]
    for column, rows in zip(sightings.columns, filled, strict=True):
        of_identifier[column[rows]] = component[rows]  # one of its rows; the others must agree
    for column, rows in zip(sightings.columns, filled, strict=True):
        disagree = of_identifier[column[rows]] != component[rows]
        several[column[rows][disagree]] = True
    return several


def _number(sightings: Sightings, component: Persons, withheld: Flags) -> tuple[Persons, int]:
    """Number those that have an identifier of their own, in the order of their first row."""
    owned = np.append(~withheld, False)
    size = int(component.max(initial=-1)) + 1
    is_person = np.zeros(size, dtype=np.bool_)
    for column in sightings.columns:
        is_person[component[owned[column]]] = True
    first = np.full(size, sightings.rows, dtype=np.int64)
    first[component[::-1]] = np.arange(sightings.rows - 1, -1, -1)  # the last to be written stays
    first[~is_person] = sightings.rows
    persons = int(np.count_nonzero(is_person))
    number = np.full(size, NOTHING, dtype=np.int64)
    number[np.argsort(first, kind="stable")[:persons]] = np.arange(persons)
    return number[component], persons


def _times_seen(sightings: Sightings) -> npt.NDArray[np.int64]:
    """Return in how many cells each identifier stands."""
    seen = np.zeros(sightings.identifiers, dtype=np.int64)
    for column in sightings.columns:
        seen += np.bincount(column[column != NOTHING], minlength=sightings.identifiers)
    return seen


def _distinct(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the distinct numbers of several arrays, sorted."""
    if not parts:
        return np.zeros(0, dtype=np.int64)
    numbers = np.concatenate(parts)
    numbers.sort()
    new = np.ones(len(numbers), dtype=np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
    return numbers[new]
