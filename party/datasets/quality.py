"""What a dataset's files hold, column by column: the page to read before anything is agreed.

The counts are exact and about the party's own people: they are for the party's eyes and its own
store. Examples are masked. A column that cannot be used says why instead of stopping the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from languages import message
from party.datasets.assignment import Flags, Positions
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.combination import buckets_of
from party.datasets.connecting import ConnectedQuality
from party.datasets.consent import consenting
from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.labels import Label, expressions_of
from party.datasets.minors import Ages, MinorsQuality
from party.datasets.people import People
from party.datasets.rows import Rows, open_source, read_rows
from party.datasets.scan import FoundPersonal, require_dropped_are_there, scan_of
from party.datasets.sensitive import Sensitive, SensitiveQuality
from party.datasets.source import Source, snapshot_of
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.datasets.touch_labels import AgeLabel, JourneyLabel, TouchLabel
from party.datasets.traffic import clean
from psi.buckets import MILLION, ValueBuckets
from psi.columns import Column, Quality, mask, read_column
from psi.digest_forms import FormFault, encoded_twice
from psi.errors import IdentifierError

_NOBODY: Final = np.zeros(0, np.bool_)

Hook = Callable[[str], None]
"""Is told what is being read."""
_NOT_A_NUMBER: Final = "not a number"
_NOT_A_TIME: Final = "not a time"


@dataclass(frozen=True)
class ColumnQuality:
    """One declared column: its kind, and what became of its rows or why it cannot be used."""

    name: str
    kind: str
    quality: Quality | None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        counts = self.quality.to_json() if self.quality else {}
        return {"name": self.name, "kind": self.kind, "problem": self.problem, **counts}


@dataclass(frozen=True)
class SumQuality:
    """How the sums behind value buckets lie to the bounds, of people who have a label.

    Attributes:
        above: people above the top bound, whose value is cut to it.
        cut_share: which share of all value above 0 is cut off there.
        negative: people whose value is below 0.
        below_lowest: people between 0 and the lowest bound above it.
    """

    above: int
    cut_share: float
    negative: int
    below_lowest: int

    @classmethod
    def of(cls, buckets: ValueBuckets, amounts: Positions) -> SumQuality:
        """Return it of sums in millionths."""
        positive = float(np.maximum(amounts, 0).sum(dtype=np.float64)) / MILLION
        cut = float(buckets.clipped(amounts).sum())
        return cls(
            int(np.count_nonzero(amounts > buckets.bounds[-1])),
            cut / positive if positive else 0.0,
            int(np.count_nonzero(amounts < 0)),
            int(np.count_nonzero((amounts > 0) & (amounts < buckets.bounds[1]))),
        )


@dataclass(frozen=True)
class LabelQuality:
    """How many people have each value of a label, whether they consent or not.

    `without` have none, though nothing contradicts; `outside` of them have a value in no range, or
    rows on which an expression fails: `failing` counts rows by what stands in their columns. Of
    value buckets, people are counted under the bound at or below their value, before any is
    rounded, and `sums` says more. Of a label made of touches: how many people each campaign has
    touched, the people `touched` by any, and all `touches`.
    """

    name: str
    people: dict[str, int]
    conflicting: int
    without: int
    outside: int = 0
    sums: SumQuality | None = None
    failing: dict[str, int] = field(default_factory=dict)
    touches: int = 0
    touched: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {
            "name": self.name,
            "people": dict(self.people),
            "conflicting": self.conflicting,
            "without": self.without,
            "outside": self.outside,
            "sums": asdict(self.sums) if self.sums else None,
            "failing": dict(self.failing),
            "touches": self.touches,
            "touched": self.touched,
        }


@dataclass(frozen=True)
class ConsentCoverage:
    """How many people consent to one purpose and recipient, by the latest of all events.

    Minors count where a guardian consents.
    """

    purpose: str
    recipient: str
    people: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {"purpose": self.purpose, "recipient": self.recipient, "people": self.people}


@dataclass(frozen=True)
class TypeCoverage:
    """How many people have an identifier of one type, and how many distinct ones there are."""

    type: str
    people: int
    identifiers: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {"type": self.type, "people": self.people, "identifiers": self.identifiers}


@dataclass(frozen=True)
class QualityReport:
    """What a dataset holds. `undeclared` columns are never read.

    `people`, types, labels and consent are those of whom rows are left after `invalid_traffic`,
    the rules as they were applied to the rows of all people. Types that connect rows are counted
    before it.

    `personal` is what the scan found in columns that are not declared as identifiers or sensitive;
    columns `not_looked_at` have no text form.

    `snapshot` names what the report was made from, consent included; a registration keeps it
    beside the report, so it is not in its JSON.
    """

    dataset: str
    files: tuple[str, ...]
    snapshot: bytes
    rows: int
    people: int
    columns: tuple[ColumnQuality, ...]
    types: tuple[TypeCoverage, ...]
    labels: tuple[LabelQuality, ...]
    consent: tuple[ConsentCoverage, ...]
    undeclared: tuple[str, ...]
    connected: ConnectedQuality | None = None
    invalid_traffic: tuple[BoundStep, ...] = ()
    minors: MinorsQuality | None = None
    sensitive: tuple[SensitiveQuality, ...] = ()
    personal: tuple[FoundPersonal, ...] = ()
    not_looked_at: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "dataset": self.dataset,
            "files": list(self.files),
            "rows": self.rows,
            "people": self.people,
            "columns": [column.to_dict() for column in self.columns],
            "types": [type_.to_dict() for type_ in self.types],
            "labels": [label.to_dict() for label in self.labels],
            "consent": [coverage.to_dict() for coverage in self.consent],
            "undeclared": list(self.undeclared),
            "connected": self.connected.to_dict() if self.connected else None,
            "invalid_traffic": [step.to_dict() for step in self.invalid_traffic],
            "minors": self.minors.to_dict() if self.minors else None,
            "sensitive": [one.to_dict() for one in self.sensitive],
            "personal": [one.to_dict() for one in self.personal],
            "not_looked_at": list(self.not_looked_at),
        }


def inspect(
    definition: Definition, hook: Hook = lambda what: None, *, now: float | None = None
) -> QualityReport:
    """Read a dataset and report on it; raise `DatasetError` when its files do not fit at all.

    `hook` is told what is being read. Events after `now` (Unix seconds) are invalid traffic.
    """
    hook(message("opening the source"))
    scan = scan_of(definition)
    with open_source(definition, scan.look) as source:
        hook(message("looking for personal data that is not declared"))
        require_dropped_are_there(definition, source.columns)
        source.show(scan.but, scan.look)
        report = _inspect(definition, source, hook, now)
    return replace(report, personal=scan.found(), not_looked_at=scan.unread())


def _inspect(
    definition: Definition, source: Source, hook: Hook, now: float | None
) -> QualityReport:
    states, lines = source.states(), source.lines()
    others = [column.name for column in definition.columns if column.spec is None]
    identifiers = _Identifiers(source, hook)
    rows = read_rows(
        definition,
        source,
        [*others, *(name for label in definition.labels.values() for name in label.columns)],
        identifiers.read,
    )
    cleaned = clean(rows.traffic, rows.people, rows.columns, rows.lists, now)
    people = cleaned.people
    ages = _ages(rows, now)
    report = QualityReport(
        dataset=definition.name,
        files=source.names(),
        snapshot=snapshot_of(lines, rows.lines),
        rows=rows.count,
        people=len(people),
        columns=tuple(
            _inspect_column(column, rows)
            if column.spec is None
            else identifiers.quality(column, people)
            for column in definition.columns
        ),
        types=identifiers.types(definition, rows),
        labels=tuple(
            _inspect_label(name, label, rows, people) for name, label in definition.labels.items()
        ),
        consent=_inspect_consent(rows, cleaned.left & ages.take_part if ages else cleaned.left),
        undeclared=tuple(name for name in source.columns if name not in definition.source_columns),
        connected=rows.connected,
        invalid_traffic=cleaned.steps,
        minors=ages.quality(rows.minors, cleaned.left) if ages and rows.minors else None,
        sensitive=tuple(_inspect_sensitive(one, rows, cleaned.left) for one in rows.sensitive),
    )
    source.require_unchanged(states)
    return report


class _Identifiers:
    """Reads identifier columns once each, for their quality and for what connects rows."""

    def __init__(self, source: Source, hook: Hook) -> None:
        self._source, self._hook = source, hook
        self._found: dict[str, ColumnQuality] = {}
        self._holders: dict[str, npt.NDArray[np.bool_]] = {}

    def read(self, column: ColumnDefinition) -> Column | None:
        """Return a column, or None when it cannot be used, and remember its quality."""
        assert column.spec is not None  # only identifier columns are read
        self._hook(message("reading column {name}", name=column.name))
        try:
            read = read_column(column.spec, self._source.read([column.name])[column.name])
        except IdentifierError as error:
            self._found[column.name] = ColumnQuality(column.name, column.kind, None, str(error))
            return None
        problem = _without_use(read.quality) or _of_other_digests(column, read)
        self._found[column.name] = ColumnQuality(column.name, column.kind, read.quality, problem)
        return read

    def quality(self, column: ColumnDefinition, people: People) -> ColumnQuality:
        """Return what is in a column; where it is read now, note who has an identifier in it."""
        if column.name not in self._found:
            read = self.read(column)
            if read is not None and column.spec is not None:
                having = self._holders.setdefault(column.spec.type, np.zeros(len(people), np.bool_))
                holders = people.of_row[read.valid]
                having[holders[holders != NOTHING]] = True
        return self._found[column.name]

    def types(self, definition: Definition, rows: Rows) -> tuple[TypeCoverage, ...]:
        """Return the coverage of each type, in the order of the columns, all of which were read.

        An identifier that stands in two columns of one type is counted in both.
        """
        connected = {one.type: one for one in rows.connected.types} if rows.connected else {}
        return tuple(
            TypeCoverage(type_, one.people, one.identifiers - one.withheld)
            if (one := connected.get(type_))
            else TypeCoverage(type_, self._people_with(type_), self._distinct(definition, type_))
            for type_ in definition.types
        )

    def _people_with(self, type_: str) -> int:
        return int(np.count_nonzero(self._holders.get(type_, _NOBODY)))

    def _distinct(self, definition: Definition, type_: str) -> int:
        names = [one.name for one in definition.identifiers if one.spec and one.spec.type == type_]
        found = [self._found[name].quality for name in names]
        return sum(quality.distinct for quality in found if quality)


def _inspect_column(column: ColumnDefinition, rows: Rows) -> ColumnQuality:
    quality = _quality(rows.columns[column.name], _CHECKS.get(column.kind))
    return ColumnQuality(column.name, column.kind, quality)


def _without_use(quality: Quality) -> str | None:
    """Say why a column of identifiers serves nobody, or return None when it serves somebody."""
    if quality.valid:
        return None
    reason = max(quality.refused, key=lambda reason: quality.refused[reason])
    example = f" ({quality.examples[reason]})" if reason in quality.examples else ""
    return (
        f"none of its values is an identifier as declared; most often: {reason}{example}. Correct "
        "the column or its declaration, or leave it out"
    )


def _of_other_digests(column: ColumnDefinition, read: Column) -> str | None:
    """Say that digests are the hex of another digest's hex, which has the right length, or None."""
    if column.spec is None or not column.spec.digested:
        return None
    count = len(encoded_twice(read.digests[read.valid]))
    if not count:
        return None
    return (
        f"{FormFault.ENCODED_TWICE}: {count:,} row(s) hold the hex of a shorter digest's hex, such "
        "as MD5, which meets nobody. Correct the column, or leave it out"
    )


