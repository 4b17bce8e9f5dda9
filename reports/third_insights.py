"""Insights of a third party: what the people are like whom the two others share, by its attributes.

The third's labels are combinations of attributes; people are those who are both the tabulator's and
the recipient's, by the tabulator's label where it has several. Each group is compared twice: with
the third's whole base, and with all of the recipient's audience that the third knows, matched or
not. A share is of those whom the third knows, since of the others nobody knows what they are like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self, overload

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.crosstab import blocks
from reports.errors import MalformedTable
from reports.estimate import Estimate, Unit, withheld
from reports.forms import Block
from reports.insights import ANY, Group, groups_of
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of

_WITHOUT_LABELS: Final = 2
"""So many blocks has a tabulator with one label: that label, which is all of them."""


@dataclass(frozen=True)
class Known:
    """The matched people of a label and a segment, or of all (None), and whom the third knows."""

    label: str | None
    segment: str | None
    matched: Estimate
    known: Estimate
    unknown: Estimate
    share_known: Estimate


@dataclass(frozen=True)
class Profile:
    """One group of the third's with one label and in one segment, or in all of them (None)."""

    group: str
    label: str | None
    segment: str | None
    matched: Estimate
    share: Estimate
    index: Estimate
    index_to_audience: Estimate

    @property
    def numbers(self) -> tuple[tuple[str, Unit, Estimate], ...]:
        """Every number with its name and unit."""
        return (
            ("matched with", "people", self.matched),
            ("share of matched", "share", self.share),
            ("index", "index", self.index),
            ("index to audience", "index", self.index_to_audience),
        )


@dataclass(frozen=True)
class ThirdInsights(Numbers):
    """The profile of the matched audience by a third party's attributes.

    Attributes:
        known: how many of each segment were matched, and known to the third.
        profiles: one for each group and segment, marginals of one attribute first.
        groups: one for each group, in the third's whole base.
    """

    title = "insights"
    by_attribute: ClassVar[bool] = False
    notes: ClassVar[tuple[str, ...]] = (
        message("Attributes are the third party's. Shares are of the matched whom it knows."),
        message(
            "An index of 100 means: as frequent among the matched as in the third party's whole "
            "base, and 'index to audience': as frequent as among all of the recipient's whom it "
            "knows."
        ),
        message("'{any}' adds an attribute up, suppressed cells included.", any=ANY),
    )

    known: tuple[Known, ...]
    profiles: tuple[Profile, ...]
    groups: tuple[Group, ...]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `groups_of`."""
        third = estimates.table.third
        if third is None:
            raise MalformedTable("this table has no third party")
        groups = groups_of(third.labels)
        segments: list[tuple[str | None, Indices]] = [
            *segments_of(estimates.table.recipient_labels),
            (None, estimates.all_columns),
        ]
        labels = blocks(estimates.table.tabulator_labels)
        among = [
            _Among(estimates, (label, segment), rows, columns)
            for label, rows in (labels if len(labels) > _WITHOUT_LABELS else labels[-1:])
            for segment, columns in segments
        ]
        base = _Base(estimates)
        return cls(
            tuple(one.known() for one in among),
            tuple(
                one.profile(group, tuple(layers), base) for group, layers in groups for one in among
            ),
            tuple(base.group(group, tuple(layers)) for group, layers in groups),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number: who is known, profiles, and the base."""
        for one in self.known:
            where = one.label, one.segment
            yield Row("matched", "people", one.matched, *where)
            yield Row("matched and known", "people", one.known, *where)
            yield Row("matched and not known", "people", one.unknown, *where)
            yield Row("share known", "share", one.share_known, *where)
        for profile in self.profiles:
            for metric, unit, estimate in profile.numbers:
                yield Row(
                    metric,
                    unit,
                    estimate,
                    profile.label,
                    profile.segment,
                    attribute=profile.group,
                )
        for group in self.groups:
            yield Row("base", "keys", group.offered, attribute=group.name)
            yield Row("share of base", "share", group.base_share, attribute=group.name)


@dataclass(frozen=True)
class _Base:
    """All of the third's people, whoever else has them."""

    estimates: CellEstimates

    def of(self, layers: Indices) -> Block:
        rows, columns, _ = self.estimates.table.shape
        return Block(range(rows + 1), range(columns + 1), tuple(layers))

    def group(self, name: str, layers: Indices) -> Group:
        whole = self.of(self.estimates.all_layers)
        offered = self.estimates.sum(self.of(layers))
        clear = self.estimates.sum(whole).clear
        share = self.estimates.ratio(self.of(layers), whole) if clear else withheld()
        return Group(name, offered, share)


@dataclass(frozen=True)
class _Among:
    """The matched people of some rows and columns, by the third's labels."""

    estimates: CellEstimates
    name: tuple[str | None, str | None]
    rows: Indices
    columns: Indices

    def _matched(self, layers: Indices) -> Block:
        return Block(tuple(self.rows), tuple(self.columns), tuple(layers))

    def _audience(self, layers: Indices) -> Block:
        rows = range(self.estimates.table.shape[0] + 1)
        return Block(rows, tuple(self.columns), tuple(layers))

    def _count(self, layers: Indices) -> Estimate:
        """Estimate the matched; those of one label of each party are a cell."""
        block = self._matched(layers)
        alone = len(self.rows) * len(layers) * len(self.columns) == 1
        return self.estimates.cell(block) if alone else self.estimates.sum(block)

    def known(self) -> Known:
        known = self.estimates.all_layers
        everybody = range(len(known) + 1)
        matched = self._count(everybody)
        share = withheld()
        if matched.clear and not self._count(known).suppressed:
            share = self.estimates.ratio(self._matched(known), self._matched(everybody))
        return Known(*self.name, matched, self._count(known), self._count(everybody[-1:]), share)

    def profile(self, group: str, layers: Indices, base: _Base) -> Profile:
        part, whole = self._matched(layers), self._matched(self.estimates.all_layers)
        count = self._count(layers)
        if count.suppressed or not self.estimates.sum(whole).clear:
            return Profile(group, *self.name, count, withheld(), withheld(), withheld())
        every = self.estimates.all_layers
        return Profile(
            group,
            *self.name,
            count,
            self.estimates.ratio(part, whole),
            self._index(part, whole, base.of(layers), base.of(every)),
            self._index(part, whole, self._audience(layers), self._audience(every)),
        )

    def _index(self, part: Block, whole: Block, of: Block, of_all: Block) -> Estimate:
        if not (self.estimates.sum(of).clear and self.estimates.sum(of_all).clear):
            return withheld()
        return self.estimates.ratio_of_ratios(part, whole, of, of_all)


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[ThirdInsights]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[ThirdInsights]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[ThirdInsights] | ShareableReport[ThirdInsights]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    if estimates.table.third is not None:
        groups_of(estimates.table.third.labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, ThirdInsights)
    return ShareableReport(estimates, ThirdInsights)
