"""Files that appear whole or not at all, and stay where the power fails after that."""

from __future__ import annotations

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def settle(temporary: Path, path: Path) -> None:
    """Give a file that is complete its name, over whatever had it; its bytes come first."""
    flush(temporary)
    temporary.rename(path)
    sync_folder(path.parent)


def mark(path: Path) -> None:
    """Make an empty file, which only says that something is so; several may say it at once."""
    path.touch()
    flush(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make what was renamed or made in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
