"""One file of a dataset: its header, its rows in batches, and its faults in words.

Arrow's own messages quote the row that they stumble over, so they are never passed on.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from party.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS: Final = 16_384
_HEADER_BYTES: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_ROW: Final = re.compile(r"Row #(\d+)")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PARQUET: Final = ".parquet"
_ONLY_HEADER: Final = "Empty CSV file or block"  # how Arrow says it; the header was read before


@dataclass(frozen=True)
class TableFile:
    """A CSV (with its `delimiter`) or Parquet file whose header has been read.

    `floating` are the columns whose numbers have lost what makes two of them the same text.
    """

    path: Path
    columns: tuple[str, ...]
    delimiter: str | None = None
    floating: frozenset[str] = frozenset()

    def state(self) -> tuple[int, int]:
        """Return what changes when the file does: its size and time of change."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches with these columns; a fault is a `DatasetError`."""
        import pyarrow as pa

        invalid_rows: list[int] = []
        try:
            for batch in self._open(columns, invalid_rows):
                yield batch.select(list(columns))
        except (pa.ArrowException, OSError) as error:
            if _ONLY_HEADER in str(error):
                return
            raise DatasetError(f"{self.path}{_fault(str(error), invalid_rows)}") from None

    def count_rows(self) -> int:
        """Return the number of rows; it stays inside this package."""
        return sum(batch.num_rows for batch in self.batches(self.columns[:1]))

    def as_text(self, name: str, column: pa.Array) -> pa.DictionaryArray:
        """Return a column as text, each distinct text once."""
        import pyarrow as pa

        try:
            text = column.cast(pa.large_string())
            text.validate(full=True)
        except pa.ArrowException:
            raise DatasetError(
                f"{self.path}, column '{name}': cannot be read as UTF-8 text (it is of type "
                f"{column.type}); export it as text"
            ) from None
        return text.dictionary_encode()

    def _open(self, columns: Sequence[str], invalid_rows: list[int]) -> Iterator[pa.RecordBatch]:
        if self.delimiter is None:
            import pyarrow.parquet as pq

            file = pq.ParquetFile(self.path)
            return iter(
                file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns), use_threads=False)
            )
        return _open_csv(self.path, self.delimiter, columns, invalid_rows)


def open_table_file(path: Path, expected: Sequence[str]) -> TableFile:
    """Read a file's header; of several delimiters, the one that shows most `expected` columns.

    Raises `DatasetError` for an unreadable, empty or wrongly encoded file and for a column that
    stands twice.
    """
    try:
        file = _parquet(path) if path.suffix.lower() == _PARQUET else _csv(path, expected)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or 'damaged'}") from None
    for name in file.columns:
        if file.columns.count(name) > 1:
            raise DatasetError(f"{path}: the column '{name[:64]}' stands twice; rename one")
    return file


def _parquet(path: Path) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.stat().st_size == 0:
        raise DatasetError(f"{path}: is empty; export it again")
    try:
        schema = pq.read_schema(path)
    except pa.ArrowException:
        raise DatasetError(f"{path}: is not a Parquet file, or is damaged; export again") from None
    floating = frozenset(field.name for field in schema if pa.types.is_floating(field.type))
    return TableFile(path, tuple(schema.names), floating=floating)


def _csv(path: Path, expected: Sequence[str]) -> TableFile:
    with path.open("rb") as stream:
        start = stream.read(_HEADER_BYTES)
    if start.startswith(_UTF16):
        raise DatasetError(f"{path}: is encoded as UTF-16; save it as UTF-8")
    text = start.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise DatasetError(f"{path}: is empty; export it again, with a header")
    headers = [(_header(text, delimiter), delimiter) for delimiter in _DELIMITERS]
    header, delimiter = max(
        headers, key=lambda found: (len(set(found[0]) & set(expected)), len(found[0]))
    )
    if any("\ufffd" in name for name in header):
        raise DatasetError(f"{path}: the header is not UTF-8; save the file as UTF-8")
    return TableFile(path, header, delimiter)


def _header(text: str, delimiter: str) -> tuple[str, ...]:
    return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), ()))


def _open_csv(
    path: Path, delimiter: str, columns: Sequence[str], invalid_rows: list[int]
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    def refuse(row: Any) -> str:  # noqa: ANN401 - Arrow's InvalidRow has no public type
        invalid_rows.append(row.number)
        return "error"

    # One thread: only then does Arrow know the number of the row that it refuses.
    reader = arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return iter(reader)


def _fault(message: str, invalid_rows: Sequence[int]) -> str:
    """Return what an Arrow error means, without the cells that it quotes."""
    if invalid_rows:
        return f", row {invalid_rows[0] - 1}: has not as many cells as the header; correct it"
    row = _ROW.search(message)
    place = f", row {int(row[1]) - 1}" if row else ""
    if "invalid UTF8" in message:
        return f"{place}: is not UTF-8; save the file as UTF-8"
    if "straddling" in message:
        return f"{place}: a row is longer than a mebibyte, or a quotation mark is never closed"
    return f"{place}: is damaged or changed while it was read; export it again"
