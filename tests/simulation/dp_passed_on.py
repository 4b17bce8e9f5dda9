"""The outside audit of what a recipient passes on of a report of three.

The tabulator knows e and may have the third's draws, so both stand still here. What is left between
it and one of the recipient's people is the recipient's own dummy draw, which must stay in every
number that is passed on, of every kind of report.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from counted_three import Drawn, counted
from dp_audit import Finding, audit
from dp_kinds import AUDITED, DELTA, EPSILON, NOISE
from dp_three import CELL, count, new_seeds

from party.contract_terms import OutputKind
from privacy.session import TableLaws
from psi.legs import RECIPIENT, THIRD
from reports.kinds import build

LAWS = TableLaws(NOISE)
ATTRIBUTES = ("young", "old")
OF_THREE = [kind for kind in OutputKind if THIRD in (*kind.roles, *kind.optional_roles)]
_TIMES = ("1", "2+")


@dataclass(frozen=True)
class OfThree:
    """A kind of report with a third, and the labels of all."""

    kind: OutputKind
    labels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, kind: OutputKind) -> OfThree:
        """Return the kind with the labels of its audit between two, and a third's."""
        if kind is OutputKind.CROSS_CHANNEL:
            return cls(kind, (_TIMES, ("gold", "silver"), _TIMES))
        row = next(row for row in AUDITED if row.kind == kind)
        return cls(kind, (row.tabulator, row.recipient, ATTRIBUTES))

    def passed_on(self, person: bool, tau: int, *, private: bool) -> tuple[str, ...]:
        """Return every number of the report, with the recipient's person or without."""
        shape = tuple(map(len, self.labels))
        drawn = Drawn.by(LAWS, shape, lambda law, size: np.full(size, law.mean))
        drawn.dummies[0, 0, 0] = tau
        people = np.full([size + 1 for size in shape], 40)
        people[-1, -1, -1] = 0
        people[0, 0 if person else -1, 0] += 1
        made = counted(people, LAWS, drawn, self.labels, min_cell=3)
        report = build(self.kind, made.private if private else made.shareable)
        return tuple(json.dumps(row.to_dict(), sort_keys=True) for row in report.rows())

    def examine(self, runs: int, *, private: bool = False) -> Finding:
        """Audit it; with `private` as if the recipient passed on what is for itself alone."""
        passed_on = cache(lambda person, tau: self.passed_on(person, tau, private=private))

        def sample(person: bool, many: int) -> list[tuple[str, ...]]:
            seen = count(RECIPIENT, person, many, new_seeds()).dummies[RECIPIENT][1:, *CELL]
            return [passed_on(person, tau) for tau in seen.tolist()]

        return audit(sample, False, True, epsilon=EPSILON, delta=DELTA, runs=runs)
