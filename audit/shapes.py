"""The shapes that a field of an entry's body may have, and the record that is made of them.

A body is a frozen dataclass whose fields are `Annotated` with a shape; a field with the default
None may be absent in JSON and is never null. Shapes refuse what looks like a person's identifier
(an address, a phone number, a digest) where words are expected, because an entry can never be
taken back. No shape is a float: numbers are integers of a named unit, below 2**53 as RFC 8785
asks. Messages name the field and never its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    Final,
    Protocol,
    Self,
    TypeAlias,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from audit.errors import EntryError, NoteError
from audit.note import Verifier

JsonObject: TypeAlias = dict[str, Any]
_Check: TypeAlias = Callable[[object, str], None]
_Read: TypeAlias = Callable[[object, str], object]
_Matches: TypeAlias = Callable[[str], object]

MAX_INTEGER: Final = 2**53 - 1
_ADDRESS_LIKE: Final = re.compile(r"@")
_IDENTIFIER_LIKE: Final = re.compile(r"@|[0-9]{7,}|[0-9A-Fa-f]{32,}|[0-9]{3}[ -][0-9]{3,4}[ -]")


class Shape(Protocol):
    """What a field may hold, as a Python value and as JSON."""

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` when the Python value is out of shape."""
        ...

    def read(self, value: object, where: str) -> object:
        """Turn parsed JSON into the Python value, which `check` judges."""
        ...

    def write(self, value: object) -> object:
        """Turn a checked Python value into what JSON can hold."""
        ...


class _Scalar:
    """A value that is the same in Python and in JSON."""

    def read(self, value: object, where: str) -> object:
        return value

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Matching(_Scalar):
    """A string of one pattern, described in words for the message."""

    pattern: re.Pattern[str]
    words: str

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` matches as a whole."""
        if not isinstance(value, str) or not self.pattern.fullmatch(value):
            raise EntryError(f"{where} must be {self.words}")


@dataclass(frozen=True)
class Words(_Scalar):
    """Text for people: printable, bounded, and without anything that looks like `refused`."""

    longest: int
    refused: re.Pattern[str]

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` is such text."""
        if not isinstance(value, str) or not 0 < len(value) <= self.longest:
            raise EntryError(f"{where} must be text of 1 to {self.longest} characters")
        if fault := _fault(value, self.refused):
            raise EntryError(f"{where} {fault}")


@lru_cache(maxsize=4096)
def _fault(text: str, refused: re.Pattern[str]) -> str | None:
    """Say what is wrong with text for people, None for nothing; a log has few such texts."""
    if not text.isprintable() or text != text.strip():
        return "must be printable text without spaces around it"
    if refused.search(text):
        return (
            "has something like an address, a phone number or a digest in it; "
            "the log holds no identifiers: say it without"
        )
    return None


@dataclass(frozen=True)
class Whole(_Scalar):
    """An integer from `lowest` to `highest`."""

    lowest: int = 0
    highest: int = MAX_INTEGER

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` is such an integer; a boolean is none."""
        if type(value) is not int or not self.lowest <= value <= self.highest:
            raise EntryError(f"{where} must be an integer from {self.lowest} to {self.highest}")


@dataclass(frozen=True)
class OneOf(_Scalar):
    """One word of a closed list."""

    words: tuple[str, ...]

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` is in the list."""
        if not isinstance(value, str) or value not in self.words:
            raise EntryError(f"{where} must be one of {', '.join(self.words)}")


class VerifierKey(_Scalar):
    """The public key of a log in its text form."""

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` is a key of algorithm 01."""
        if not isinstance(value, str):
            raise EntryError(f"{where} must be a verifier key")
        try:
            Verifier.from_vkey(value)
        except NoteError as error:
            raise EntryError(f"{where} must be a verifier key: {error}") from error


@dataclass(frozen=True)
class ListOf:
    """A tuple of 1 to `longest` different items of one shape; in JSON an array."""

    item: Shape
    longest: int

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless each item is in shape and none repeats."""
        if not isinstance(value, tuple) or not 0 < len(value) <= self.longest:
            raise EntryError(f"{where} must be a list of 1 to {self.longest} items")
        for position, item in enumerate(value):
            self.item.check(item, f"{where}[{position}]")
        if len(set(value)) != len(value):
            raise EntryError(f"{where} has an item twice")

    def read(self, value: object, where: str) -> object:
        """Turn an array into a tuple."""
        if not isinstance(value, list):
            raise EntryError(f"{where} must be a list")
        return tuple(self.item.read(item, f"{where}[{i}]") for i, item in enumerate(value))

    def write(self, value: object) -> object:
        """Turn a tuple into an array."""
        return [self.item.write(item) for item in cast("tuple[object, ...]", value)]


@dataclass(frozen=True)
class MapOf:
    """A mapping of 1 to `longest` keys of one shape to values of another."""

    key: Shape
    value: Shape
    longest: int

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless keys and values are in shape."""
        if not isinstance(value, Mapping) or not 0 < len(value) <= self.longest:
            raise EntryError(f"{where} must be an object of 1 to {self.longest} members")
        for name, item in value.items():
            self.key.check(name, f"a name in {where}")
            self.value.check(item, f"{where}.{name}")

    def read(self, value: object, where: str) -> object:
        """Turn the values of an object into Python's."""
        if not isinstance(value, dict):
            raise EntryError(f"{where} must be an object")
        return {name: self.value.read(item, f"a value in {where}") for name, item in value.items()}

    def write(self, value: object) -> object:
        """Turn the values into JSON's."""
        items = cast("Mapping[str, object]", value).items()
        return {name: self.value.write(item) for name, item in items}


