"""Making a backup of a party, also while it listens.

The store is copied as it is at one moment. A list is a file beside it that a suppression run
replaces, so a copy whose lists are not the ones that it names is made again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import sqlalchemy as sa

from audit.bodies import BackupMade
from audit.roles import BY_HAND, Role
from party.backup.archive import (
    FILES,
    FOLDERS,
    KEYS,
    OPTIONAL,
    STORE,
    Manifest,
    require_passphrase,
    write_archive,
)
from party.backup.copying import copy_into_file
from party.decision import FINISHED
from party.durable import settle
from party.errors import BackupError
from party.list_files import sha256_of
from party.occupied import backing_up
from party.organisation import Organisation
from party.schema import LOG_HEAD, RESULTS, SESSIONS
from party.store import Store, sqlite_url

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 1.0
_PLACE: Final = ".backup"


@dataclass(frozen=True)
class Backup:
    """A backup that was made: `made_at` in Unix seconds, `size` in bytes; the log's `entries`."""

    file: Path
    made_at: int
    entries: int
    size: int
    sealed: bool


def make_backup(party: Organisation, file: Path, passphrase: bytes | None) -> Backup:
    """Write a backup to a new file, whole or not at all; without a passphrase keys are left out.

    It is logged first, so that the backup says so itself.

    Raises:
        BackupError: the file is there already or cannot be written, the passphrase is short, or
            lists are changed faster than they are copied.
        InUse: another backup of this party is being made.
        NotEntitled: the account is no operator.
    """
    party.access.require(Role.OPERATOR, "backup.make")
    if passphrase is not None:
        require_passphrase(passphrase)
    if file.exists():
        raise BackupError(f"{file} is there already, and no backup is overwritten")
    body = BackupMade("left out" if passphrase is None else "sealed")
    with backing_up(party.folder), _place(party.folder) as place:
        try:
            with _appearing(file) as out:
                party.store.write(
                    lambda c: party.journal.append(c, "backup.made", body, actor=BY_HAND)
                )
                return _write(party, place / STORE, out, file, passphrase)
        except OSError as error:
            raise BackupError(f"{file} cannot be written: {error.strerror}") from None


def _write(
    party: Organisation, copy: Path, out: BinaryIO, file: Path, passphrase: bytes | None
) -> Backup:
    made_at = party.now
    finished = _copy(party, copy)
    store = Store.open(sqlite_url(copy))
    head = store.row(sa.select(LOG_HEAD.c.size, LOG_HEAD.c.checkpoint))
    store.close()
    assert head is not None
    keys = "left out" if passphrase is None else "sealed"

    def describe(digests: dict[str, str]) -> Manifest:
        identity = party.identity
        return Manifest(
            identity.name, identity.vkey, made_at, head.size, head.checkpoint, keys, digests
        )

    members = [(STORE, copy), *_beside(party.folder, finished, with_keys=passphrase is not None)]
    write_archive(out, members, describe, party.identity.sign_own, passphrase)
    return Backup(file, made_at, head.size, out.tell(), passphrase is not None)


def _copy(party: Organisation, copy: Path) -> set[str]:
    """Copy the store until the lists that it names lie beside it; return what has finished."""
    for _ in range(ATTEMPTS):
        copy.unlink(missing_ok=True)
        copy_into_file(party.store, copy)
        store = Store.open(sqlite_url(copy))
        try:
            if _lists_lie_in(party.folder, store):
                query = sa.select(SESSIONS.c.request).where(SESSIONS.c.state == FINISHED)
                return {row.request for row in store.rows(query)}
        finally:
            store.close()
        time.sleep(PAUSE_SECONDS)
    raise BackupError(
        "a list in the folder is not the one that the store names: it is being changed, or was "
        "altered or deleted. Try again; `commonground lists list` reads them"
    )


def _lists_lie_in(folder: Path, store: Store) -> bool:
    query = sa.select(RESULTS.c.body).where(RESULTS.c.list_file.is_not(None))
    for row in store.rows(query):
        stored = json.loads(row.body)
        file = folder / "lists" / Path(stored["list_file"]).name
        try:
            if sha256_of(file).hex() != stored["list_sha256"]:
                return False
        except FileNotFoundError:
            return False
    return True


def _beside(folder: Path, finished: set[str], *, with_keys: bool) -> Iterator[tuple[str, Path]]:
    """Yield what else belongs to the party; of sessions that have not finished, nothing goes on."""
    for name in FILES:
        if name not in OPTIONAL or (folder / name).exists():
            yield name, folder / name
    for name in (*FOLDERS, *([KEYS] if with_keys else ())):
        for path in sorted((folder / name).rglob("*")):
            parts = path.relative_to(folder).parts
            if not path.is_file() or any(part.startswith(".") for part in parts):
                continue
            if name != "sessions" or parts[1] in finished:
                yield "/".join(parts), path


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside the store, which is as safe as the store is."""
    place = folder / _PLACE
    shutil.rmtree(place, ignore_errors=True)  # of a backup that was killed
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _appearing(file: Path) -> Iterator[BinaryIO]:
    """Yield a file for its owner's eyes only, which gets its name when all of it is there."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as out:
            yield out
        settle(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
