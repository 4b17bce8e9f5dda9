"""One table of a dataset: its header, its rows in batches, and its faults in words.

Arrow's own messages quote the row that they stumble over, so they are never passed on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from languages import message
from party.datasets.content import Content
from party.datasets.table_forms import (
    Csv,
    Form,
    Header,
    read_arrow_header,
    read_csv_header,
    read_parquet_header,
)
from party.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES: Final = (".csv", ".tsv", ".parquet", ".arrow", ".feather")
_ROW: Final = re.compile(r"Row #(\d+)")
_CELLS: Final = re.compile(r"Row #\d+: Expected \d+ columns, got \d+")
_PARQUET: Final = (".parquet",)
_ARROW: Final = (".arrow", ".feather")
_ONLY_HEADER: Final = "Empty CSV file or block"  # how Arrow says it; the header was read before


@dataclass(frozen=True)
class TableFile:
    """Bytes whose form is known and whose header has been read.

    `held` are the columns of the header that the bytes have, None for all.
    """

    content: Content
    form: Form
    header: Header
    held: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.content.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.header.columns

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches with these columns; a fault is a `DatasetError`."""
        import pyarrow as pa

        try:
            for batch in self.form.batches(self.content, columns):
                yield batch.select(list(columns))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            if _ONLY_HEADER in str(error):
                return
            raise DatasetError(f"{self.name}{_fault(str(error))}") from None

    def unchecked_batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield what `batches` does, for columns that need not be UTF-8: those of CSV as bytes."""
        form = replace(self.form, checked=False) if isinstance(self.form, Csv) else self.form
        yield from replace(self, form=form).batches(columns)

    def count_rows(self) -> int:
        """Return the number of rows; it stays inside this package."""
        return sum(batch.num_rows for batch in self.batches(self.columns[:1]))


def open_table_file(content: Content, expected: Sequence[str]) -> TableFile:
    """Read the header of bytes whose name tells their form; `expected` columns tell a delimiter.

    Raises `DatasetError` for an unreadable, empty or wrongly encoded file and for a column that
    stands twice.
    """
    suffix = PurePath(content.name).suffix.lower()
    form: Form
    try:
        if suffix in _PARQUET:
            form, header = read_parquet_header(content)
        elif suffix in _ARROW:
            form, header = read_arrow_header(content)
        else:
            form, header = read_csv_header(content, expected)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "damaged"
        raise DatasetError(
            message(
                "{name}: cannot be read: {why}",
                name=content.name,
                why=why,
            )
        ) from None
    require_once(content.name, header.columns)
    return TableFile(content, form, header)


def require_once(name: str, columns: Sequence[str]) -> None:
    """Raise `DatasetError` when a column stands twice."""
    for column in columns:
        if columns.count(column) > 1:
            raise DatasetError(
                message(
                    "{name}: the column '{column}' stands twice; rename one",
                    name=name,
                    column=column[:64],
                )
            )


def require_columns(
    name: str, header: Header, required: Sequence[str], exact: Sequence[str]
) -> None:
    """Raise `DatasetError` when a `required` column is missing, or an `exact` one inexact."""
    for column in required:
        if column not in header.columns:
            raise DatasetError(
                message(
                    "{name}: there is no column '{column}'{hint}",
                    name=name,
                    column=column,
                    hint=_suggestion(column, header.columns),
                )
            )
    for column in exact:
        if column in header.floating:
            raise DatasetError(
                message(
                    "{name}, column '{column}': holds floating-point numbers, which "
                    "lose digits and leading zeros; export it as text",
                    name=name,
                    column=column,
                )
            )


def as_text(table: str, name: str, column: pa.Array) -> pa.LargeStringArray:
    """Return a column as text; raise `DatasetError` when it has no text form."""
    import pyarrow as pa

    try:
        text = _utc_as_text(column) if _is_utc(column.type) else column.cast(pa.large_string())
        text.validate(full=True)
    except pa.ArrowException:
        raise DatasetError(
            message(
                "{table}, column '{name}': cannot be read as UTF-8 text (it is "
                "of type {type}); export it as text",
                table=table,
                name=name,
                type=column.type,
            )
        ) from None
    return text


def _is_utc(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) and kind.tz == "UTC")


def _utc_as_text(column: pa.Array) -> pa.LargeStringArray:
    """Return times as Arrow writes them, in a tenth of the time that it takes for one of a zone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = column.cast(pa.timestamp(column.type.unit)).cast(pa.large_string())
    zone, nothing = (pa.scalar(text, pa.large_string()) for text in ("Z", ""))
    return pc.binary_join_element_wise(plain, zone, nothing)


def _suggestion(column: str, columns: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(column, columns, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(columns[:20])}"


def _fault(message: str) -> str:
    """Return what an Arrow error means, without the cells that it quotes."""
    row = _ROW.search(message)
    place = f", row {int(row[1]) - 1}" if row else ""
    if _CELLS.search(message):
        return f"{place}: has not as many cells as the header; correct it"
    if "invalid UTF8" in message:
        return f"{place}: is not UTF-8; save the file as UTF-8"
    if "straddling" in message:
        return f"{place}: a row is longer than a mebibyte, or a quotation mark is never closed"
    return f"{place}: is damaged or changed while it was read; export it again"
