"""Where the bytes of a table lie: in a file of the party, or in a private copy.

A private copy has no name in any folder: it is there for this process alone, and is gone with it
however it ends. What is fetched or queried is copied once, so that every pass over it reads the
same rows and the snapshot names exactly these.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

State: TypeAlias = tuple[int, ...]
_BLOCK: Final = 1 << 20


class Content(Protocol):
    """Bytes that can be read from their start as often as they are needed."""

    @property
    def name(self) -> str:
        """What messages and snapshots call it."""
        ...

    def open(self) -> pa.NativeFile:
        """Return a reader of its own, at the start; raise `OSError` when there is none."""
        ...

    def state(self) -> State:
        """Return what changes when the bytes do."""
        ...

    def digest(self) -> bytes:
        """Return the 32 bytes that stand for the content in a snapshot."""
        ...

    def close(self) -> None:
        """Let go of what was copied."""
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file where the party keeps it. Its digest is SHA-256 of its bytes."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def open(self) -> pa.NativeFile:
        """Return a reader of its own."""
        import pyarrow as pa

        return pa.OSFile(self.name, "rb")

    def state(self) -> State:
        """Return its size and time of change."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns

    def digest(self) -> bytes:
        """Return SHA-256 of the bytes."""
        digest = hashlib.sha256()
        with self.path.open("rb") as stream:
            for block in blocks_of(stream):
                digest.update(block)
        return digest.digest()

    def close(self) -> None:
        """Do nothing: the file is the party's."""


@dataclass(frozen=True, eq=False)
class PrivateCopy:
    """Bytes in a nameless temporary file. `content_digest` is taken as they are written."""

    name: str
    content_digest: bytes
    file: IO[bytes] = field(repr=False)

    def open(self) -> pa.NativeFile:
        """Return a reader of its own."""
        import pyarrow as pa

        return pa.PythonFile(io.BufferedReader(_Reader(self.file.fileno()), _BLOCK), mode="r")

    def state(self) -> State:
        """Return nothing: nobody else can change it."""
        return ()

    def digest(self) -> bytes:
        """Return the digest that was taken as the bytes were written."""
        return self.content_digest

    def close(self) -> None:
        """Give the space back."""
        self.file.close()


def private_file() -> IO[bytes]:
    """Return a new nameless file, of mode 0600, in the folder for temporary files."""
    return tempfile.TemporaryFile(prefix="commonground-")


def copy_privately(name: str, stream: IO[bytes]) -> PrivateCopy:
    """Copy a stream to its end; raise what the stream raises, and keep nothing then."""
    digest = hashlib.sha256()
    file = private_file()
    try:
        for block in blocks_of(stream):
            digest.update(block)
            file.write(block)
        file.flush()
    except BaseException:
        file.close()
        raise
    return PrivateCopy(name, digest.digest(), file)


def blocks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the blocks of a stream up to its end."""
    while block := stream.read(_BLOCK):
        yield block


class _Reader(io.RawIOBase):
    """A reader with a position of its own over a file that others read as well."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._position = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._descriptor).st_size
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count
