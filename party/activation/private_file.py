"""Files for their owner's eyes that appear whole, and never over another one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from languages import message
from party.durable import sync_folder
from party.errors import PartyError


def require_new(path: Path) -> None:
    """Raise PartyError when there is something at `path`, or no folder to put it in."""
    if not path.absolute().parent.is_dir():
        folder = str(path.absolute().parent)
        raise PartyError(message("there is no folder {folder}", folder=folder))
    if os.path.lexists(path):
        raise PartyError(
            message(
                "{path} exists already: choose another name, or delete it first", path=str(path)
            )
        )


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Make an empty file of mode 0600 beside `path`; delete it at the end if it is still there.

    Raises:
        PartyError: it cannot be written.
    """
    require_new(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)
        os.close(handle)
    except OSError as error:
        raise _unwritten(path, error) from None
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def publish(draft: Path, path: Path) -> None:
    """Give a draft its name.

    Raises:
        PartyError: there is something of that name by now.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        require_new(path)
    except OSError as error:
        raise _unwritten(path, error) from None
    sync_folder(path.absolute().parent)


def _unwritten(path: Path, error: OSError) -> PartyError:
    return PartyError(
        message("{path} cannot be written: {why}", path=str(path), why=error.strerror or "")
    )
