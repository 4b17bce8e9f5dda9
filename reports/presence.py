"""Who is where, as a table of every cell: what was counted, and what of it is no person.

Cells of labels are as they were released. Those in which a party lacks the key follow from sizes
and totals (docs/decisions/0030): every set's size is a margin of this one table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.laws import SessionLaws
from reports.table import ReleasedTable

Presence = npt.NDArray[np.int64]
"""(tabulator labels + 1, recipient labels + 1, third's labels + 1), `∅` last; without a third there
is `∅` alone. Where all lack a key there is nothing to count, and 0 stands."""


def counted(table: ReleasedTable) -> Presence:
    """Return the keys in every cell, with noise, dummies and fillers."""
    rows, columns, layers = table.shape
    keys = np.zeros((rows + 1, columns + 1, layers + 1), dtype=np.int64)
    totals = np.empty((columns, layers + 1), dtype=np.int64)
    if table.third is None:
        keys[:-1, :-1, 0] = table.counts
    else:
        keys[:-1] = np.array(table.counts).reshape(rows, columns + 1, layers + 1)
        totals[:, :-1] = table.third.totals
    totals[:, -1] = table.recipient_sizes - totals[:, :-1].sum(axis=1)
    keys[:-1, -1, -1] = 0
    keys[:-1, -1, -1] = table.tabulator_sizes - keys[:-1].sum(axis=(1, 2))
    keys[-1, :-1] = totals - keys[:-1, :-1].sum(axis=0)
    if table.third is not None:
        keys[-1, -1, :-1] = table.third.sizes - keys[:, :, :-1].sum(axis=(0, 1))
    return keys


@dataclass(frozen=True)
class Agreed:
    """The dummies and fillers that a table holds, by what its reader knows of them."""

    table: ReleasedTable
    laws: SessionLaws

    def expected(self) -> Presence:
        """Return what is to be expected of everybody's draws, by public laws."""
        rows, columns, layers = self.table.shape
        mean = self.laws.dummies.mean
        return self._of(np.full((rows + 1, columns, layers + 1), mean, dtype=np.int64))

    def known(self, dummies: Presence, audience: npt.NDArray[np.int64]) -> Presence:
        """Return it where the recipient's own dummies and records are known.

        So its fillers are known too: what its sets hold besides.
        """
        rows, columns, layers = self.table.shape
        own = np.zeros((rows + 1, columns, layers + 1), dtype=np.int64)
        if self.table.third is None:
            own[:-1, :, 0] = dummies
        else:
            own[:] = dummies
        added = self._of(own)
        others = np.array(self.table.recipient_sizes) - audience
        added[-1, :-1, -1] += others - added[:, :-1].sum(axis=(0, 2))
        return added

    def _of(self, own: Presence) -> Presence:
        """Return it for the recipient's dummies in each cell, and what others are expected to do.

        Of the dummies of a cell its owner puts in some, and others all: the rest of them stand
        where the owner is `∅`.
        """
        rows, columns, layers = self.table.shape
        added = np.zeros((rows + 1, columns + 1, layers + 1), dtype=np.int64)
        own[-1, :, -1] = 0  # there are no dummies where both others are ∅
        added[:, :-1] += own
        left = 2 * self.laws.dummies.mean - own
        left[-1, :, -1] = 0
        added[:, -1] += left.sum(axis=1)
        known = self.table.parameters.known_answers
        if layers:
            mean = self.laws.third_dummies.mean
            theirs = np.full((rows + 1, columns + 1, layers), mean, dtype=np.int64)
            theirs[-1, -1] = 0
            added[:, :, :-1] += theirs
            added[:, :, -1] += theirs.sum(axis=2)  # half of what is agreed is left, on average
            added[-1, -1, :-1] += known + self.laws.third_fillers.mean
        added[:-1, -1, -1] += known + self.laws.tabulator_fillers.mean
        added[-1, :-1, -1] += known + self.laws.recipient_fillers.mean
        added[-1, -1, -1] = 0
        return added
