"""Labels: the small public category that a party gives to a person in one request.

Ways to derive one from a person's rows: the value of a column, the number of distinct values of a
column, the set of values of a column, the range of a numeric column, the bucket of what rows add up
to, an SQL expression over a row, and combinations of these. Several columns may stand for one, such
as campaign × creative (`joined`). What touches had produced by a slot is a label of another kind
(`touch_labels`). The values that a label can have are public and known before any row is read
(docs/protocol.md, Words), so a value that is not listed gives no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar, Final, TypeAlias

import numpy as np

from languages import message
from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES, NAME
from party.datasets.assignment import Assignment, Positions, agreed
from party.datasets.buckets import BucketLabel, read_buckets
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.combination import CombinedLabel, read_combination
from party.datasets.expression import ExpressionLabel, read_expression
from party.datasets.joined import columns_json, joined, read_columns, require_parts
from party.datasets.ranges import RangeLabel, read_ranges
from party.datasets.touch_labels import (
    AGES,
    JOURNEYS,
    TOUCH_KEYS,
    TouchLabel,
    read_age_label,
    read_journey_label,
)
from party.document import Section

_MOST_LABELS: Final = 64
_MOST_COUNTED: Final = 100
_MOST_IN_SET: Final = 10
_JOINT: Final = "+"
_OPTIONAL: Final = {"buckets_of": ("refunds",)}
_FORMS: Final = {
    "column": ("column", "values"),
    "count": ("count", "up_to"),
    "set_of": ("set_of", "among"),
    "range_of": ("range_of", "ranges"),
    "buckets_of": ("buckets_of", "bounds"),
    "expression": ("expression", "values"),
    "all_of": ("all_of",),
    **TOUCH_KEYS,
}


@dataclass(frozen=True)
class ColumnLabel:
    """The value of `columns`. A person whose rows say different things has no label."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    number_columns: ClassVar[tuple[str, ...]] = ()

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody)."""
        column = joined(columns, self.columns)
        code, conflicting = agreed(column.codes, person, people)
        positions = np.append(column.positions_of_texts(self.values), NOTHING)[code]
        return Assignment.of(positions, conflicting)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"column": columns_json(self.columns), "values": list(self.values)}


@dataclass(frozen=True)
class CountLabel:
    """How many distinct values of `columns` a person has: "1", "2" … and "F+" for `up_to` F."""

    columns: tuple[str, ...]
    up_to: int
    number_columns: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The label's values, in order."""
        return (*(str(count) for count in range(1, self.up_to)), f"{self.up_to}+")

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody)."""
        column = joined(columns, self.columns)
        rows = (person >= 0) & (column.codes >= 0)
        distinct = max(1, len(column.texts))
        pairs = np.unique(person[rows] * distinct + column.codes[rows])
        counts = np.bincount(pairs // distinct, minlength=people)
        return Assignment.of(np.minimum(counts, self.up_to).astype(np.int64) - 1)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"count": columns_json(self.columns), "up_to": self.up_to}


@dataclass(frozen=True)
class SetLabel:
    """Which of `among` a person's rows have in `columns`: disjoint sets such as "A" and "A+B".

    Names in a set stand in the order of their text, so the order of `among` changes nothing.
    """

    columns: tuple[str, ...]
    among: tuple[str, ...]
    number_columns: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every non-empty subset, the small ones first."""
        members = sorted(self.among)
        return tuple(
            _JOINT.join(subset)
            for size in range(1, len(members) + 1)
            for subset in combinations(members, size)
        )

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody)."""
        members = tuple(sorted(self.among))
        member = joined(columns, self.columns).positions_of(members)
        rows = (person >= 0) & (member >= 0)
        masks = np.zeros(people, dtype=np.int64)
        np.bitwise_or.at(masks, person[rows], np.int64(1) << member[rows])
        return Assignment.of(self._position_of_mask(members)[masks])

    def _position_of_mask(self, members: tuple[str, ...]) -> Positions:
        position = {value: index for index, value in enumerate(self.values)}
        names = (
            _JOINT.join(name for bit, name in enumerate(members) if mask >> bit & 1)
            for mask in range(1 << len(members))
        )
        return np.array([position.get(name, NOTHING) for name in names], dtype=np.int64)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"set_of": columns_json(self.columns), "among": list(self.among)}


PlainLabel: TypeAlias = (
    ColumnLabel | CountLabel | SetLabel | RangeLabel | BucketLabel | ExpressionLabel
)
Label: TypeAlias = PlainLabel | CombinedLabel | TouchLabel


def expressions_of(label: Label) -> tuple[ExpressionLabel, ...]:
    """Return the expressions that a label computes."""
    parts = label.parts if isinstance(label, CombinedLabel) else (label,)
    return tuple(part for part in parts if isinstance(part, ExpressionLabel))


def read_labels(root: Section) -> dict[str, Label]:
    """Read the section `labels` of a dataset's description."""
    names = root.names("labels", NAME, most=_MOST_LABELS)
    labels = root.section("labels", required=names)
    forms = {name: _form_of(labels, name) for name in names}
    plain = {
        name: _read_plain(labels, name, form)
        for name, form in forms.items()
        if form not in ("all_of", *TOUCH_KEYS)
    }
    combined = {
        name: read_combination(labels.section(name, required=_FORMS[form]), plain)
        for name, form in forms.items()
        if form == "all_of"
    }
    found: dict[str, Label] = {**plain, **combined, **_read_of_touches(labels, forms)}
    return {name: found[name] for name in names}


def _read_of_touches(labels: Section, forms: Mapping[str, str]) -> dict[str, TouchLabel]:
    journeys = {
        name: read_journey_label(labels, name) for name, form in forms.items() if form == JOURNEYS
    }
    ages = {name: read_age_label(labels, name) for name, form in forms.items() if form == AGES}
    return {**journeys, **ages}


def _form_of(labels: Section, name: str) -> str:
    of_forms = (*_FORMS.values(), *_OPTIONAL.values())
    every_key = list(dict.fromkeys(key for keys in of_forms for key in keys))
    given = labels.section(name, required=(), optional=every_key)
    forms = [form for form in _FORMS if form in given]
    if len(forms) != 1:
        raise labels.fault(
            name,
            message(
                "has exactly one of {forms}",
                forms=", ".join(_FORMS),
            ),
        )
    return forms[0]


def _read_plain(labels: Section, name: str, form: str) -> PlainLabel:
    section = labels.section(name, required=_FORMS[form], optional=_OPTIONAL.get(form, ()))
    if form == "column":
        values = section.texts("values", LABEL_VALUE, most=MOST_LABEL_VALUES)
        columns = read_columns(section, "column")
        require_parts(section, "values", columns, values)
        return ColumnLabel(columns, values)
    if form == "count":
        up_to = section.integer("up_to", 1, _MOST_COUNTED)
        return CountLabel(read_columns(section, "count"), up_to)
    if form == "range_of":
        return read_ranges(section)
    if form == "buckets_of":
        return read_buckets(section)
    if form == "expression":
        return read_expression(section)
    among = section.texts("among", LABEL_VALUE, most=_MOST_IN_SET)
    if any(_JOINT in member for member in among):
        raise section.fault(
            "among",
            message(
                "a member contains '{joint}', which joins members",
                joint=_JOINT,
            ),
        )
    if len(_JOINT.join(among)) > LABEL_VALUE.most:
        raise section.fault(
            "among", message("the names are too long to be joined; use shorter ones")
        )
    columns = read_columns(section, "set_of")
    require_parts(section, "among", columns, among)
    return SetLabel(columns, among)
