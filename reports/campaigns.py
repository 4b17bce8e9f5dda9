"""Reach by campaign from one table: labels are disjoint sets of campaigns, such as "C8+C13".

A person is in the one label that names every campaign that met it, so a campaign's reach is the
sum of the labels that name it, at a sensitivity of one label a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self, overload

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of
from reports.worth import Groups

BOTH: Final = " & "
"""Between two campaigns that both met somebody."""


@dataclass(frozen=True)
class CampaignReach:
    """One campaign, or any of them (`campaign` None), in one segment or all (`segment` None).

    Attributes:
        reach: people whom it met.
        share_reached: reach / audience.
        reach_share: the campaign's part of the reach of all together.
        exclusive: people whom no other campaign met.
        on_target: the segment's part of the campaign's reach.
    """

    campaign: str | None
    segment: str | None
    reach: Estimate
    share_reached: Estimate
    reach_share: Estimate | None
    exclusive: Estimate | None
    on_target: Estimate | None

    def rows(self) -> Iterator[Row]:
        """Yield the numbers."""
        where = self.campaign, self.segment
        yield Row("reach", "people", self.reach, *where)
        yield Row("share reached", "share", self.share_reached, *where)
        if self.reach_share is not None:
            yield Row("reach share", "share", self.reach_share, *where)
        if self.exclusive is not None:
            yield Row("reached by it alone", "people", self.exclusive, *where)
        if self.on_target is not None:
            yield Row("on-target share", "share", self.on_target, *where)


@dataclass(frozen=True)
class CampaignOverlap:
    """People whom two campaigns both met, in one segment or all (`segment` None)."""

    campaigns: tuple[str, str]
    segment: str | None
    reach: Estimate


@dataclass(frozen=True)
class ReachByCampaign(Numbers):
    """Reach of each campaign and of all together, by segment and in total."""

    title = "reach by campaign"
    notes = (
        message("Campaigns overlap: their reaches do not add up to the reach of all together."),
    )

    reaches: tuple[CampaignReach, ...]
    overlaps: tuple[CampaignOverlap, ...]

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return the labels that name each campaign, and all."""
        sets = campaign_sets(labels)
        return [*_Naming.of(sets).each.items(), (None, range(len(sets)))]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels unless labels are distinct sets of campaigns."""
        naming = _Naming.of(campaign_sets(estimates.table.tabulator_labels))
        segments: list[tuple[str | None, Indices]] = [
            (None, estimates.all_columns),
            *segments_of(estimates.table.recipient_labels),
        ]
        return cls(
            tuple(
                _measure(estimates, naming, campaign, segment, columns)
                for segment, columns in segments
                for campaign in (None, *naming.each)
            ),
            tuple(
                CampaignOverlap(both, segment, estimates.count(rows, columns))
                for segment, columns in segments
                for both, rows in naming.pairs.items()
            ),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number, all segments together first."""
        for reach in self.reaches:
            yield from reach.rows()
        for one in self.overlaps:
            label = BOTH.join(one.campaigns)
            yield Row("reached by both", "people", one.reach, label, one.segment)


@dataclass(frozen=True)
class _Naming:
    """The rows that name each campaign, each two together, and one alone; by name.

    Read off once: looking through every row for every two campaigns takes minutes for thousands.
    """

    each: Mapping[str, Indices]
    pairs: Mapping[tuple[str, str], Indices]
    alone: Mapping[str, Indices]

    @classmethod
    def of(cls, sets: Sequence[frozenset[str]]) -> Self:
        """Return the rows of distinct sets."""
        each: defaultdict[str, list[int]] = defaultdict(list)
        pairs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for row, held in enumerate(sets):
            for name in held:
                each[name].append(row)
            for one, other in combinations(sorted(held), 2):
                pairs[one, other].append(row)
        alone = {name: (row,) for row, held in enumerate(sets) if len(held) == 1 for name in held}
        return cls(dict(sorted(each.items())), dict(sorted(pairs.items())), alone)


def _measure(
    estimates: CellEstimates,
    naming: _Naming,
    campaign: str | None,
    segment: str | None,
    columns: Indices,
) -> CampaignReach:
    every = estimates.all_rows
    rows = every if campaign is None else naming.each[campaign]
    alone = naming.alone.get(campaign) if campaign else None
    several = len(naming.each) > 1
    return CampaignReach(
        campaign,
        segment,
        estimates.count(rows, columns),
        estimates.share(rows, columns),
        reach_share=estimates.part(rows, columns, every, columns) if campaign and several else None,
        exclusive=estimates.count(alone, columns) if several and alone else None,
        on_target=estimates.part(rows, columns, rows, estimates.all_columns) if segment else None,
    )


def campaign_sets(labels: Sequence[str]) -> list[frozenset[str]]:
    """Read labels such as "C8+C13"; UnsuitableLabels when a set is malformed or stands twice."""
    sets = []
    for label in labels:
        members = label.split("+")
        if "" in members or len(set(members)) != len(members):
            raise UnsuitableLabels(
                message(
                    "label {label} is no set of campaigns; join different names by a plus",
                    label=f"{label!r}",
                )
            )
        sets.append(frozenset(members))
    if len(set(sets)) != len(sets):
        raise UnsuitableLabels(
            message("two labels name the same set of campaigns; give it one label")
        )
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
