"""The forms that a table's bytes may have: CSV, Parquet and Arrow, each read batch by batch.

A form reads the header and then the rows of the columns that are asked for. What Arrow says of a
fault quotes the row, so `table_file` puts it into other words.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from languages import message
from party.datasets.content import Content
from party.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS: Final = 16_384
_BUFFER_BYTES: Final = 1 << 20
_HEADER_BYTES: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Header:
    """The names of a table's columns.

    `floating` are those of floating-point numbers, which have lost what makes two the same text.
    """

    columns: tuple[str, ...]
    floating: frozenset[str] = frozenset()


class Form(Protocol):
    """How bytes become rows."""

    def batches(self, content: Content, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows with these columns; Arrow's errors pass."""
        ...


@dataclass(frozen=True)
class Csv:
    """Text with a delimiter; unless it is `checked`, cells are bytes and need not be UTF-8."""

    delimiter: str
    checked: bool = True

    def batches(self, content: Content, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; an empty cell is nothing."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        cells = pa.string() if self.checked else pa.binary()
        # One thread: only then does Arrow know the number of the row that it refuses.
        yield from arrow_csv.open_csv(
            content.open(),
            read_options=arrow_csv.ReadOptions(use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, cells),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )


@dataclass(frozen=True)
class Parquet:
    """Apache Parquet."""

    def batches(self, content: Content, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        import pyarrow.parquet as pq

        # Arrow would read a column's bytes ahead, all of them, and keep them to the end.
        file = pq.ParquetFile(content.open(), pre_buffer=False, buffer_size=_BUFFER_BYTES)
        yield from file.iter_batches(
            batch_size=BATCH_ROWS, columns=list(columns), use_threads=False
        )


@dataclass(frozen=True)
class Arrow:
    """Arrow IPC, as a file (Feather's second version) or as a stream."""

    def batches(self, content: Content, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in slices: a file may hold all of them in one batch."""
        chosen = [_open_arrow(content).schema.get_field_index(name) for name in columns]
        for batch in _arrow_batches(_open_arrow(content, sorted(chosen))):
            batch.validate()
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)


def read_csv_header(content: Content, expected: Sequence[str]) -> tuple[Csv, Header]:
    """Return the form and header; of several delimiters, the one of most `expected` columns.

    Raises `DatasetError` when the bytes are empty or no UTF-8.
    """
    with content.open() as stream:
        start = stream.read(_HEADER_BYTES)
    if start.startswith(_UTF16):
        raise DatasetError(
            message(
                "{name}: is encoded as UTF-16; save it as UTF-8",
                name=content.name,
            )
        )
    text = start.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise DatasetError(
            message(
                "{name}: is empty; export it again, with a header",
                name=content.name,
            )
        )
    headers = [(_header(text, delimiter), delimiter) for delimiter in _DELIMITERS]
    header, delimiter = max(
        headers, key=lambda found: (len(set(found[0]) & set(expected)), len(found[0]))
    )
    if any("\ufffd" in name for name in header):
        raise DatasetError(
            message(
                "{name}: the header is not UTF-8; save the file as UTF-8",
                name=content.name,
            )
        )
    return Csv(delimiter), Header(header)


def read_parquet_header(content: Content) -> tuple[Parquet, Header]:
    """Return form and header; raise `DatasetError` when the bytes are not Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _require_bytes(content)
    try:
        return Parquet(), header_of(pq.read_schema(content.open()))
    except (pa.ArrowException, UnicodeDecodeError):
        raise DatasetError(
            message(
                "{name}: is not a Parquet file, or is damaged; export again",
                name=content.name,
            )
        ) from None


def read_arrow_header(content: Content) -> tuple[Arrow, Header]:
    """Return form and header; raise `DatasetError` when the bytes are not Arrow IPC."""
    import pyarrow as pa

    _require_bytes(content)
    try:
        return Arrow(), header_of(_open_arrow(content).schema)
    except (pa.ArrowException, EOFError, UnicodeDecodeError):
        raise DatasetError(
            message(
                "{name}: is not an Arrow file (IPC, or Feather version 2), or is "
                "damaged; export again",
                name=content.name,
            )
        ) from None


def header_of(schema: pa.Schema) -> Header:
    """Return the header that an Arrow schema states."""
    import pyarrow as pa

    floating = frozenset(field.name for field in schema if pa.types.is_floating(field.type))
    return Header(tuple(schema.names), floating)


def _header(text: str, delimiter: str) -> tuple[str, ...]:
    return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), ()))


def _require_bytes(content: Content) -> None:
    with content.open() as stream:
        if not stream.read(1):
            raise DatasetError(
                message(
                    "{name}: is empty; export it again",
                    name=content.name,
                )
            )


def _open_arrow(content: Content, chosen: Sequence[int] | None = None) -> Any:  # noqa: ANN401
    """Return Arrow's reader of a file or of a stream, of the columns at the chosen places."""
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(use_threads=False)
    if chosen is not None:
        options.included_fields = list(chosen)
    try:
        return pa.ipc.open_file(content.open(), options=options)
    except pa.ArrowInvalid:
        return pa.ipc.open_stream(content.open(), options=options)


def _arrow_batches(reader: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401 - either reader
    import pyarrow as pa

    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        yield from map(reader.get_batch, range(reader.num_record_batches))
    else:
        yield from reader
