"""A table of consent events, read for one purpose and recipient or for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.consent import GIVEN, REFUSED, SILENT, ConsentTable, Statements
from party.datasets.source import Source
from party.datasets.times import MICROSECONDS, UNREADABLE, microseconds
from party.errors import DatasetError

_STATES = ("not given", "given")
_NO_TIME = "is not a time; write ISO 8601 in UTC, such as 2026-01-31T00:00:00Z"


@dataclass(frozen=True)
class Said:
    """One event: what was said of a purpose and a recipient, at a time in microseconds.

    An empty purpose or recipient is any of the notice; `by` is who said it, where that is known.
    """

    at: int
    purpose: str
    recipient: str
    state: str
    by: str = ""


@dataclass(frozen=True, eq=False)
class ConsentEvents:
    """The events of a consent table, one a row, and the same keys in the source's rows.

    `lines` names the tables that were read (`Source.lines`).
    """

    source_keys: CodedColumn
    keys: CodedColumn
    purposes: CodedColumn
    recipients: CodedColumn
    gives: npt.NDArray[np.bool_]
    times: npt.NDArray[np.int64]
    lines: bytes

    @classmethod
    def read(cls, consent: ConsentTable, folder: Path, source_keys: CodedColumn) -> ConsentEvents:
        """Read the table; raise `DatasetError` where an event lacks its key or a readable time."""
        names = _columns(consent)
        with open_events(consent, folder) as source:
            states, lines = source.states(), source.lines()
            table = source.read(names)
            source.require_unchanged(states)
            coded = {name: CodedColumn.of(column) for name, column in table.items()}
            keys, times = coded[consent.key], microseconds(coded[consent.time])
            _require(keys.codes != NOTHING, source, consent.key, "is empty; name whose event it is")
            _require(times != UNREADABLE, source, consent.time, _NO_TIME)
        gives = coded[consent.state].positions_of(consent.given) != NOTHING
        return cls(
            source_keys, keys, coded[consent.purpose], coded[consent.recipient], gives, times, lines
        )

    def of_rows(self, purpose: str, recipient: str, until: float | None) -> Statements:
        """Return what the latest event up to `until` (Unix seconds) says of each source row."""
        counts = (self.purposes.positions_of((purpose,)) == 0) & (
            self.recipients.positions_of((recipient,)) == 0
        )
        if until is not None:
            counts &= self.times <= int(until * MICROSECONDS)
        keys, gives, times = self.keys.codes[counts], self.gives[counts], self.times[counts]
        # Last of a key after sorting by time, refusals after consents of the same time.
        order = np.lexsort((~gives, times))
        says = np.full(len(self.keys.texts), SILENT, dtype=np.int8)
        says[keys[order]] = np.where(gives[order], GIVEN, REFUSED)
        of_source = self.source_keys.positions_in(self.keys)
        return np.append(says, np.int8(SILENT))[of_source]

    def said_by(self, rows: npt.NDArray[np.int64]) -> tuple[Said, ...]:
        """Return every event of the keys that stand in some rows of the source, in order."""
        keys = np.unique(self.source_keys.positions_in(self.keys)[rows])
        mine = np.flatnonzero(np.isin(self.keys.codes, keys[keys != NOTHING]))
        purposes, recipients = self.purposes.codes[mine], self.recipients.codes[mine]
        found = [
            Said(int(self.times[event]), _text(self.purposes, purpose),
                 _text(self.recipients, recipient), _STATES[bool(self.gives[event])])
            for event, purpose, recipient in zip(mine, purposes, recipients, strict=True)
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda said: said.at))

    def grants(self) -> list[tuple[str, str]]:
        """Return every purpose and recipient that an event names together, sorted."""
        known = (self.purposes.codes >= 0) & (self.recipients.codes >= 0)
        width = max(1, len(self.recipients.texts))
        pairs = np.unique(self.purposes.codes[known] * width + self.recipients.codes[known])
        purposes, recipients = self.purposes.texts, self.recipients.texts
        return sorted(
            (purposes[p].as_py(), recipients[r].as_py())
            for p, r in zip(*np.divmod(pairs, width), strict=True)
        )


def open_events(consent: ConsentTable, folder: Path) -> Source:
    """Find and check the tables of events; raise `DatasetError` when they do not fit."""
    return Source.open(folder, consent.table, _columns(consent), exact=(consent.key,))


def _text(column: CodedColumn, code: int) -> str:
    return "" if code == NOTHING else str(column.texts[int(code)].as_py())


def _columns(consent: ConsentTable) -> tuple[str, ...]:
    columns = (consent.key, consent.state, consent.purpose, consent.recipient, consent.time)
    return tuple(dict.fromkeys(columns))


def _require(good: npt.NDArray[np.bool_], source: Source, column: str, otherwise: str) -> None:
    bad = np.flatnonzero(~good)
    if len(bad):
        raise DatasetError(f"{source.place(int(bad[0]))}, column '{column}': {otherwise}")
