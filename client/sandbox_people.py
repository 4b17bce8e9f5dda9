"""Made-up people of two organisations, and what is true of them.

Nobody is real: numbers are of the exchange 555, addresses of example.com. The same number of
people gives the same people every time. The truth is counted with plain sets, and shares no code
with what the sandbox lets a person try.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

YOU, PARTNER = "you", "partner"
SEGMENTS: Final = ("new", "regular", "loyal")
FREQUENCIES: Final = ("1", "2", "3", "4", "5+")
PEOPLE: Final = 5_000
MOST_PEOPLE: Final = 30_000

_AREAS: Final = (202, 212, 303, 312, 404, 512, 602, 713)
_SHARED: Final = 0.4  # of the people of either side
_HEADERS: Final = {
    YOU: ("customer", "email", "phone", "segment", "consent"),
    PARTNER: ("subscriber", "email_sha256", "phone", "frequency", "consent"),
}
_COLUMNS: Final = {
    YOU: "  email: id.email\n  segment: attribute\n",
    PARTNER: "  email_sha256: id.email_sha256\n  frequency: attribute\n",
}
_LABELS: Final = {YOU: ("segment", SEGMENTS), PARTNER: ("frequency", FREQUENCIES)}


@dataclass(frozen=True)
class Person:
    """One person as one organisation has them; what it does not have is empty."""

    number: int
    has_email: bool
    has_phone: bool
    label: str
    consents: bool

    @property
    def email(self) -> str:
        """The address, as nobody writes it twice in the same way."""
        return f"person{self.number}@example.com"

    @property
    def phone(self) -> str:
        """The number in E.164."""
        return f"+1{_AREAS[self.number // 10_000]}555{self.number % 10_000:04d}"

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What identifies the person there, in the order of the contract."""
        held = ((self.has_email, self.email), (self.has_phone, self.phone))
        return tuple(value for has, value in held if has)


@dataclass(frozen=True)
class Truth:
    """What a session should find: the people in the list, and those reached by segment."""

    matched: int
    reached: dict[str, int]


@dataclass(frozen=True)
class People:
    """The people of both sides."""

    you: tuple[Person, ...]
    partner: tuple[Person, ...]

    @classmethod
    def make(cls, count: int = PEOPLE) -> People:
        """Make `count` people a side, of whom two in five are the same."""
        random = Random(count)  # noqa: S311 - made-up people
        apart = round(count * (1 - _SHARED))
        yours = [_person(random, number, YOU) for number in range(count)]
        theirs = [_person(random, number, PARTNER) for number in range(apart, apart + count)]
        return cls(tuple(yours), tuple(theirs))

    def truth(self) -> Truth:
        """Count who is in both. A table is sent one identifier a person, a list all of them."""
        theirs = {value: one for one in self.partner if one.consents for value in one.identifiers}
        yours = [one for one in self.you if one.consents]
        matched = sum(any(value in theirs for value in one.identifiers) for one in yours)
        met = {value for value, one in theirs.items() if one.label}
        reached = Counter(one.label for one in yours if one.identifiers[0] in met)
        return Truth(matched, {segment: reached[segment] for segment in SEGMENTS})

    def write(self, folder: Path) -> dict[str, Path]:
        """Write each side's people as CSV and YAML; return the descriptions by party."""
        folder.mkdir(parents=True, exist_ok=True)
        return {
            YOU: _write(folder, YOU, "customers", map(_your_row, self.you)),
            PARTNER: _write(folder, PARTNER, "subscribers", map(_their_row, self.partner)),
        }


def _person(random: Random, number: int, side: str) -> Person:
    has_phone = random.random() < 0.7
    has_email = not has_phone or random.random() < 0.85
    if side == YOU:
        label = random.choices(SEGMENTS, weights=(3, 5, 2))[0]
    else:
        label = random.choices(("", *FREQUENCIES), weights=(6, 5, 4, 3, 2, 2))[0]  # "": not met
    return Person(number, has_email, has_phone, label, consents=random.random() < 0.95)


def _your_row(one: Person) -> tuple[str, ...]:
    """Return a row as somebody types it: spaces, capitals, national numbers."""
    email = f" {one.email.title()}" if one.number % 3 else one.email
    area, rest = one.phone[2:5], one.phone[5:]
    phone = f"({area}) {rest[:3]}-{rest[3:]}"
    return _row("c", one, email, phone)


def _their_row(one: Person) -> tuple[str, ...]:
    """Return a row as a system exports it: digests of e-mails, international numbers."""
    return _row("s", one, sha256(one.email.encode()).hexdigest(), one.phone)


def _row(prefix: str, one: Person, email: str, phone: str) -> tuple[str, ...]:
    return (
        f"{prefix}{one.number:06d}",
        email if one.has_email else "",
        phone if one.has_phone else "",
        one.label,
        "yes" if one.consents else "no",
    )


def _write(folder: Path, side: str, name: str, rows: Iterable[tuple[str, ...]]) -> Path:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([_HEADERS[side], *rows])
    label, values = _LABELS[side]
    quoted = ", ".join(f'"{value}"' for value in values)
    path = folder / f"{name}.yaml"
    path.write_text(
        f"""# Made-up people of the sandbox: a description such as `commonground dataset add` takes.
dataset: {name}
source: {name}.csv
person: {_HEADERS[side][0]}
columns:
{_COLUMNS[side]}  phone: {{kind: id.phone, region: US}}
  consent: consent
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [{YOU}, {PARTNER}]
labels:
  {label}: {{column: {label}, values: [{quoted}]}}
""",
        encoding="utf-8",
    )
    return path
