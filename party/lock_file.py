"""A file that one process holds locked while it does what only one may do.

The system lets go of the lock when the process ends, however it ends, so there is nothing to
clean up after a kill. What the file says counts only while it is held.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_MOST_BYTES: Final = 1000
_LEAST_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 0.02


@contextmanager
def held(
    path: Path, taken: Exception, *, patience_seconds: float = 0.0
) -> Iterator[Callable[[str], None]]:
    """Hold the lock at `path`, or raise `taken`; what is yielded lets the file say something.

    Whoever holds it now is waited for so long.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = _lock(path, max(patience_seconds, _LEAST_SECONDS))
    if handle is None:
        raise taken
    try:
        os.ftruncate(handle, 0)
        yield lambda text: _say(handle, text)
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def said_by_holder(path: Path) -> str | None:
    """Return what the holder of the lock at `path` says, None when nobody holds it."""
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(handle, _MOST_BYTES).decode("utf-8", "replace").partition("\n")[0]
        finally:
            os.close(handle)
    return None


def _say(handle: int, text: str) -> None:
    """Let the file say one line; a reader at the same time finds the old one or the new one."""
    line = text.encode() + b"\n"
    os.pwrite(handle, line, 0)
    os.ftruncate(handle, len(line))


def _lock(path: Path, patience_seconds: float) -> int | None:
    """Return the file's handle, locked; None when it is held all the time."""
    for _ in range(round(patience_seconds / _PAUSE_SECONDS)):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)  # held, or deleted by its last holder, or looked at just now
        time.sleep(_PAUSE_SECONDS)
    return None
