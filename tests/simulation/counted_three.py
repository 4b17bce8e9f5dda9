"""A crosstab of three reduced to its counts, every draw of noise in the test's hand.

Covers where dummies, leftovers, fillers and known answers stand, what the tabulator counts of them
and what a release consists of (psi.crosstab). Does not cover points, transport, or refusals.
"""

import random
from dataclasses import dataclass, replace

import numpy as np

from psi.crosstab import released_cells, totals_over_tabulator
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.table import ReleasedTable, ReleaseParameters, ThirdPart

KNOWN_ANSWERS = 128
PARTIES = ("channel", "advertiser", "vendor")


@dataclass(frozen=True)
class Drawn:
    """Every draw of one session; arrays have `∅` last, and 0 where there is no draw."""

    release: np.ndarray  # (g, b or ∅, v or ∅)
    totals: np.ndarray  # (b, v)
    dummies: np.ndarray  # (g or ∅, b, v or ∅), the recipient's
    third_dummies: np.ndarray  # (g or ∅, b or ∅, v)
    tabulator_fillers: np.ndarray
    recipient_fillers: np.ndarray
    third_fillers: np.ndarray

    @classmethod
    def by(cls, laws, shape, draw):
        """Draw everything: `draw(law, shape)` gives an array."""
        g, b, v = shape
        found = cls(
            draw(laws.release, (g, b + 1, v + 1)),
            draw(laws.totals, (b, v)),
            draw(laws.dummies, (g + 1, b, v + 1)),
            draw(laws.third_dummies, (g + 1, b + 1, v)),
            draw(laws.tabulator_fillers, (g,)),
            draw(laws.recipient_fillers, (b,)),
            draw(laws.third_fillers, (v,)),
        )
        found.release[:, -1, -1] = 0  # a release has noise there too, and nobody reads it
        found.dummies[-1, :, -1] = 0
        found.third_dummies[-1, -1] = 0
        return found


def counted_by_tabulator(people, drawn, agreed, third_agreed):
    """Return the keys in each cell as the tabulator counts them, `∅` last.

    One dummy after the other: who puts it in decides where it stands.
    """
    keys = np.array(people, dtype=np.int64)
    g, b, v = (size - 1 for size in keys.shape)
    for row in range(g + 1):
        for column in range(b):
            for layer in range(v + 1):
                if (row, layer) != (g, v):
                    own = drawn.dummies[row, column, layer]
                    keys[row, column, layer] += own
                    keys[row, b, layer] += agreed - own
    for row in range(g + 1):
        for column in range(b + 1):
            for layer in range(v):
                if (row, column) != (g, b):
                    own = drawn.third_dummies[row, column, layer]
                    keys[row, column, layer] += own
                    keys[row, column, v] += third_agreed - own
    keys[:g, b, v] += KNOWN_ANSWERS + drawn.tabulator_fillers
    keys[g, :b, v] += KNOWN_ANSWERS + drawn.recipient_fillers
    keys[g, b, :v] += KNOWN_ANSWERS + drawn.third_fillers
    keys[g, b, v] = 0  # nobody's keys are in no set
    return keys


@dataclass(frozen=True)
class Counted:
    """What a session left: the recipient's private and the shareable estimates."""

    private: PrivateEstimates
    shareable: ShareableEstimates


def counted(people, laws, drawn, labels, *, min_cell=10):
    """Run one session of people (g + 1, b + 1, v + 1), `∅` last, with these draws."""
    keys = counted_by_tabulator(people, drawn, 2 * laws.dummies.mean, 2 * laws.third_dummies.mean)
    none_first = np.roll(keys, 1, axis=(0, 1, 2))
    cells = np.roll(released_cells(none_first), -1, axis=(1, 2)) + drawn.release
    totals = totals_over_tabulator(none_first) + drawn.totals
    table = ReleasedTable(
        labels[0],
        labels[1],
        tuple(map(tuple, cells.reshape(len(cells), -1).tolist())),
        tuple(keys[:-1].sum(axis=(1, 2)).tolist()),
        tuple(keys[:, :-1].sum(axis=(0, 2)).tolist()),
        ReleaseParameters(10**9, 10**9, 10**6, 1, 1, KNOWN_ANSWERS, min_cell),
        third=ThirdPart(
            PARTIES,
            labels[2],
            tuple(keys[:, :, :-1].sum(axis=(0, 1)).tolist()),
            tuple(map(tuple, totals.tolist())),
        ),
    )
    audience = np.asarray(people)[:, :-1].sum(axis=(0, 2))
    return Counted(
        PrivateEstimates(table, laws, drawn.dummies.tolist(), audience.tolist()),
        ShareableEstimates(table, laws),
    )


class CountedThree:
    """Runs the counts of sessions of three, one noise after the other from one seed."""

    def __init__(self, people, laws, labels, *, min_cell=10, seed=0):
        self.people, self.laws, self.labels = np.asarray(people), laws, labels
        self.min_cell = min_cell
        self._source, self._numbers = random.Random(seed), np.random.default_rng(seed)

    def run(self):
        shape = tuple(map(len, self.labels))
        drawn = Drawn.by(self.laws, shape, self._draw)
        return counted(self.people, self.laws, drawn, self.labels, min_cell=self.min_cell)

    def _draw(self, law, shape):
        if hasattr(law, "draw"):  # the production sampler
            size = int(np.prod(shape))
            drawn = [law.draw(self._source.randbytes(32)) for _ in range(size)]
            return np.array(drawn, dtype=np.int64).reshape(shape)
        offset, mass = law.pmf()
        return offset + self._numbers.choice(len(mass), size=shape, p=mass / mass.sum())


def moved(drawn, name, place):
    """Return the draws with one of them larger by 1."""
    array = getattr(drawn, name).copy()
    array[place] += 1
    return replace(drawn, **{name: array})
