"""Sensitive columns: none becomes a label of somebody who has not consented to just that.

PIPL 28 and 29 ask for separate consent where information is sensitive, GDPR 9 for explicit consent
where data are of a special category. A column that is declared here and has no separate consent is
in no label, and a description that makes one of it is refused. With one, whoever has not given it
leaves before the label is derived.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from languages import message
from party.datasets.assignment import Flags
from party.datasets.rules import COLUMN
from party.datasets.words import Asked, Word, read_separate, require_word
from party.document import Section
from party.errors import DatasetError

CATEGORIES: Final = (
    "biometric",
    "criminal-record",
    "ethnic-origin",
    "finance",
    "genetic",
    "health",
    "location",
    "minor",
    "political-opinion",
    "religion",
    "sex-life",
    "specific-identity",
    "trade-union",
)
"""The kinds of sensitive information: PIPL 28, GDPR 9 and 10."""
_MOST: Final = 64
_KINDS: Final = ("attribute", "value", "event_time")


@dataclass(frozen=True)
class Sensitive:
    """A sensitive column: its category, and where separate consent stands, if anybody asks."""

    column: str
    category: str
    consent: Word | None = None

    @property
    def step(self) -> str:
        """What the step of a session is called."""
        return f"people with separate consent for {self.column} ({self.category})"

    def consenting(self, asked: Asked) -> Flags:
        """Say of each person whether they gave separate consent: a row does, none refuses."""
        if self.consent is None:
            return np.zeros(asked.people, dtype=np.bool_)
        return asked.who_gave(self.consent)

    def to_json(self) -> dict[str, object]:
        """Return the declaration as it was read."""
        consent = {} if self.consent is None else {"consent": self.consent.to_json()}
        return {"category": self.category, **consent}


@dataclass(frozen=True)
class SensitiveQuality:
    """How many people have given separate consent for a column: exact, for the party's eyes."""

    column: str
    category: str
    people: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {"column": self.column, "category": self.category, "people": self.people}


def read_sensitive(root: Section) -> dict[str, Sensitive]:
    """Read the section `sensitive` of a dataset's description."""
    if "sensitive" not in root:
        return {}
    names = root.names("sensitive", COLUMN, most=_MOST)
    section = root.section("sensitive", required=names)
    return {name: _read(section, name) for name in names}


def _read(parent: Section, name: str) -> Sensitive:
    section = parent.section(name, required=("category",), optional=("consent",))
    consent = read_separate(section) if "consent" in section else None
    return Sensitive(name, section.choice("category", CATEGORIES), consent)


def require_declared(
    root: Section,
    sensitive: Mapping[str, Sensitive],
    kinds: Mapping[str, str],
    named: Collection[str],
    *,
    in_records: bool,
) -> None:
    """Raise the fault of a section whose columns the description does not name otherwise."""
    for name, one in sensitive.items():
        if name not in named:
            raise root.fault(
                "sensitive", f"'{name}' is no column that the description names; declare it under "
                "columns, or write it as there"
            )  # fmt: skip
        if kinds.get(name, _KINDS[0]) not in _KINDS:
            raise root.fault(
                "sensitive", f"'{name}' is declared as {kinds[name]}; what can be sensitive is "
                f"{', '.join(_KINDS)}"
            )  # fmt: skip
        if one.consent is not None:
            key = f"sensitive.{name}.consent"
            require_word(root, key, one.consent, kinds, in_records=in_records)


def without_consent(
    sensitive: Mapping[str, Sensitive], columns: Collection[str]
) -> Sensitive | None:
    """Return the first of `columns` that is sensitive and has no separate consent, or None."""
    return next(
        (one for name, one in sensitive.items() if name in columns and one.consent is None), None
    )


def fault_of(one: Sensitive) -> str:
    """Say why nothing may be derived from a column without separate consent."""
    return message(
        "column '{column}' is sensitive ({category}), and nobody was "
        "asked for separate consent: say where it stands under "
        "sensitive.{column}.consent, or derive nothing from it",
        column=one.column,
        category=one.category,
    )


def require_consented(sensitive: Mapping[str, Sensitive], columns: Collection[str]) -> None:
    """Raise `DatasetError` where something is to be derived without separate consent."""
    found = without_consent(sensitive, columns)
    if found is not None:
        raise DatasetError(fault_of(found))
