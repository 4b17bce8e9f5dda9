"""Reach by campaign from one table: labels are disjoint sets of campaigns, such as "C8+C13".

A person is in the one label that names every campaign that met it, so a campaign's reach is the
sum of the labels that name it, at a sensitivity of one label a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, overload

from reports.cells import CellEstimates, Indices, PrivateEstimates, ShareableEstimates
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport


@dataclass(frozen=True)
class CampaignReach:
    """One campaign, or any of them (`campaign` None), in one segment or all (`segment` None)."""

    campaign: str | None
    segment: str | None
    reach: Estimate
    share_reached: Estimate

    def rows(self) -> Iterator[Row]:
        """Yield the numbers."""
        yield Row("reach", "people", self.reach, self.campaign, self.segment)
        yield Row("share reached", "share", self.share_reached, self.campaign, self.segment)


@dataclass(frozen=True)
class ReachByCampaign(Numbers):
    """Reach of each campaign and of all together, by segment and in total."""

    title = "reach by campaign"
    notes = ("Campaigns overlap: their reaches do not add up to the reach of all together.",)

    reaches: tuple[CampaignReach, ...]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels unless labels are distinct sets of campaigns."""
        sets = campaign_sets(estimates.table.tabulator_labels)
        names = sorted(frozenset[str]().union(*sets))
        blocks: list[tuple[str | None, Indices]] = [
            (None, estimates.all_rows),
            *((name, [row for row, held in enumerate(sets) if name in held]) for name in names),
        ]
        segments: list[tuple[str | None, Indices]] = [
            (None, estimates.all_columns),
            *((name, (column,)) for column, name in enumerate(estimates.table.recipient_labels)),
        ]
        return cls(
            tuple(
                CampaignReach(
                    campaign,
                    segment,
                    estimates.count(rows, columns),
                    estimates.share(rows, columns),
                )
                for segment, columns in segments
                for campaign, rows in blocks
            )
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number, all segments together first."""
        for reach in self.reaches:
            yield from reach.rows()


def campaign_sets(labels: Sequence[str]) -> list[frozenset[str]]:
    """Read labels such as "C8+C13"; UnsuitableLabels when a set is malformed or stands twice."""
    sets = []
    for label in labels:
        members = label.split("+")
        if "" in members or len(set(members)) != len(members):
            raise UnsuitableLabels(
                f"label {label!r} is no set of campaigns; join different names by a plus"
            )
        sets.append(frozenset(members))
    if len(set(sets)) != len(sets):
        raise UnsuitableLabels("two labels name the same set of campaigns; give it one label")
    return sets


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[ReachByCampaign]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[ReachByCampaign]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[ReachByCampaign] | ShareableReport[ReachByCampaign]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    campaign_sets(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, ReachByCampaign)
    return ShareableReport(estimates, ReachByCampaign)
