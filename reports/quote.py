"""What a request will cost and how good its numbers will be, before it runs.

Nothing is measured: everything follows from public parameters, from the asker's own set sizes
and from assumptions that the quote repeats. A quote with the asker's own sizes in it is for the
asker's eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from languages import message
from psi.dummies import cells_with
from psi.legs import CROSSTABS, RECIPIENT, TABULATOR, THIRD, Form, LegTable
from psi.legs import Leg as Hop
from reports.errors import MalformedTable
from reports.estimate import suppression_floor
from reports.laws import NoiseLaw, SessionLaws, Spread, Term, spread
from reports.rendering import PRIVATE

if TYPE_CHECKING:
    import pandas as pd

COUNT_BYTES = 8


class Charge(Protocol):
    """What a party will be charged, each rounded up."""

    @property
    def epsilon_nano(self) -> int:
        """ε in 1e-9."""
        ...

    @property
    def delta_e15(self) -> int:
        """δ in 1e-15."""
        ...


@dataclass(frozen=True)
class Plan:
    """A crosstab of two parties or three that is thought of.

    Attributes:
        tabulator_sizes: keys by tabulator label, or a guess of them.
        recipient_sizes: records by recipient label.
        known_answers: F, in every label.
        min_cell: the smallest noisy count that a cell may show.
        match_rate: the share of the recipient's records that the tabulator is expected to have, and
            of these the third.
        padded: points in each of the recipient's labels, where these are padded to a number.
        hashes_per_second: keys that one party hashes to the curve and raises.
        raises_per_second: points that one party raises.
        third_sizes: keys by label of the third, where there is one.
    """

    tabulator_sizes: tuple[int, ...]
    recipient_sizes: tuple[int, ...]
    known_answers: int
    min_cell: int
    match_rate: float
    hashes_per_second: float
    raises_per_second: float
    padded: int | None = None
    third_sizes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not all(self.sizes.values()):
            raise MalformedTable("a crosstab needs at least one label of each party")
        if min(self.known_answers, *(min(sizes) for sizes in self.sizes.values())) < 0:
            raise MalformedTable("a size is below 0")
        if not 0 <= self.match_rate <= 1:
            raise MalformedTable("the expected match rate is a share from 0 to 1")
        if min(self.hashes_per_second, self.raises_per_second) <= 0:
            raise MalformedTable("a speed is not above 0")

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Keys by label of each role."""
        sizes = {TABULATOR: self.tabulator_sizes, RECIPIENT: self.recipient_sizes}
        return sizes if self.third_sizes is None else {**sizes, THIRD: self.third_sizes}

    @property
    def labels(self) -> dict[str, int]:
        """How many labels each role has."""
        return {role: len(sizes) for role, sizes in self.sizes.items()}


@dataclass(frozen=True)
class Leg:
    """One set or answer on the wire; bytes count twice where the recipient carries it."""

    name: str
    points: int
    wire_bytes: int


@dataclass(frozen=True)
class CellError:
    """The error that a cell will have, and the count below which it is suppressed."""

    standard_error: float
    half_width: float
    suppressed_below: float


@dataclass(frozen=True)
class PartyCharge:
    """ε in 1e-9 and δ in 1e-15 that a role is charged."""

    role: str
    epsilon_nano: int
    delta_e15: int


