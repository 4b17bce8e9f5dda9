"""The file of a backup: a tar archive, plain, or sealed as a whole under a passphrase.

A plain one is read by any `tar`. A sealed one is a line that says what it is, 32 bytes of salt and
a sealed stream (`party.sealed_stream`) under a key that scrypt (RFC 7914; N = 2^17, r = 8, p = 1)
makes of passphrase and salt. The last two members are `backup.json`, which names every other
member with its SHA-256, and `backup.sig`, the party's signature over it.

Refused: another passphrase, a byte that was changed, and members that are no plain files in the
places that a backup has.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from audit.errors import AuditError
from audit.note import Verifier
from party.errors import BackupError
from party.sealed_stream import BLOCK_BYTES, seal_parts, unseal_blocks

FORMAT: Final = "commonground-backup"
VERSION: Final = 1
STORE: Final = "party.db"
KEYS: Final = "keys"
FILES: Final = ("party.toml", "public.yaml", "console.toml")
OPTIONAL: Final = ("console.toml",)
FOLDERS: Final = ("drafts", "forks", "frames", "lineage", "lists", "sessions")
"""What of a party's folder is in a backup beside the store, and its keys where they are sealed."""
FEWEST_BYTES: Final = 16
COST: Final = 1 << 17
"""N of scrypt: 128 MB and a third of a second for each guess."""

_SEALED: Final = b"commonground-backup/1 sealed\n"
_SALT_BYTES: Final = 32
_MANIFEST, _SIGNATURE = "backup.json", "backup.sig"
_SIGNED: Final = b"commonground/backup/v1\n"
_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    `made_at` is in Unix seconds; `checkpoint` is the log's at that moment, and `files` has the
    SHA-256 (hex) of each file by its path.
    """

    party: str
    vkey: str
    made_at: int
    entries: int
    checkpoint: str
    keys: str
    files: Mapping[str, str]

    def encode(self) -> bytes:
        """Return the bytes of `backup.json`."""
        body = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(body, indent=1, sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read `backup.json`; raise BackupError where it is another program's."""
        try:
            body = json.loads(data)
            if (body.pop("format"), body.pop("version")) == (FORMAT, VERSION):
                types = {field.name: field.type for field in fields(cls)}
                if set(body) == set(types) and isinstance(body["files"], dict):
                    return cls(**body)
        except (ValueError, KeyError, AttributeError):
            pass
        raise BackupError(
            "the file's backup.json is none that this program knows: restore it with the version "
            "of commonground that made it"
        )


def require_passphrase(passphrase: bytes) -> None:
    """Refuse a passphrase that is too short to seal keys under."""
    if len(passphrase) < FEWEST_BYTES:
        raise BackupError(f"a passphrase has at least {FEWEST_BYTES} bytes: a file's is too short")


def write_archive(
    out: BinaryIO,
    members: Iterable[tuple[str, Path]],
    describe: Callable[[dict[str, str]], Manifest],
    sign: Callable[[bytes], bytes],
    passphrase: bytes | None,
) -> None:
    """Write the members, each a path in the backup and the file that it is read from.

    `describe` is given the members' digests, which are known at the end.
    """
    parts = _tar(members, describe, sign)
    if passphrase is None:
        out.writelines(parts)
        return
    salt = os.urandom(_SALT_BYTES)
    out.write(_SEALED + salt)
    out.writelines(seal_parts(_key(passphrase, salt), parts, FORMAT))


def read_archive(source: Path, folder: Path, passphrase: bytes | None) -> Manifest:
    """Unpack a backup into an empty folder; each file is what the manifest names.

    Raises:
        BackupError: it is no backup, was changed, or the passphrase does not open it.
    """
    try:
        with source.open("rb") as file, _opened(file, passphrase) as stream:
            digests = _unpack(stream, folder)
            stream.read()  # to the end, where a sealed stream proves that nothing was cut off
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror or error}") from None
    except tarfile.TarError:
        raise BackupError(f"{source} is no backup, or was cut off") from None
    except InvalidTag:
        raise BackupError(
            f"{source} was changed or cut off, or the passphrase is another"
        ) from None
    if not {_MANIFEST, _SIGNATURE, STORE} <= set(digests):
        raise BackupError(f"{source} is no whole backup of a party")
    manifest = Manifest.decode((folder / _MANIFEST).read_bytes())
    del digests[_MANIFEST], digests[_SIGNATURE]
    if digests != manifest.files:
        raise BackupError(f"{source} was changed: its files are not those that it was made of")
    return manifest


