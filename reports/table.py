"""The table as the tabulator sent it, with the public parameters of its session.

Nothing in it is anyone's secret: counts are m + e, totals have noise of their own, sizes are those
on the wire. It is kept with
every report, so that numbers can be computed from it again at no cost in privacy. It refuses
parts that do not fit together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Final, Self

from languages import message
from reports.errors import MalformedTable

JOINT: Final = " × "
"""Between the parts of a label of several, such as "north × 18-29"."""
_ROLES: Final = ("tabulator", "recipient", "third")
_PARTS: Final = frozenset({"moments", "third"})
"""Of a table, which not every one has."""


@dataclass(frozen=True)
class ReleaseParameters:
    """What the request fixed in public: ε in 1e-9, δ in 1e-15.

    Attributes:
        epsilon_release_nano: ε_r of the table.
        epsilon_dummy_nano: ε_d of dummies and fillers.
        delta_dummy_e15: δ_d of dummies and fillers.
        records_per_person: L.
        keys_per_person: the most identifiers that the tabulator offers for one person.
        known_answers: F, in every label of either party.
        min_cell: the smallest noisy count that a cell may show.
    """

    epsilon_release_nano: int
    epsilon_dummy_nano: int
    delta_dummy_e15: int
    records_per_person: int
    keys_per_person: int
    known_answers: int
    min_cell: int

    def __post_init__(self) -> None:
        for field in fields(self):
            _require_count(getattr(self, field.name), field.name)


@dataclass(frozen=True)
class MomentsTable:
    """What a table whose records are moments has beside its counts.

    Attributes:
        start: of the window, in Unix seconds.
        slot_seconds: of one slot.
        slots: in the window.
        lookback: slots before a moment in which touches count, its own besides.
        most_keys: K_T, the most keys that the tabulator sent for one person.
        epsilon_people_nano: ε in 1e-9 of `people`; 0 where there are none.
        people: the tabulator's touched people by coalition, with noise, as sent.
    """

    start: int
    slot_seconds: int
    slots: int
    lookback: int
    most_keys: int
    epsilon_people_nano: int
    people: tuple[int, ...]

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "people":
                _require_count(getattr(self, field.name), field.name)
        for count in self.people:
            _require_integer(count, "a number of people")

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read JSON values again."""
        return cls(**{**stored, "people": tuple(stored["people"])})


@dataclass(frozen=True)
class ThirdPart:
    """What a table of three parties has beside one of two.

    Attributes:
        parties: names of the tabulator, the recipient and the third.
        labels: the third's label names.
        sizes: points in each of the third's labels, as both others saw them.
        totals: [recipient label][third's label], over the tabulator's labels and its `∅`, with
            noise exactly as sent.
    """

    parties: tuple[str, str, str]
    labels: tuple[str, ...]
    sizes: tuple[int, ...]
    totals: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        _require_labels(self.parties, "parties")
        _require_labels(self.labels, "third")
        if len(self.parties) != len(_ROLES) or len(self.sizes) != len(self.labels):
            raise MalformedTable("there are not three parties, or not one set size for each label")
        for size in self.sizes:
            _require_count(size, "a set size")
        for row in self.totals:
            if len(row) != len(self.labels):
                raise MalformedTable("there is not one total for each of the third's labels")
            for total in row:
                _require_integer(total, "a total")

    @property
    def unknown(self) -> str:
        """What people are called whom the third party does not have."""
        return unknown_to(self.parties[-1])

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read JSON values again."""
        tabulator, recipient, third = stored["parties"]
        return cls(
            (tabulator, recipient, third),
            tuple(stored["labels"]),
            tuple(stored["sizes"]),
            tuple(tuple(row) for row in stored["totals"]),
        )


@dataclass(frozen=True)
class ReleasedTable:
    """One crosstab of two parties or of three.

    Attributes:
        tabulator_labels: the tabulator's label names, as named in the release.
        recipient_labels: the recipient's label names.
        counts: [tabulator label][cell of the others], m + e exactly as sent; may be negative. Of
            two parties, a cell is a recipient's label. Of three, it is a label or `∅` of the
            recipient with one of the third, row by row, `∅` last; that of two `∅` says nothing.
        tabulator_sizes: points in each of the tabulator's labels, as the recipient saw them.
        recipient_sizes: points in each of the recipient's labels, as the tabulator saw them.
        parameters: what the request fixed.
        moments: what there is besides where records are moments, as in attribution.
        third: what there is besides where there is a third party.
    """

    tabulator_labels: tuple[str, ...]
    recipient_labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    tabulator_sizes: tuple[int, ...]
    recipient_sizes: tuple[int, ...]
    parameters: ReleaseParameters
    moments: MomentsTable | None = None
    third: ThirdPart | None = None

    def __post_init__(self) -> None:
        rows, columns, layers = self.shape
        _require_labels(self.tabulator_labels, "tabulator")
        _require_labels(self.recipient_labels, "recipient")
        cells = columns if self.third is None else (columns + 1) * (layers + 1)
        if [len(row) for row in self.counts] != [cells] * rows:
            raise MalformedTable(f"counts are not {rows} rows of {cells}, as the labels are")
        if self.third is not None and len(self.third.totals) != columns:
            raise MalformedTable("there is not a row of totals for each label of the recipient")
        if (len(self.tabulator_sizes), len(self.recipient_sizes)) != (rows, columns):
            raise MalformedTable("there is not one set size for each label")
        for row in self.counts:
            for count in row:
                _require_integer(count, "a count")
        for size in (*self.tabulator_sizes, *self.recipient_sizes):
            _require_count(size, "a set size")

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """How many labels the tabulator, the recipient and the third have; without one, 0."""
        third = () if self.third is None else self.third.labels
        return len(self.tabulator_labels), len(self.recipient_labels), len(third)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; `from_dict` gives an equal table."""
        document = asdict(self)
        for part in _PARTS:
            if document[part] is None:
                del document[part]
        return document

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, also after JSON; MalformedTable when it is anything else."""
        names = {field.name for field in fields(cls)}
        moments, third = stored.get("moments"), stored.get("third")
        if set(stored) | _PARTS != names:
            raise MalformedTable(f"a table has the entries {sorted(names)} and no others")
        try:
            return cls(
                tuple(stored["tabulator_labels"]),
                tuple(stored["recipient_labels"]),
                tuple(tuple(row) for row in stored["counts"]),
                tuple(stored["tabulator_sizes"]),
                tuple(stored["recipient_sizes"]),
                ReleaseParameters(**stored["parameters"]),
                None if moments is None else MomentsTable.from_dict(moments),
                None if third is None else ThirdPart.from_dict(third),
            )
        except (TypeError, KeyError, ValueError) as error:
            raise MalformedTable(f"the table cannot be read: {error}") from error


def unknown_to(party: str) -> str:
    """Return what people are called whom a party does not have: `∅` in words."""
    return message("not known to {party}", party=party)


def _require_labels(labels: tuple[str, ...], owner: str) -> None:
    if not labels or len(set(labels)) != len(labels):
        raise MalformedTable(f"the {owner}'s labels are none, or one stands twice")
    if not all(isinstance(label, str) for label in labels):
        raise MalformedTable(f"a label of the {owner} is not text")


def _require_integer(value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedTable(f"{name} is not an integer")


def _require_count(value: object, name: str) -> None:
    _require_integer(value, name)
    if isinstance(value, int) and value < 0:
        raise MalformedTable(f"{name} is below 0")
