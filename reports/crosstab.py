"""Table: any label of the tabulator against any label of the recipient, with its margins.

For the question that has no report of its own. Every cell is shown or suppressed as in any other
report; margins are sums of all cells, suppressed ones included.
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
from reports.worth import Groups


@dataclass(frozen=True)
class Cell:
    """People with a label of each side; None stands for all labels of a side."""

    label: str | None
    segment: str | None
    matched: Estimate


@dataclass(frozen=True)
class Table(Numbers):
    """Matched people by both labels, and the sets that they come from.

    Attributes:
        cells: every cell, row by row, each row with its sum, and the row of sums last.
        audience: the recipient's records by its label, and all of them.
        offered: the tabulator's keys by its label, and all of them.
    """

    title = "table"

    cells: tuple[Cell, ...]
    audience: tuple[tuple[str | None, Estimate], ...]
    offered: tuple[tuple[str | None, Estimate], ...]

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return each label, and all."""
        return blocks(tuple(labels))

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers from estimates of either kind."""
        labels = blocks(estimates.table.tabulator_labels)
        segments = blocks(estimates.table.recipient_labels)
        return cls(
            tuple(
                Cell(label, segment, estimates.count(rows, columns))
                for label, rows in labels
                for segment, columns in segments
            ),
            tuple((segment, estimates.audience(columns)) for segment, columns in segments),
            tuple((label, estimates.offered(rows)) for label, rows in labels),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number: cells, then the sets."""
        for cell in self.cells:
            yield Row("matched", "people", cell.matched, cell.label, cell.segment)
        for segment, audience in self.audience:
            yield Row("audience", "people", audience, segment=segment)
        for label, offered in self.offered:
            yield Row("offered", "keys", offered, label)


def blocks(labels: tuple[str, ...]) -> list[tuple[str | None, Indices]]:
    """Return the indices of each label by its name, and of all of them together (None) last."""
    return [*((name, (at,)) for at, name in enumerate(labels)), (None, range(len(labels)))]


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[Table]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[Table]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[Table] | ShareableReport[Table]:
    """Build the report, of the kind that its estimates are."""
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, Table)
    return ShareableReport(estimates, Table)