def _inspect_label(name: str, label: Label, rows: Rows, people: People) -> LabelQuality:
    if isinstance(label, JourneyLabel | AgeLabel):
        return _inspect_touches(name, label, rows, people)
    found = label.assign(rows.columns, people.of_row, len(people))
    positions = found.positions[found.positions != NOTHING]
    counts = np.bincount(positions, minlength=len(label.values))
    conflicting = int(np.count_nonzero(found.conflicting))
    bucket, sums = buckets_of(label), None
    if bucket is not None and found.amounts is not None:
        sums = SumQuality.of(bucket.buckets, found.amounts[found.positions != NOTHING])
    return LabelQuality(
        name,
        {value: int(count) for value, count in zip(label.values, counts, strict=True)},
        conflicting,
        len(people) - conflicting - len(positions),
        int(np.count_nonzero(found.outside)),
        sums,
        {
            kind: count
            for one in expressions_of(label)
            for kind, count in one.failures(rows.columns, people.of_row).items()
        },
    )


def _inspect_touches(name: str, label: TouchLabel, rows: Rows, people: People) -> LabelQuality:
    campaign = label.campaign_of(rows.columns)
    timed = microseconds(rows.columns[label.time]) != UNREADABLE
    chosen = (people.of_row != NOTHING) & (campaign != NOTHING) & timed
    person, campaign = people.of_row[chosen], campaign[chosen]
    pairs = np.unique(person * len(label.campaigns) + campaign) % len(label.campaigns)
    counts = np.bincount(pairs, minlength=len(label.campaigns))
    touched = len(np.unique(person))
    by_campaign = {one: int(count) for one, count in zip(label.campaigns, counts, strict=True)}
    without = len(people) - touched
    return LabelQuality(name, by_campaign, 0, without, touches=len(person), touched=touched)


