"""The files behind a dataset: found, checked, read in batches, and named by their digest.

CSV and Parquet are read through Arrow, one batch at a time, and only the columns that are asked
for; every distinct text is kept once. A file that is not what it should be is an error that names
the file, the row or column and the remedy. A row is counted from 1 without the header, and what
stands in it is never shown.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from party.datasets.table_file import TableFile, open_table_file
from party.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES: Final = (".csv", ".tsv", ".parquet")
_HASH_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Source:
    """The files of a dataset or of a consent table, in the order of their names."""

    folder: Path
    files: tuple[TableFile, ...]

    @classmethod
    def open(
        cls, folder: Path, pattern: str, required: Sequence[str], exact: Sequence[str] = ()
    ) -> Source:
        """Find the files of a file name, folder or glob, relative to `folder`.

        Raises `DatasetError` when there are none, when one lacks a `required` column, or holds
        floating-point numbers in an `exact` one.
        """
        files = tuple(open_table_file(path, required) for path in _find(folder, pattern))
        for file in files:
            for column in required:
                if column not in file.columns:
                    raise DatasetError(
                        f"{file.path}: there is no column '{column}'"
                        f"{_suggestion(column, file.columns)}"
                    )
            for column in exact:
                if column in file.floating:
                    raise DatasetError(
                        f"{file.path}, column '{column}': holds floating-point numbers, which lose "
                        f"digits and leading zeros; export it as text"
                    )
        return cls(folder, files)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of every file, each once."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.columns))

    def names(self) -> tuple[str, ...]:
        """Return the files' names, relative to the folder where they are in it."""
        return tuple(self._name(file.path) for file in self.files)

    def read(self, columns: Iterable[str]) -> dict[str, pa.DictionaryArray]:
        """Return columns as text, each distinct text once; rows run through all files.

        Raises `DatasetError` for a file that cannot be read to its end, a column that has no text
        form, and files without a row.
        """
        import pyarrow as pa

        names = list(columns)
        kind = pa.dictionary(pa.int32(), pa.large_string())
        chunks: dict[str, list[pa.DictionaryArray]] = {name: [] for name in names}
        for file in self.files:
            for batch in file.batches(names):
                for name, column in zip(names, batch.columns, strict=True):
                    chunks[name].append(file.as_text(name, column))
        if not any(map(len, chunks[names[0]])):
            raise DatasetError(f"{self._described()}: has a header and no rows")
        table = {name: _joined(pa.chunked_array(chunks.pop(name), kind)) for name in names}
        pa.default_memory_pool().release_unused()
        return table

    def place(self, row: int) -> str:
        """Return where row `row` (from 0, through all files) stands, for messages."""
        for file in self.files:
            rows = file.count_rows()
            if row < rows:
                return f"{file.path}, row {row + 1}"
            row -= rows
        return str(self.files[-1].path)

    def states(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when a file does; `require_unchanged` compares with it."""
        return tuple(file.state() for file in self.files)

    def require_unchanged(self, states: tuple[tuple[int, int], ...]) -> None:
        """Raise `DatasetError` when a file has changed since `states` was taken."""
        for file, before in zip(self.files, states, strict=True):
            if file.state() != before:
                raise DatasetError(f"{file.path}: changed while it was read; run again")

    def snapshot(self) -> bytes:
        """Return SHA-256 over `sha256sum`'s lines (digest, two spaces, name) for all files."""
        lines = hashlib.sha256()
        for file in self.files:
            digest = hashlib.sha256()
            with file.path.open("rb") as stream:
                while block := stream.read(_HASH_BLOCK):
                    digest.update(block)
            lines.update(f"{digest.hexdigest()}  {self._name(file.path)}\n".encode())
        return lines.digest()

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else (
            path.as_posix()
        )  # fmt: skip

    def _described(self) -> str:
        return str(self.files[0].path) + (" and the files beside it" if self.files[1:] else "")


def _find(folder: Path, pattern: str) -> list[Path]:
    path = folder / pattern
    if path.is_dir():
        found = [file for suffix in SUFFIXES for file in path.glob(f"*{suffix}")]
        if not found:
            raise DatasetError(f"{path}: the folder has no {', '.join(SUFFIXES)} file")
        return sorted(found)
    anchored = pattern if Path(pattern).is_absolute() else f"{glob.escape(str(folder))}/{pattern}"
    found = sorted({Path(name) for name in glob.glob(anchored, recursive=True)})  # noqa: PTH207
    found = [file for file in found if file.is_file()] or ([path] if path.is_file() else [])
    if not found:
        raise DatasetError(f"{path}: no such file; 'source' is relative to the description")
    for file in found:
        if file.suffix.lower() not in SUFFIXES:
            raise DatasetError(
                f"{file}: files are {', '.join(SUFFIXES)}; rename it or narrow the pattern"
            )
    return found


def _joined(column: pa.ChunkedArray) -> pa.DictionaryArray:
    import pyarrow as pa

    unified = column.unify_dictionaries().combine_chunks()
    return unified.combine_chunks() if isinstance(unified, pa.ChunkedArray) else unified


def _suggestion(column: str, columns: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(column, columns, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(columns[:20])}"
