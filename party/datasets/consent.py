"""Consent: whose rows may take part, for which purpose and which recipient.

Either a column of the source says it, for the purposes and recipients that its notice named, or a
table of events does, in which the latest event counts, or TC strings in a column, or the records in
the party's store (`party.consent`). Nobody takes part by silence: a person
consents when at least one statement says so and none says otherwise. Whoever does not is left out
before anything else is derived (docs/protocol.md, Transport; audit: ISO/IEC TS 27560).

The snapshot that counterparts see is the root of a Merkle tree over salted hashes of the consenting
people, and a commitment to how many they are.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from audit.commitment import SALT_BYTES, commit
from audit.merkle_rows import root_of_rows
from party.consent.standing import GIVEN, REFUSED, SILENT
from party.consent.tcf import MOST_VENDOR
from party.contract_terms import NAME, PURPOSE
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.origin import Origin, read_origin
from party.datasets.rules import CELL, COLUMN
from party.document import Section
from party.errors import DatasetError
from psi.engines import engine
from psi.row_hashes import mac_texts

__all__ = [
    "GIVEN",
    "REFUSED",
    "SILENT",
    "ColumnStatements",
    "Consent",
    "ConsentColumn",
    "ConsentInRecords",
    "ConsentSnapshot",
    "ConsentStatements",
    "ConsentStrings",
    "ConsentTable",
    "Statements",
    "consenting",
    "read_consent",
    "take_snapshot",
]

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_LISTED: Final = 64
_TABLE_KEYS: Final = ("table", "key", "state", "given", "purpose", "recipient", "time")
_COLUMN_KEYS: Final = ("column", "given", "purposes", "recipients")
_STRING_KEYS: Final = ("tcf", "vendors")
_RECORD_KEYS: Final = ("records",)
_FORMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"column": _COLUMN_KEYS, "table": _TABLE_KEYS, "tcf": _STRING_KEYS, "records": _RECORD_KEYS}
)
"""The keys of each form of the section, by the key that tells it."""

Statements: TypeAlias = npt.NDArray[np.int8]
"""What each row says: GIVEN, REFUSED or SILENT."""


@dataclass(frozen=True)
class ConsentColumn:
    """A column of the source: consent is given where its text is one of `given`."""

    column: str
    given: tuple[str, ...]
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]

    @property
    def source_column(self) -> str:
        """The column of the source that consent is read from."""
        return self.column

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {
            "column": self.column,
            "given": list(self.given),
            "purposes": list(self.purposes),
            "recipients": list(self.recipients),
        }


@dataclass(frozen=True)
class ConsentTable:
    """A table of events: for each key, purpose and recipient the latest event counts.

    `key` is a column of the table and of the source; the others are columns of the table. Of two
    events at one time, the one that does not give consent counts.
    """

    table: Origin
    key: str
    state: str
    given: tuple[str, ...]
    purpose: str
    recipient: str
    time: str

    @property
    def source_column(self) -> str:
        """The column of the source that consent is read from."""
        return self.key

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        texts = {name: getattr(self, name) for name in _TABLE_KEYS}
        return texts | {"table": self.table.to_json(), "given": list(self.given)}


@dataclass(frozen=True)
class ConsentStrings:
    """A column of TC strings (version 2.3); `vendors` is each recipient's number in their list."""

    column: str
    vendors: Mapping[str, int]

    @property
    def source_column(self) -> str:
        """The column of the source that consent is read from."""
        return self.column

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"tcf": self.column, "vendors": dict(self.vendors)}


@dataclass(frozen=True)
class ConsentInRecords:
    """The party's own records of consent, which call people as the column `key` does."""

    key: str

    @property
    def source_column(self) -> str:
        """The column of the source that consent is read from."""
        return self.key

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"records": self.key}


Consent: TypeAlias = ConsentColumn | ConsentTable | ConsentStrings | ConsentInRecords


@dataclass(frozen=True)
class Protected:
    """By which rules people were left out beside consent, as the log says it.

    `minors_under` is the age below which nobody takes part without a guardian's consent, None where
    the dataset has no such rule; `sensitive` the columns that needed separate consent.
    """

    minors_under: int | None = None
    sensitive: tuple[str, ...] = ()


UNPROTECTED: Final = Protected()


@dataclass(frozen=True, repr=False)
class ConsentSnapshot:
    """What a session shows of the consent that it rests on.

    `root` is the RFC 6962 root over the salted hashes of the consenting people, sorted; `count` a
    commitment to their number; `taken_at` Unix seconds.
    """

    root: bytes
    count: bytes
    taken_at: float
    protected: Protected = UNPROTECTED


