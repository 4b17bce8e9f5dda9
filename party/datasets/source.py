"""The tables behind a dataset: found, checked, read in batches, and named by their digest.

A table is a file of the party, or what a store or a database gave, copied privately for the time
of the reading. All are read through Arrow, one batch at a time, and only the columns that are asked
for; every distinct text is kept once. A table that is not what it should be is an error that names
it, the row or column and the remedy. A row is counted from 1 without the header, and what stands
in it is never shown.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from languages import message
from party.datasets.content import Content, LocalFile, State
from party.datasets.origin import DatabaseQuery, DuckDBQuery, Files, Objects, Origin
from party.datasets.spill import Watch
from party.datasets.table_file import (
    SUFFIXES,
    TableFile,
    as_text,
    open_table_file,
    require_columns,
)
from party.errors import DatasetError
from psi.arrow import integers
from psi.row_hashes import hash_texts

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Source:
    """The tables of a dataset or of a consent table, files in the order of their names.

    Use it in a `with` statement: leaving it gives private copies back.
    """

    folder: Path
    files: tuple[TableFile, ...]

    @classmethod
    def open(
        cls,
        folder: Path,
        origin: Origin,
        required: Sequence[str],
        exact: Sequence[str] = (),
        watch: Watch | None = None,
    ) -> Source:
        """Find the tables of an origin whose paths are relative to `folder`.

        Objects and answers to queries are copied here. Raises `DatasetError` when there are none,
        when one lacks a `required` column, or holds floating-point numbers in an `exact` one.
        `watch` is shown what a query answers besides, which is not copied.
        """
        source = cls(folder, tuple(_open(folder, origin, required, exact, watch)))
        try:
            for file in source.files:
                require_columns(file.name, file.header, required, exact)
        except DatasetError:
            source.close()
            raise
        return source

    def close(self) -> None:
        """Give private copies back."""
        for file in self.files:
            file.content.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of every table, each once."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.columns))

    def names(self) -> tuple[str, ...]:
        """Return the tables' names; files relative to the folder where they are in it."""
        return tuple(self._name(file.content) for file in self.files)

    def read(self, columns: Iterable[str]) -> dict[str, pa.DictionaryArray]:
        """Return columns as text, each distinct text once; rows run through all tables.

        Raises `DatasetError` for a table that cannot be read to its end, a column that has no text
        form, and tables without a row.
        """
        import pyarrow as pa

        names = list(columns)
        kind = pa.dictionary(pa.int32(), pa.large_string())
        chunks: dict[str, list[pa.DictionaryArray]] = {name: [] for name in names}
        for file in self.files:
            for batch in file.batches(names):
                for name, column in zip(names, batch.columns, strict=True):
                    chunks[name].append(as_text(file.name, name, column).dictionary_encode())
        if not any(map(len, chunks[names[0]])):
            raise DatasetError(
                message(
                    "{value}: has a header and no rows",
                    value=self._described(),
                )
            )
        table = {name: _joined(pa.chunked_array(chunks.pop(name), kind)) for name in names}
        pa.default_memory_pool().release_unused()
        return table

    def stream(self, column: str) -> Iterator[pa.LargeStringArray]:
        """Yield a column's texts a batch at a time; rows run through all tables.

        Raises `DatasetError` for a table that cannot be read to its end, and a column that has no
        text form.
        """
        for file in self.files:
            for batch in file.batches([column]):
                yield as_text(file.name, column, batch.column(0))

    def texts_at(
        self, rows: npt.NDArray[np.int64], columns: Sequence[str]
    ) -> dict[str, list[str | None]]:
        """Return what stands in some rows, by column, reading all in one go, a batch at a time.

        `rows` are numbers from 0 through all tables, in their order. Raises `DatasetError` as
        `stream` does.
        """
        found: dict[str, list[str | None]] = {name: [] for name in columns}
        start = 0
        for file in self.files:
            for batch in file.batches(columns):
                stop = start + batch.num_rows
                first, end = np.searchsorted(rows, (start, stop))
                here = integers(rows[first:end] - start)
                for name, column in zip(columns, batch.columns, strict=True):
                    found[name] += as_text(file.name, name, column.take(here)).to_pylist()
                start = stop
        return found

    def show(self, but: Collection[str], watch: Watch) -> None:
        """Show all rows of the columns at hand, `but` some, a batch at a time; of CSV as bytes."""
        for file in self.files:
            names = [name for name in file.held or file.columns if name not in but]
            for batch in file.unchecked_batches(names) if names else ():
                for name, column in zip(names, batch.columns, strict=True):
                    watch(name, column)

    def place(self, row: int) -> str:
        """Return where row `row` (from 0, through all tables) stands, for messages."""
        for file in self.files:
            rows = file.count_rows()
            if row < rows:
                return f"{file.name}, row {row + 1}"
            row -= rows
        return self.files[-1].name

    def states(self) -> tuple[State, ...]:
        """Return what changes when a table does; `require_unchanged` compares with it."""
        return tuple(file.content.state() for file in self.files)

    def require_unchanged(self, states: tuple[State, ...]) -> None:
        """Raise `DatasetError` when a table has changed since `states` was taken."""
        for file, before in zip(self.files, states, strict=True):
            if file.content.state() != before:
                raise DatasetError(
                    message(
                        "{name}: changed while it was read; run again",
                        name=file.name,
                    )
                )

    def lines(self) -> bytes:
        """Return `sha256sum`'s line (digest, two spaces, name) for each table.

        The digest of a file or object is that of its bytes, the digest of an answer to a query
        that of its texts (`spill`).
        """
        return b"".join(
            f"{file.content.digest().hex()}  {self._name(file.content)}\n".encode()
            for file in self.files
        )

    def snapshot(self) -> bytes:
        """Return the digest that names these tables: SHA-256 over their lines."""
        return snapshot_of(self.lines())

    def _name(self, content: Content) -> str:
        if not isinstance(content, LocalFile):
            return content.name
        path = content.path
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else (
            path.as_posix()
        )  # fmt: skip

    def _described(self) -> str:
        return self.files[0].name + (" and the files beside it" if self.files[1:] else "")


