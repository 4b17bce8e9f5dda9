"""Looks for raw personal data in columns that a description does not declare as such.

Every row is looked at, in batches, as bytes: a column that nobody reads need not be UTF-8. Of the
texts that have the shape of a kind, some of each batch are checked. What is kept is numbers; what
is told is the column and the kind, and never a value. The section `scan` of a description says
which columns the scan is not to judge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from languages import message
from party.datasets.personal import ADDRESSES, PersonalKind, kinds_for
from party.datasets.rules import COLUMN
from party.document import Section
from party.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

    from party.datasets.definition import Definition

_MOST_CHECKED: Final = 200
"""Texts of one shape that are checked of a batch."""
_MOST_COLUMNS: Final = 1000
_WORTH_A_LOOK: Final = "@|[0-9](?:[^0-9]?[0-9]){5}"
"""What every shape has: an @, or six digits with at most one other character between two."""


@dataclass(frozen=True)
class ScanTerms:
    """The section `scan`: columns that are `dropped`, which nothing reads, and `not_personal`.

    The latter were looked at by a person, who says that what resembles personal data is none.
    """

    dropped: tuple[str, ...] = ()
    not_personal: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        named = {"dropped": self.dropped, "not_personal": self.not_personal}
        return {key: list(columns) for key, columns in named.items() if columns}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the section names."""
        return (*self.dropped, *self.not_personal)


def read_scan(root: Section) -> ScanTerms:
    """Read the section `scan`, empty where there is none."""
    if "scan" not in root:
        return ScanTerms()
    section = root.section("scan", required=(), optional=("dropped", "not_personal"))
    named = [
        section.texts(key, COLUMN, most=_MOST_COLUMNS) if key in section else ()
        for key in ("dropped", "not_personal")
    ]
    twice = set(named[0]) & set(named[1])
    if twice:
        raise root.fault(
            "scan",
            message(
                "'{twice}' is both dropped and not_personal; keep one",
                twice=min(twice),
            ),
        )
    return ScanTerms(*named)


@dataclass(frozen=True)
class FoundPersonal:
    """Personal data in a column: which kind, how the column is declared, and what to do."""

    column: str
    kind: str
    declared: str | None
    remedy: str

    @property
    def problem(self) -> str:
        """What is wrong, and what to do about it."""
        said = "is not declared" if self.declared is None else f"is declared as {self.declared}"
        ways = "scan: {dropped: […]}" if self.declared is None else "scan: {not_personal: […]}"
        sure = "to have it never read" if self.declared is None else "where it is none"
        several = self.kind + ("es" if self.kind.endswith("s") else "s")
        return f"holds what looks like {several} and {said}: {self.remedy}; or write {ways} {sure}"

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {"column": self.column, "kind": self.kind, "declared": self.declared}


@dataclass
class _Tally:
    """How many texts of a shape there were, how many were checked, and how many passed."""

    shaped: int = 0
    checked: int = 0
    passed: int = 0

    def holds(self, kind: PersonalKind, texts: int) -> bool:
        if self.passed < kind.least:
            return False
        share = self.passed / self.checked
        return share * (self.shaped / texts if kind.whole else 1.0) >= kind.share


@dataclass
class ColumnScan:
    """Looks at one column batch by batch."""

    kinds: Sequence[PersonalKind]
    texts: int = 0
    unread: bool = False
    _tallies: dict[int, _Tally] = field(default_factory=dict)

    def look(self, cells: pa.Array) -> None:
        """Take in some rows, of any Arrow type; one that has no text form cannot be looked at."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_temporal(cells.type):
            return
        texts = _as_texts(cells)
        if texts is None:
            self.unread = True
            return
        texts = texts.drop_null()
        self.texts += len(texts)
        candidates = texts.filter(pc.match_substring_regex(texts, _WORTH_A_LOOK))
        if not len(candidates):
            return
        for place, kind in enumerate(self.kinds):
            found = candidates.filter(pc.match_substring_regex(candidates, kind.search))
            if not len(found):
                continue
            tally = self._tallies.setdefault(place, _Tally())
            step = -(-len(found) // _MOST_CHECKED)
            checked = found.take(pa.array(range(0, len(found), step)))
            tally.shaped += len(found)
            tally.checked += len(checked)
            tally.passed += sum(kind.holds(_plain(text)) for text in checked.to_pylist())

    def found(self) -> list[PersonalKind]:
        """Return the kinds that the column holds, each name once."""
        holding = [
            self.kinds[place]
            for place, tally in sorted(self._tallies.items())
            if tally.holds(self.kinds[place], self.texts)
        ]
        return list({kind.name: kind for kind in reversed(holding)}.values())[::-1]


class Scan:
    """Looks at the columns of a dataset.

    `declared` has the kind of each column that is read, `but` those that are not looked at: what is
    declared as personal data, and what the description takes out. `regions` are those of the
    telephone numbers that it declares.
    """

    def __init__(
        self,
        declared: Mapping[str, str],
        but: Collection[str] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        self._declared, self.but, self._regions = declared, but, regions
        self._columns: dict[str, ColumnScan] = {}

    def look(self, column: str, cells: pa.Array) -> None:
        """Take in some rows of a column; leave alone what is not to be looked at."""
        if column in self.but:
            return
        if column not in self._columns:
            numbers = self._declared.get(column) in ("event_time", "value")
            kinds = ADDRESSES if numbers else kinds_for(column, self._regions)
            self._columns[column] = ColumnScan(kinds)
        self._columns[column].look(cells)

    def found(self) -> tuple[FoundPersonal, ...]:
        """Return what was found, in the order of the columns."""
        return tuple(
            FoundPersonal(name, kind.name, self._declared.get(name), kind.remedy)
            for name, column in self._columns.items()
            for kind in column.found()
        )

    def unread(self) -> tuple[str, ...]:
        """Return the columns that have no text form and were not looked at."""
        return tuple(name for name, column in self._columns.items() if column.unread)


def scan_of(definition: Definition) -> Scan:
    """Return the scan of a dataset as it is described."""
    declared = dict.fromkeys(definition.source_columns, "attribute")
    declared |= {column.name: column.kind for column in definition.columns}
    personal = [column.name for column in definition.identifiers]
    regions = [column.spec.region for column in definition.identifiers if column.spec]
    return Scan(
        declared,
        frozenset((*personal, *definition.sensitive, *definition.scan.columns)),
        tuple(sorted({region for region in regions if region is not None})),
    )


def require_dropped_are_there(definition: Definition, columns: Collection[str]) -> None:
    """Raise `DatasetError` when the section `scan` names what the source does not have."""
    for column in definition.scan.columns:
        if column not in columns:
            raise DatasetError(
                message(
                    "dataset {name}, scan: the source has no column '{column}'; "
                    "remove it from the section",
                    name=definition.name,
                    column=column,
                )
            )


def _as_texts(cells: pa.Array) -> pa.Array | None:
    """Return cells as texts or as bytes, None where they have no text form."""
    import pyarrow as pa

    if isinstance(cells, pa.DictionaryArray):
        cells = cells.dictionary_decode()
    if pa.types.is_null(cells.type):
        return pa.array([], pa.string())
    if pa.types.is_nested(cells.type):
        return None
    if pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type):
        return cells
    try:
        return cells.cast(pa.large_string())
    except pa.ArrowException:
        return None


def _plain(text: str | bytes) -> str:
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
