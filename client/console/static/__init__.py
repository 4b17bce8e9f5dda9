"""The console's style sheet and script: read once, named by what they hold."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Final

_TYPES: Final = {"console.css": "text/css", "console.js": "text/javascript"}


class Files:
    """The files by name, and by address: with their digest, so that browsers may keep them."""

    def __init__(self) -> None:
        folder = files("client.console.static")
        self._data = {name: folder.joinpath(name).read_bytes() for name in _TYPES}

    def address(self, name: str) -> str:
        """Return where a file is, in this version of it."""
        return f"/static/{sha256(self._data[name]).hexdigest()[:16]}/{name}"

    def read(self, digest: str, name: str) -> tuple[bytes, str] | None:
        """Return a file and its type, None where there is none such."""
        if name not in _TYPES or self.address(name) != f"/static/{digest}/{name}":
            return None
        return self._data[name], _TYPES[name]
