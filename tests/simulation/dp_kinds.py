"""The outside audit of every kind of report: a row for each, and what each side sees of a person.

Two neighbouring datasets differ in one person, who brings as many identifiers as can be. Both go
through the production's `prepare`, which bounds them; what is counted is counted plainly; noise
comes from the production's `OwnSide` and `release_table` with the request's terms; and what is
passed on is the report as it is built. A view is drawn many times at once, as the cells of one
tall session: draws in a session are independent, each from its own derivation.

Covers: bounds, dummies, fillers, release noise, and the shareable report, for each kind. Does not
cover: the curve, transport, and the order of charge and draw (test_dp_record.py).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from dp_audit import Finding, audit
from memory_links import make_terms

from party import own_side, session_record
from party.datasets import Timed, load_definition, touch_moments
from party.datasets.prepare import prepare
from party.own_side import Own, OwnSide
from party.terms import Terms
from privacy.counts import ExactTable
from privacy.session import SessionNoise
from privacy.truncated import TruncatedLaplace
from psi.buckets import RoundingKey
from psi.keys import Keys
from psi.legs import CROSSTAB_OF_TWO
from psi.seed import Seed
from psi.windows import Timing, Window
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.kinds import build
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters

EPSILON, DELTA = 1.0, 1e-3
NOISE = SessionNoise(10**9, 10**9, 10**12)
MANY = 4
"""Identifiers of the person by whom the datasets differ, and how often the other side has them."""
KNOWN, MIN_CELL, OTHERS = 8, 3, 6
SESSION_ID = bytes(32)
TABULATOR, RECIPIENT = "tabulator", "recipient"
_CONVERSIONS = 2
_TIMING = Timing(Window(0, 3600, 1), lookback=0, most_keys=4, room=50)
_MAILS = ", ".join(f"e{number}: id.email" for number in range(MANY))
_HEAD = "dataset: people\nsource: people.csv\nperson: ref\n"
_CONSENT = (
    "consent: {column: consent, given: [y], purposes: [dpv:MarketResearch], recipients: [other]}\n"
)


@dataclass(frozen=True)
class Audited:
    """A kind of report to be audited: add a row to `AUDITED` for another.

    Attributes:
        name: as the table of findings calls it.
        kind: the request's output kind.
        tabulator, recipient: the labels of both sides; the person has the first of its side's.
        bounds: the most keys of one person in the set of either side.
        recipient_label: how the recipient's label is described; None for a column of values.
        touches: how the tabulator's label of touches is described, where records are moments: one
            slot, two conversions of a person, two identifiers.
    """

    name: str
    kind: str
    tabulator: tuple[str, ...]
    recipient: tuple[str, ...]
    bounds: tuple[int, int] = (2, 1)
    recipient_label: str | None = None
    touches: str | None = None

    @property
    def most_identifiers(self) -> int:
        """The most identifiers that the tabulator offers of one person."""
        return self.bounds[0] // (_CONVERSIONS if self.touches else 1)

    def hides(self, view: View) -> bool:
        """Whether the view is of a set that is padded to a public number: no fault can show."""
        return self.touches is not None and (view.against, view.what) == (TABULATOR, "set size")


AUDITED = (
    Audited("overlap", "overlap", ("all",), ("gold", "silver")),
    Audited("reach", "reach", ("1", "2", "3+"), ("gold", "silver")),
    Audited("reach by campaign", "reach", ("C8", "C13", "C13+C8"), ("gold", "silver")),
    Audited("insights", "insights", ("n × y", "n × o", "s × y", "s × o"), ("gold", "silver")),
    Audited("funnel", "funnel", ("saw", "clicked"), ("came", "bought")),
    Audited("table", "table", ("x", "y"), ("gold", "silver")),
    Audited(
        "lift", "lift", ("shown × saw", "shown × not", "held out × saw", "held out × not"),
        ("bought", "subscribed"), bounds=(1, 1),
    ),
    Audited(
        "value buckets", "table", ("x", "y"), ("0", "10", "20"),
        recipient_label="{buckets_of: label, bounds: ['0', '10', '20']}",
    ),
    Audited(
        "attribution", "attribution", ("C8 (C8)", "C8 > … > C8 (C8)", "… > C8 (C8)"),
        ("gold", "silver"), bounds=(4, 2),
        touches="{journeys_of: label, time: at, campaigns: [C8], in_full: 1}",
    ),
    Audited(
        "delay", "delay", ("C8 × 0 h", "C8 × 1 h"), ("gold", "silver"), bounds=(4, 2),
        touches="{ages_of: label, time: at, campaigns: [C8], hours: [0, 1]}",
    ),
)  # fmt: skip


class World:
    """What one row's parties bring, with and without the person; and what each sees of it."""

    def __init__(self, row: Audited) -> None:
        self.row = row
        self._read, self._passed_on = cache(self._prepared), cache(self._numbers)
        labels = row.tabulator, row.recipient
        self.terms = make_terms(
            CROSSTAB_OF_TWO, labels, most_keys=row.bounds, known=KNOWN, noise=NOISE
        )
        if row.touches:
            self.terms = replace(self.terms, timing=_TIMING, most_counted=row.bounds[0])

    # -- people -----------------------------------------------------------------------------

    def counted(self, side: str, person: bool) -> int:
        """Return how many keys there are in the first cell, with or without a side's person."""
        return int(self._cells(side if person else None)[0, 0])

    def brought(self, side: str, person: bool) -> int:
        """Return how many keys a side has under its first label, the person unknown to the other.

        Somebody whom the other side has not is in no cell: only the size could tell.
        """
        _, labels = self._read(side, person, False)
        return int(np.count_nonzero(labels == 0))

    def _cells(self, whose: str | None) -> np.ndarray:
        row = self.row
        keys, labels = self._read(TABULATOR, whose == TABULATOR, True)
        place = dict(zip(list(keys), labels.tolist(), strict=True))
        cells = np.zeros((len(row.tabulator), len(row.recipient)), dtype=np.int64)
        keys, labels = self._read(RECIPIENT, whose == RECIPIENT, True)
        for key, label in zip(list(keys), labels.tolist(), strict=True):
            if key in place:
                cells[place[key], label] += 1
        return cells

    def _prepared(self, side: str, person: bool, known: bool) -> tuple[Keys, np.ndarray]:
        """Read a side's people as the product does; `person` has identifiers of four others."""
        row = self.row
        first = side == TABULATOR
        values = row.tabulator if first else row.recipient
        form = None if first else row.recipient_label
        said = "C8" if first and row.touches else values[0]
        lines = [f"p{n},{_mail(n)},,,,{said},y\n" for n in range(OTHERS)]
        theirs = range(100, 100 + MANY) if first else range(200, 200 + MANY)
        mine = range(200, 200 + MANY) if first else range(100, 100 + MANY)
        if not known:
            mine = range(300, 300 + MANY)
        lines += [f"q{n},{_mail(n)},,,,{said},y\n" for n in theirs]
        if person:
            lines.append(f"x,{','.join(map(_mail, mine))},{said},y\n")
        timed, moments = None, ""
        if row.touches:
            form = row.touches if first else None
            lines = [f"{line[:-1]},1970-01-01T00:10\n" for line in lines]
            lines *= 1 if first else _CONVERSIONS + 1
            timed = Timed(_TIMING, _CONVERSIONS, first, bytes(32))
            moments = "" if first else "conversions: {time: at}\n"
        label = form or f"{{column: label, values: {json.dumps(list(values))}}}"
        kind = "value" if form and not row.touches else "attribute"
        with TemporaryDirectory(prefix="commonground-audit-") as name:
            head = ",".join(f"e{number}" for number in range(MANY))
            folder = Path(name)
            also = ",at" if row.touches else ""
            text = f"ref,{head},label,consent{also}\n" + "".join(lines)
            (folder / "people.csv").write_text(text)
            (folder / "people.yaml").write_text(
                f"{_HEAD}columns: {{{_MAILS}, label: {kind}, consent: consent}}\n"
                f"{_CONSENT}{moments}labels: {{label: {label}}}\n"
            )
            prepared = prepare(
                load_definition(folder / "people.yaml"), label="label", values=values,
                identifiers=["email"], offer="all" if first else "one",
                most_identifiers=row.most_identifiers if first else MANY, timed=timed,
                purpose="dpv:MarketResearch", recipients=["other"], salt=bytes(32), now=0.0,
                rounding=RoundingKey(bytes(32)),
            )  # fmt: skip
        return prepared.keys, prepared.labels

    # -- noise ------------------------------------------------------------------------------

    def dummies(self, runs: int) -> list[int]:
        """Draw τ of the first cell in as many sessions as one tall session has cells for.

        Each is resumed once; what was drawn first and what is drawn then may both be seen.
        """
        terms = self._tall(tabulator=tuple(f"{n}" for n in range(runs)))
        seed = Seed.generate()
        first, again = (_side(terms, 1, seed).drawn_dummies for _ in range(2))
        return [min(first[number, 0], again[number, 0]) for number in range(runs)]

    def fillers(self, side: str, runs: int) -> list[int]:
        """Draw the fillers of a side's first label, known answers among them."""
        number = 0 if side == TABULATOR else 1
        names = tuple(f"{n}" for n in range(runs))
        terms = self._tall(**{side: names})
        return [len(pile.secrets) for pile in _side(terms, number, Seed.generate()).fillers()]

    def padded(self, person: bool) -> int:
        """Return the points under the recipient's first label, which are padded to a number."""
        keys, labels = self._read(RECIPIENT, person, False)
        own = Own(self.terms.parties[1], Seed(bytes(32)), keys, labels)
        side = OwnSide(self.terms, own, SESSION_ID)
        number = side.numbering[0]
        sent = int(np.count_nonzero(labels == 0)) + len(side.dummies()[0])
        return sent + len(list(side.fillers())[number].secrets)

    def released(self, count: int, runs: int) -> list[int]:
        """Release a cell as often, as the tabulator's record of a session does."""
        tall = ExactTable(np.full((runs, 1), count))
        epsilon, bound = self.terms.noise.epsilon_release_nano, self.terms.tabulator_bound
        drawn = session_record.release_table(tall, epsilon, bound)
        return drawn.table.counts.ravel().tolist()

    def _tall(self, **labels: tuple[str, ...]) -> Terms:
        tabulator = labels.get(TABULATOR, self.row.tabulator)
        return replace(self.terms, labels=(tabulator, labels.get(RECIPIENT, ("r",))))

    # -- what is passed on ------------------------------------------------------------------

    def passed_on(self, count: int, tau: int, rendering: type) -> tuple[str, ...]:
        """Return every number of the report as it is passed on, from which T has taken its e."""
        if rendering is ShareableEstimates:  # it knows no more than the sum
            count, tau = count + tau, 0
        return self._passed_on(count, tau, rendering)

    def _numbers(self, count: int, tau: int, rendering: type) -> tuple[str, ...]:
        row, laws = self.row, self.terms.table_laws
        cells = self._cells(None) + laws.dummies.mean
        cells[0, 0] = count + tau
        shape = cells.shape
        parameters = ReleaseParameters(
            NOISE.epsilon_release_nano, NOISE.epsilon_dummies_nano, NOISE.delta_dummies_e15,
            1, row.bounds[0], KNOWN, MIN_CELL,
        )  # fmt: skip
        table = ReleasedTable(
            row.tabulator, row.recipient, tuple(map(tuple, cells.tolist())),
            (900,) * shape[0], (900,) * shape[1], parameters,
            MomentsTable(0, 3600, 1, 0, row.bounds[0], 0, ()) if row.touches else None,
        )  # fmt: skip
        if rendering is ShareableEstimates:
            report = build(row.kind, ShareableEstimates(table, laws))
        else:
            drawn = np.full(shape, laws.dummies.mean)
            drawn[0, 0] = tau
            report = build(row.kind, rendering(table, laws, drawn.tolist(), [900] * shape[1]))
        return tuple(json.dumps(one.to_dict(), sort_keys=True) for one in report.rows())


