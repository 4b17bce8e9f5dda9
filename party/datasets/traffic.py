"""Invalid traffic: rows of events that leave before anything is counted, by rules of the party.

The section `invalid_traffic` of a description names the rules. They are applied one after the
other, each as a recorded step, to the rows of people who take part; a row that has left is not
looked at again, and a person without a row that is left has left too. Consent is read from all
rows, since it is a person's word and no traffic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.events import Events, Flags
from party.datasets.people import People
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.datasets.traffic_rules import SECOND, Declared, Rule
from party.errors import DatasetError

STEP: Final = "invalid traffic: "
"""How the steps of rules begin; a rule's name follows."""
_NO_TIME: Final = "no readable time"
_FUTURE: Final = "later than now"
OWN_STEPS: Final = (_NO_TIME, _FUTURE)
"""The names of what leaves without a rule of its own."""
_LEFT: Final = "people with rows left"
_MOST_LIST_BYTES: Final = 1 << 20
_Leaving: TypeAlias = Callable[[Events], Flags]


@dataclass(frozen=True)
class InvalidTraffic:
    """The section: rules in the order in which they are applied.

    `time` is the column of times. Rows without a readable one leave, unless `timeless_stay`.
    """

    rules: tuple[Rule, ...]
    time: str | None = None
    timeless_stay: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rules, in their order."""
        return tuple(rule.name for rule in self.rules)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that are read."""
        own = [self.time] if self.time else []
        return tuple(dict.fromkeys([*own, *(name for rule in self.rules for name in rule.columns)]))

    @property
    def files(self) -> tuple[str, ...]:
        """The files of texts that rules name."""
        named = (rule.file for rule in self.rules if isinstance(rule, Declared))
        return tuple(dict.fromkeys(file for file in named if file is not None))

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document: dict[str, object] = {}
        if self.time is not None:
            document["time"] = self.time
            document["without_time"] = "stay" if self.timeless_stay else "leave"
        return document | {"rules": [rule.to_json() for rule in self.rules]}


@dataclass(frozen=True)
class TextLists:
    """The files that rules name: their texts, and a line for the snapshot (`Source.lines`)."""

    texts: Mapping[str, tuple[str, ...]]
    lines: bytes

    @classmethod
    def read(cls, traffic: InvalidTraffic | None, folder: Path) -> TextLists:
        """Read them, one text a line; blank lines and those that begin with `#` say nothing.

        Raises `DatasetError` for a file that cannot be read, is too large, or holds no text.
        """
        texts: dict[str, tuple[str, ...]] = {}
        lines: list[str] = []
        for name in traffic.files if traffic else ():
            data = _read_list(folder / name)
            texts[name] = _texts_of(folder / name, data)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        return cls(texts, "".join(lines).encode())


@dataclass(frozen=True, eq=False, repr=False)
class Cleaned:
    """The people who are left, who these are of those before, and what each rule took out."""

    people: People
    left: Flags
    steps: tuple[BoundStep, ...]


def clean(
    traffic: InvalidTraffic | None,
    people: People,
    columns: Mapping[str, CodedColumn],
    lists: TextLists,
    now: float | None,
) -> Cleaned:
    """Apply the rules to the rows of `people`.

    Events after `now` (Unix seconds) leave; None looks at no clock. Nothing is done without rules.
    """
    if traffic is None:
        return Cleaned(people, np.ones(len(people), dtype=np.bool_), ())
    times = None if traffic.time is None else microseconds(columns[traffic.time])
    events = Events(people.of_row, times, columns, lists.texts)
    steps: list[BoundStep] = []
    for name, leaving in _leavings(traffic, now):
        after = events.without(leaving(events))
        steps.append(BoundStep(STEP + name, _rows(events), _rows(after)))
        events = after
    left = np.zeros(len(people), dtype=np.bool_)
    left[events.person[events.person != NOTHING]] = True
    steps.append(BoundStep(_LEFT, len(people), int(np.count_nonzero(left))))
    return Cleaned(people.of_rows_left(events.person).only(left), left, tuple(steps))


def _leavings(traffic: InvalidTraffic, now: float | None) -> list[tuple[str, _Leaving]]:
    """Return every step's name and what it flags: those on the clock first, then the rules."""
    found: list[tuple[str, _Leaving]] = []
    if traffic.time is not None and not traffic.timeless_stay:
        found.append((_NO_TIME, _timeless))
    if traffic.time is not None and now is not None:
        latest = int(now * SECOND)
        found.append((_FUTURE, partial(_later_than, latest)))
    return found + [(rule.name, rule.leaving) for rule in traffic.rules]


def _timeless(events: Events) -> Flags:
    return np.equal(events.some_times, UNREADABLE)


def _later_than(latest: int, events: Events) -> Flags:
    return np.greater(events.some_times, latest)


def _rows(events: Events) -> int:
    return int(np.count_nonzero(events.person != NOTHING))


def _read_list(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_LIST_BYTES + 1)
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot be read: {error.strerror}; it is the list of a rule on invalid "
            "traffic, and its path is relative to the description"
        ) from None
    if len(data) > _MOST_LIST_BYTES:
        raise DatasetError(f"{path}: a list has at most {_MOST_LIST_BYTES:,} bytes")
    return data


def _texts_of(path: Path, data: bytes) -> tuple[str, ...]:
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: is not UTF-8; save the list as UTF-8") from None
    texts = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not texts:
        raise DatasetError(f"{path}: the list has no text; write one a line")
    return texts
