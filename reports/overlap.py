"""Overlap: how many people the two parties share, by the recipient's segments.

The tabulator has one label as a rule; if it has several, they are added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, overload

from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.estimate import Estimate
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of
from reports.worth import Groups


@dataclass(frozen=True)
class SegmentOverlap:
    """One segment of the recipient, or all of them (`segment` None)."""

    segment: str | None
    matched: Estimate
    audience: Estimate
    match_rate: Estimate

    @classmethod
    def measure(cls, estimates: CellEstimates, segment: str | None, columns: Indices) -> Self:
        """Compute the numbers of some columns together."""
        rows = estimates.all_rows
        return cls(
            segment,
            estimates.count(rows, columns),
            estimates.audience(columns),
            estimates.share(rows, columns),
        )

    def rows(self) -> Iterator[Row]:
        """Yield the numbers."""
        yield Row("matched", "people", self.matched, segment=self.segment)
        yield Row("audience", "people", self.audience, segment=self.segment)
        yield Row("match rate", "share", self.match_rate, segment=self.segment)


@dataclass(frozen=True)
class Overlap(Numbers):
    """Matched people and match rate, by segment and in total.

    Attributes:
        segments: one for each of the recipient's.
        total: all segments, suppressed cells included.
        offered: the keys that the tabulator offered.
    """

    title = "overlap"

    segments: tuple[SegmentOverlap, ...]
    total: SegmentOverlap
    offered: Estimate

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return everything together."""
        return ((None, range(len(labels))),)

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers from estimates of either kind."""
        return cls(
            tuple(
                SegmentOverlap.measure(estimates, name, columns)
                for name, columns in segments_of(estimates.table.recipient_labels)
            ),
            SegmentOverlap.measure(estimates, None, estimates.all_columns),
            estimates.offered(estimates.all_rows),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number, segments first."""
        for segment in (*self.segments, self.total):
            yield from segment.rows()
        yield Row("offered", "keys", self.offered)


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Overlap]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Overlap]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Overlap] | ShareableReport[Overlap]:
    """Build the report, of the kind that its estimates are."""
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Overlap)
    return ShareableReport(estimates, Overlap)
