"""What a request will cost and how good its numbers will be, before it runs.

Nothing is measured: everything follows from public parameters, from the asker's own set sizes
and from assumptions that the quote repeats. A quote with the asker's own sizes in it is for the
asker's eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from reports.errors import MalformedTable
from reports.estimate import suppression_floor
from reports.laws import SessionLaws, Spread, Term, spread
from reports.rendering import PRIVATE

if TYPE_CHECKING:
    import pandas as pd

POINT_BYTES = 32
TAG_BYTES = 16
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
    """A crosstab of two parties that is thought of.

    Attributes:
        tabulator_sizes: keys by tabulator label, or a guess of them.
        recipient_sizes: records by recipient label.
        known_answers: F, in every label.
        min_cell: the smallest noisy count that a cell may show.
        match_rate: the share of the recipient's records that is expected to be found.
        padded: points in each of the recipient's labels, where these are padded to a number.
        hashes_per_second: keys that one party hashes to the curve and raises.
        raises_per_second: points that one party raises.
    """

    tabulator_sizes: tuple[int, ...]
    recipient_sizes: tuple[int, ...]
    known_answers: int
    min_cell: int
    match_rate: float
    hashes_per_second: float
    raises_per_second: float
    padded: int | None = None

    def __post_init__(self) -> None:
        if not self.tabulator_sizes or not self.recipient_sizes:
            raise MalformedTable("a crosstab needs at least one label of each party")
        if min(*self.tabulator_sizes, *self.recipient_sizes, self.known_answers) < 0:
            raise MalformedTable("a size is below 0")
        if not 0 <= self.match_rate <= 1:
            raise MalformedTable("the expected match rate is a share from 0 to 1")
        if min(self.hashes_per_second, self.raises_per_second) <= 0:
            raise MalformedTable("a speed is not above 0")


@dataclass(frozen=True)
class Leg:
    """One set or answer on the wire."""

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
        cells: how many the table will have.
        private: the error of a cell for the recipient's own eyes.
        shareable: the error of a cell that may be passed on.
        expected_cell_counts: people, by recipient label, if matches spread evenly over the
            tabulator's labels.
        suppressed_private: cells expected below the private floor.
        suppressed_shareable: cells expected below the shareable floor.
        dummies_tabulator: dummies that the tabulator puts into its set.
        dummies_recipient: dummies that the recipient puts into its set, on average.
        legs: what goes over the wire, in order; sizes are expectations.
        seconds: time that hashing and raising take, one party after the other.
        charges: what each party is charged.
        assumptions: what the figures rest on.
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

    @property
    def wire_bytes(self) -> int:
        """All bytes of all legs."""
        return sum(leg.wire_bytes for leg in self.legs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"kind": PRIVATE, **asdict(self), "wire_bytes": self.wire_bytes}

    def frame(self) -> pd.DataFrame:
        """Return one line a leg."""
        import pandas as pd

        return pd.DataFrame([asdict(leg) for leg in self.legs])


def quote(plan: Plan, laws: SessionLaws, charges: Mapping[str, Charge]) -> Quote:
    """Compute the quote; charges are by role."""
    rows, columns = len(plan.tabulator_sizes), len(plan.recipient_sizes)
    private = _cell_error(spread([Term(1, laws.release)]), plan)
    shareable = _cell_error(spread([Term(1, laws.release), Term(1, laws.dummies)]), plan)
    expected = tuple(size * plan.match_rate / rows for size in plan.recipient_sizes)
    legs = _legs(plan, laws)
    return Quote(
        cells=rows * columns,
        private=private,
        shareable=shareable,
        expected_cell_counts=expected,
        suppressed_private=rows * sum(count < private.suppressed_below for count in expected),
        suppressed_shareable=rows * sum(count < shareable.suppressed_below for count in expected),
        dummies_tabulator=rows * columns * 2 * laws.dummies.mean,
        dummies_recipient=rows * columns * laws.dummies.mean,
        legs=legs,
        seconds=_seconds(plan, legs),
        charges=tuple(
            PartyCharge(role, charge.epsilon_nano, charge.delta_e15)
            for role, charge in charges.items()
        ),
        assumptions=(
            f"{plan.match_rate:.0%} of the recipient's records are found by the tabulator",
            "matches spread evenly over the tabulator's labels",
            "the tabulator's set sizes are as stated",
            "each party computes alone, one after the other, and the network does not wait",
        ),
    )


def _cell_error(error: Spread, plan: Plan) -> CellError:
    return CellError(*error, suppressed_below=suppression_floor(error, plan.min_cell))


def _legs(plan: Plan, laws: SessionLaws) -> tuple[Leg, ...]:
    rows, columns = len(plan.tabulator_sizes), len(plan.recipient_sizes)
    agreed = rows * columns * 2 * laws.dummies.mean
    own = rows * columns * laws.dummies.mean
    tabulator = sum(plan.tabulator_sizes) + agreed
    tabulator += rows * (plan.known_answers + laws.tabulator_fillers.mean)
    recipient = sum(plan.recipient_sizes) + own
    recipient += columns * (plan.known_answers + laws.recipient_fillers.mean)
    if plan.padded is not None:
        recipient = columns * plan.padded
    return (
        Leg("tabulator's points", tabulator, tabulator * POINT_BYTES),
        Leg("tabulator's tags, returned", tabulator, tabulator * TAG_BYTES),
        Leg("recipient's points", recipient, recipient * POINT_BYTES),
        Leg("table", rows * columns, rows * columns * COUNT_BYTES),
    )


def _seconds(plan: Plan, legs: tuple[Leg, ...]) -> float:
    """Each set is hashed and raised by its owner, then raised by the other."""
    points = legs[0].points + legs[2].points
    return points / plan.hashes_per_second + points / plan.raises_per_second
