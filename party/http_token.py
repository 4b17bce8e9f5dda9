"""The tokens that open a party's log, and its metrics, over HTTP: files among its keys.

Each is made when first needed. Whoever has the log's may read the log; the party's owner hands
it to officers and auditors. To make a new one, delete the file and start `serve` again.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from party.key_files import damaged, make_key_file, read_key_file

FILE: Final = "http.token"
METRICS_FILE: Final = "metrics.token"
"""For what only counts events: whoever watches machines need not read the log."""
_BYTES: Final = 32
_FEWEST_CHARACTERS: Final = 32


def token_path(folder: Path, file: str = FILE) -> Path:
    """Return where a token of a party's folder lies."""
    return folder / "keys" / file


def read_or_make_token(folder: Path, file: str = FILE) -> str:
    """Return a token of a party, new where there is none.

    Raises:
        IdentityError: others can read the file, or it holds no token.
    """
    path = token_path(folder, file)
    if not path.exists():
        make_key_file(path, f"{secrets.token_urlsafe(_BYTES)}\n".encode())
    return read_token(path)


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        IdentityError: it is missing, others can read it, or it holds no token.
    """
    token = read_key_file(path).decode("ascii", errors="replace").strip()
    if len(token) < _FEWEST_CHARACTERS or not token.isascii() or not token.isprintable():
        raise damaged(path, "it holds no token")
    return token
