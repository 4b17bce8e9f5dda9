"""A parcel on disk: whole under its name, or on its way in chunk by chunk.

What a sender has sealed is kept, so that every repetition is the same bytes: sealing draws fresh
randomness. A file is the chunks, each after its length (4 bytes, big endian); beside it stands the
header, which is written last.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from party.artefacts import SessionFolder
from party.durable import settle
from party.errors import Refusal, RefusalStatus
from party.parcels.seal import ParcelHeader

_LENGTH: Final = struct.Struct(">I")

Sign = Callable[[int, int, bytes], ParcelHeader]


class ParcelFile:
    """One parcel of a session, by its two ends and its number."""

    def __init__(self, folder: SessionFolder, sender: str, receiver: str, number: int) -> None:
        self._folder, self.number = folder, number
        self._name = f"parcel-{sender}-{receiver}-{number:02d}"

    @property
    def header(self) -> ParcelHeader | None:
        """The header, once the whole parcel is on disk."""
        return self._read_header("header")

    def write(self, chunks: Iterable[bytes], sign: Sign) -> None:
        """Write a parcel of these chunks; `sign(chunks, size, digest)` makes its header."""
        digest, size, count = hashlib.sha256(), 0, 0
        temporary = self._path("new")
        with temporary.open("wb") as file:
            for chunk in chunks:
                framed = _LENGTH.pack(len(chunk)) + chunk
                file.write(framed)
                digest.update(framed)
                size, count = size + len(framed), count + 1
        settle(temporary, self._path("data"))
        self._write_header("header", sign(count, size, digest.digest()))

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the chunks from `start` on."""
        with self._path("data").open("rb") as file:
            for index, size in enumerate(_sizes(file)):
                if index >= start:
                    yield file.read(size)

    def incoming(self, header: ParcelHeader) -> IncomingParcel:
        """Open, or open again, the parcel on its way in.

        Raises:
            Refusal: it came with another header before.
        """
        if self._read_header("part-header") is None:
            self._write_header("part-header", header)
        elif self._read_header("part-header") != header:
            raise self.refusal("came again with another header")
        return IncomingParcel(self, header, self._path("part"))

    def interrupted(self) -> IncomingParcel | None:
        """Open again a parcel whose way in was interrupted, or return None."""
        header = self._read_header("part-header")
        return None if header is None else self.incoming(header)

    def finish(self, header: ParcelHeader) -> None:
        """Give what has come in whole its name; only `IncomingParcel` calls this."""
        self._path("part").replace(self._path("data"))
        self._write_header("header", header)
        self._path("part-header").unlink(missing_ok=True)

    def drop_data(self) -> None:
        """Delete the chunks of a parcel that has been carried on."""
        self._path("data").unlink(missing_ok=True)

    @property
    def receipt(self) -> bytes | None:
        """The receiver's signed word that it has the parcel, or None."""
        return self._folder.read_bytes(f"{self._name}.receipt")

    def keep_receipt(self, receipt: bytes) -> None:
        """Store the receiver's word."""
        self._folder.write_bytes(f"{self._name}.receipt", receipt)

    def refusal(self, problem: str) -> Refusal:
        """Return the refusal of this parcel."""
        return Refusal(
            RefusalStatus.BAD_REQUEST, f"parcel {self.number} {problem}; the session ends here"
        )

    def _path(self, suffix: str) -> Path:
        return self._folder.path / f"{self._name}.{suffix}"

    def _write_header(self, suffix: str, header: ParcelHeader) -> None:
        body = [header.chunks, header.size, header.digest.hex(), header.signature.hex()]
        self._folder.write_bytes(f"{self._name}.{suffix}", json.dumps(body).encode())

    def _read_header(self, suffix: str) -> ParcelHeader | None:
        stored = self._folder.read_bytes(f"{self._name}.{suffix}")
        if stored is None:
            return None
        chunks, size, digest, signature = json.loads(stored)
        return ParcelHeader(chunks, size, bytes.fromhex(digest), bytes.fromhex(signature))


class IncomingParcel:
    """A parcel that arrives chunk by chunk, in order, over as many streams as it takes."""

    def __init__(self, file: ParcelFile, header: ParcelHeader, path: Path) -> None:
        self._file, self._header, self._path = file, header, path
        path.touch()
        with path.open("rb") as part:
            self._ends = _ends(part)
        os.truncate(path, self._size)  # drop what a kill left behind the last whole chunk

    @property
    def next_chunk(self) -> int:
        """Index of the first chunk that is still missing."""
        return len(self._ends)

    @property
    def complete(self) -> bool:
        """Say whether every chunk is here."""
        return self.next_chunk == self._header.chunks

    def accept(self, index: int, data: bytes) -> None:
        """Take one chunk: the first missing one, or one that is here already, unchanged.

        Raises:
            Refusal: it is out of order or changed, or the parcel grows beyond its header.
        """
        if index < self.next_chunk:
            self._require_same(index, data)
            return
        if index > self.next_chunk or self.complete:
            raise self._file.refusal(f"has chunk {self.next_chunk} missing before chunk {index}")
        framed = _LENGTH.pack(len(data)) + data
        if self._size + len(framed) > self._header.size:
            raise self._file.refusal("is larger than its header states")
        with self._path.open("ab") as file:
            file.write(framed)
            file.flush()
            os.fsync(file.fileno())
        self._ends.append(self._size + len(framed))

    def finish(self) -> None:
        """Give the parcel its name.

        Raises:
            Refusal: the chunks are not those that the header states; they are deleted.
        """
        if not self.complete:
            raise self._file.refusal("ended before its last chunk")
        if self._size != self._header.size or _digest_of(self._path) != self._header.digest:
            self._path.unlink()
            raise self._file.refusal("does not have the digest that its sender signed")
        self._file.finish(self._header)

    @property
    def _size(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _require_same(self, index: int, data: bytes) -> None:
        start = self._ends[index - 1] if index else 0
        with self._path.open("rb") as file:
            file.seek(start)
            if file.read(self._ends[index] - start) != _LENGTH.pack(len(data)) + data:
                raise self._file.refusal(f"came again with another chunk {index}")


def _sizes(file: BinaryIO) -> Iterator[int]:
    """Yield the size of each chunk, with the file standing before its bytes."""
    position = 0
    while len(prefix := file.read(_LENGTH.size)) == _LENGTH.size:
        (size,) = _LENGTH.unpack(prefix)
        position += _LENGTH.size + size
        yield size
        file.seek(position)


def _ends(file: BinaryIO) -> list[int]:
    """Return where each whole chunk of a file ends."""
    most = os.fstat(file.fileno()).st_size
    ends: list[int] = []
    for size in _sizes(file):
        end = (ends[-1] if ends else 0) + _LENGTH.size + size
        if end > most:
            break
        ends.append(end)
    return ends


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
