"""A dataset's rows as the description reads them: whose they are, and what they say of consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from party.datasets.coded import CodedColumn
from party.datasets.consent import ColumnStatements, ConsentColumn, ConsentStatements
from party.datasets.consent_events import ConsentEvents
from party.datasets.definition import Definition
from party.datasets.people import People
from party.datasets.source import Source


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """`count` rows: their people, their consent, and the columns that were asked for, as codes."""

    count: int
    people: People
    consent: ConsentStatements
    columns: Mapping[str, CodedColumn]


def open_source(definition: Definition) -> Source:
    """Find and check the files of a dataset; raise `DatasetError` when they do not fit."""
    return Source.open(
        definition.folder,
        definition.source,
        definition.source_columns,
        exact=definition.exact_columns,
    )


def read_rows(definition: Definition, source: Source, columns: Sequence[str]) -> Rows:
    """Read who the rows are, their consent, and `columns`; not the identifiers."""
    own = [definition.person] if definition.person else []
    names = tuple(dict.fromkeys([*own, definition.consent.source_column, *columns]))
    table = source.read(names)
    coded = {name: CodedColumn.of(table.pop(name)) for name in names}
    consent_column = coded[definition.consent.source_column]
    count = len(consent_column.codes)
    if definition.person is None:
        people = People.of_rows(count)
    else:
        people = People.of_column(coded[definition.person])
    return Rows(count, people, _statements(definition, consent_column), coded)


def _statements(definition: Definition, column: CodedColumn) -> ConsentStatements:
    if isinstance(definition.consent, ConsentColumn):
        return ColumnStatements(definition.consent, column)
    return ConsentEvents.read(definition.consent, definition.folder, column)
