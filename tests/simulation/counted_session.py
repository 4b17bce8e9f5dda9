"""A crosstab session reduced to its counts: what each party would hold after the real one.

Covers the arithmetic that reports rely on (dummies in cells and sizes, fillers, known answers,
release noise). It does not cover points, transport, or refusals. Noise is seeded: dummies and
fillers by the production sampler, e by the law that the release is tested to follow.
"""

import random
from dataclasses import dataclass, replace

import numpy as np

from reports.cells import PrivateEstimates, ShareableEstimates
from reports.table import ReleasedTable, ReleaseParameters

KNOWN_ANSWERS = 128


@dataclass(frozen=True)
class Silence:
    """A law that is always 0: noise switched off, in the harness only."""

    mean: int = 0
    variance: float = 0.0

    def pmf(self):
        return 0, np.ones(1)

    def draw(self, uniform):
        return 0


@dataclass(frozen=True)
class SilentLaws:
    release: Silence = Silence()
    dummies: Silence = Silence()
    tabulator_fillers: Silence = Silence()
    recipient_fillers: Silence = Silence()
    people: Silence = Silence()
    totals: Silence = Silence()
    third_dummies: Silence = Silence()
    third_fillers: Silence = Silence()


@dataclass(frozen=True)
class People:
    """Who is where: matched [g][b], and those whom the other side lacks, by label."""

    matched: np.ndarray
    tabulator_only: np.ndarray
    recipient_only: np.ndarray

    @property
    def audience(self):
        return self.matched.sum(axis=0) + self.recipient_only

    @property
    def offered(self):
        return self.matched.sum(axis=1) + self.tabulator_only


@dataclass(frozen=True)
class Outcome:
    """What the session left: the recipient's private and the shareable estimates."""

    private: PrivateEstimates
    shareable: ShareableEstimates


class CountedSession:
    """Runs the counts of sessions, one noise after the other from one seed."""

    def __init__(
        self, people, laws, *, labels=None, segments=None, min_cell=10, seed=0, moments=None
    ):
        rows, columns = people.matched.shape
        self.people, self.laws = people, laws
        self._labels = tuple(labels or (f"g{row}" for row in range(rows)))
        self._segments = tuple(segments or (f"b{column}" for column in range(columns)))
        self._parameters = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, KNOWN_ANSWERS, min_cell)
        self._moments = moments
        self._source = random.Random(seed)
        self._numbers = np.random.default_rng(seed)
        self._release = laws.release.pmf()

    def run(self):
        people, laws = self.people, self.laws
        rows, columns = people.matched.shape
        tau = np.array([[self._draw(laws.dummies) for _ in range(columns)] for _ in range(rows)])
        offset, probabilities = self._release
        weights = probabilities / probabilities.sum()
        noise = offset + self._numbers.choice(len(weights), size=(rows, columns), p=weights)
        agreed = 2 * laws.dummies.mean * columns
        tabulator = [
            int(size) + agreed + KNOWN_ANSWERS + self._draw(laws.tabulator_fillers)
            for size in people.offered
        ]
        recipient = [
            int(size) + int(dummies) + KNOWN_ANSWERS + self._draw(laws.recipient_fillers)
            for size, dummies in zip(people.audience, tau.sum(axis=0), strict=True)
        ]
        table = ReleasedTable(
            self._labels,
            self._segments,
            tuple(map(tuple, (people.matched + tau + noise).tolist())),
            tuple(tabulator),
            tuple(recipient),
            self._parameters,
            self._counted_moments(),
        )
        return Outcome(
            PrivateEstimates(table, laws, tau.tolist(), people.audience.tolist()),
            ShareableEstimates(table, laws),
        )

    def _counted_moments(self):
        """Return what a table of moments has besides, with the noise of people by coalition."""
        if self._moments is None:
            return None
        offset, mass = self.laws.people.pmf()
        drawn = self._numbers.choice(len(mass), size=len(self._moments.people), p=mass / mass.sum())
        people = (np.array(self._moments.people) + offset + drawn).tolist()
        return replace(self._moments, people=tuple(people))

    def _draw(self, law):
        return law.draw(self._source.randbytes(32))