class ConsentStatements(Protocol):
    """What the rows of a source say about consent, wherever it is written down."""

    @property
    def lines(self) -> bytes:
        """What names the tables that were read beside the source (`Source.lines`)."""
        ...

    def grants(self) -> list[tuple[str, str]]:
        """Return every purpose and recipient that is spoken of, sorted."""
        ...

    def of_rows(self, purpose: str, recipient: str, until: float | None) -> Statements:
        """Return what each source row says, by what was known at `until` (Unix seconds)."""
        ...


@dataclass(frozen=True, eq=False)
class ColumnStatements:
    """Consent as a column of the source says it."""

    consent: ConsentColumn
    column: CodedColumn

    @property
    def lines(self) -> bytes:
        """Nothing: a column is in the source."""
        return b""

    def grants(self) -> list[tuple[str, str]]:
        """Return every purpose with every recipient of the notice."""
        return sorted(product(self.consent.purposes, self.consent.recipients))

    def of_rows(self, purpose: str, recipient: str, until: float | None) -> Statements:
        """Return what each row says; a column has no history, so `until` changes nothing.

        Raises `DatasetError` unless the notice named this purpose and this recipient.
        """
        del until
        for what, asked, named in (
            ("purpose", purpose, self.consent.purposes),
            ("recipient", recipient, self.consent.recipients),
        ):
            if asked not in named:
                raise DatasetError(
                    f"the consent in column '{self.consent.column}' does not cover the {what} "
                    f"'{asked[:100]}'; it covers {', '.join(named)}. Ask people before you add it"
                )
        return statements_in(self.column, self.consent.given)


def read_consent(root: Section) -> Consent:
    """Read the section `consent` of a dataset's description."""
    either = dict.fromkeys(key for keys in _FORMS.values() for key in keys)
    given = root.section("consent", required=(), optional=tuple(either))
    told = [form for form in _FORMS if form in given]
    if len(told) != 1:
        raise root.fault(
            "consent",
            "has either a 'column' of the source, a 'table' of events, TC strings in a column "
            "('tcf'), or the column by which 'records' call people",
        )
    section = root.section("consent", required=_FORMS[told[0]])
    match told[0]:
        case "column":
            return ConsentColumn(
                column=section.text("column", COLUMN),
                given=section.texts("given", CELL, most=_MOST_LISTED),
                purposes=section.texts("purposes", PURPOSE, most=_MOST_LISTED),
                recipients=section.texts("recipients", NAME, most=_MOST_LISTED),
            )
        case "tcf":
            return _read_strings(section)
        case "records":
            return ConsentInRecords(section.text("records", COLUMN))
    return ConsentTable(
        table=read_origin(section, "table"),
        given=section.texts("given", CELL, most=_MOST_LISTED),
        **{
            name: section.text(name, COLUMN)
            for name in ("key", "state", "purpose", "recipient", "time")
        },
    )


def statements_in(column: CodedColumn, given: tuple[str, ...]) -> Statements:
    """Return what the rows of a column say: one of the texts `given`, another one, or nothing."""
    gives = column.positions_of(given) != NOTHING
    says = np.where(gives, GIVEN, REFUSED).astype(np.int8)
    says[column.codes == NOTHING] = SILENT
    return says


def _read_strings(section: Section) -> ConsentStrings:
    names = section.names("vendors", NAME, most=_MOST_LISTED)
    vendors = section.section("vendors", required=names)
    numbers = {name: vendors.integer(name, 1, MOST_VENDOR) for name in names}
    return ConsentStrings(section.text("tcf", COLUMN), MappingProxyType(numbers))


def consenting(
    statements: Statements, person: npt.NDArray[np.int64], people: int
) -> npt.NDArray[np.bool_]:
    """Return which of `people` consent: a row of theirs gives it and none refuses."""
    gives = np.zeros(people, dtype=np.bool_)
    refuses = np.zeros(people, dtype=np.bool_)
    gives[person[(statements == GIVEN) & (person >= 0)]] = True
    refuses[person[(statements == REFUSED) & (person >= 0)]] = True
    return gives & ~refuses


def take_snapshot(
    references: pa.Array, salt: bytes, taken_at: float, protected: Protected = UNPROTECTED
) -> ConsentSnapshot:
    """Return the snapshot of the people whose references, large strings, are given, each once.

    `salt` is 32 bytes, kept by the party: without it neither people nor their number can be
    guessed from the snapshot. Raises `DatasetError` when it has another length.
    """
    if len(salt) != SALT_BYTES:
        raise DatasetError(f"the salt of a consent snapshot is {SALT_BYTES} bytes")
    record_key = hmac.digest(salt, b"consent records", "sha256")
    records = mac_texts(record_key, references)
    root = root_of_rows(records, engine().sort_order(records))
    number = len(records).to_bytes(8, "big")
    count = commit("consent count", number, hmac.digest(salt, b"consent count", "sha256"))
    return ConsentSnapshot(root, count, taken_at, protected)
