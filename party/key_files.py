"""Files that hold keys: made once, complete, and for their owner's eyes only.

A set of files appears whole or not at all: it is written into a fresh folder, flushed to disk
and renamed. Nothing is ever overwritten. A file that others on this machine can read is refused,
since a key that may have leaked is not a key.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from party.errors import IdentityError

_MOST_BYTES = 1 << 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_key_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` with exactly `files`, each of mode 0600; raise IdentityError if it exists."""
    if folder.exists():
        raise _exists(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # mode 0700
    try:
        for name, data in files.items():
            _write_new(staging / name, data)
        _flush_folder(staging)
        _rename_new(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    _flush_folder(folder.parent)


def make_key_file(path: Path, data: bytes) -> None:
    """Write one key file of mode 0600, whole or not at all; one that is there already stays."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            _write_all(file.fileno(), data)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    _flush_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in place of the file at `path`, whole or not at all; its mode stays."""
    mode = stat.S_IMODE(path.stat().st_mode)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            _write_all(file.fileno(), data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def read_key_file(path: Path) -> bytes:
    """Return the bytes of a key file, or raise IdentityError: missing, too open, too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise IdentityError(
            f"The key file {path} is missing. Restore it from a backup, or make a new party"
            " with 'commonground init'."
        ) from None
    except OSError as error:
        raise IdentityError(f"The key file {path} cannot be read: {error.strerror}.") from None
    try:
        _require_private(os.fstat(handle), path)
        data = os.read(handle, _MOST_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > _MOST_BYTES:
        raise damaged(path, f"it has more than {_MOST_BYTES} bytes")
    return data


def damaged(path: Path, why: str) -> IdentityError:
    """Return the error for a key file whose content does not serve."""
    return IdentityError(f"The key file {path} is damaged: {why}. Restore it from a backup.")


def _require_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise IdentityError(f"The key file {path} is not a regular file. Restore it from a backup.")
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise IdentityError(
            f"The key file {path} has mode {mode:04o}: others on this machine may have read it."
            f" Run 'chmod 600 {path}' if you are sure that nobody did; otherwise make a new party."
        )


def _rename_new(staging: Path, folder: Path) -> None:
    try:
        staging.rename(folder)
    except OSError:
        if folder.exists():  # made by somebody else meanwhile: theirs stays
            raise _exists(folder) from None
        raise


def _write_new(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(handle, data)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exists(folder: Path) -> IdentityError:
    return IdentityError(
        f"{folder} already holds keys, and keys are never overwritten. Choose another folder."
    )
