"""The artefacts of one session on disk: what a step carried, and the part of it that has come.

A file appears under its name whole or not at all (temporary file, fsync, rename), so a party
killed at any instant finds on restart either the same bytes or nothing. A set on its way in
grows chunk by chunk beside a file of chunk digests; the first missing chunk follows from the
two files' sizes, and a chunk that comes again must be the chunk that came before.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from party.durable import mark, settle
from party.errors import PartyError, Refusal, RefusalStatus
from party.messages import (
    Artefact,
    KeyArtefact,
    NumberingArtefact,
    ReleaseArtefact,
    SizesArtefact,
)
from psi.sets import MAX_KEYS, Buffer, LabelledSet

CHUNK_POINTS: Final = 32_768
DIGEST_BYTES: Final = 32
SMALL: Final = {
    "key": KeyArtefact,
    "sizes": SizesArtefact,
    "numbering": NumberingArtefact,
    "release": ReleaseArtefact,
}


@dataclass(frozen=True)
class SetHeader:
    """What precedes the chunks of a set: bytes of one element, and elements by label number."""

    width: int
    sizes: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Number of elements in the set."""
        return sum(self.sizes)

    @property
    def chunks(self) -> int:
        """Number of chunks in which the set travels."""
        return -(-self.elements // CHUNK_POINTS)

    def chunk_bytes(self, index: int) -> int:
        """Size of the chunk `index` in bytes."""
        left = self.elements - index * CHUNK_POINTS
        return min(CHUNK_POINTS, left) * self.width

    def encode(self) -> bytes:
        """Return the bytes that a set's digest covers before its chunks."""
        return struct.pack(f">II{len(self.sizes)}Q", self.width, len(self.sizes), *self.sizes)


@dataclass(frozen=True)
class Chunk:
    """A run of a set's elements, with the digest that names its place and content."""

    index: int
    data: bytes
    digest: bytes


def header_of(labelled: LabelledSet) -> SetHeader:
    """Return the header of a set."""
    return SetHeader(labelled.form.value, labelled.sizes)


def chunk_digest(step: int, index: int, data: bytes) -> bytes:
    """Return SHA-256 over the chunk's step, index and bytes."""
    return hashlib.sha256(struct.pack(">II", step, index) + data).digest()


def read_chunk(labelled: LabelledSet, step: int, index: int) -> Chunk:
    """Cut one chunk out of a set."""
    data = labelled.elements[index * CHUNK_POINTS : (index + 1) * CHUNK_POINTS].tobytes()
    return Chunk(index, data, chunk_digest(step, index, data))


def read_chunks(labelled: LabelledSet, step: int, *, start: int = 0) -> Iterator[Chunk]:
    """Yield a set's chunks from `start` on."""
    for index in range(start, header_of(labelled).chunks):
        yield read_chunk(labelled, step, index)


def artefact_digest(step: int, artefact: Artefact) -> bytes:
    """Return the digest that stands for an artefact in the transcript."""
    if isinstance(artefact, LabelledSet):
        digests = b"".join(chunk.digest for chunk in read_chunks(artefact, step))
        return _digest_of(step, header_of(artefact).encode(), digests)
    return _digest_of(step, encode_small(artefact))


def _digest_of(step: int, *parts: bytes) -> bytes:
    head = b"commonground/artefact/v1" + struct.pack(">I", step)
    return hashlib.sha256(head + b"".join(parts)).digest()


class SessionFolder:
    """The artefacts of one session, by step; a set that comes in has at most `most_points`."""

    def __init__(self, path: Path, *, most_points: int = MAX_KEYS) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path, self.most_points = path, most_points

    def store(self, step: int, artefact: Artefact) -> bytes:
        """Write the artefact of a step and return its digest."""
        if isinstance(artefact, LabelledSet):
            self.write_array(f"{step:02d}.set", artefact.elements)
            self.write_bytes(f"{step:02d}.header", header_of(artefact).encode())
        else:
            self.write_bytes(f"{step:02d}.json", encode_small(artefact))
        digest = artefact_digest(step, artefact)
        self.write_bytes(f"{step:02d}.digest", digest)
        return digest

    def load(self, step: int) -> Artefact | None:
        """Return the artefact of a step, or None while it is not complete.

        A set comes in file-backed memory. The digest file is written last, so its presence
        says that the rest is whole.
        """
        if not self._file(step, "digest").exists():
            return None
        small = self._file(step, "json")
        if small.exists():
            return decode_small(small.read_bytes())
        header = decode_header(self._file(step, "header").read_bytes())
        return LabelledSet(header.sizes, self._map(self._file(step, "set"), header))

    def header(self, step: int) -> SetHeader | None:
        """Return the header of a set that is here or has begun to come."""
        data = self.read_bytes(f"{step:02d}.header") or self.read_bytes(f"{step:02d}.part-header")
        return None if data is None else decode_header(data)

    def arrived(self, step: int, seen: int) -> Buffer | None:
        """Return the elements after the first `seen` of a set that are here, None while none is.

        While it comes in, these are whole chunks: each is in the file before its digest is.
        """
        header = self.header(step)
        if header is None:
            return None
        path, here = self._file(step, "set"), header.elements
        if self.digest(step) is None:
            path, digests = self._file(step, "part"), self._file(step, "part-digests")
            here = min(_size(digests) // DIGEST_BYTES * CHUNK_POINTS, here)
        if here <= seen or _size(path) < here * header.width:
            return None
        with suppress(FileNotFoundError):  # it may just have got its name as a whole set
            return np.memmap(path, np.uint8, "r", shape=(here, header.width))[seen:]
        return None

    def digest(self, step: int) -> bytes | None:
        """Return the digest of a complete step."""
        return self.read_bytes(f"{step:02d}.digest")

    def incoming(self, step: int, header: SetHeader) -> IncomingSet:
        """Open, or open again, a set that is on its way in.

        Raises:
            Refusal: it has more points than this party takes, or another header than before.
        """
        if header.elements > self.most_points:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED,
                f"step {step} brings {header.elements:,} points, and this party takes at most "
                f"{self.most_points:,} in a set (max_points in its party.toml): agree on a smaller "
                "dataset, or on more",
            )
        return IncomingSet(self, step, header)

    def interrupted(self, step: int) -> IncomingSet | None:
        """Open again a set whose way in was interrupted, or return None when none has begun."""
        header = self.read_bytes(f"{step:02d}.part-header")
        return None if header is None else self.incoming(step, decode_header(header))

    def write_bytes(self, name: str, data: bytes | memoryview) -> None:
        """Write `data` under `name`, whole or not at all."""
        self.write_parts(name, [data])

    def write_parts(self, name: str, parts: Iterable[bytes | memoryview]) -> None:
        """Write `parts`, one behind the other, under `name`, whole or not at all."""
        temporary = self.path / f".{name}.new"
        with temporary.open("wb") as file:
            file.writelines(parts)
        settle(temporary, self.path / name)

    def mark(self, name: str) -> None:
        """Keep that something is so, which `has` answers; whoever else says so may do it too."""
        mark(self.path / name)

    def read_bytes(self, name: str) -> bytes | None:
        """Read back what `write_bytes` wrote, or return None when nothing was."""
        with suppress(FileNotFoundError):
            return (self.path / name).read_bytes()
        return None

    def write_array(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """Write an array's bytes under `name`."""
        contiguous = np.ascontiguousarray(array).data
        self.write_bytes(name, contiguous.cast("B") if array.size else b"")

    def read_array(self, name: str, dtype: type[np.generic]) -> np.ndarray[Any, Any]:
        """Read back what `write_array` wrote, as one dimension."""
        return np.fromfile(self.path / name, dtype=dtype)

    def has(self, name: str) -> bool:
        """Say whether `name` was written."""
        return (self.path / name).exists()

    def wipe(self) -> None:
        """Delete every artefact; the folder goes with them."""
        for file in self.path.iterdir():
            file.unlink()
        self.path.rmdir()

    def _file(self, step: int, suffix: str) -> Path:
        return self.path / f"{step:02d}.{suffix}"

    def _map(self, path: Path, header: SetHeader) -> Buffer:
        if path.stat().st_size != header.elements * header.width:
            raise PartyError(
                f"{path} does not have the size that its header states: it was altered or copied "
                "in part. Restore the session's folder, or let the session end"
            )
        if header.elements == 0:
            return np.empty((0, header.width), dtype=np.uint8)
        return np.memmap(path, dtype=np.uint8, mode="r", shape=(header.elements, header.width))


class IncomingSet:
    """A set that arrives chunk by chunk, in order, over as many streams as it takes."""

    def __init__(self, folder: SessionFolder, step: int, header: SetHeader) -> None:
        self._folder, self._step, self._header = folder, step, header
        self._data = folder.path / f"{step:02d}.part"
        self._digests = folder.path / f"{step:02d}.part-digests"
        self._refuse_another_header()
        self._cut_to_whole_chunks()

    @property
    def next_chunk(self) -> int:
        """Index of the first chunk that is still missing."""
        return _size(self._digests) // DIGEST_BYTES

    @property
    def complete(self) -> bool:
        """Say whether every chunk is here."""
        return self.next_chunk == self._header.chunks

    def accept(self, chunk: Chunk) -> None:
        """Take one chunk: the first missing one, or one that is here already, unchanged.

        Raises:
            Refusal: a chunk out of order, of another size, or whose digest does not fit.
        """
        expected = self.next_chunk
        if chunk.index > expected or chunk.index >= self._header.chunks:
            self._refuse(chunk.index, f"came out of order: chunk {expected} is the next")
        if len(chunk.data) != self._header.chunk_bytes(chunk.index):
            self._refuse(chunk.index, "has another size than the set's header gives it")
        if chunk_digest(self._step, chunk.index, chunk.data) != chunk.digest:
            self._refuse(chunk.index, "does not have the digest that came with it")
        if chunk.index < expected:
            self._refuse_changed(chunk)
            return
        _append(self._data, chunk.data)
        _append(self._digests, chunk.digest)

    def finish(self) -> LabelledSet:
        """Close the set and return it in file-backed memory."""
        if not self.complete:
            self._refuse(self.next_chunk, "is missing at the end of the set")
        if not self._data.exists():
            self._data.touch()
        self._data.replace(self._folder.path / f"{self._step:02d}.set")
        self._folder.write_bytes(f"{self._step:02d}.header", self._header.encode())
        path = self._folder.path / f"{self._step:02d}.set"
        labelled = LabelledSet(self._header.sizes, self._folder._map(path, self._header))
        # Of the chunks as they were accepted: reading the set again would bring it into memory.
        digests = self._digests.read_bytes() if self._digests.exists() else b""
        digest = _digest_of(self._step, self._header.encode(), digests)
        self._folder.write_bytes(f"{self._step:02d}.digest", digest)
        self._digests.unlink(missing_ok=True)
        (self._folder.path / f"{self._step:02d}.part-header").unlink(missing_ok=True)
        return labelled

    def _refuse_another_header(self) -> None:
        name = f"{self._step:02d}.part-header"
        if not self._folder.has(name):
            self._folder.write_bytes(name, self._header.encode())
        elif (self._folder.path / name).read_bytes() != self._header.encode():
            self._refuse(0, "came again with another header")

    def _cut_to_whole_chunks(self) -> None:
        """Drop what a kill left behind a last whole chunk, in either file."""
        finished = self._folder.path / f"{self._step:02d}.set"
        if finished.exists() and self.complete:
            finished.rename(self._data)  # killed between the two renames of `finish`
        if not self._data.exists():
            self._digests.unlink(missing_ok=True)
            return
        full = CHUNK_POINTS * self._header.width
        chunks = min(-(-self._data.stat().st_size // full), self.next_chunk)
        size = sum(self._header.chunk_bytes(index) for index in range(chunks))
        if size > self._data.stat().st_size:
            chunks -= 1
            size = chunks * full
        os.truncate(self._data, size)
        if self._digests.exists():
            os.truncate(self._digests, chunks * DIGEST_BYTES)

    def _refuse_changed(self, chunk: Chunk) -> None:
        with self._digests.open("rb") as file:
            file.seek(chunk.index * DIGEST_BYTES)
            if file.read(DIGEST_BYTES) != chunk.digest:
                self._refuse(chunk.index, "came again with another digest")

    def _refuse(self, index: int, why: str) -> None:
        raise Refusal(
            RefusalStatus.BAD_REQUEST,
            f"chunk {index} of step {self._step} {why}; the session ends here",
        )


def decode_header(data: bytes) -> SetHeader:
    """Read a set's header back from its own bytes."""
    width, labels = struct.unpack_from(">II", data)
    return SetHeader(width, struct.unpack_from(f">{labels}Q", data, 8))


def _size(path: Path) -> int:
    """Return the size of a file, 0 while there is none."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def encode_small(artefact: Artefact) -> bytes:
    """Return the JSON of an artefact that is no set, as it is stored and hashed."""
    kind = next(name for name, cls in SMALL.items() if isinstance(artefact, cls))
    body = {k: v.hex() if isinstance(v, bytes) else v for k, v in asdict(artefact).items()}
    return json.dumps({"kind": kind, **body}, sort_keys=True).encode()


def decode_small(data: bytes) -> Artefact:
    """Read what `encode_small` wrote."""
    body = json.loads(data)
    kind = body.pop("kind")
    if kind == "key":
        return KeyArtefact(bytes.fromhex(body["point"]))
    return SMALL[kind](**{name: tuple(value) for name, value in body.items()})  # type: ignore[no-any-return]
