"""Funnel: how people flow from the tabulator's stages to the recipient's, and where they stop.

The labels of either side are stages in the contract's order, the earliest first; a person is in
the furthest stage that it reached there. Only the recipient knows the order of its own stages, so
only it can compute this report; to the tabulator the same table is flows without an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self, overload

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.crosstab import Cell, blocks
from reports.errors import UnsuitableLabels
from reports.estimate import Estimate
from reports.linear import Indices
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of
from reports.worth import Groups

_LEAST_STAGES: Final = 2


@dataclass(frozen=True)
class Stage:
    """One stage of one side, among the matched people.

    Attributes:
        name: the stage.
        reached: people in this stage or a later one.
        step_conversion: the share of them who are in a later one; None for the last stage.
    """

    name: str
    reached: Estimate
    step_conversion: Estimate | None


@dataclass(frozen=True)
class Arrival:
    """Which share of a tabulator's stage is in a recipient's stage or a later one."""

    label: str
    segment: str
    share: Estimate


@dataclass(frozen=True)
class Funnel(Numbers):
    """Flow from stage to stage, with margins, and step conversion on either side."""

    title = "funnel"
    notes = (
        message(
            "'reached' and 'step conversion' count people in a stage or a later one, of all who "
            "were matched; a row's or a column's 'flow' counts those whose furthest stage it is."
        ),
    )

    flows: tuple[Cell, ...]
    arrivals: tuple[Arrival, ...]
    tabulator_stages: tuple[Stage, ...]
    recipient_stages: tuple[Stage, ...]

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return each of the tabulator's stages, and all."""
        return blocks(tuple(labels))

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `require_stages`."""
        ours = estimates.table.tabulator_labels
        theirs = segments_of(estimates.table.recipient_labels)
        require_stages(ours)
        rows, columns = estimates.all_rows, estimates.all_columns
        onwards = [_joined(theirs[at:]) for at in range(len(theirs))]
        return cls(
            tuple(
                Cell(label, segment, estimates.count(some, others))
                for label, some in blocks(ours)
                for segment, others in [*theirs, (None, columns)]
            ),
            tuple(
                Arrival(label, theirs[at][0], estimates.part((row,), later, (row,), columns))
                for row, label in enumerate(ours)
                for at, later in enumerate(onwards)
                if at
            ),
            tuple(
                Stage(
                    name,
                    estimates.count(rows[at:], columns),
                    estimates.part(rows[at + 1 :], columns, rows[at:], columns)
                    if at + 1 < len(ours)
                    else None,
                )
                for at, name in enumerate(ours)
            ),
            tuple(
                Stage(
                    name,
                    estimates.count(rows, reached),
                    estimates.part(rows, onwards[at + 1], rows, reached)
                    if at + 1 < len(theirs)
                    else None,
                )
                for at, ((name, _), reached) in enumerate(zip(theirs, onwards, strict=True))
            ),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number: flows, arrivals, and the stages of either side."""
        for flow in self.flows:
            yield Row("flow", "people", flow.matched, flow.label, flow.segment)
        for one in self.arrivals:
            yield Row("arrived there or later", "share", one.share, one.label, one.segment)
        for stage in self.tabulator_stages:
            yield Row("reached", "people", stage.reached, stage.name)
        for stage in self.recipient_stages:
            yield Row("reached", "people", stage.reached, segment=stage.name)
        for stage in self.tabulator_stages:
            if stage.step_conversion is not None:
                yield Row("step conversion", "share", stage.step_conversion, stage.name)
        for stage in self.recipient_stages:
            if stage.step_conversion is not None:
                yield Row("step conversion", "share", stage.step_conversion, segment=stage.name)


def _joined(stages: Sequence[tuple[str, Indices]]) -> list[int]:
    return [column for _, columns in stages for column in columns]


def require_stages(labels: Sequence[str]) -> None:
    """Raise UnsuitableLabels unless the tabulator's labels are two stages or more."""
    if len(labels) < _LEAST_STAGES:
        raise UnsuitableLabels(
            message(
                "a funnel needs two stages or more of the tabulator, the "
                "earliest first; choose such a label"
            )
        )


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Funnel]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Funnel]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Funnel] | ShareableReport[Funnel]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    require_stages(estimates.table.tabulator_labels)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Funnel)
    return ShareableReport(estimates, Funnel)