def require_signature(folder: Path, verifier: Verifier) -> None:
    """Take manifest and signature out of an unpacked backup; they are the party's, or raise."""
    data, signature = (folder / _MANIFEST).read_bytes(), (folder / _SIGNATURE).read_bytes()
    try:
        verifier.verify(_SIGNED + data, signature)
    except AuditError:
        raise BackupError("the backup was not made by the party whose keys these are") from None
    (folder / _MANIFEST).unlink()
    (folder / _SIGNATURE).unlink()


# -- writing -----------------------------------------------------------------------------------


def _tar(
    members: Iterable[tuple[str, Path]],
    describe: Callable[[dict[str, str]], Manifest],
    sign: Callable[[bytes], bytes],
) -> Iterator[memoryview]:
    digests: dict[str, str] = {}
    for name, path in members:
        with path.open("rb") as file:
            digest, size = sha256(), os.fstat(file.fileno()).st_size
            yield _head(name, size)
            left = size
            while left:
                block = file.read(min(left, BLOCK_BYTES))
                if not block:
                    raise BackupError(f"{name} became shorter while it was read: try again")
                digest.update(block)
                left -= len(block)
                yield memoryview(block)
        yield _padding(size)
        digests[name] = digest.hexdigest()
    data = describe(digests).encode()
    for name, text in ((_MANIFEST, data), (_SIGNATURE, sign(_SIGNED + data))):
        yield _head(name, len(text))
        yield memoryview(text)
        yield _padding(len(text))
    yield memoryview(_END)


def _head(name: str, size: int) -> memoryview:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return memoryview(info.tobuf(tarfile.PAX_FORMAT))


def _padding(size: int) -> memoryview:
    return memoryview(bytes(-size % tarfile.BLOCKSIZE))


# -- reading -----------------------------------------------------------------------------------


class _Blocks(io.RawIOBase):
    """The blocks of a sealed stream as one file that is read once."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the present block goes; 0 is the end."""
        while not self._rest:
            following = next(self._blocks, None)
            if following is None:
                return 0
            self._rest = following
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _opened(file: BinaryIO, passphrase: bytes | None) -> BinaryIO:
    """Return the tar archive in a file."""
    begins = file.read(len(_SEALED))
    if begins != _SEALED:
        if passphrase is not None:
            raise BackupError("this backup is not sealed: leave out the passphrase")
        file.seek(0)
        return file
    if passphrase is None:
        raise BackupError("this backup is sealed: give its passphrase with --passphrase-file")
    blocks = unseal_blocks(_key(passphrase, file.read(_SALT_BYTES)), file, FORMAT)
    return io.BufferedReader(_Blocks(blocks), BLOCK_BYTES)


def _unpack(stream: BinaryIO, folder: Path) -> dict[str, str]:
    """Write every member below `folder`, and return their digests."""
    digests = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            _require_place(member)
            digests[member.name] = _extract(archive, member, folder / member.name)
    return digests


def _require_place(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    top = path.parts[0] if path.parts else ""
    alone = len(path.parts) == 1 and top in (*FILES, STORE, _MANIFEST, _SIGNATURE)
    inside = len(path.parts) in (2, 3) and top in FOLDERS
    inside |= len(path.parts) in (2, 4) and top == KEYS  # keys/rotations/NUMBER/FILE
    if (
        not member.isreg()
        or ".." in path.parts
        or str(path) != member.name
        or not (alone or inside)
    ):
        raise BackupError("the file holds something that no backup of a party has: nothing is kept")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    found, digest = archive.extractfile(member), sha256()
    assert found is not None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        while block := found.read(BLOCK_BYTES):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase)
