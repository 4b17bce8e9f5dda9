"""The answer to a query, copied once: rows as text in a private Arrow file.

A database has no file to take a digest of and may answer otherwise a second later. So the rows are
streamed into a nameless temporary file, of the declared columns only, and every pass reads that.
The digest is that of the texts and does not depend on how the rows came: for each column, SHA-256
over the rows' lengths in bytes (int64, little-endian, −1 where there is no text) and SHA-256 over
the texts one after the other; then SHA-256 over the lines `lengths texts  column`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from party.datasets.content import PrivateCopy, private_file
from party.datasets.table_file import TableFile
from party.datasets.table_forms import Arrow, Header
from party.errors import DatasetError
from psi import arrow

if TYPE_CHECKING:
    import pyarrow as pa

Watch: TypeAlias = Callable[[str, "pa.Array"], None]
"""Is shown some rows of a column that is not copied."""
_COMPRESSION: Final = "lz4"


def spill(
    name: str, header: Header, columns: Sequence[str], batches: Iterable[Sequence[pa.Array]]
) -> TableFile:
    """Copy `batches` of text, an array for each of `columns`, and return the table of them.

    `header` is of the whole answer: it may have columns that are not copied. Whatever `batches`
    raises passes, and nothing is kept then. Raises `DatasetError` when the disk is full.
    """
    import pyarrow as pa

    schema = pa.schema([(column, pa.large_string()) for column in columns])
    digests = [_ColumnDigest(column) for column in columns]
    file = private_file()
    try:
        options = pa.ipc.IpcWriteOptions(compression=_COMPRESSION, use_threads=False)
        with pa.ipc.new_file(pa.PythonFile(file, mode="w"), schema, options=options) as writer:
            for batch in batches:
                for digest, texts in zip(digests, batch, strict=True):
                    digest.update(texts)
                writer.write_batch(pa.RecordBatch.from_arrays(list(batch), schema=schema))
        file.flush()
    except OSError as error:
        file.close()
        raise DatasetError(
            f"{name}: its rows cannot be kept for the time of the run: {error.strerror}. Make "
            "room, or set TMPDIR to a folder with room"
        ) from None
    except BaseException:
        file.close()
        raise
    lines = "".join(digest.line() for digest in digests)
    copy = PrivateCopy(name, hashlib.sha256(lines.encode()).digest(), file)
    return TableFile(copy, Arrow(), header, tuple(columns))


class _ColumnDigest:
    """The digest of a column's texts, which come in parts of any size."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._lengths, self._texts = hashlib.sha256(), hashlib.sha256()

    def update(self, texts: pa.Array) -> None:
        """Take in some rows: an array of large strings."""
        import pyarrow.compute as pc

        lengths = arrow.positions(pc.binary_length(texts), missing=-1)
        self._lengths.update(lengths.astype("<i8").tobytes())
        if texts.null_count:
            texts = texts.drop_null()
        _, offsets, data = texts.buffers()
        bounds = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
        if data is not None:
            self._texts.update(memoryview(data)[bounds[0] : bounds[-1]])

    def line(self) -> str:
        """Return the column's line of the digest."""
        return f"{self._lengths.hexdigest()} {self._texts.hexdigest()}  {self._column}\n"
