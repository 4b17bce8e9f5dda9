"""Crosstab: what the tabulator counts, and what a release consists of (protocol §5).

Pure functions over tags. They return exact counts of people *and* dummies: only the driver
may hold them, and only `privacy` turns them into something that leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

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
    cells: list[npt.NDArray[np.int32]] = []  # of the keys of each set that no earlier set has
    firsts: list[Tags] = []
    for axis, labelled in enumerate(sets):
        stride = prod(shape[axis + 1 :])
        strides = np.arange(1, shape[axis], dtype=np.int32) * np.int32(stride)
        cell, tags = np.repeat(strides, labelled.sizes), labelled.elements
        for earlier, cell_of in zip(firsts, cells, strict=True):
            places = find(tags, earlier)
            known = places >= 0
            cell_of[places[known]] += cell[known]
            cell = cell[~known]
            if len(sets) > 2:  # else nobody looks for them again, and they are the most of memory
                tags = tags[~known]
        firsts.append(tags)
        cells.append(cell)
    flat = np.zeros(prod(shape), dtype=np.int64)
    for cell in cells:
        flat += np.bincount(cell, minlength=len(flat))
    return flat.reshape(shape)


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
