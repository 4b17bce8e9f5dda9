"""Insights: what the matched audience is like, by the tabulator's attributes.

The tabulator's labels are combinations of attributes such as "north × 18-29", the recipient's are
segments. For each combination and each marginal of it ("north × any"): how many of a segment were
matched there, their share of all who were matched, and an index against the tabulator's whole
base, where 100 means as frequent as there. The base is what the tabulator offered, by its set
sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Final, Self, overload

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of
from reports.table import JOINT
from reports.worth import Groups

ANY: Final = "any"
"""In a marginal, for an attribute that is added up."""
MOST_ATTRIBUTES: Final = 4
"""A combination of more has too many marginals to be read."""


@dataclass(frozen=True)
class Group:
    """A combination of attributes, or a marginal of them, in the whole base."""

    name: str
    offered: Estimate
    base_share: Estimate


@dataclass(frozen=True)
class Profile:
    """One group in one segment of the recipient, or in all of them (`segment` None)."""

    group: str
    segment: str | None
    matched: Estimate
    share: Estimate
    index: Estimate


@dataclass(frozen=True)
class Insights(Numbers):
    """The profile of the matched audience, by segment and in total, beside the whole base.

    Attributes:
        totals: all matched people by segment, and of all segments.
        profiles: one for each group and segment, marginals of one attribute first.
        groups: one for each group.
    """

    title = "insights"
    notes = (
        message(
            "An index of 100 means: as frequent among the matched as in the tabulator's whole "
            "base. The base is counted in keys; it is that of people where they have equally many."
        ),
        message("'{any}' adds an attribute up, suppressed cells included.", any=ANY),
    )

    totals: tuple[tuple[str | None, Estimate], ...]
    profiles: tuple[Profile, ...]
    groups: tuple[Group, ...]

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return every marginal and combination, and all."""
        return [*groups_of(labels), (None, range(len(labels)))]

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `groups_of`."""
        groups = groups_of(estimates.table.tabulator_labels)
        segments: list[tuple[str | None, Indices]] = [
            *segments_of(estimates.table.recipient_labels),
            (None, estimates.all_columns),
        ]
        return cls(
            tuple((name, estimates.count(estimates.all_rows, own)) for name, own in segments),
            tuple(
                Profile(
                    group,
                    segment,
                    estimates.count(rows, columns),
                    estimates.part(rows, columns, estimates.all_rows, columns),
                    estimates.index(rows, columns),
                )
                for group, rows in groups
                for segment, columns in segments
            ),
            tuple(
                Group(group, estimates.offered(rows), estimates.base_share(rows))
                for group, rows in groups
            ),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number: totals, profiles, and the base."""
        for segment, total in self.totals:
            yield Row("matched", "people", total, segment=segment)
        for one in self.profiles:
            yield Row("matched with", "people", one.matched, one.group, one.segment)
            yield Row("share of matched", "share", one.share, one.group, one.segment)
            yield Row("index", "index", one.index, one.group, one.segment)
        for group in self.groups:
            yield Row("base", "keys", group.offered, group.name)
            yield Row("share of base", "share", group.base_share, group.name)


def groups_of(labels: Sequence[str]) -> list[tuple[str, Indices]]:
    """Return all marginals and then all combinations, by name, with their rows.

    UnsuitableLabels unless the labels are all combinations of some attributes, each once.
    """
    parts = [tuple(label.split(JOINT)) for label in labels]
    _require_combinations(parts)
    everything = range(len(parts[0]))
    groups: dict[str, list[int]] = {}
    for size in range(1, len(parts[0]) + 1):
        for kept in combinations(everything, size):
            for row, part in enumerate(parts):
                name = JOINT.join(part[at] if at in kept else ANY for at in everything)
                groups.setdefault(name, []).append(row)
    return list(groups.items())


def _require_combinations(parts: Sequence[tuple[str, ...]]) -> None:
    if len({len(part) for part in parts}) != 1 or len(parts[0]) > MOST_ATTRIBUTES:
        raise UnsuitableLabels(
            message(
                "insights needs labels of the same 1 to {most_attributes} "
                "attributes, joined by '{joint}', as in 'north{joint}18-29'",
                most_attributes=MOST_ATTRIBUTES,
                joint=JOINT,
            )
        )
    for part in parts:
        if "" in part or ANY in part:
            raise UnsuitableLabels(
                message(
                    "label {part} has an attribute without a value, or called "
                    "'{any}', which names marginals; call it something else",
                    part=f"{JOINT.join(part)!r}",
                    any=ANY,
                )
            )
    values = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
    if len(set(parts)) != len(parts):
        raise UnsuitableLabels(
            message("a combination of attributes stands twice; give it one label")
        )
    if prod(map(len, values)) != len(parts):
        known = set(parts)
        missing = next(one for one in product(*values) if one not in known)
        raise UnsuitableLabels(
            message(
                "insights needs every combination of the attributes, or its "
                "marginals would leave people out; {missing} is missing",
                missing=f"{JOINT.join(missing)!r}",
            )
        )


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Insights]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Insights]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Insights] | ShareableReport[Insights]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    groups_of(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Insights)
    return ShareableReport(estimates, Insights)
