"""A dataset's rows as the description reads them: whose they are, and what they say of consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from party.datasets.coded import CodedColumn
from party.datasets.connecting import ConnectedQuality, Read, connect
from party.datasets.connection import Connection
from party.datasets.consent import (
    ColumnStatements,
    ConsentColumn,
    ConsentInRecords,
    ConsentStatements,
    ConsentStrings,
    ConsentTable,
)
from party.datasets.consent_events import ConsentEvents, open_events
from party.datasets.consent_records import RecordStatements, records_line, records_of
from party.datasets.consent_strings import StringStatements
from party.datasets.definition import Definition
from party.datasets.erased import NOBODY, Erased
from party.datasets.minors import Minors
from party.datasets.people import People
from party.datasets.sensitive import Sensitive
from party.datasets.source import Source, snapshot_of
from party.datasets.spill import Watch
from party.datasets.traffic import InvalidTraffic, TextLists
from party.datasets.words import Asked, Grant


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """`count` rows: their people, their consent, and the columns that were asked for, as codes.

    `traffic` are the rules on invalid traffic, which nobody has applied yet, with their `lists`;
    nor has anybody left out `erased` people, `minors`, or who gave no separate consent for the
    `sensitive` columns among those that were asked for. `connected` says what became of identifiers
    where they make the people.
    """

    count: int
    people: People
    consent: ConsentStatements
    columns: Mapping[str, CodedColumn]
    traffic: InvalidTraffic | None
    lists: TextLists
    connected: ConnectedQuality | None = None
    erased: Erased = NOBODY
    minors: Minors | None = None
    sensitive: tuple[Sensitive, ...] = ()

    def asked(
        self, people: People, until: float | None, grants: Sequence[Grant] | None = None
    ) -> Asked:
        """Return who may be asked for a word beside consent: `people`, as far as they have rows."""
        return Asked(self.columns, self.consent, people.of_row, len(people), until, grants)

    @property
    def lines(self) -> bytes:
        """What a snapshot names beside the source: where consent stands, and lists of rules."""
        return self.consent.lines + self.lists.lines


def open_source(definition: Definition, watch: Watch | None = None) -> Source:
    """Find and check the tables of a dataset; raise `DatasetError` when they do not fit.

    Use it in a `with` statement: what a store or a database gave is copied, and given back.
    `watch` is shown what a query answers besides the declared columns, which is not copied.
    """
    return Source.open(
        definition.folder,
        definition.source,
        definition.source_columns,
        exact=definition.exact_columns,
        watch=watch,
    )


def read_rows(definition: Definition, source: Source, columns: Sequence[str], read: Read) -> Rows:
    """Read who the rows are, their consent, what rules on traffic look at, and `columns`.

    Identifiers are read, through `read`, only where they say whose the rows are.
    """
    own = [definition.person_column] if definition.person_column else []
    traffic, minors = definition.invalid_traffic, definition.minors
    sensitive = tuple(one for name, one in definition.sensitive.items() if name in columns)
    looked_at = [*(traffic.columns if traffic else ()), *(minors.columns if minors else ())]
    looked_at += [name for one in sensitive if one.consent for name in one.consent.columns]
    names = tuple(dict.fromkeys([*own, definition.consent.source_column, *looked_at, *columns]))
    lists = TextLists.read(traffic, definition.folder)
    table = source.read(names)
    coded = {name: CodedColumn.of(table.pop(name)) for name in names}
    consent_column = coded[definition.consent.source_column]
    count = len(consent_column.codes)
    column = coded[definition.person_column] if definition.person_column else None
    connected = None
    if isinstance(definition.person, Connection):
        people, connected = connect(definition, definition.person, count, read, column)
    else:
        people = People.of_rows(count) if column is None else People.of_column(column)
    consent = _statements(definition, source, consent_column)
    return Rows(
        count,
        people,
        consent,
        coded,
        traffic,
        lists,
        connected,
        erased=definition.erased if column is not None else NOBODY,
        minors=minors,
        sensitive=sensitive,
    )


def snapshot_now(definition: Definition) -> bytes:
    """Return the digest that names all that would be read now, consent included.

    Raises `DatasetError` when the tables do not fit the description.
    """
    with open_source(definition) as source:
        lines = source.lines()
    lists = TextLists.read(definition.invalid_traffic, definition.folder).lines
    match definition.consent:
        case ConsentColumn() | ConsentStrings():
            return snapshot_of(lines, lists)
        case ConsentInRecords():
            return snapshot_of(lines, records_line(records_of(definition)), lists)
        case ConsentTable() as table:
            with open_events(table, definition.folder) as events:
                return snapshot_of(lines, events.lines(), lists)


def _statements(definition: Definition, source: Source, column: CodedColumn) -> ConsentStatements:
    match definition.consent:
        case ConsentColumn() as consent:
            return ColumnStatements(consent, column)
        case ConsentStrings() as strings:
            return StringStatements.read(strings, source, column)
        case ConsentInRecords():
            return RecordStatements.of(records_of(definition), column)
        case ConsentTable() as table:
            return ConsentEvents.read(table, definition.folder, column)
