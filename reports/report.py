"""A report: the numbers of one kind, computed from one set of estimates when it is made.

A report cannot be given numbers, only estimates, so a shareable report can hold nothing that
its shareable estimates do not say. It refuses estimates of the other kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.errors import NotShareable
from reports.rendering import PrivateRendering, Rendering, Row, ShareableRendering
from reports.sums import ValueTable
from reports.table import ReleasedTable
from reports.worth import COST_NOTES, VALUE_NOTES, Groups, cost_rows, value_rows


class Numbers(ABC):
    """The numbers of one kind of report."""

    title: ClassVar[str]
    notes: ClassVar[tuple[str, ...]] = ()
    cost_notes: ClassVar[tuple[str, ...]] = ()
    """What a reader has to know of the costs that `cost_rows` computes."""
    by_attribute: ClassVar[bool] = True
    """Whether a third party's labels split it: False where the numbers are of these labels."""

    @classmethod
    def named_blocks(cls, labels: Sequence[str]) -> Groups:
        """Return the tabulator's labels whose value and cost the report says, with their rows.

        None is all of them together. A report that has none says nothing of value and cost.
        """
        return ()

    @classmethod
    def priced(cls, labels: Sequence[str]) -> Sequence[str] | None:
        """Return which names may have a cost beside that of everything; None where nothing may."""
        groups = cls.named_blocks(labels)
        return [label for label, _ in groups if label is not None] if groups else None

    @classmethod
    @abstractmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers from estimates of either kind."""

    def findings(self) -> Sequence[str]:
        """Return what a reader has to know, what these numbers say among it."""
        return self.notes

    def cost_rows(self, costs: Costs) -> Iterator[Row]:
        """Yield what costs come to in numbers of the report's own kind."""
        yield from ()

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield every number, always in the same order."""


N = TypeVar("N", bound=Numbers)


@dataclass(frozen=True, eq=False)
class _Report(Rendering, Generic[N]):
    """What both kinds of report do alike."""

    estimates: CellEstimates
    of: type[N]
    costs: Costs | None = None

    @cached_property
    def numbers(self) -> N:
        """The numbers, as the report's own type."""
        return self.of.measure(self.estimates)

    @cached_property
    def worth(self) -> tuple[Row, ...]:
        """What the people are worth, where the labels are value buckets, and what they cost."""
        groups = self.of.named_blocks(self.estimates.table.tabulator_labels)
        rows = [*value_rows(self.estimates, groups)]
        if self.costs is not None:
            rows += cost_rows(self.estimates, groups, self.costs)
            rows += self.numbers.cost_rows(self.costs)
        return tuple(rows)

    def title(self) -> str:
        """Return the report's name."""
        return self.of.title

    def rows(self) -> Iterator[Row]:
        """Yield every number, always in the same order: of everybody, then by attribute."""
        yield from self.numbers.rows()
        yield from self.worth
        for attribute, part in self.parts:
            for row in part.rows():
                yield replace(row, attribute=attribute)

    @cached_property
    def parts(self) -> tuple[tuple[str, Self], ...]:
        """The same report by the third party's label, and of those whom it does not have."""
        third, whole = self.estimates.table.third, self.estimates.layers is None
        if third is None or not whole or not self.of.by_attribute:
            return ()
        return tuple(
            (name, replace(self, estimates=self.estimates.of_third((at,)), costs=None))
            for at, name in enumerate((*third.labels, third.unknown))
        )

    def notes(self) -> Sequence[str]:
        """Return what a reader has to know beside the numbers."""
        groups = self.of.named_blocks(self.estimates.table.tabulator_labels)
        valued = groups and ValueTable.find(self.estimates)
        return (
            *self.numbers.findings(),
            *(VALUE_NOTES if valued else ()),
            *(COST_NOTES if groups and self.costs else ()),
            *(self.of.cost_notes if self.costs else ()),
            *self._of_third(),
        )

    def _of_third(self) -> Sequence[str]:
        third = self.estimates.table.third
        if third is None or not self.of.by_attribute:
            return ()
        return (
            message(
                "'{unknown}' are people whom {party} does not have. Numbers of everybody include "
                "them.",
                unknown=third.unknown,
                party=third.parties[-1],
            ),
        )

    def released(self) -> ReleasedTable:
        """Return the table that the numbers come from."""
        return self.estimates.table

    def evidence(self) -> dict[str, Any]:
        """Return that table as JSON values, and the costs that were given."""
        table = {"table": self.released().to_dict()}
        return table if self.costs is None else {**table, "costs": self.costs.to_dict()}


@dataclass(frozen=True, eq=False)
class PrivateReport(_Report[N], PrivateRendering):
    """A report for the recipient's own eyes."""

    estimates: PrivateEstimates


@dataclass(frozen=True, eq=False)
class ShareableReport(_Report[N], ShareableRendering):
    """A report that may be passed on; NotShareable unless its estimates may."""

    estimates: ShareableEstimates

    def __post_init__(self) -> None:
        if type(self.estimates) is not ShareableEstimates:
            raise NotShareable("a shareable report is built from shareable estimates only")
