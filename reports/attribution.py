"""Attribution: conversions and their value by campaign, under one model or all of them.

The tabulator's labels are journeys, the recipient's are value buckets, segments or both. Every
model is computed from the one released table, so another one costs nothing. Rules give each number
the exact law of its noise; the data-driven models, which are not linear in the counts, have their
error from a parametric bootstrap: the same numbers from tables with fresh noise, a fixed seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final, Self, overload

import numpy as np
import numpy.typing as npt

from languages import message
from psi.errors import JourneyError
from psi.journey import Journey, campaigns_of, read_journeys
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.credits import UNIT, Credits, Rule, credits_of
from reports.crosstab import blocks
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate, cell_count, exact_number, noisy_number
from reports.linear import Indices
from reports.people import CoalitionTable, Model
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.shapes import ratio_spread
from reports.sums import ValueTable
from reports.worth import cost_of_each, return_on

MODELS: Final = (*(rule.value for rule in Rule), *(model.value for model in Model))
"""Every model by its name, rules first."""
ALL_MODELS: Final = "all"
_OTHER_PATHS: Final = message("all other paths")

_Segment = tuple[str | None, tuple[int, ...]]


@dataclass(frozen=True)
class Credited:
    """What one model gives one campaign in one segment, or in all of them (None)."""

    model: str
    campaign: str
    segment: str | None
    conversions: Estimate
    value: Estimate | None


@dataclass(frozen=True)
class Attribution(Numbers):
    """Conversions by campaign and model, unattributed ones, and the paths that led to them.

    Attributes:
        attributed: conversions that a journey led to, by segment, and their value.
        unattributed: conversions of people without a touch; only the recipient can tell.
        credited: by model, campaign and segment; data-driven models have no segments.
        paths: conversions by path, the most frequent first, and all others together.
        campaigns: every campaign of the list, credited or one of several in a data-driven model.
    """

    models: ClassVar[tuple[str, ...]] = MODELS
    title = "attribution"
    notes = (
        message(
            "Models are defined on journeys as they are listed in the contract: runs of one "
            "campaign count as one touch, and '…' has cut off whatever was between. A touch in a "
            "conversion's own slot counts as before it. Decay gives the conversion to one "
            "campaign, drawn with its time-decay credit of 7 days' half-life: right on average."
        ),
        message(
            "Conversions are those of people whom both parties have. A person's coalition, for "
            "shapley and markov, is taken at the window's end, a conversion's at the conversion."
        ),
        message(
            "How many conversions no touch led to stands in the recipient's own reading alone."
        ),
    )

    cost_notes = (
        message(
            "Costs are as they were given. Cost per acquisition is a campaign's cost over the "
            "conversions that a model gives it, ROAS their value over the cost. Neither is what "
            "the campaign has caused."
        ),
    )

    attributed: tuple[tuple[str | None, Estimate, Estimate | None], ...]
    unattributed: tuple[tuple[str | None, Estimate], ...]
    credited: tuple[Credited, ...]
    paths: tuple[tuple[str, Estimate], ...]
    campaigns: tuple[str, ...]

    @classmethod
    def priced(cls, labels: Sequence[str]) -> Sequence[str]:
        """Return the campaigns."""
        return campaigns_of(require_journeys(labels))

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers under the chosen models; UnsuitableLabels as `require_journeys`."""
        measured = _Measured(estimates)
        rules = [rule for rule in Rule if rule in cls.models]
        driven = [model for model in Model if model in cls.models]
        credited = [one for rule in rules for one in measured.by_rule(rule)]
        credited += [one for model in driven for one in measured.by_model(model)]
        return cls(
            tuple(measured.attributed(segment) for segment in measured.segments),
            tuple(measured.unattributed(segment) for segment in measured.segments),
            tuple(credited),
            tuple(measured.paths()),
            measured.campaigns,
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number: totals, then a model after the other, then paths."""
        for segment, conversions, value in self.attributed:
            yield Row("conversions", "conversions", conversions, segment=segment)
            if value is not None:
                yield Row("value", "value", value, segment=segment)
        for segment, conversions in self.unattributed:
            if conversions.suppressed:  # the recipient alone knows how many it sent
                continue
            yield Row("unattributed conversions", "conversions", conversions, segment=segment)
        for one in self.credited:
            metric = f"conversions, {one.model}"
            yield Row(metric, "conversions", one.conversions, one.campaign, one.segment)
        for one in self.credited:
            if one.value is not None:
                yield Row(f"value, {one.model}", "value", one.value, one.campaign, one.segment)
        for path, conversions in self.paths:
            yield Row("path", "conversions", conversions, path)

    def cost_rows(self, costs: Costs) -> Iterator[Row]:
        """Yield cost and return of everything that was attributed, and by campaign and model.

        Of campaigns whose cost is known, in all segments together.
        """
        total = costs.total_of(self.campaigns)
        for name in (*self.campaigns, None):
            cost = total if name is None else costs.by_label.get(name)
            if cost is not None:
                yield Row("cost", "value", exact_number(float(cost)), name)
        if total is not None:
            _, conversions, value = self.attributed[-1]
            yield from _returns("", total, conversions, value, None)
        for one in self.credited:
            cost = costs.by_label.get(one.campaign)
            if cost is not None and one.segment is None:
                under = f", {one.model}"
                yield from _returns(under, cost, one.conversions, one.value, one.campaign)


def _returns(
    under: str, cost: Decimal, conversions: Estimate, value: Estimate | None, name: str | None
) -> Iterator[Row]:
    yield Row(f"cost per acquisition{under}", "cost", cost_of_each(cost, conversions), name)
    if value is not None:
        yield Row(f"ROAS{under}", "ratio", return_on(cost, value), name)


class _Measured:
    """One table's journeys, and what is computed from them more than once."""

    def __init__(self, estimates: CellEstimates) -> None:
        self.estimates = estimates
        self.journeys = require_journeys(estimates.table.tabulator_labels)
        self.campaigns = campaigns_of(self.journeys)
        self.values = ValueTable.find(estimates)

    @cached_property
    def coalitions(self) -> CoalitionTable | None:
        """The table beside the people who were released; None where there are none."""
        return CoalitionTable.find(self.estimates, self.journeys, self.campaigns)

    @cached_property
    def segments(self) -> tuple[_Segment, ...]:
        """Each segment with its columns, and all of them (None) last."""
        if self.values is None:
            found = blocks(self.estimates.table.recipient_labels)
            every = tuple((name, tuple(columns)) for name, columns in found)
            return every if len(every) > 2 else every[-1:]  # one label is all there is
        named = self.values.values.blocks
        return tuple((name, tuple(c for own in columns for c in own)) for name, columns in named)

    def attributed(self, segment: _Segment) -> tuple[str | None, Estimate, Estimate | None]:
        """Return a segment's conversions that met a journey, and their value."""
        name, columns = segment
        rows = self.estimates.all_rows
        return name, self.estimates.count(rows, columns), self._value(name)

    def unattributed(self, segment: _Segment) -> tuple[str | None, Estimate]:
        """Return a segment's conversions that met none: those that were sent, without the others.

        The recipient knows how many it sent; whoever else reads the table cannot know.
        """
        name, columns = segment
        sent = self.estimates.audience(columns)
        if sent.suppressed:
            return name, sent
        met = self.estimates.count(self.estimates.all_rows, columns)
        spread = ratio_spread(self.estimates.noise(1, len(self.estimates.all_rows) * len(columns)))
        return name, noisy_number(sent.value - met.value, spread)

    def by_rule(self, rule: Rule) -> Iterator[Credited]:
        """Yield what a rule gives each campaign in each segment."""
        credit = credits_of(rule, self.journeys, self.campaigns)
        for number, campaign in enumerate(self.campaigns):
            for name, columns in self.segments:
                conversions = self._conversions(credit[number], columns)
                yield Credited(rule, campaign, name, conversions, self._value(name, credit[number]))

    def by_model(self, model: Model) -> Iterator[Credited]:
        """Yield what a data-driven model gives each campaign; nothing without people to compare."""
        if self.coalitions is None:
            return
        for campaign, conversions, value in self.coalitions.credited(model, self._value(None)):
            yield Credited(model, campaign, None, conversions, value)

    def paths(self) -> Iterator[tuple[str, Estimate]]:
        """Yield the conversions of each path that may be shown, then of all others."""
        rows: dict[str, list[int]] = {}
        for row, journey in enumerate(self.journeys):
            rows.setdefault(journey.path, []).append(row)
        columns = self.estimates.all_columns
        min_cell = self.estimates.table.parameters.min_cell
        found: list[tuple[str, Estimate]] = []
        others: list[int] = []
        hidden: list[Estimate] = []
        for path, own in rows.items():
            value = int(self.estimates.values[np.ix_(own, columns)].sum())
            error = ratio_spread(self.estimates.noise(1, len(own) * len(columns)))
            conversions = cell_count(value, error, min_cell)
            if conversions.suppressed:
                others += own
                hidden.append(conversions)
            else:
                found.append((path, conversions))
        yield from sorted(found, key=lambda one: -one[1].value)
        if len(hidden) == 1:  # one path alone is no sum of several
            yield _OTHER_PATHS, hidden[0]
        elif others:
            yield _OTHER_PATHS, self.estimates.count(others, columns)

    def _conversions(self, credit: npt.NDArray[np.int64], columns: Indices) -> Estimate:
        """Return Σ credit × count; a number that is one cell's is suppressed as the cell is."""
        rows = np.flatnonzero(credit)
        if len(rows) * len(columns) == 1 and credit[rows[0]] == UNIT:
            return self.estimates.count((int(rows[0]),), columns)
        counts = self.estimates.values[:, list(columns)].sum(axis=1)
        terms = [
            term
            for size, same in Counter(credit[rows].tolist()).items()
            for term in self.estimates.noise(size / UNIT, same * len(columns))
        ]
        return noisy_number(int(credit @ counts) / UNIT, ratio_spread(terms))

    def _value(self, segment: str | None, credit: Credits | None = None) -> Estimate | None:
        """Return Σ credit × bound × count, where the recipient's labels are value buckets."""
        if self.values is None:
            return None
        rows = self.estimates.all_rows
        shares = None if credit is None else [part / UNIT for part in credit.tolist()]
        return self.values.block(rows, segment, shares).total()


def require_journeys(labels: Sequence[str]) -> tuple[Journey, ...]:
    """Return the labels as journeys; UnsuitableLabels unless they are a list of them."""
    try:
        return read_journeys(labels)
    except JourneyError as error:
        raise UnsuitableLabels(
            message(
                "attribution is counted by journeys: {error}",
                error=error,
            )
        ) from None


@overload
def build(
    estimates: PrivateEstimates, models: Sequence[str] = MODELS
) -> PrivateReport[Attribution]: ...
@overload
def build(
    estimates: ShareableEstimates, models: Sequence[str] = MODELS
) -> ShareableReport[Attribution]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates, models: Sequence[str] = MODELS
) -> PrivateReport[Attribution] | ShareableReport[Attribution]:
    """Build the report under some models, of the kind that its estimates are."""
    require_journeys(estimates.table.tabulator_labels)
    under = type(Attribution.__name__, (Attribution,), {"models": tuple(models)})
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, under)
    return ShareableReport(estimates, under)