def _inspect_consent(rows: Rows, counted: Flags) -> tuple[ConsentCoverage, ...]:
    return tuple(
        ConsentCoverage(purpose, recipient, _consenting(rows, counted, purpose, recipient))
        for purpose, recipient in rows.consent.grants()
    )


def _consenting(rows: Rows, counted: Flags, purpose: str, recipient: str) -> int:
    statements = rows.consent.of_rows(purpose, recipient, None)
    consents = consenting(statements, rows.people.of_row, len(rows.people))
    return int(np.count_nonzero(consents & counted))


def _ages(rows: Rows, now: float | None) -> Ages | None:
    if rows.minors is None:
        return None
    until = time.time() if now is None else now
    return rows.minors.sort(rows.asked(rows.people, now), until)


def _inspect_sensitive(one: Sensitive, rows: Rows, counted: Flags) -> SensitiveQuality:
    consents = one.consenting(rows.asked(rows.people, None))
    return SensitiveQuality(one.column, one.category, int(np.count_nonzero(consents & counted)))


_Check = tuple[str, Callable[[CodedColumn], npt.NDArray[np.bool_]]]


def _quality(column: CodedColumn, check: _Check | None) -> Quality:
    reason, is_refused = check or ("", _nothing_refused)
    filled = column.codes != NOTHING
    refused = is_refused(column) & filled
    count = int(np.count_nonzero(refused))
    example = mask(column.texts[int(column.codes[refused][0])].as_py()) if count else ""
    return Quality(
        rows=len(filled),
        valid=int(np.count_nonzero(filled)) - count,
        null=int(np.count_nonzero(~filled)),
        refused={reason: count} if count else {},
        distinct=len(np.unique(column.codes[filled & ~refused])),
        examples={reason: example} if count else {},
    )


def _nothing_refused(column: CodedColumn) -> npt.NDArray[np.bool_]:
    return np.zeros(len(column.codes), dtype=np.bool_)


def _no_time(column: CodedColumn) -> npt.NDArray[np.bool_]:
    return np.equal(microseconds(column), UNREADABLE)


def _no_number(column: CodedColumn) -> npt.NDArray[np.bool_]:
    return np.append(np.isnan(column.numbers()), True)[column.codes]


_CHECKS: Final[dict[str, _Check]] = {
    "value": (_NOT_A_NUMBER, _no_number),
    "event_time": (_NOT_A_TIME, _no_time),
}