def _mail(number: int) -> str:
    return f"person{number}@example.com"


def _side(terms: Terms, number: int, seed: Seed) -> OwnSide:
    own = Own(terms.parties[number], seed, Keys.empty(), np.empty(0, np.int16))
    return OwnSide(terms, own, SESSION_ID)


def count_fillers(patch: pytest.MonkeyPatch) -> None:
    """Count fillers without deriving them: only their number is in a view."""

    def count_only(seed, session_id, label, count):
        del seed, session_id, label
        return SimpleNamespace(secrets=range(count))

    patch.setattr(own_side, "derive_fillers", count_only)


# -- views: what one side sees of the other's people ----------------------------------------------


@dataclass(frozen=True)
class View:
    """What is seen: `sample(world, person, runs)` draws it with the person and without.

    Attributes:
        against: who sees it.
        what: what is seen.
        epsilon, delta: what is promised of it.
        mutants: which faults of the product must be caught in it.
    """

    against: str
    what: str
    epsilon: float
    delta: float
    sample: Callable[[World, bool, int], list]
    mutants: tuple[str, ...]


def _cell_at_tabulator(world: World, person: bool, runs: int) -> list[int]:
    count = world.counted(RECIPIENT, person)
    return [count + tau for tau in world.dummies(runs)]


