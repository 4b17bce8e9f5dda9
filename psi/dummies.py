"""Dummies: agreed fake keys that put noise into cells against the tabulator (protocol §5.2).

Their type starts with 0x01, which no identifier type can, so a dummy never meets data. All
parties derive the same keys; how many of them the chooser puts into its own set is the noise,
and never leaves it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import rfc8785

from psi.keys import Keys

DUMMY_TYPE = b"\x01dummy"
Cell = tuple[int | None, ...]


@dataclass(frozen=True)
class Dealing:
    """Who is at the table: parties in the request's order, each with its label names."""

    parties: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]

    def names(self, cell: Cell) -> list[str | None]:
        """Return a cell's label names, None for `∅`."""
        return [
            None if number is None else self.labels[party][number]
            for party, number in enumerate(cell)
        ]

    def cells_of(self, chooser: str) -> Iterator[Cell]:
        """Yield the cells in which `chooser` places noise: its label, and another's at least."""
        me = self.parties.index(chooser)
        axes: list[Sequence[int | None]] = [
            list(range(len(names))) if party == me else [None, *range(len(names))]
            for party, names in enumerate(self.labels)
        ]
        for cell in itertools.product(*axes):
            if any(number is not None for party, number in enumerate(cell) if party != me):
                yield cell


def cells_with(labels: Mapping[str, int], chooser: str, party: str) -> int:
    """Return how many of a chooser's cells have a label of `party`.

    Args:
        labels: how many labels each party has.
        chooser: who places noise in them (`Dealing.cells_of`).
        party: whose set has dummies for them.
    """
    cells = prod(n if name in (chooser, party) else n + 1 for name, n in labels.items())
    return cells - labels[chooser] if chooser == party else cells


def dummy_keys(chooser: str, names: Sequence[str | None], count: int) -> Keys:
    """Return the first `count` dummy keys of a cell.

    Each is type, 0x00, and SHA-256 of the canonical JSON [chooser, names, i].
    """
    head = rfc8785.dumps([chooser, list(names)])[:-1]
    prefix = DUMMY_TYPE + b"\x00"
    return Keys.from_list(
        [prefix + hashlib.sha256(head + b",%d]" % i).digest() for i in range(count)]
    )


def dummies_by_label(
    dealing: Dealing,
    party: str,
    *,
    choosers: Sequence[str],
    agreed: Mapping[str, int],
    drawn: Mapping[Cell, int],
) -> list[Keys]:
    """Return the dummy keys that `party` puts under each of its labels.

    Args:
        dealing: the request's parties and labels.
        party: whose set is built.
        choosers: parties whose people the dummies protect.
        agreed: for each chooser, D, the dummies that every other party puts in.
        drawn: for `party`'s own cells, how many of the D it puts in itself.
    """
    me = dealing.parties.index(party)
    piles: list[list[Keys]] = [[] for _ in dealing.labels[me]]
    for chooser in choosers:
        for cell in dealing.cells_of(chooser):
            label = cell[me]
            if label is None:
                continue
            count = drawn[cell] if chooser == party else agreed[chooser]
            piles[label].append(dummy_keys(chooser, dealing.names(cell), count))
    return [Keys.concat(pile) for pile in piles]