@dataclass(frozen=True)
class Quote:
    """The cost and the expected quality of one crosstab.

    Attributes:
        cells: how many the table will have, with a label of the tabulator and the recipient each.
        private: the error of a cell with a label of each, for the recipient's own eyes.
        shareable: the error of such a cell that may be passed on.
        expected_cell_counts: people in such a cell, by recipient label, if matches spread evenly
            over the others' labels.
        suppressed_private: cells expected below the private floor.
        suppressed_shareable: cells expected below the shareable floor.
        dummies_tabulator: dummies that the tabulator puts into its set.
        dummies_recipient: dummies that the recipient puts into its set, on average.
        legs: what goes over the wire, in order; sizes are expectations.
        seconds: time that hashing and raising take, one party after the other.
        charges: what each party is charged.
        assumptions: what the figures rest on.
        dummies_third: dummies that the third puts into its set, on average.
        without_third: the quote of the same table of two, where there is a third.
    """

    cells: int
    private: CellError
    shareable: CellError
    expected_cell_counts: tuple[float, ...]
    suppressed_private: int
    suppressed_shareable: int
    dummies_tabulator: int
    dummies_recipient: int
    legs: tuple[Leg, ...]
    seconds: float
    charges: tuple[PartyCharge, ...]
    assumptions: tuple[str, ...]
    dummies_third: int = 0
    without_third: Quote | None = None

    @property
    def wire_bytes(self) -> int:
        """All bytes of all legs."""
        return sum(leg.wire_bytes for leg in self.legs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        beside = self.without_third
        return {
            "kind": PRIVATE,
            **asdict(self),
            "wire_bytes": self.wire_bytes,
            "without_third": None if beside is None else beside.to_dict(),
        }

    def frame(self) -> pd.DataFrame:
        """Return one line a leg."""
        import pandas as pd

        return pd.DataFrame([asdict(leg) for leg in self.legs])


def quote(plan: Plan, laws: SessionLaws, charges: Mapping[str, Charge]) -> Quote:
    """Compute the quote; charges are by role."""
    table, labels = CROSSTABS[len(plan.sizes)], plan.labels
    points = {role: _points(plan, laws, role) for role in table.roles}
    rows, columns, layers = labels[TABULATOR], labels[RECIPIENT], labels.get(THIRD, 0)
    found, *unknown = _presences(plan, laws)
    expected = tuple(size * found.share / rows for size in plan.recipient_sizes)
    counted = [found, *unknown]
    return Quote(
        cells=rows * columns * (layers + 1),
        private=found.private,
        shareable=found.shareable,
        expected_cell_counts=expected,
        suppressed_private=sum(one.suppressed(plan, one.private) for one in counted),
        suppressed_shareable=sum(one.suppressed(plan, one.shareable) for one in counted),
        dummies_tabulator=_dummies(plan, laws, TABULATOR),
        dummies_recipient=_dummies(plan, laws, RECIPIENT),
        legs=_legs(table, plan, points),
        seconds=_seconds(table, plan, points),
        charges=tuple(
            PartyCharge(role, charge.epsilon_nano, charge.delta_e15)
            for role, charge in charges.items()
        ),
        assumptions=(
            *_found_by(plan),
            message("matches spread evenly over the labels"),
            message("set sizes are as stated"),
            message(
                "each party computes alone, one after the other, and the network does not wait"
            ),
        ),
        dummies_third=_dummies(plan, laws, THIRD) if layers else 0,
        without_third=_without_third(plan, laws, charges),
    )


def _without_third(plan: Plan, laws: SessionLaws, charges: Mapping[str, Charge]) -> Quote | None:
    if plan.third_sizes is None:
        return None
    of_two = {role: charge for role, charge in charges.items() if role != THIRD}
    return quote(replace(plan, third_sizes=None), laws, of_two)


def _found_by(plan: Plan) -> tuple[str, ...]:
    found = message(
        "{match_rate} of the recipient's records are found by the tabulator",
        match_rate=f"{plan.match_rate:.0%}",
    )
    return (
        found
        if plan.third_sizes is None
        else message(
            "{found}, and as many of these by the third",
            found=found,
        ),
    )


@dataclass(frozen=True)
class _Presence:
    """The cells in which the third has one of its labels, or none: `times` for each of the others.

    `share` is how many of a recipient's label they have each, over the tabulator's labels.
    """

    share: float
    times: int
    private: CellError
    shareable: CellError

    def suppressed(self, plan: Plan, error: CellError) -> int:
        """Return how many of these cells are expected below their floor."""
        rows = len(plan.tabulator_sizes)
        below = sum(
            size * self.share / rows < error.suppressed_below for size in plan.recipient_sizes
        )
        return rows * self.times * below


def _presences(plan: Plan, laws: SessionLaws) -> list[_Presence]:
    """Return the cells with a label of everybody, then those that the third has no key for.

    Where it has none, what it left out under each of its labels is noise, too.
    """
    if plan.third_sizes is None:
        return [_presence(plan, laws, plan.match_rate, 1, 0)]
    layers, rate = len(plan.third_sizes), plan.match_rate
    return [
        _presence(plan, laws, rate * rate / layers, layers, 1),
        _presence(plan, laws, rate * (1 - rate), 1, layers),
    ]


def _presence(
    plan: Plan, laws: SessionLaws, share: float, times: int, third_draws: int
) -> _Presence:
    private = [Term(1, laws.release)]
    if third_draws:
        private.append(Term(1, laws.third_dummies, third_draws))
    return _Presence(
        share,
        times,
        _cell_error(spread(private), plan),
        _cell_error(spread([*private, Term(1, laws.dummies)]), plan),
    )


def _cell_error(error: Spread, plan: Plan) -> CellError:
    return CellError(*error, suppressed_below=suppression_floor(error, plan.min_cell))


def _dummies(plan: Plan, laws: SessionLaws, role: str) -> int:
    """Return the dummies in a role's set: all that others agree on, and its own on average."""
    chosen_by = {RECIPIENT: laws.dummies}
    if plan.third_sizes is not None:
        chosen_by[THIRD] = laws.third_dummies
    return sum(
        cells_with(plan.labels, chooser, role) * law.mean * (1 if chooser == role else 2)
        for chooser, law in chosen_by.items()
    )


def _points(plan: Plan, laws: SessionLaws, role: str) -> int:
    """Return the points of a role's set."""
    labels = plan.labels[role]
    if role == RECIPIENT and plan.padded is not None:
        return labels * plan.padded
    fillers = labels * (plan.known_answers + _fillers(laws, role).mean)
    return sum(plan.sizes[role]) + _dummies(plan, laws, role) + fillers


def _fillers(laws: SessionLaws, role: str) -> NoiseLaw:
    if role == TABULATOR:
        return laws.tabulator_fillers
    return laws.third_fillers if role == THIRD else laws.recipient_fillers


def _legs(table: LegTable, plan: Plan, points: Mapping[str, int]) -> tuple[Leg, ...]:
    """Return what goes over the wire; the recipient carries what the other two have to say."""
    legs = [
        Leg(
            _name(leg),
            points[leg.owner],
            points[leg.owner]
            * leg.form.value
            * (1 if RECIPIENT in (leg.sender, leg.receiver) else 2),
        )
        for leg in table.steps
        if isinstance(leg, Hop)
    ]
    rows, columns, layers = (plan.labels.get(role, 0) for role in (TABULATOR, RECIPIENT, THIRD))
    counts = rows * columns
    if layers:
        counts = rows * (columns + 1) * (layers + 1) + columns * layers
    return (*legs, Leg("table", counts, counts * COUNT_BYTES))


def _name(leg: Hop) -> str:
    what = f"{leg.owner}'s {'points' if leg.form is Form.POINTS else 'tags'}"
    if leg.receiver == leg.owner:
        return f"{what}, returned"
    return what if leg.hop == 0 else f"{what}, raised by the {leg.sender}"


def _seconds(table: LegTable, plan: Plan, points: Mapping[str, int]) -> float:
    """Each set is hashed and raised by its owner, then raised by every other."""
    raised = sum(
        points[role] * (len(table.raisers(role)) + (role != TABULATOR)) for role in table.roles
    )
    return sum(points.values()) / plan.hashes_per_second + raised / plan.raises_per_second
