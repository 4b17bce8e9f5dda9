"""Where a word beside consent as such is given: a guardian's, or separate consent.

In a column of the source, or in the party's records of consent, where the dataset rests on these:
there it stands for a purpose and a recipient, like the consent that it adds to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from party.consent.notice import CATEGORY
from party.consent.standing import Question
from party.datasets.assignment import Flags, Positions
from party.datasets.coded import CodedColumn
from party.datasets.consent import ConsentStatements, consenting, statements_in
from party.datasets.consent_records import RecordStatements
from party.datasets.rules import CELL, COLUMN
from party.document import Section
from party.errors import DatasetError

_MOST_LISTED: Final = 64
Grant: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class InColumn:
    """A word is given where a column's text is one of `given`; a blank one says nothing."""

    column: str
    given: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that are read."""
        return (self.column,)

    def to_json(self) -> dict[str, object]:
        """Return the mapping as it was read."""
        return {"column": self.column, "given": list(self.given)}


@dataclass(frozen=True)
class InRecords:
    """A word stands in the records: for a `category` of data, or else a guardian's."""

    category: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """None: records are in the store."""
        return ()

    def to_json(self) -> dict[str, object]:
        """Return the mapping as it was read."""
        return {"records": self.category or True}


Word: TypeAlias = InColumn | InRecords


@dataclass(frozen=True, eq=False, repr=False)
class Asked:
    """Who is asked for a word: the people of some rows, by what was known at `until`.

    With `grants` a word is for each of these purposes and recipients; without, for any of those
    that are spoken of. `until` is in Unix seconds, None for everything that is known.
    """

    columns: Mapping[str, CodedColumn]
    consent: ConsentStatements
    person: Positions
    people: int
    until: float | None
    grants: Sequence[Grant] | None = None

    def who_gave(self, word: Word) -> Flags:
        """Say of each person whether a row of theirs gives the word, and none refuses it."""
        if isinstance(word, InColumn):
            statements = statements_in(self.columns[word.column], word.given)
            return consenting(statements, self.person, self.people)
        grants = self.consent.grants() if self.grants is None else self.grants
        found = [self._in_records(word, grant) for grant in grants]
        if not found:
            return np.zeros(self.people, dtype=np.bool_)
        together = np.logical_or if self.grants is None else np.logical_and
        gave: Flags = together.reduce(found)
        return gave

    def _in_records(self, word: InRecords, grant: Grant) -> Flags:
        if not isinstance(self.consent, RecordStatements):
            raise DatasetError("a word stands in records of consent, and the consent does not")
        question = Question(*grant, by_guardian=word.category is None, category=word.category)
        return consenting(self.consent.answers(question, self.until), self.person, self.people)


def read_guardian(parent: Section) -> Word:
    """Read where a guardian's consent stands."""
    if "records" not in (given := _either(parent, "guardian")):
        return _in_column(parent, "guardian")
    if not given.flag("records"):
        raise parent.fault("guardian.records", "is true, or there is a 'column' instead")
    return InRecords()


def read_separate(parent: Section) -> Word:
    """Read where separate consent stands."""
    if "records" not in (given := _either(parent, "consent")):
        return _in_column(parent, "consent")
    return InRecords(given.text("records", CATEGORY))


def require_word(
    root: Section, key: str, word: Word, kinds: Mapping[str, str], *, in_records: bool
) -> None:
    """Raise the fault of a word that cannot be read where it is said to stand.

    `in_records` says whether the dataset's consent stands in records.
    """
    if isinstance(word, InRecords):
        if not in_records:
            raise root.fault(
                key, "stands in records, and the section 'consent' does not: name a column"
            )
        return
    kind = kinds.get(word.column, "consent")
    if kind != "consent":
        raise root.fault(
            key, f"column '{word.column}' is declared as {kind}; declare it as consent"
        )


def _either(parent: Section, key: str) -> Section:
    return parent.section(key, required=(), optional=("column", "given", "records"))


def _in_column(parent: Section, key: str) -> InColumn:
    section = parent.section(key, required=("column", "given"))
    given = section.texts("given", CELL, most=_MOST_LISTED)
    return InColumn(section.text("column", COLUMN), given)
