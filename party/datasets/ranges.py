"""A label by ranges of a numeric column, such as age bands.

The ranges are declared with their bounds, one after the other without a gap, so every number
from the first bound to the last has exactly one label. Crossed, overlapping and missing ranges
are refused when the description is read. Who has another number, or a text that is none, has no
label, and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from languages import message
from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES
from party.datasets.assignment import Assignment, Positions, agreed
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.rules import COLUMN
from party.document import Section, TextRule

_BOUND: Final = TextRule(
    message('a number in quotes, such as "18" or "0.5"'),
    re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII),
    most=40,
)


@dataclass(frozen=True)
class Range:
    """The numbers from `start` on that are below `stop`, as written; None is no bound."""

    name: str
    start: str | None
    stop: str | None

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        document: dict[str, object] = {"name": self.name}
        if self.start is not None:
            document["from"] = self.start
        if self.stop is not None:
            document["below"] = self.stop
        return document


@dataclass(frozen=True)
class RangeLabel:
    """The range that the number in `column` is in. Rows in different ranges give no label."""

    column: str
    ranges: tuple[Range, ...]

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The names of the ranges, from low to high."""
        return tuple(one.name for one in self.ranges)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (self.column,)

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that are read as numbers, which may be outside of all ranges."""
        return (self.column,)

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody)."""
        column = columns[self.column]
        of_text = np.append(self._ranges_of(column), NOTHING)
        found, conflicting = agreed(of_text[column.codes], person, people)
        outside = found == len(self.ranges)
        found[outside] = NOTHING
        return Assignment.of(found, conflicting, outside)

    def _ranges_of(self, column: CodedColumn) -> Positions:
        """Return the range of each distinct text; the number of ranges where it is in none."""
        numbers = column.numbers()
        starts = [_number(one.start, -np.inf) for one in self.ranges]
        found = np.searchsorted(starts, numbers, side="right").astype(np.int64) - 1
        end = _number(self.ranges[-1].stop, np.inf)
        above = numbers >= end if np.isfinite(end) else np.zeros(len(numbers), dtype=np.bool_)
        found[np.isnan(numbers) | (found < 0) | above] = len(self.ranges)
        return found

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"range_of": self.column, "ranges": [one.to_json() for one in self.ranges]}


def read_ranges(section: Section) -> RangeLabel:
    """Read a label by ranges; the section's fault where they do not follow each other."""
    column = section.text("range_of", COLUMN)
    entries = section.sections(
        "ranges", required=("name",), optional=("from", "below"), most=MOST_LABEL_VALUES
    )
    ranges: list[Range] = []
    for entry in entries:
        found = Range(
            entry.text("name", LABEL_VALUE),
            entry.optional_text("from", _BOUND),
            entry.optional_text("below", _BOUND),
        )
        _require_next(entry, found, ranges)
        ranges.append(found)
    last = ranges[-1]
    if len(ranges) == 1 and last.start is None and last.stop is None:
        raise section.fault("ranges", "one range without bounds tells nobody apart")
    return RangeLabel(column, tuple(ranges))


def _require_next(entry: Section, found: Range, before: list[Range]) -> None:
    if any(found.name == one.name for one in before):
        raise entry.fault("name", f"'{found.name}' stands twice; keep one")
    start, stop = _number(found.start, -np.inf), _number(found.stop, np.inf)
    if start >= stop:
        raise entry.fault("below", f"'{found.name}' ends before it begins; exchange its bounds")
    if not before:
        return
    end = before[-1].stop
    if end is None:
        raise entry.fault("from", f"'{before[-1].name}' before it has no end, so nothing follows")
    if found.start is None:
        raise entry.fault("from", f"is missing; '{before[-1].name}' before it ends at {end}")
    if start < float(end):
        raise entry.fault("from", f"'{found.name}' overlaps '{before[-1].name}', or is before it")
    if start > float(end):
        raise entry.fault(
            "from", f"nothing is declared from {end} to {found.start}; add a range, or join these"
        )


def _number(text: str | None, otherwise: float) -> float:
    return otherwise if text is None else float(text)
