"""A dataset's description: the short YAML file that says what a party's files mean.

It names the source, what makes rows one person, what each column holds, where consent stands,
which rows are invalid traffic and which labels can be asked for. It says nothing about sessions,
and no privacy parameter can be set in it. Unknown keys are errors: a misspelt `consent` must not
become a dataset without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from languages import message
from party.contract_terms import NAME
from party.datasets.connection import Connection, read_person, require_connectable
from party.datasets.consent import (
    Consent,
    ConsentColumn,
    ConsentInRecords,
    ConsentStrings,
    ConsentTable,
    read_consent,
)
from party.datasets.erased import NOBODY, Erased
from party.datasets.labels import Label, expressions_of, read_labels
from party.datasets.minors import Minors, read_minors
from party.datasets.minors import require_usable as require_minors
from party.datasets.origin import Origin, read_origin
from party.datasets.retention import Retention, read_retention
from party.datasets.rules import COLUMN
from party.datasets.scan import ScanTerms, read_scan
from party.datasets.sensitive import (
    Sensitive,
    fault_of,
    read_sensitive,
    require_declared,
    without_consent,
)
from party.datasets.touch_labels import AgeLabel, JourneyLabel
from party.datasets.traffic import InvalidTraffic
from party.datasets.traffic_section import read_invalid_traffic, require_usable
from party.document import Section, TextRule
from party.errors import DatasetError
from party.yaml_text import MOST_BYTES, read_yaml
from psi.columns import ColumnSpec
from psi.errors import IdentifierError

if TYPE_CHECKING:
    from party.consent.records import ConsentRecords

_MOST_COLUMNS: Final = 256
_IDENTIFIER: Final = "id."
_KINDS: Final = ("attribute", "event_time", "value", "consent")
_COMPUTED_KINDS: Final = ("value", "event_time")
_KIND: Final = TextRule(message("a kind of column, such as id.email or attribute"), most=100)
_SECTIONS: Final = (
    "person",
    "conversions",
    "invalid_traffic",
    "labels",
    "minors",
    "sensitive",
    "retention",
    "scan",
)
_REGION: Final = TextRule(message("two upper-case letters, such as GB"), most=8)


@dataclass(frozen=True)
class ColumnDefinition:
    """One declared column: `kind` as written, and how to read it when it holds identifiers."""

    name: str
    kind: str
    spec: ColumnSpec | None = None

    def to_json(self) -> object:
        """Return the declaration as it was read."""
        if self.spec is None or self.spec.region is None:
            return self.kind
        return {"kind": self.kind, "region": self.spec.region}


@dataclass(frozen=True)
class Definition:
    """What a dataset's files mean. `folder` is where relative paths start.

    `person` is the column that tells people apart, or how rows are connected to people; None makes
    each row a person. `conversion_time` is the column that says when a row's conversion was.
    `erased` are people who take no part any more: the party's store knows them, no file does.
    `records` are those of the party that reads it, and no part of what is written.
    """

    name: str
    source: Origin
    folder: Path
    person: str | Connection | None
    columns: tuple[ColumnDefinition, ...]
    consent: Consent
    labels: Mapping[str, Label]
    invalid_traffic: InvalidTraffic | None = None
    conversion_time: str | None = None
    minors: Minors | None = None
    sensitive: Mapping[str, Sensitive] = field(default_factory=lambda: MappingProxyType({}))
    retention: Retention | None = None
    scan: ScanTerms = field(default_factory=ScanTerms)
    erased: Erased = field(default=NOBODY, compare=False, repr=False)
    records: ConsentRecords | None = field(default=None, compare=False, repr=False)

    @property
    def identifiers(self) -> tuple[ColumnDefinition, ...]:
        """The columns that hold identifiers, in the order of the file."""
        return tuple(column for column in self.columns if column.spec is not None)

    @property
    def types(self) -> tuple[str, ...]:
        """The identifier types of the dataset, each once, in the order of the file."""
        return tuple(dict.fromkeys(column.spec.type for column in self.columns if column.spec))

    @property
    def person_column(self) -> str | None:
        """The column that tells people apart, or that they are called by."""
        return self.person.reference if isinstance(self.person, Connection) else self.person

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Every column of the source that the description names, each once."""
        named = [column.name for column in self.columns]
        named += [self.person_column] if self.person_column else []
        named.append(self.consent.source_column)
        named += self.minors.columns if self.minors else ()
        named += [
            name for one in self.sensitive.values() if one.consent for name in one.consent.columns
        ]
        named += self.invalid_traffic.columns if self.invalid_traffic else ()
        named += [self.conversion_time] if self.conversion_time else []
        named += [name for label in self.labels.values() for name in label.columns]
        return tuple(dict.fromkeys(named))

    @property
    def exact_columns(self) -> tuple[str, ...]:
        """The columns whose texts must be exact: identifiers and what people are told by."""
        exact = [column.name for column in self.identifiers]
        exact += [self.person_column] if self.person_column else []
        if isinstance(self.consent, ConsentTable | ConsentInRecords):
            exact.append(self.consent.key)
        return tuple(dict.fromkeys(exact))

    def label(self, name: str) -> Label:
        """Return a label by its name; raise `DatasetError` when there is none."""
        if name not in self.labels:
            raise DatasetError(
                message(
                    "dataset {name} has no label '{label}'; it has {value}",
                    name=self.name,
                    label=name[:64],
                    value=", ".join(self.labels) or "none",
                )
            )
        return self.labels[name]

    def to_dict(self) -> dict[str, object]:
        """Return the description as `from_dict` reads it."""
        document: dict[str, object] = {
            "dataset": self.name,
            "source": self.source.to_json(),
            "folder": str(self.folder),
            "columns": {column.name: column.to_json() for column in self.columns},
            "consent": self.consent.to_json(),
        }
        if self.person is not None:
            person = self.person
            document["person"] = person.to_json() if isinstance(person, Connection) else person
        if self.invalid_traffic is not None:
            document["invalid_traffic"] = self.invalid_traffic.to_json()
        if self.conversion_time is not None:
            document["conversions"] = {"time": self.conversion_time}
        if self.minors is not None:
            document["minors"] = self.minors.to_json()
        if self.sensitive:
            document["sensitive"] = {name: one.to_json() for name, one in self.sensitive.items()}
        if self.labels:
            document["labels"] = {name: label.to_json() for name, label in self.labels.items()}
        if self.retention is not None:
            document["retention"] = self.retention.to_json()
        if self.scan.columns:
            document["scan"] = self.scan.to_json()
        return document

    @classmethod
    def from_dict(cls, document: object) -> Definition:
        """Return the description in a stored document; raise `DatasetError` on any fault."""
        if not isinstance(document, dict) or not isinstance(document.get("folder"), str):
            raise DatasetError(
                message("a stored dataset description is a mapping with its 'folder'")
            )
        written = {key: value for key, value in document.items() if key != "folder"}
        return read_definition(written, Path(document["folder"]), "the stored dataset description")


