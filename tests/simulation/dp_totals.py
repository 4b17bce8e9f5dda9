"""The outside audit of the totals that stand beside a table of three.

Dummies hide the third's people in them, as long as the recipient puts in those that it owes. Here
it does not: then one person changes one total by 1, and only the noise on totals is left. Each
sample is one release of many totals through the tabulator's `SessionRecord`.
"""

import numpy as np
from dp_audit import Finding, audit
from dp_record import forget_releases, ready_to_release, releasing_with
from three_organisations import file_at_all, insights_of_three, make_three

from party.terms import Terms
from privacy.units import NANO

COUNT = 100
WITH_NONE, HALVED, REDRAWN = "totals of ∅, too", "noise halved", "noise redrawn on resume"
MUTANTS = (HALVED, REDRAWN, WITH_NONE)


class TabulatorOfThree:
    """The channel, and what a recipient that owes dummies sees of the totals that it releases."""

    def __init__(self, folder):
        self.parties, self.contract = make_three(folder, epsilon="1000")
        self.epsilon = Terms.of(self._ask()).noise.epsilon_dummies_nano / NANO

    def close(self):
        """End all parties."""
        for party in self.parties.values():
            party.close()

    def sample(self, person, runs, *, mutant=None):
        """Release a total so often, with the person in it or not; a resumed session shows both.

        `WITH_NONE` releases beside it what the recipient has and the third lacks, which a person of
        the third's leaves: two totals change then, and are seen by how far they are off.
        """
        totals = np.full((runs, 1), COUNT + person)
        if mutant == WITH_NONE:
            totals = np.hstack([totals, np.full((runs, 1), COUNT - person)])
        record = ready_to_release(self.parties["channel"], self.contract, self._ask())
        cells = np.zeros((1, 2, 2), dtype=np.int64)
        first = record.release(cells, totals, (0,)).totals
        if mutant == REDRAWN:
            forget_releases(self.parties["channel"])
        again = record.release(cells, totals, (0,)).totals
        seen = np.minimum(first, again).reshape(totals.shape)
        return [tuple(one) for one in np.clip(seen - COUNT, -2, 2).tolist()]

    def examine(self, runs, mutant=None) -> Finding:
        """Audit it, with a fault of the product or without."""
        with releasing_with(mutant):
            return audit(
                lambda person, many: self.sample(person, many, mutant=mutant), False, True,
                epsilon=self.epsilon, delta=0, runs=runs,
            )  # fmt: skip

    def _ask(self):
        request = insights_of_three(self.parties, self.contract)
        return file_at_all(self.parties, self.contract, request)