def _size_at_tabulator(world: World, person: bool, runs: int) -> list[int]:
    if world.row.touches:
        return [world.padded(person)] * runs
    brought = world.brought(RECIPIENT, person)
    return [brought + fillers for fillers in world.fillers(RECIPIENT, runs)]


def _report_at_tabulator(world: World, person: bool, runs: int) -> list[tuple[str, ...]]:
    """T knows e, so that e is 0 in these tables is no loss."""
    count = world.counted(RECIPIENT, person)
    return [world.passed_on(count, tau, _PASSED_ON[0]) for tau in world.dummies(runs)]


def _cell_at_recipient(world: World, person: bool, runs: int) -> list[int]:
    return world.released(world.counted(TABULATOR, person), runs)


def _size_at_recipient(world: World, person: bool, runs: int) -> list[int]:
    brought = world.brought(TABULATOR, person)
    return [brought + fillers for fillers in world.fillers(TABULATOR, runs)]


VIEWS = (
    View(TABULATOR, "cell", EPSILON, DELTA, _cell_at_tabulator,
         ("noise halved", "no dummies", "bound not applied", "noise redrawn on resume")),
    View(TABULATOR, "set size", EPSILON, DELTA, _size_at_tabulator,
         ("noise halved", "no fillers", "bound not applied")),
    View(TABULATOR, "report passed on", EPSILON, DELTA, _report_at_tabulator,
         ("τ subtracted",)),
    View(RECIPIENT, "cell", EPSILON, 0.0, _cell_at_recipient,
         ("noise halved", "bound not applied")),
    View(RECIPIENT, "set size", EPSILON, DELTA, _size_at_recipient,
         ("noise halved", "no fillers", "bound not applied")),
)  # fmt: skip


