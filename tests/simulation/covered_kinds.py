"""Whether 95% intervals hold, for every number of every kind of report.

The truth is the report itself when the harness removes the noise, which test_reports_exact.py holds
against plain pandas. Noise is drawn by the laws of the session; sampling is no part of it, since
these numbers speak of the people who were matched. Reports whose numbers are estimates about a
population have simulations of their own.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from counted_session import CountedSession, People, SilentLaws
from counted_three import CountedThree

from privacy.session import SessionNoise, TableLaws
from psi.journey import list_journeys
from reports.kinds import build
from reports.table import MomentsTable

LAWS = TableLaws(SessionNoise(3 * 10**8, 5 * 10**8, 10**6), 2, 1, epsilon_people_nano=10**8)
NOMINAL, STRAY = 0.95, 0.015


@dataclass(frozen=True, eq=False)
class Covered:
    """A kind of report and people to measure: add a row to `COVERED` for another."""

    name: str
    kind: str
    labels: tuple[str, ...]
    segments: tuple[str, ...]
    people: People | np.ndarray
    moments: MomentsTable | None = None
    attributes: tuple[str, ...] | None = None

    def session(self, laws, seed=0):
        """Return sessions of two, or of three where a third has attributes."""
        if self.attributes is not None:
            labels = (self.labels, self.segments, self.attributes)
            return CountedThree(self.people, laws, labels, seed=seed)
        same = {"labels": self.labels, "segments": self.segments, "moments": self.moments}
        return CountedSession(self.people, laws, seed=seed, **same)


def _people(rows, columns, *, fewest=300, most=1200):
    numbers = np.random.default_rng(rows * 10 + columns)
    return People(
        numbers.integers(fewest, most, (rows, columns)),
        numbers.integers(fewest, most, rows),
        numbers.integers(fewest, most, columns),
    )


def _three(rows, columns, layers, *, fewest=500, most=1500):
    numbers = np.random.default_rng(rows * 100 + columns * 10 + layers)
    people = numbers.integers(fewest, most, (rows + 1, columns + 1, layers + 1))
    people[-1, -1, -1] = 0
    return people


JOURNEYS = list_journeys(("A", "B"), 1)
MOMENTS = MomentsTable(0, 3600, 24, 24, 64, 10**8, (40_000, 30_000, 50_000))
COVERED = (
    Covered("overlap", "overlap", ("all",), ("gold", "silver"), _people(1, 2)),
    Covered("reach", "reach", ("1", "2", "3+"), ("gold", "silver"), _people(3, 2)),
    Covered("reach by campaign", "reach", ("C8", "C13", "C13+C8"), ("gold", "silver"),
            _people(3, 2)),
    Covered("insights", "insights", ("n × y", "n × o", "s × y", "s × o"), ("gold", "silver"),
            _people(4, 2)),
    Covered("funnel", "funnel", ("saw", "clicked", "liked"), ("came", "bought"), _people(3, 2)),
    Covered("table", "table", ("x", "y"), ("gold", "silver"), _people(2, 2)),
    Covered("attribution", "attribution", tuple(one.text for one in JOURNEYS), ("gold", "silver"),
            _people(len(JOURNEYS), 2), MOMENTS),
    Covered("delay", "delay", ("A × 0 h", "A × 24 h", "B × 0 h", "B × 24 h"), ("gold", "silver"),
            _people(4, 2), MOMENTS),
    Covered("overlap by attribute", "overlap", ("all",), ("gold", "silver"), _three(1, 2, 2),
            attributes=("young", "old")),
    Covered("reach by attribute", "reach", ("1", "2+"), ("gold",), _three(2, 1, 2),
            attributes=("young", "old")),
    Covered("table by attribute", "table", ("x", "y"), ("gold",), _three(2, 1, 2),
            attributes=("young", "old")),
    Covered("insights of a third", "insights", ("all",), ("gold", "silver"), _three(1, 2, 4),
            attributes=("n × y", "n × o", "s × y", "s × o")),
    Covered("cross-channel", "cross-channel", ("1", "2+"), ("gold", "silver"), _three(2, 2, 3),
            attributes=("1", "2", "3+")),
)  # fmt: skip


def _numbers(report):
    """Return the estimates of a report by what they are."""
    return {
        (row.metric, row.label, row.segment, row.attribute): row.estimate for row in report.rows()
    }


def measure(row, runs, seed=0):
    """Return by (rendering, metric) the shares of `runs` in which each number's interval held.

    Numbers without an error, such as an owner's own audience, are left out. A suppressed one
    makes the simulation refuse: people are to be many enough.
    """
    truth = row.session(SilentLaws()).run()
    session = row.session(LAWS, seed)
    held = defaultdict(lambda: np.zeros(runs, dtype=bool))
    for run in range(runs):
        outcome = session.run()
        for rendering in ("private", "shareable"):
            true = _numbers(build(row.kind, getattr(truth, rendering)))
            found = _numbers(build(row.kind, getattr(outcome, rendering)))
            assert found.keys() == true.keys()
            for what, estimate in found.items():
                assert not estimate.suppressed, (row.name, what)
                if estimate.half_width:
                    inside = estimate.low <= true[what].value <= estimate.high
                    held[rendering, what][run] = inside
    shares = defaultdict(list)
    for (rendering, (metric, *_)), inside in held.items():
        shares[rendering, metric].append(inside.mean())
    return shares
