"""Lift: what a treatment has changed, from two arms of people who were assigned at random.

All who were assigned are compared, whatever they saw (intent to treat). On the treated: exposed
people against those of the control arm who would have been exposed (ghosts), where there are any;
and Bloom's estimate, the difference of all divided by the share exposed. The people of an arm come
from the tabulator's set sizes, each counted once, since a lift is asked for one identifier type and
each person sends one. Intervals cover the noise and the chance in who converts (reports/rates.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self, overload

from languages import message
from reports.arms import Arms, arms_of, outcomes_of
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.comparison import Change, Comparison, Response
from reports.costs import Costs
from reports.effect import Effect, ranged
from reports.estimate import Estimate, withheld
from reports.rates import Growth, Limits
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport

_MOST_TIMES: Final = 1000
_ON_THE_TREATED: Final = message(
    "'exposed, by ghosts' compares the exposed with those of the control arm who would have "
    "been exposed; 'exposed, by Bloom' divides the lift of all by the share exposed. Both are the "
    "effect on the exposed; the first has less chance in it, the second does not rest on how "
    "ghosts were told."
)
_VALUES: Final = message(
    "Values are sums of bounds: a value between two bounds counts as one of them at random, so "
    "that nothing is lost on average, and one above the top as the top."
)


@dataclass(frozen=True)
class Lift(Numbers):
    """Two arms, how each has converted, and what lies between them.

    Attributes:
        people: of each arm, and of the exposed of each.
        responses: by group and kind of conversion.
        changes: by kind of conversion; of each, among all and then among the exposed.
    """

    title = "lift"
    notes: ClassVar[tuple[str, ...]] = (
        message(
            "'all' compares everybody who was assigned, exposed or not (intent to treat). "
            "Intervals of rates and of what is computed from them cover the noise and the chance "
            "in who converts; those of people and conversions the noise alone."
        ),
        message(
            "An arm's people are those who consent and have the one identifier type that was asked "
            "for; only its holder knows what share of the arm they are. Somebody who converts and "
            "is not found by it lowers the rates of both arms alike."
        ),
    )

    arms: Arms
    people: tuple[tuple[str, Estimate], ...]
    responses: tuple[Response, ...]
    changes: tuple[Change, ...]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `arms_of`."""
        arms = arms_of(estimates.table.tabulator_labels)
        outcomes = outcomes_of(estimates.table.recipient_labels)
        found = [Comparison(estimates, arms, outcome) for outcome in outcomes]
        return cls(
            arms,
            tuple((group.name, estimates.offered(group.rows)) for group in arms.groups),
            tuple(one.response(group) for group in arms.groups for one in found),
            tuple(change for one in found for change in one.changes()),
        )

    @property
    def whole(self) -> Change:
        """The change in all conversions among all who were assigned."""
        return next(one for one in self.changes if one.among is None and one.segment is None)

    def rows(self) -> Iterator[Row]:
        """Yield every number: changes, what they cost, and the arms that they are between."""
        for metric in zip(*(one.numbers for one in self.changes), strict=True):
            for one, (name, unit, estimate) in zip(self.changes, metric, strict=True):
                if estimate is not None:
                    yield Row(name, unit, estimate, one.among, one.segment)
        for group, people in self.people:
            yield Row("people", "people", people, group)
        for metric in zip(*(one.numbers for one in self.responses), strict=True):
            for response, (name, unit, estimate) in zip(self.responses, metric, strict=True):
                if estimate is not None:
                    yield Row(name, unit, estimate, response.group, response.segment)

    @classmethod
    def priced(cls, labels: Sequence[str]) -> Sequence[str]:
        """Return no names: the treatment alone has a cost."""
        return ()

    def cost_rows(self, costs: Costs) -> Iterator[Row]:
        """Yield what the treatment's cost comes to; a kind of conversion alone has no cost."""
        if costs.total is None:
            return
        cost, whole = float(costs.total), self.whole
        name = "cost per incremental conversion"
        yield Row(name, "value", _cost_of_each(cost, whole.incremental))
        if whole.incremental_value is not None:
            back = whole.incremental_value
            returned = back if back.suppressed else _divided(back, cost)
            yield Row("incremental ROAS", "ratio", returned)

    def findings(self) -> Sequence[str]:
        """Return the verdict first, then which arm is which, and how to read the numbers."""
        found = [
            _verdict(self.whole),
            message("By the contract's order, {arms}.", arms=self.arms.said),
            *self.notes,
        ]
        if self.arms.exposed is not None:
            found.append(_ON_THE_TREATED)
        if self.whole.incremental_value is not None:
            found.append(_VALUES)
        return found


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Lift]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Lift]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Lift] | ShareableReport[Lift]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    arms_of(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Lift)
    return ShareableReport(estimates, Lift)


def _cost_of_each(cost: float, incremental: Estimate | None) -> Estimate:
    """Return the cost of one conversion; withheld unless there surely are any."""
    if incremental is None or incremental.suppressed or incremental.low <= 0:
        return withheld()
    value = cost / incremental.value
    error = value * incremental.standard_error / incremental.value
    return ranged(value, error, Limits(cost / incremental.high, cost / incremental.low))


def _divided(number: Estimate, by: float) -> Estimate:
    assert isinstance(number, Effect)
    return replace(
        number,
        value=number.value / by,
        standard_error=number.standard_error / by,
        half_width=number.half_width / by,
        limits=number.limits.scaled(1 / by),
    )


def _verdict(whole: Change) -> str:
    lift = whole.lift
    if lift.suppressed or whole.p_value is None:
        return message(
            "No conclusion: an arm has too few people, or too few conversions, to be compared. "
            "It needs more people or more ε."
        )
    if lift.noise_dominated:
        return message(
            "No conclusion: the interval of the lift includes 0, so the treatment may have changed "
            "nothing.{needed}",
            needed=_needed(whole.growth),
        )
    by, p = lift.shown("points"), _equal(whole.p_value.said("probability"))
    if lift.value > 0:
        return message("The treatment has raised the conversion rate, by {by}; p {p}.", by=by, p=p)
    return message("The treatment has lowered the conversion rate, by {by}; p {p}.", by=by, p=p)


def _equal(said: str) -> str:
    return said if said.startswith("<") else f"= {said}"


def _needed(growth: Growth | None) -> str:
    if growth is None:
        return ""
    people = _times(growth.people)
    if growth.epsilon is None:
        return message(
            " If the lift is as estimated, {people} the people would show it; more ε alone would "
            "not, since the chance in who converts is too large.",
            people=people,
        )
    return message(
        " If the lift is as estimated, {people} the people would show it, or {epsilon} the ε.",
        people=people,
        epsilon=_times(growth.epsilon),
    )


def _times(factor: float) -> str:
    if factor > _MOST_TIMES:
        return message("more than {factor} times", factor=f"{_MOST_TIMES:,}")
    return message("{factor} times", factor=f"{math.ceil(10 * factor) / 10:,.1f}")
