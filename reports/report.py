"""A report: the numbers of one kind, computed from one set of estimates when it is made.

A report cannot be given numbers, only estimates, so a shareable report can hold nothing that
its shareable estimates do not say. It refuses estimates of the other kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar

from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.errors import NotShareable
from reports.rendering import PrivateRendering, Rendering, Row, ShareableRendering
from reports.table import ReleasedTable


class Numbers(ABC):
    """The numbers of one kind of report."""

    title: ClassVar[str]
    notes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers from estimates of either kind."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield every number, always in the same order."""


N = TypeVar("N", bound=Numbers)


@dataclass(frozen=True, eq=False)
class _Report(Rendering, Generic[N]):
    """What both kinds of report do alike."""

    estimates: CellEstimates
    of: type[N]

    @cached_property
    def numbers(self) -> N:
        """The numbers, as the report's own type."""
        return self.of.measure(self.estimates)

    def title(self) -> str:
        """Return the report's name."""
        return self.of.title

    def rows(self) -> Iterator[Row]:
        """Yield every number, always in the same order."""
        return self.numbers.rows()

    def notes(self) -> Sequence[str]:
        """Return what a reader has to know beside the numbers."""
        return self.of.notes

    def released(self) -> ReleasedTable:
        """Return the table that the numbers come from."""
        return self.estimates.table

    def evidence(self) -> dict[str, Any]:
        """Return that table as JSON values."""
        return {"table": self.released().to_dict()}


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
