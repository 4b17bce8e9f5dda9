"""The lines of a platform's file, from what the dataset says of the listed people.

Texts are normalised, hashed and written a block of people at a time. A text that is no such
identifier makes no cell, and a person without a cell no line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from languages import message
from party.activation.forms import Form, Value, cell_or_nothing
from party.activation.people import ListedPeople
from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.identifier_columns import HeldTexts, IdentifierColumns
from party.errors import PartyError

_BLOCK = 8_192  # people a block


@dataclass(frozen=True, eq=False, repr=False)
class _Column:
    """A column of the dataset: which value of the form it is, how it is read, what it says."""

    value: int
    read: Callable[[str], str]
    held: HeldTexts

    def between(self, start: int, stop: int) -> Iterator[tuple[int, str]]:
        """Yield (person, text) of the people from `start` up to `stop`."""
        low, high = np.searchsorted(self.held.person, [start, stop]).tolist()
        people = self.held.person[low:high].tolist()
        yield from zip(people, self.held.texts.slice(low, high - low).to_pylist(), strict=True)


@dataclass(frozen=True, eq=False, repr=False)
class Lines:
    """What a platform's file holds. `often` says how many columns each value has in it.

    `apart` are types that the dataset has and the platform takes, in a file of their own.
    """

    form: Form
    values: tuple[Value, ...]
    apart: tuple[str, ...]
    often: tuple[int, ...]
    columns: tuple[_Column, ...]
    people: int

    @classmethod
    def of(cls, listed: ListedPeople, form: Form, types: tuple[str, ...], *, gmail: bool) -> Lines:
        """Read the columns that the platform takes; `types` restricts them to some.

        `gmail` is the option under which this party's digests were made.

        Raises:
            PartyError: the dataset has nothing for the platform, a column does not serve it, or a
                type has to be chosen.
        """
        definition = listed.definition
        held = tuple(value for value in form.values if value.type in definition.types)
        values = _chosen(held, types)
        _require_types(definition, form, types, values)
        _require_one_file(form, values)
        left = () if types else tuple(one.type for one in held if one not in values)
        reader = IdentifierColumns(definition, listed.source, listed.people, gmail, None)
        columns = tuple(
            _Column(
                number,
                _reader(definition, column, form, value, gmail),
                reader.texts_of(column.name),
            )
            for number, value in enumerate(values)
            for column in definition.identifiers
            if column.spec is not None and column.spec.type == value.type
        )
        often = tuple(
            1 if _one_a_line(form, value) else min(form.most, _most_of_a_person(columns, number))
            for number, value in enumerate(values)
        )
        return cls(form, values, left, often, columns, len(listed.people))

    @property
    def header(self) -> list[str]:
        """The file's first line."""
        return self._flat([[value.header] * self.form.most for value in self.values])

    def __iter__(self) -> Iterator[list[str]]:
        """Yield a line a person or, in a file of one type, a line an identifier."""
        for start in range(0, self.people, _BLOCK):
            for cells in self._cells(start, min(start + _BLOCK, self.people)):
                if _one_a_line(self.form, self.values[0]):
                    yield from ([cell] for cell in cells[0])
                elif any(cells):
                    yield self._flat(cells)

    def _flat(self, cells: list[list[str]]) -> list[str]:
        """Return one line of cells by value: as many as each has columns, "" where one lacks."""
        return [
            own[place] if place < len(own) else ""
            for own, often in zip(cells, self.often, strict=True)
            for place in range(often)
        ]

    def _cells(self, start: int, stop: int) -> list[list[list[str]]]:
        """Return for each person of a block the different cells of each value."""
        cells: list[list[list[str]]] = [[[] for _ in self.values] for _ in range(start, stop)]
        for column in self.columns:
            for person, text in column.between(start, stop):
                cell = cell_or_nothing(column.read, text)
                own = cells[person - start][column.value]
                if cell is not None and cell not in own:
                    own.append(cell)
        return cells


def _chosen(held: tuple[Value, ...], types: tuple[str, ...]) -> tuple[Value, ...]:
    """Return the values that were asked for; without `types`, those that stand together."""
    if types:
        return tuple(value for value in held if value.type in types)
    return tuple(value for value in held if not value.alone) or held


def _one_a_line(form: Form, value: Value) -> bool:
    return form.one_type or value.alone


def _most_of_a_person(columns: tuple[_Column, ...], value: int) -> int:
    """Return how many texts a person has at most for a value, at least 1."""
    most = [np.bincount(one.held.person).max(initial=0) for one in columns if one.value == value]
    return max(1, int(sum(most)))


def _reader(
    definition: Definition, column: ColumnDefinition, form: Form, value: Value, gmail: bool
) -> Callable[[str], str]:
    assert column.spec is not None
    try:
        return value.reader(column.spec, gmail=gmail)
    except PartyError as error:
        others = [one.type for one in form.values if one.type != value.type]
        raise PartyError(
            message(
                "dataset {name}, column '{column}': {error}, so {platform} would "
                "recognise nobody by it. Register the raw values, or leave it "
                "out with --identifier {others}",
                name=definition.name,
                column=column.name,
                error=error,
                platform=form.platform,
                others=" or ".join(others),
            )
        ) from None


def _require_types(
    definition: Definition, form: Form, types: tuple[str, ...], values: tuple[Value, ...]
) -> None:
    found = {value.type for value in values}
    missing = [name for name in types if name not in found]
    if missing or not found:
        raise PartyError(
            message(
                "{platform} takes {values}, and dataset {name} has {types}: "
                "there is no column for {value}",
                platform=form.platform,
                values=", ".join(value.type for value in form.values),
                name=definition.name,
                types=", ".join(definition.types),
                value=", ".join(missing) or "it",
            )
        )


def _require_one_file(form: Form, values: tuple[Value, ...]) -> None:
    if len(values) < 2:
        return
    if form.one_type:
        raise PartyError(
            message(
                "a file for {platform} holds identifiers of one type: say which "
                "with --identifier {values}",
                platform=form.platform,
                values=" or ".join(value.type for value in values),
            )
        )
    alone = [value.type for value in values if value.alone]
    if alone:
        raise PartyError(
            message(
                "{platform} takes {alone} in a file and a list of its own: "
                "export it with --identifier {alone} alone, and the others "
                "without it",
                platform=form.platform,
                alone=alone[0],
            )
        )
