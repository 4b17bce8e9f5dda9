"""Rules on invalid traffic: which rows of events were no real ones.

Each rule looks at one row, or at the rows of one person. None counts over several people: then one
person's events would decide whether another's stay, and the noise, which covers what one person
changes, would not cover that (docs/datasets.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

import numpy as np

from party.datasets.coded import CodedColumn
from party.datasets.events import Events, Flags, Numbers
from party.datasets.joined import columns_json
from party.datasets.times import microseconds_of
from psi import arrow

SECOND: Final = 1_000_000
_TEXTS_AT_ONCE: Final = 256


@dataclass(frozen=True)
class Repeats:
    """A row that follows one of the same person and texts in `alike` by at most `seconds`.

    It is the row directly before that counts, whether that one stays or not: a burst is one event.
    Of rows at the same time the first of the source stays.
    """

    name: str
    alike: tuple[str, ...]
    seconds: int
    of_person: ClassVar[bool] = True
    times: ClassVar[bool] = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell events apart."""
        return self.alike

    def leaving(self, events: Events) -> Flags:
        """Return which rows leave."""
        rows, group, time = events.sequences(self.alike)
        follows = (group[1:] == group[:-1]) & (time[1:] - time[:-1] <= self.seconds * SECOND)
        return _flagged(events, rows[1:][follows])

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        return {
            "name": self.name,
            "repeats_of": columns_json(self.alike),
            "within_seconds": self.seconds,
        }


@dataclass(frozen=True)
class Rate:
    """All rows of more than `most` of one person, and the same texts in `per`, in `seconds`.

    The first and the last of them are at most `seconds` apart.
    """

    name: str
    most: int
    seconds: int
    per: tuple[str, ...]
    of_person: ClassVar[bool] = True
    times: ClassVar[bool] = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of which each text is counted apart."""
        return self.per

    def leaving(self, events: Events) -> Flags:
        """Return which rows leave."""
        rows, group, time = events.sequences(self.per)
        first = np.arange(max(0, len(rows) - self.most))
        last = first + self.most
        dense = (group[last] == group[first]) & (time[last] - time[first] <= self.seconds * SECOND)
        change = np.zeros(len(rows) + 1, dtype=np.int64)
        change[first[dense]] += 1
        change[last[dense] + 1] -= 1
        return _flagged(events, rows[np.cumsum(change[:-1]) > 0])

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        entry: dict[str, object] = {
            "name": self.name,
            "more_than": self.most,
            "within_seconds": self.seconds,
        }
        return entry | ({"per": columns_json(self.per)} if self.per else {})


@dataclass(frozen=True)
class Declared:
    """A row whose text in `column` says what it is: one of `texts`, or one that has one in it.

    Parts are looked for in any letter case. `file`, where it is given, holds the texts instead,
    one a line.
    """

    name: str
    column: str
    parts: bool
    texts: tuple[str, ...]
    file: str | None
    of_person: ClassVar[bool] = False
    times: ClassVar[bool] = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that says it."""
        return (self.column,)

    def leaving(self, events: Events) -> Flags:
        """Return which rows leave."""
        column = events.columns[self.column]
        texts = self.texts if self.file is None else events.lists[self.file]
        if self.parts:
            found = _contains(column, texts)
        else:
            found = column.positions_of_texts(tuple(texts)) >= 0
        return np.append(found, False)[column.codes]

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        key = "contains" if self.parts else "values"
        listed = {key: list(self.texts)} if self.file is None else {f"{key}_in": self.file}
        return {"name": self.name, "column": self.column, **listed}


@dataclass(frozen=True)
class Flight:
    """From `start` on, before `stop`, as written; None is no bound. `value` is whose it is."""

    value: str | None
    start: str | None
    stop: str | None

    def bounds(self) -> tuple[int, int]:
        """Return both ends in microseconds since 1970."""
        widest = np.iinfo(np.int64)
        start = widest.min if self.start is None else microseconds_of(self.start)
        return start, widest.max if self.stop is None else microseconds_of(self.stop)

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        written = {"value": self.value, "from": self.start, "before": self.stop}
        return {key: text for key, text in written.items() if text is not None}


@dataclass(frozen=True)
class OutsideFlight:
    """A row at a time outside of the flights of its text in `column`; without one, of all rows'.

    A text may have several flights. Rows whose text has none are not looked at.
    """

    name: str
    column: str | None
    flights: tuple[Flight, ...]
    of_person: ClassVar[bool] = False
    times: ClassVar[bool] = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that says whose flight counts."""
        return () if self.column is None else (self.column,)

    def leaving(self, events: Events) -> Flags:
        """Return which rows leave."""
        rows, times = events.timed()
        has_flight = np.zeros(len(rows), dtype=np.bool_)
        inside = np.zeros(len(rows), dtype=np.bool_)
        for flights in self._rounds():
            of_row, start, stop = self._flights_of(events, rows, flights)
            has_flight |= of_row >= 0
            inside |= (of_row >= 0) & (start[of_row] <= times) & (times < stop[of_row])
        return _flagged(events, rows[has_flight & ~inside])

    def _rounds(self) -> list[list[Flight]]:
        """Return the flights in rounds, in each of which a text has one at most."""
        rounds: list[list[Flight]] = []
        seen: dict[str | None, int] = {}
        for flight in self.flights:
            at = seen.get(flight.value, 0)
            seen[flight.value] = at + 1
            if at == len(rounds):
                rounds.append([])
            rounds[at].append(flight)
        return rounds

    def _flights_of(
        self, events: Events, rows: Numbers, flights: Sequence[Flight]
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Return the flight of each row, -1 for none, and where each flight starts and stops."""
        ends = np.array([flight.bounds() for flight in flights], dtype=np.int64)
        if self.column is None:
            return np.zeros(len(rows), dtype=np.int64), ends[:, 0], ends[:, 1]
        column = events.columns[self.column]
        of_text = column.positions_of_texts(tuple(str(flight.value) for flight in flights))
        return np.append(of_text, -1)[column.codes[rows]], ends[:, 0], ends[:, 1]

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        if self.column is None:
            return {"name": self.name, **self.flights[0].to_json()}
        flights = [flight.to_json() for flight in self.flights]
        return {"name": self.name, "column": self.column, "flights": flights}


Rule: TypeAlias = Repeats | Rate | Declared | OutsideFlight
"""It reads `columns`, and that of times where `times` says so; `of_person` compares rows."""


def _flagged(events: Events, rows: Numbers) -> Flags:
    flags = np.zeros(len(events.person), dtype=np.bool_)
    flags[rows] = True
    return flags


def _contains(column: CodedColumn, parts: Sequence[str]) -> Flags:
    """Say of each distinct text whether one of `parts` is in it, in any letter case."""
    import pyarrow.compute as pc

    found = np.zeros(len(column.texts), dtype=np.bool_)
    for start in range(0, len(parts), _TEXTS_AT_ONCE):
        pattern = "|".join(map(re.escape, parts[start : start + _TEXTS_AT_ONCE]))
        matches = pc.match_substring_regex(column.texts, pattern, ignore_case=True)
        found |= arrow.positions(matches.cast("int64"), missing=0).astype(np.bool_)
    return found
