"""Minors: whoever is below the stated age takes part by a guardian's consent only.

PIPL 31 says so below 14 years, GDPR 8 below 16, or down to 13 where a member state lowered it. An
age is a number, a date of birth or a flag of the party's own data. Who has none is left out too,
unless the description lets them stay: nobody may be taken for grown up by silence. The rule comes
with consent, before anything else is derived, because a minor's own consent is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from party.datasets.assignment import Flags
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.rules import CELL, COLUMN
from party.datasets.times import MICROSECONDS, UNREADABLE, microseconds
from party.datasets.words import Asked, Word, read_guardian, require_word
from party.document import Section

AGE, BORN, FLAG = "age", "born", "flag"
_FORMS: Final = (AGE, BORN, FLAG)
_KINDS: Final = {
    AGE: ("attribute", "value"),
    BORN: ("attribute", "event_time"),
    FLAG: ("attribute",),
}
_LOWEST, _HIGHEST = 12, 21
_OLDEST: Final = 150
_MOST_LISTED: Final = 64


@dataclass(frozen=True)
class Minors:
    """The section: people are minors below `under` years.

    `form` says what `column` holds: ages in years, dates of birth, or a flag, whose texts in
    `minor` mean a minor. `guardian` is where a guardian's consent stands, None where nobody asks
    for it. Who has no readable age leaves, unless `ageless_stay`.
    """

    under: int
    form: str
    column: str
    minor: tuple[str, ...] = ()
    guardian: Word | None = None
    ageless_stay: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that are read."""
        return (self.column, *(self.guardian.columns if self.guardian else ()))

    @property
    def step(self) -> str:
        """What the step of a session is called."""
        of_age = f"people of {self.under} years or more"
        return f"{of_age}, or with a guardian's consent" if self.guardian else of_age

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document: dict[str, object] = {"under": self.under, self.form: self.column}
        if self.form == FLAG:
            document["minor"] = list(self.minor)
        if self.guardian is not None:
            document["guardian"] = self.guardian.to_json()
        return document | {"without_age": "stay" if self.ageless_stay else "leave"}

    def sort(self, asked: Asked, until: float) -> Ages:
        """Say of each person what their rows say of their age at `until` (Unix seconds).

        Of rows that contradict each other the lowest age counts.
        """
        young, known = self._of_rows(asked.columns[self.column], until)
        person, people = asked.person, asked.people
        somebodys = person >= 0
        minor, aged, allowed = (np.zeros(people, dtype=np.bool_) for _ in range(3))
        minor[person[young & somebodys]] = True
        aged[person[known & somebodys]] = True
        if self.guardian is not None:
            allowed = asked.who_gave(self.guardian)
        return Ages(minor, ~aged, allowed, ageless_stay=self.ageless_stay)

    def _of_rows(self, column: CodedColumn, until: float) -> tuple[Flags, Flags]:
        """Return which rows are a minor's, and which say an age at all."""
        if self.form == FLAG:
            known = column.codes != NOTHING
            return column.positions_of(self.minor) != NOTHING, known
        if self.form == BORN:
            born = microseconds(column)
            known = born != UNREADABLE
            return known & (born >= _first_birth(self.under, until)), known
        ages = np.append(column.numbers(), np.nan)[column.codes]
        known = (ages >= 0) & (ages <= _OLDEST)
        return known & (ages < self.under), known


@dataclass(frozen=True, eq=False, repr=False)
class Ages:
    """For each person: whether a minor, without any age, and allowed by a guardian."""

    minor: Flags
    ageless: Flags
    allowed: Flags
    ageless_stay: bool

    @property
    def take_part(self) -> Flags:
        """Who may take part."""
        grown: npt.NDArray[np.bool_] = ~self.minor
        if not self.ageless_stay:
            grown &= ~self.ageless
        return grown | self.allowed

    def quality(self, minors: Minors, counted: Flags) -> MinorsQuality:
        """Return how many of the `counted` people are what."""
        young = (self.minor | self.ageless) & counted
        return MinorsQuality(
            under=minors.under,
            minors=int(np.count_nonzero(self.minor & counted)),
            without_age=int(np.count_nonzero(self.ageless & counted)),
            with_guardian=int(np.count_nonzero(young & self.allowed)),
            left_out=int(np.count_nonzero(counted & ~self.take_part)),
        )


@dataclass(frozen=True)
class MinorsQuality:
    """How many people are `minors`, have no age, have a guardian's consent, and are left out.

    `with_guardian` counts minors and people without an age. The counts are exact: for the party.
    """

    under: int
    minors: int
    without_age: int
    with_guardian: int
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return asdict(self)


def read_minors(root: Section) -> Minors | None:
    """Read the section `minors` of a dataset's description."""
    if "minors" not in root:
        return None
    keys = (*_FORMS, "minor", "guardian", "without_age")
    section = root.section("minors", required=("under",), optional=keys)
    forms = [form for form in _FORMS if form in section]
    if len(forms) != 1:
        raise root.fault("minors", f"has exactly one of {', '.join(_FORMS)}")
    (form,) = forms
    if ("minor" in section) != (form == FLAG):
        raise root.fault("minors", "a 'flag', and nothing else, has 'minor': its texts for a minor")
    stay = "without_age" in section and section.choice("without_age", ("leave", "stay")) == "stay"
    return Minors(
        under=section.integer("under", _LOWEST, _HIGHEST),
        form=form,
        column=section.text(form, COLUMN),
        minor=section.texts("minor", CELL, most=_MOST_LISTED) if form == FLAG else (),
        guardian=read_guardian(section) if "guardian" in section else None,
        ageless_stay=stay,
    )


def require_usable(
    root: Section, minors: Minors, kinds: Mapping[str, str], *, in_records: bool
) -> None:
    """Raise the fault of a section that reads what it cannot."""
    allowed = _KINDS[minors.form]
    kind = kinds.get(minors.column, allowed[0])
    if kind not in allowed:
        raise root.fault(
            f"minors.{minors.form}",
            f"'{minors.column}' is declared as {kind}; declare it as {' or '.join(allowed)}",
        )
    if minors.guardian is not None:
        require_word(root, "minors.guardian", minors.guardian, kinds, in_records=in_records)


def _first_birth(under: int, until: float) -> int:
    """Return the first instant (Unix microseconds) of a birth that makes a minor at `until`.

    Birthdays begin at midnight in UTC; whoever was born on 29 February has theirs on 1 March in
    other years.
    """
    today = datetime.fromtimestamp(until, UTC).date()
    year = today.year - under
    try:
        latest = today.replace(year=year)
    except ValueError:  # 29 February, which that year lacks
        latest = today.replace(year=year, day=28)
    first = datetime.combine(latest + timedelta(days=1), datetime.min.time(), UTC)
    return int(first.timestamp()) * MICROSECONDS