# -- mutants: faults of the product ---------------------------------------------------------------

_PASSED_ON: list[type] = [ShareableEstimates]


def _halve_noise(patch: pytest.MonkeyPatch) -> None:
    release = session_record.release_table
    patch.setattr(
        session_record, "release_table", lambda exact, epsilon, bound: release(
            exact, 2 * epsilon, bound
        ),
    )  # fmt: skip
    patch.setattr(
        Terms, "own_noise", lambda terms, party: TruncatedLaplace(
            2 * NOISE.epsilon_dummies_nano, NOISE.delta_dummies_e15, terms.keys_a_person(party)
        ),
    )  # fmt: skip


def _draw_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TruncatedLaplace, "draw", lambda law, uniform: law.mean)


def _apply_no_bound(patch: pytest.MonkeyPatch) -> None:
    for name in ("prepare", "moments"):
        module = importlib.import_module(f"party.datasets.{name}")
        patch.setattr(module, "at_most", lambda offers, most: list(offers))
    # Of moments there is a second bound, on a person's keys, which would leave out who breaks the
    # first; below every number is the place of none.
    patch.setattr(touch_moments, "place_of", lambda person: np.full(len(person), -1))


def _redraw(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Seed, "derive_many", lambda seed, session_id, context, count: [
            os.urandom(32) for _ in range(count)
        ],
    )  # fmt: skip


def _subtract_dummies(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(globals(), "_PASSED_ON", [PrivateEstimates])


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "noise halved": _halve_noise,
    "no dummies": _draw_nothing,
    "no fillers": _draw_nothing,
    "bound not applied": _apply_no_bound,
    "noise redrawn on resume": _redraw,
    "τ subtracted": _subtract_dummies,
}


@contextmanager
def product(mutant: str | None = None):
    """Run the product, or the product with a fault."""
    with pytest.MonkeyPatch.context() as patch:
        count_fillers(patch)
        if mutant is not None:
            MUTANTS[mutant](patch)
        yield


def examine(row: Audited, view: View, runs: int, mutant: str | None = None) -> Finding:
    """Audit what one side sees of one kind of report."""
    world = World(row)
    with product(mutant):
        return audit(
            lambda person, many: view.sample(world, person, many), False, True,
            epsilon=view.epsilon, delta=view.delta, runs=runs,
        )  # fmt: skip
