"""Raw values of a party's own people: the evidence that tells how its digests were made.

They come from a small file that is named for this, or from a raw column of the same type in the
same dataset. Nothing of them is kept, logged or shown but masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.origin import Files
from party.datasets.source import Source
from party.errors import DatasetError
from psi.columns import ColumnSpec

if TYPE_CHECKING:
    import pyarrow as pa

MOST_VALUES: Final = 300
"""Raw values that are tried in a column: some milliseconds each, and more tell no more."""


@dataclass(frozen=True, repr=False)
class RawValues:
    """Raw values of one type, at most `MOST_VALUES`, each once, and where they come from.

    `digests`, where there are any, are what stands beside each of them.
    """

    texts: tuple[str, ...]
    origin: str
    region: str | None = None
    digests: tuple[str, ...] = ()

    @property
    def paired(self) -> bool:
        """Whether a digest was delivered beside each value."""
        return bool(self.digests)


@dataclass(frozen=True, repr=False)
class Sample:
    """A file of raw values: a column a type, named for it, and beside it perhaps the digests."""

    path: Path
    columns: dict[str, pa.DictionaryArray] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, definition: Definition) -> Sample:
        """Read the columns of a file that a definition can use.

        Raises `DatasetError` when the file cannot be read, or no column is named for a type of
        which the dataset has digests.
        """
        digested = [c for c in definition.identifiers if c.spec is not None and c.spec.digested]
        types = dict.fromkeys(c.spec.type for c in digested if c.spec is not None)
        if not types:
            raise DatasetError(
                f"dataset {definition.name} has no column of digests, so a sample of raw values "
                "tells nothing; leave it out"
            )
        with Source.open(path.absolute().parent, Files(path.name), ()) as source:
            raw = [name for name in types if name in source.columns]
            if not raw:
                raise DatasetError(
                    f"{path}: has no column of raw values; name one for its type: "
                    f"{', '.join(types)}"
                )
            beside = [c.name for c in digested if c.name in source.columns and c.name not in raw]
            return cls(path, source.read([*raw, *beside]))

    def values_for(self, column: ColumnDefinition, region: str | None) -> RawValues | None:
        """Return the raw values of a digest column's type, or None when the file has none."""
        spec = column.spec
        if spec is None or spec.type not in self.columns:
            return None
        raw = self.columns[spec.type]
        beside = self.columns.get(column.name) if column.name != spec.type else None
        chosen = _first_rows(raw, beside)
        return RawValues(
            tuple(raw[row].as_py() for row in chosen),
            self.path.name,
            region,
            () if beside is None else tuple(beside[row].as_py() for row in chosen),
        )


def beside(
    column: ColumnDefinition, definition: Definition, source: Source
) -> tuple[ColumnDefinition, RawValues] | None:
    """Return the raw column of a digest column's type in the same dataset, with its values."""
    spec = column.spec
    for other in definition.identifiers:
        if spec is None or other.spec is None or other.spec.digested:
            continue
        if other.spec.type == spec.type:
            table = source.read([other.name, column.name])
            raw = table[other.name]
            chosen = _first_rows(raw, table[column.name])
            return other, RawValues(
                tuple(raw[row].as_py() for row in chosen),
                f"column {other.name}",
                other.spec.region,
                tuple(table[column.name][row].as_py() for row in chosen),
            )
    return None


def region_of(specs: Iterable[ColumnSpec], given: str | None) -> str | None:
    """Return the region for raw phone numbers: the one given, or that of a raw column."""
    return given or next((spec.region for spec in specs if spec.region), None)


def _first_rows(raw: pa.DictionaryArray, digests: pa.DictionaryArray | None) -> list[int]:
    """Return the first row of each distinct raw value that has a digest beside it, if any do."""
    import pyarrow.compute as pc

    from psi.arrow import positions

    codes = positions(raw.indices, missing=-1)
    usable = codes >= 0
    if digests is not None:
        usable &= pc.is_valid(digests.indices).to_numpy(zero_copy_only=False).astype(np.bool_)
    rows = np.flatnonzero(usable)
    _, first = np.unique(codes[rows], return_index=True)
    return [int(row) for row in rows[np.sort(first)][:MOST_VALUES]]
