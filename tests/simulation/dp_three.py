"""The outside audit of a table of three: what each party, and two that pool, see of one person.

A session is reduced to its counts: people, and dummies as the product's `OwnSide` draws them, in
the cells in which `test_leg_tables` finds them in whole sessions. Whoever pools knows the draws of
both, and subtracts them. One tall session has a cell for each run: draws in a session are
independent, each from its own derivation.

Covers: dummies, fillers, release noise, for each party's people against each other party and each
pair. Does not cover: the curve, what is comparable (property/test_comparable_sets.py), parties that
lie, and reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from dp_audit import Finding, audit
from dp_kinds import DELTA, EPSILON, NOISE, product
from memory_links import make_terms

from party import session_record
from party.own_side import Own, OwnSide
from party.terms import Terms
from privacy.counts import ExactTable
from psi.crosstab import Counts, released_cells
from psi.keys import Keys
from psi.legs import CROSSTAB_OF_THREE, RECIPIENT, TABULATOR, THIRD
from psi.seed import Seed

SESSION_ID = bytes(32)
OTHERS = 3
"""People of all three in every cell, beside the one by whom the inputs differ."""
ROLES = CROSSTAB_OF_THREE.roles
CELL = (1, 1)  # of the others' axes: their one label, where index 0 is ∅


def terms_of(*, tabulator: int = 1, recipient: int = 1, third: int = 1) -> Terms:
    """Return terms with so many labels at each party."""
    labels = [tuple(map(str, range(n))) for n in (tabulator, recipient, third)]
    return make_terms(CROSSTAB_OF_THREE, labels, known=1, noise=NOISE)


@dataclass(frozen=True)
class Counted:
    """What a session with a cell a run leaves at the tabulator, and what each chooser has drawn.

    `people` has an axis a party, `∅` at index 0. `dummies[chooser]`, of the same shape, are that
    chooser's dummies in each cell, those that it left out among them.
    """

    people: Counts
    dummies: dict[str, Counts]

    def seen(self, pooled: Iterable[str]) -> Counts:
        """Return the counts as parties see them that know their own draws."""
        unknown = [self.dummies[role] for role in self.dummies if role not in pooled]
        return self.people + sum(unknown, np.zeros_like(self.people))


def count(
    whose: str, person: bool, runs: int, seeds: dict[str, Seed], left_out_by: str | None = None
) -> Counted:
    """Count a session in which each cell has `OTHERS` people and, or not, one more of `whose`.

    The other two have that person in any case. `left_out_by` puts no dummies of others in.
    """
    terms = terms_of(tabulator=runs)
    people = np.zeros((runs + 1, 2, 2), dtype=np.int64)
    people[1:, 1, 1] = OTHERS
    where = [slice(1, None), 1, 1]
    if not person:
        where[ROLES.index(whose)] = 0
    people[tuple(where)] += 1 if isinstance(where[0], slice) else runs
    dummies = {
        role: _dummies_of(terms, role, seeds[role], left_out_by)
        for role in map(terms.role_of, terms.choosers)
    }
    return Counted(people, dummies)


def new_seeds() -> dict[str, Seed]:
    """Return seeds of a session."""
    return {role: Seed.generate() for role in ROLES}


def _side(terms: Terms, role: str, seed: Seed) -> OwnSide:
    own = Own(terms.party_of(role), seed, Keys.empty(), np.empty(0, np.int16))
    return OwnSide(terms, own, SESSION_ID)


def _dummies_of(terms: Terms, role: str, seed: Seed, left_out_by: str | None) -> Counts:
    found = np.zeros([len(names) + 1 for names in terms.labels], dtype=np.int64)
    agreed = terms.agreed_dummies(terms.party_of(role))
    for cell, drawn in _side(terms, role, seed).drawn_dummies.items():
        at = [0 if label is None else label + 1 for label in cell]
        if left_out_by not in (None, role):
            at[ROLES.index(left_out_by)] = 0
        found[tuple(at)] += drawn
        at[ROLES.index(role)] = 0
        found[tuple(at)] += agreed - drawn
    return found


# -- views ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What parties that pool see of the people of `whose`; `sample(person, runs)` draws it."""

    whose: str
    against: tuple[str, ...]
    what: str
    epsilon: float
    delta: float
    sample: Callable[[View, bool, int], list]
    mutants: tuple[str, ...]

    @property
    def pooled(self) -> str:
        """Who sees it, in the letters of the protocol: "T+V"."""
        return "+".join({TABULATOR: "T", RECIPIENT: "R", THIRD: "V"}[role] for role in self.against)

    @property
    def name(self) -> str:
        """Who sees what of whom."""
        return f"{self.what} of the {self.whose}, at the {' and the '.join(self.against)}"