@dataclass(frozen=True)
class Record:
    """The base of everything that is an object in JSON: its fields are checked when it is made."""

    def __post_init__(self) -> None:
        for name, (shape, optional) in _shapes(type(self)).items():
            value = getattr(self, name)
            if not (optional and value is None):
                shape.check(value, name)
        self._require_together()

    def _require_together(self) -> None:
        """Raise `EntryError` where fields that are in shape do not go together."""

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read an object that has every field and no other.

        Raises:
            EntryError: a field is missing, unknown or out of shape.
        """
        if not isinstance(value, dict):
            raise EntryError(f"{where} must be an object")
        plan = _plan(cls, where)
        if not plan.required <= value.keys():
            missing = [name for name in plan.fields if name in plan.required - value.keys()]
            raise EntryError(f"{where} lacks {', '.join(missing)}")
        if not value.keys() <= plan.fields.keys():
            raise EntryError(f"{where} has a field besides {', '.join(plan.fields)}")
        values: dict[str, Any] = dict(plan.absent)
        for name, item in value.items():
            read, matches, check, named = plan.fields[name]
            if read is not None:
                item = read(item, named)
            if matches is None or type(item) is not str or not matches(item):
                check(item, named)
            values[name] = item
        made = object.__new__(cls)  # each field was just checked: not once more
        made.__dict__.update(values)
        made._require_together()
        return made

    def to_json(self) -> JsonObject:
        """Return the object for JSON, without the fields that are None."""
        shapes = _shapes(type(self))
        present = {name: getattr(self, name) for name in shapes}
        return {n: shapes[n][0].write(v) for n, v in present.items() if v is not None}


@dataclass(frozen=True)
class Nested:
    """A record within a record."""

    record: type[Record]

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` unless `value` is of this class, whose fields were checked."""
        if type(value) is not self.record:
            raise EntryError(f"{where} must be of {self.record.__name__}")

    def read(self, value: object, where: str) -> object:
        """Read the object."""
        return self.record.from_json(value, where)

    def write(self, value: object) -> object:
        """Return the object for JSON."""
        return cast("Record", value).to_json()


@dataclass(frozen=True)
class _Plan:
    """How an object is read: by field its reader, pattern, check and name, and which may be absent.

    A reader is None where a value is the same in Python and in JSON. Text that matches the pattern
    needs no check.
    """

    fields: Mapping[str, tuple[_Read | None, _Matches | None, _Check, str]]
    required: frozenset[str]
    absent: Mapping[str, None]


_PLANS: Final[dict[tuple[type[Record], str], _Plan]] = {}


def _plan(record: type[Record], where: str) -> _Plan:
    """Return how records of a class are read that stand at a place, of which there are few."""
    known = _PLANS.get((record, where))
    if known is not None:
        return known
    shapes = _shapes(record)
    plan = _PLANS[record, where] = _Plan(
        {
            name: (
                None if isinstance(shape, _Scalar) else shape.read,
                shape.pattern.fullmatch if isinstance(shape, Matching) else None,
                shape.check,
                f"{where}.{name}",
            )
            for name, (shape, _) in shapes.items()
        },
        frozenset(name for name, (_, optional) in shapes.items() if not optional),
        {name: None for name, (_, optional) in shapes.items() if optional},
    )
    return plan


_KNOWN: Final[dict[type[Record], dict[str, tuple[Shape, bool]]]] = {}


def _shapes(record: type[Record]) -> dict[str, tuple[Shape, bool]]:
    """Return each field's shape and whether it may be absent, in the order of the class."""
    if record not in _KNOWN:
        hints = get_type_hints(record, include_extras=True)
        _KNOWN[record] = {
            f.name: (_shape_in(hints[f.name]), f.default is None) for f in fields(record)
        }
    return _KNOWN[record]


def _shape_in(hint: object) -> Shape:
    """Return the shape of `Annotated[T, shape]`, also where None is allowed beside it."""
    annotated = hint if get_origin(hint) is Annotated else get_args(hint)[0]
    shape: Shape = get_args(annotated)[1]
    return shape


TOKEN: Final = Matching(
    re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]{0,127}"), "1 to 128 letters, digits and . _ : / -"
)
DIGEST: Final = Matching(
    re.compile(r"[0-9a-f]{64}"), "32 bytes as 64 lower-case hexadecimal digits"
)
REASON: Final = Matching(
    re.compile(r"[A-Z][A-Z_]{1,39}"), "a reason code of 2 to 40 capital letters and _"
)
IRI: Final = Matching(
    re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-?A-~]{1,200}"), "an IRI in ASCII, without @"
)
LABEL: Final = Words(300, _ADDRESS_LIKE)
SENTENCE: Final = Words(500, _IDENTIFIER_LIKE)
NATURAL: Final = Whole()

Token = Annotated[str, TOKEN]
Digest = Annotated[str, DIGEST]
ReasonCode = Annotated[str, REASON]
Iri = Annotated[str, IRI]
Label = Annotated[str, LABEL]
Sentence = Annotated[str, SENTENCE]
Natural = Annotated[int, NATURAL]
UnixTime = Annotated[int, NATURAL]
VkeyText = Annotated[str, VerifierKey()]
