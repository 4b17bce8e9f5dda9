"""Crosstab: what the tabulator counts, and what a release consists of (protocol §5).

Pure functions over tags. They return exact counts of people *and* dummies: only the driver
may hold them, and only `privacy` turns them into something that leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from psi.points import Tags
from psi.sets import LabelledSet, find

Counts = npt.NDArray[np.int64]


def tabulate(sets: Sequence[LabelledSet]) -> Counts:
    """Count the keys in each cell.

    Args:
        sets: fully raised tags of each party, tabulator first; within one set tags are
            distinct (`psi.curve.require_distinct`).

    Returns:
        One axis a set, of its number of labels + 1; index 0 is `∅`.
    """
    shape = tuple(len(labelled.sizes) + 1 for labelled in sets)
    cells: list[Counts] = []  # of the keys of each set that no earlier set has
    firsts: list[Tags] = []
    for axis, labelled in enumerate(sets):
        stride = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        cell = (labelled.label_numbers().astype(np.int64) + 1) * stride
        tags = labelled.elements
        for earlier, cell_of in zip(firsts, cells, strict=True):
            places = find(tags, earlier)
            known = places >= 0
            cell_of[places[known]] += cell[known]
            tags, cell = tags[~known], cell[~known]
        firsts.append(tags)
        cells.append(cell)
    flat = np.bincount(np.concatenate(cells), minlength=int(np.prod(shape, dtype=np.int64)))
    return flat.astype(np.int64).reshape(shape)


def released_cells(counts: Counts) -> Counts:
    """Return the cells with a tabulator's label, which the release covers with its noise.

    Two parties: (tabulator's labels, recipient's labels). Three: the others' axes keep
    their `∅` at index 0, and the cell where both are `∅` is set to 0: the tabulator's own
    totals follow from its set's size.
    """
    mine = counts[1:]
    if counts.ndim == 2:  # one other party: its ∅ is the only cell outside the release
        return mine[:, 1:]
    inside = mine.copy()
    nowhere: tuple[slice | int, ...] = (slice(None), *[0] * (counts.ndim - 1))
    inside[nowhere] = 0
    return inside


def totals_over_tabulator(counts: Counts) -> Counts:
    """Return the totals over the tabulator's labels and `∅`, by the others' labels.

    Only combinations without `∅`: the recipient knows its own sizes, so what it has and the third
    lacks follows, and one key of the third's changes one total. With two parties there is nothing
    that the recipient does not know, and the result is empty.
    """
    if counts.ndim == 2:
        return np.empty((0,), dtype=np.int64)
    totals: Counts = counts.sum(axis=0)[1:, 1:]
    return totals
