"""Delay: how long after the last touch people converted, by campaign.

The tabulator's labels are the last campaign × a class of age, the recipient's are segments. Beside
the conversions of each class stands the share of the campaign's that came by its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self, overload

from languages import message
from psi.ages import Ages, read_ages
from psi.errors import JourneyError
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.crosstab import blocks
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport

ALL_CAMPAIGNS: Final = message("all campaigns")


@dataclass(frozen=True)
class Class:
    """Conversions of one campaign, or of all, in one class of age.

    `share` is the part of the campaign's conversions that came in this class or a younger one; None
    for the last class, where all have come.
    """

    label: str
    segment: str | None
    conversions: Estimate
    share: Estimate | None


@dataclass(frozen=True)
class Delay(Numbers):
    """Time from the last touch to the conversion.

    Attributes:
        totals: conversions by campaign and segment.
        classes: by campaign, age and segment.
    """

    title = "delay"
    notes = (
        message(
            "A class is named by its youngest age in hours and ends where the next begins; the "
            "last ends with the lookback. Ages are counted in whole slots from the last touch."
        ),
    )

    totals: tuple[tuple[str, str | None, Estimate], ...]
    classes: tuple[Class, ...]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `require_ages`."""
        ages = require_ages(estimates.table.tabulator_labels)
        each, steps = len(ages.hours), range(len(ages.hours))
        every = range(len(ages.campaigns))
        groups = [(name, [number]) for number, name in enumerate(ages.campaigns)]
        groups.append((ALL_CAMPAIGNS, list(every)))
        segments = blocks(estimates.table.recipient_labels)
        if len(segments) == 2:  # one label is all there is
            segments = segments[-1:]
        totals: list[tuple[str, str | None, Estimate]] = []
        classes: list[Class] = []
        for name, numbers in groups:
            rows = [[number * each + step for number in numbers] for step in steps]
            whole = [row for step in rows for row in step]
            for segment, columns in segments:
                totals.append((name, segment, estimates.count(whole, columns)))
                for step, hours in enumerate(ages.hours):
                    younger = [row for own in rows[: step + 1] for row in own]
                    share = (
                        estimates.part(younger, columns, whole, columns)
                        if step + 1 < each
                        else None
                    )
                    conversions = estimates.count(rows[step], columns)
                    label = message("{campaign} × {hours} h", campaign=name, hours=hours)
                    classes.append(Class(label, segment, conversions, share))
        return cls(tuple(totals), tuple(classes))

    def rows(self) -> Iterator[Row]:
        """Yield every number: totals, classes, then shares."""
        for name, segment, total in self.totals:
            yield Row("conversions", "conversions", total, name, segment)
        for one in self.classes:
            yield Row("conversions by age", "conversions", one.conversions, one.label, one.segment)
        for one in self.classes:
            if one.share is not None:
                yield Row("share by then", "share", one.share, one.label, one.segment)


def require_ages(labels: Sequence[str]) -> Ages:
    """Return the labels as ages; UnsuitableLabels unless they are a list of them."""
    try:
        return read_ages(labels)
    except JourneyError as error:
        raise UnsuitableLabels(f"delay is counted by ages: {error}") from None


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Delay]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Delay]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Delay] | ShareableReport[Delay]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    require_ages(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Delay)
    return ShareableReport(estimates, Delay)