def snapshot_of(*lines: bytes) -> bytes:
    """Return the digest that names tables by their lines, one source's after the other's."""
    return hashlib.sha256(b"".join(lines)).digest()


def _numbers(count: int) -> pa.Array:
    import pyarrow as pa

    numbers = np.arange(count, dtype=np.int32)
    return pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(numbers)])


def _all_distinct(texts: pa.Array) -> bool:
    """Say whether the texts are sure to differ: no two share the first 8 bytes of their hash."""
    heads = hash_texts(texts, width=8).view(np.uint64).reshape(-1)
    heads.sort()
    return not np.any(heads[1:] == heads[:-1])


def _open(
    folder: Path,
    origin: Origin,
    required: Sequence[str],
    exact: Sequence[str],
    watch: Watch | None,
) -> list[TableFile]:
    match origin:
        case Files():
            contents = [LocalFile(path) for path in _find(folder, origin.pattern)]
            return [open_table_file(content, required) for content in contents]
        case Objects():
            return _open_objects(origin, required)
        case DatabaseQuery():
            from party.datasets.database import open_query

            return [open_query(folder, origin, required, exact, watch)]
        case DuckDBQuery():
            from party.datasets.duckdb_file import open_duckdb

            return [open_duckdb(folder, origin, required, exact, watch)]


def _open_objects(origin: Objects, required: Sequence[str]) -> list[TableFile]:
    from party.datasets.objects import fetch_objects

    copies = fetch_objects(origin)
    try:
        return [open_table_file(copy, required) for copy in copies]
    except DatasetError:
        for copy in copies:
            copy.close()
        raise


def _find(folder: Path, pattern: str) -> list[Path]:
    path = folder / pattern
    if path.is_dir():
        found = [file for suffix in SUFFIXES for file in path.glob(f"*{suffix}")]
        if not found:
            raise DatasetError(
                message(
                    "{path}: the folder has no {suffixes} file",
                    path=path,
                    suffixes=", ".join(SUFFIXES),
                )
            )
        return sorted(found)
    anchored = pattern if Path(pattern).is_absolute() else f"{glob.escape(str(folder))}/{pattern}"
    found = sorted({Path(name) for name in glob.glob(anchored, recursive=True)})  # noqa: PTH207
    found = [file for file in found if file.is_file()] or ([path] if path.is_file() else [])
    if not found:
        raise DatasetError(
            message(
                "{path}: no such file; 'source' is relative to the description",
                path=path,
            )
        )
    for file in found:
        if file.suffix.lower() not in SUFFIXES:
            raise DatasetError(
                message(
                    "{file}: files are {suffixes}; rename it or narrow the pattern",
                    file=file,
                    suffixes=", ".join(SUFFIXES),
                )
            )
    return found


def _joined(column: pa.ChunkedArray) -> pa.DictionaryArray:
    import pyarrow as pa

    if all(len(chunk) == len(chunk.dictionary) for chunk in column.chunks):
        texts = pa.concat_arrays([chunk.dictionary for chunk in column.chunks])
        if _all_distinct(texts):  # as where a row is a person; Arrow's table takes 50 bytes a text
            return pa.DictionaryArray.from_arrays(_numbers(len(texts)), texts)
        del texts
    unified = column.unify_dictionaries().combine_chunks()
    return unified.combine_chunks() if isinstance(unified, pa.ChunkedArray) else unified
