"""Reach and frequency: how many of the recipient's people a campaign met, and how often.

The tabulator's labels are frequency buckets 1, 2, …, F−1 and "F+", each person in one; the
recipient's are segments. Values are unbiased sums of the table. Beside them stands the fitted
value, by which k+ reach does not grow with k and parts add up to totals; a number that the fit
moves further than noise explains is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, overload

import numpy as np

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.crosstab import blocks
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.fit import Floats, fit_table
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of
from reports.worth import Groups

_INCONSISTENT_ERRORS = 7
"""A fit that moves a number by more standard errors than these is not explained by noise."""


@dataclass(frozen=True)
class FittedEstimate:
    """An estimate and what it becomes when all of a report's numbers are made consistent."""

    estimate: Estimate
    fitted: float

    @property
    def inconsistent(self) -> bool:
        """Whether the fit moved the number further than noise explains."""
        moved = abs(self.fitted - self.estimate.value)
        return moved > _INCONSISTENT_ERRORS * self.estimate.standard_error + 1e-6


@dataclass(frozen=True)
class SegmentReach:
    """One segment of the recipient, or all of them (`segment` None).

    Attributes:
        reach: people met at least once.
        at_least: people met k times or more, k = 1…F.
        exactly: people met k times, k = 1…F−1, and F times or more.
        average_frequency: times a person met was met; at least, since F+ counts as F.
        impressions: times people were met in all; at least, for the same reason.
        audience: the recipient's records.
        share_reached: reach / audience.
        on_target: the segment's share of all who were reached.
    """

    segment: str | None
    reach: Estimate
    at_least: tuple[FittedEstimate, ...]
    exactly: tuple[FittedEstimate, ...]
    average_frequency: Estimate
    impressions: Estimate
    audience: Estimate
    share_reached: Estimate
    on_target: Estimate | None

    def rows(self) -> Iterator[Row]:
        """Yield the numbers."""
        top = len(self.exactly)
        yield Row("reach", "people", self.reach, segment=self.segment)
        for times, number in enumerate(self.at_least, 1):
            yield _fitted_row("reach at least", f"{times}+", self.segment, number)
        for times, number in enumerate(self.exactly, 1):
            label = f"{times}+" if times == top else str(times)
            yield _fitted_row("reach exactly", label, self.segment, number)
        yield Row("average frequency", "times", self.average_frequency, segment=self.segment)
        yield Row("impressions", "impressions", self.impressions, segment=self.segment)
        yield Row("audience", "people", self.audience, segment=self.segment)
        yield Row("share reached", "share", self.share_reached, segment=self.segment)
        if self.on_target is not None:
            yield Row("on-target share", "share", self.on_target, segment=self.segment)


@dataclass(frozen=True)
class Reach(Numbers):
    """Reach and frequency by segment and in total."""

    title = "reach"
    notes = (
        message(
            "The last frequency bucket counts as its lower bound, so average frequency and "
            "impressions are at least what is stated."
        ),
        message("Fitted values do not grow with frequency and add up; values are unbiased."),
    )

    segments: tuple[SegmentReach, ...]
    total: SegmentReach

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return each frequency, and all."""
        return blocks(tuple(labels))

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels unless labels are 1, 2, …, F+ in any order."""
        order = rows_by_frequency(estimates.table.tabulator_labels)
        fitted = fit_table(estimates.values)
        columns = estimates.all_columns
        return cls(
            tuple(
                _measure_segment(estimates, order, fitted, name, own)
                for name, own in segments_of(estimates.table.recipient_labels)
            ),
            _measure_segment(estimates, order, fitted, None, columns),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number, segments first."""
        for segment in (*self.segments, self.total):
            yield from segment.rows()


def rows_by_frequency(labels: tuple[str, ...]) -> list[int]:
    """Return the rows in order of frequency; UnsuitableLabels unless they are 1, 2, …, F+."""
    top = len(labels)
    expected = [*(str(times) for times in range(1, top)), f"{top}+"]
    if sorted(labels) != sorted(expected):
        raise UnsuitableLabels(
            f"reach needs frequency labels without gaps, 1, 2, … and the last with a plus "
            f"(here: {', '.join(expected[-3:])}); choose such labels, or ask for reach by campaign"
        )
    return [labels.index(label) for label in expected]


def _measure_segment(
    estimates: CellEstimates,
    order: list[int],
    fitted: Floats,
    segment: str | None,
    columns: Indices,
) -> SegmentReach:
    times = [order.index(row) + 1 for row in estimates.all_rows]

    def count(rows: Indices) -> FittedEstimate:
        block = fitted[np.ix_(rows, columns)]
        return FittedEstimate(estimates.count(rows, columns), float(block.sum()))

    return SegmentReach(
        segment,
        reach=estimates.count(order, columns),
        at_least=tuple(count(order[start:]) for start in range(len(order))),
        exactly=tuple(count((row,)) for row in order),
        average_frequency=estimates.mean(times, columns),
        impressions=estimates.weighted(times, columns),
        audience=estimates.audience(columns),
        share_reached=estimates.share(order, columns),
        on_target=None
        if segment is None
        else estimates.part(order, columns, order, estimates.all_columns),
    )


def _fitted_row(metric: str, label: str, segment: str | None, number: FittedEstimate) -> Row:
    return Row(
        metric, "people", number.estimate, label, segment, number.fitted, number.inconsistent
    )


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Reach]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Reach]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Reach] | ShareableReport[Reach]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    rows_by_frequency(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Reach)
    return ShareableReport(estimates, Reach)