def load_definition(path: str | Path) -> Definition:
    """Return the description in a YAML file.

    Raises `DatasetError` naming file, key and what to write instead.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DatasetError(
            message(
                "{path}: cannot be read: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    document = read_yaml(data, str(path), DatasetError)
    return read_definition(document, path.parent.resolve(), str(path))


def read_definition(document: object, folder: Path, what: str) -> Definition:
    """Return the description in a document, whose paths start at `folder`.

    Raises `DatasetError` that names `what`, the key and what to write instead.
    """

    def fail(problem: str) -> DatasetError:
        return DatasetError(message("{what}: {details}", what=what, details=problem))

    root = Section(
        _with_sections(document),
        "",
        fail,
        required=("dataset", "source", "columns", "consent"),
        optional=_SECTIONS,
    )
    columns = _read_columns(root)
    consent = read_consent(root)
    labels = read_labels(root) if "labels" in root else {}
    definition = Definition(
        name=root.text("dataset", NAME),
        source=read_origin(root, "source"),
        folder=folder,
        person=read_person(root),
        columns=columns,
        consent=consent,
        labels=MappingProxyType(labels),
        invalid_traffic=read_invalid_traffic(root),
        conversion_time=_read_conversions(root),
        minors=read_minors(root),
        sensitive=MappingProxyType(read_sensitive(root)),
        retention=read_retention(root),
        scan=read_scan(root),
    )
    _require_consistent(root, definition)
    return definition


def _with_sections(document: object) -> object:
    """Return the document with `email: id.email` spelled out as `email: {kind: id.email}`."""
    if not isinstance(document, dict) or not isinstance(document.get("columns"), dict):
        return document
    columns = document["columns"]
    spelled = {
        name: {"kind": value} if isinstance(value, str) else value
        for name, value in columns.items()
    }
    return {**document, "columns": spelled}


def _read_columns(root: Section) -> tuple[ColumnDefinition, ...]:
    names = root.names("columns", COLUMN, most=_MOST_COLUMNS)
    columns = root.section("columns", required=names)
    return tuple(_read_column(columns, name) for name in names)


def _read_column(columns: Section, name: str) -> ColumnDefinition:
    section = columns.section(name, required=("kind",), optional=("region",))
    kind = section.text("kind", _KIND)
    if not kind.startswith(_IDENTIFIER):
        if kind not in _KINDS:
            # Let the reader say it, with what is allowed.
            section.choice("kind", (*_KINDS, "id.email", "id.phone_sha256", "id.TYPE[_DIGEST]"))
        if "region" in section:
            raise section.fault("region", message("only phone numbers have one; remove it"))
        return ColumnDefinition(name, kind)
    region = section.optional_text("region", _REGION)
    try:
        spec = ColumnSpec.parse(kind.removeprefix(_IDENTIFIER), region=region)
    except IdentifierError as error:
        raise section.fault("kind", str(error)) from None
    return ColumnDefinition(name, kind, spec)


def _times_of(label: Label) -> tuple[str, ...]:
    """Return the columns of times that a label is made of."""
    return (label.time,) if isinstance(label, JourneyLabel | AgeLabel) else ()


def _read_conversions(root: Section) -> str | None:
    if "conversions" not in root:
        return None
    return root.section("conversions", required=("time",)).text("time", COLUMN)


def _require_consistent(root: Section, definition: Definition) -> None:
    for column in definition.scan.dropped:
        if column in definition.source_columns:
            raise root.fault(
                "scan.dropped",
                message(
                    "'{column}' is read; a dropped column is not",
                    column=column,
                ),
            )
    if not definition.identifiers:
        raise root.fault(
            "columns",
            message("no column holds an identifier; declare one, such as 'email: id.email'"),
        )
    if isinstance(definition.person, Connection):
        types = [column.spec.type for column in definition.identifiers if column.spec]
        require_connectable(root, definition.person, types)
    kinds = {column.name: column.kind for column in definition.columns}
    if definition.invalid_traffic is not None:
        require_usable(root, definition.invalid_traffic, kinds)
    for name, label in definition.labels.items():
        _require_columns(root, name, label, kinds)
    time = definition.conversion_time
    if time is not None and kinds.get(time, "event_time") != "event_time":
        raise root.fault(
            "conversions.time",
            message(
                "'{time}' is declared as {kinds}; declare it as event_time",
                time=time,
                kinds=kinds[time],
            ),
        )
    _require_protected(root, definition, kinds)
    _require_consent_read(root, definition, kinds)


def _require_protected(root: Section, definition: Definition, kinds: Mapping[str, str]) -> None:
    """Raise the fault of what is said of minors and of sensitive columns."""
    in_records = isinstance(definition.consent, ConsentInRecords)
    if definition.minors is not None:
        require_minors(root, definition.minors, kinds, in_records=in_records)
    sensitive = definition.sensitive
    require_declared(root, sensitive, kinds, definition.source_columns, in_records=in_records)
    derived = {f"labels.{name}": label.columns for name, label in definition.labels.items()}
    if definition.conversion_time is not None:
        derived["conversions.time"] = (definition.conversion_time,)
    for key, columns in derived.items():
        found = without_consent(sensitive, columns)
        if found is not None:
            raise root.fault(key, fault_of(found))


def _require_consent_read(root: Section, definition: Definition, kinds: Mapping[str, str]) -> None:
    """Raise the fault of a column that is declared as consent and that nothing reads as such."""
    words = [one.consent for one in definition.sensitive.values()]
    words.append(definition.minors.guardian if definition.minors else None)
    read = {column for word in words if word for column in word.columns}
    if isinstance(definition.consent, ConsentColumn | ConsentStrings):
        used = definition.consent.column
        if kinds.get(used, "consent") != "consent":
            raise root.fault(
                "consent",
                message(
                    "column '{used}' is declared as {kinds}",
                    used=used,
                    kinds=kinds[used],
                ),
            )
        read.add(used)
    unread = [name for name, kind in kinds.items() if kind == "consent" and name not in read]
    if unread:
        raise root.fault(
            "columns", message(
"'{unread}' is declared as consent, but the section 'consent' "
"does not read it",
unread=unread[0],
)
        )  # fmt: skip


def _require_columns(root: Section, name: str, label: Label, kinds: Mapping[str, str]) -> None:
    """Raise the fault of a label that is made of what labels are not made of."""
    computed = {column for one in expressions_of(label) for column in one.columns}
    for column in label.columns:
        if column in computed and column not in kinds:
            raise root.fault(
                "labels", message(
"the expression of '{name}' reads '{column}', which is no "
"declared column; declare it under columns, or write it as "
"there: {kinds}",
name=name,
column=column,
kinds=', '.join(kinds),
)
            )  # fmt: skip
        kind = kinds.get(column, "attribute")
        if kind == "event_time" and column in _times_of(label):
            continue
        numeric = kind == "value" and column in label.number_columns
        if kind == "attribute" or numeric or (column in computed and kind in _COMPUTED_KINDS):
            continue
        raise root.fault(
            "labels", message(
"'{name}' is made of '{column}', which is declared as {kind}; "
"labels are made of attributes",
name=name,
column=column,
kind=kind,
)
        )  # fmt: skip