def _cells_at_tabulator(view: View, person: bool, runs: int) -> list[tuple[int, int]]:
    """The cell that the person joins, and the sum with the one that they leave."""
    seeds, joins, left = new_seeds(), CELL, [*CELL]
    left[ROLES.index(view.whose) - 1] = 0
    seen = []
    for _ in range(2):  # resumed once: both times may be seen
        counts = count(view.whose, person, runs, seeds).seen(view.against)[1:]
        seen.append((counts[:, *joins], counts[:, *joins] + counts[:, *left]))
    return list(zip(*np.minimum(*seen).tolist(), strict=True))


def _cells_at_recipient(view: View, person: bool, runs: int) -> list[int]:
    """The released cell; the totals do not change with it (see the tests)."""
    counted = count(view.whose, person, runs, new_seeds())
    exact = released_cells(counted.seen(()))[:, *CELL]
    released = session_record.release_table(
        ExactTable(exact.reshape(-1, 1)),
        NOISE.epsilon_release_nano,
        terms_of().tabulator_bound,
    )
    known = counted.seen(()) - counted.seen(view.against)
    return (released.table.counts.ravel() - known[1:, *CELL]).tolist()


def _size(view: View, person: bool, runs: int) -> list[int]:
    """The size of a label, for somebody whom nobody else has: there only fillers hide a person."""
    terms = terms_of(**{view.whose: runs})
    fillers = _side(terms, view.whose, Seed.generate()).fillers()
    return [OTHERS + person + len(pile.secrets) for pile in fillers]


_SIZE_MUTANTS = ("noise halved", "no fillers")
_DUMMY_MUTANTS = ("noise halved", "no dummies", "noise redrawn on resume")
VIEWS = (
    View(RECIPIENT, (TABULATOR,), "cells", EPSILON, DELTA, _cells_at_tabulator, ()),
    View(RECIPIENT, (TABULATOR, THIRD), "cells", EPSILON, DELTA, _cells_at_tabulator,
         _DUMMY_MUTANTS),
    View(RECIPIENT, (TABULATOR, THIRD), "sizes", EPSILON, DELTA, _size, _SIZE_MUTANTS),
    View(THIRD, (TABULATOR,), "cells", EPSILON, DELTA, _cells_at_tabulator, ()),
    View(THIRD, (TABULATOR, RECIPIENT), "cells", EPSILON, DELTA, _cells_at_tabulator,
         _DUMMY_MUTANTS),
    View(THIRD, (TABULATOR, RECIPIENT), "sizes", EPSILON, DELTA, _size, _SIZE_MUTANTS),
    View(TABULATOR, (RECIPIENT,), "released cells", EPSILON, 0.0, _cells_at_recipient, ()),
    View(TABULATOR, (RECIPIENT, THIRD), "released cells", EPSILON, 0.0, _cells_at_recipient,
         ("noise halved",)),
    View(TABULATOR, (RECIPIENT, THIRD), "sizes", EPSILON, DELTA, _size, _SIZE_MUTANTS),
)  # fmt: skip


def examine(view: View, runs: int, mutant: str | None = None) -> Finding:
    """Audit a view, with a fault of the product or without."""
    with product(mutant):
        return audit(
            lambda person, many: view.sample(view, person, many), False, True,
            epsilon=view.epsilon, delta=view.delta, runs=runs,
        )  # fmt: skip
