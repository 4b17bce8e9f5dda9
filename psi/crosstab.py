"""Crosstab: what the tabulator counts, and what a release consists of (protocol §5).

Pure functions over tags. They return exact counts of people *and* dummies: only the driver
may hold them, and only `privacy` turns them into something that leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from psi.sets import LabelledSet, as_words

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
    words = np.concatenate([as_words(labelled.elements) for labelled in sets])
    _, key_of = np.unique(words, return_inverse=True)
    cell = np.zeros(int(key_of.max()) + 1 if len(key_of) else 0, dtype=np.int64)
    start = 0
    for axis, labelled in enumerate(sets):
        stop = start + len(labelled)
        stride = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        cell[key_of[start:stop]] += (labelled.label_numbers().astype(np.int64) + 1) * stride
        start = stop
    flat = np.bincount(cell, minlength=int(np.prod(shape, dtype=np.int64)))
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

    Only combinations with a label of the recipient (the first of the others); with two
    parties there is nothing that the recipient does not know, and the result is empty.
    """
    if counts.ndim == 2:
        return np.empty((0,), dtype=np.int64)
    totals: Counts = counts.sum(axis=0)[1:]
    return totals
