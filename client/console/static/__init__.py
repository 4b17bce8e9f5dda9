"""The console's style sheets and script: read once, named by what they hold."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Final

_FILES: Final = {
    "console.css": ("client.console.static", "text/css"),
    "console.js": ("client.console.static", "text/javascript"),
    "report.css": ("client.page", "text/css"),
}
"""Which package has each, and its type."""


class Files:
    """The files by name, and by address: with their digest, so that browsers may keep them."""

    def __init__(self) -> None:
        self._data = {
            name: files(package).joinpath(name).read_bytes()
            for name, (package, _) in _FILES.items()
        }

    def address(self, name: str) -> str:
        """Return where a file is, in this version of it."""
        return f"/static/{sha256(self._data[name]).hexdigest()[:16]}/{name}"

    def read(self, digest: str, name: str) -> tuple[bytes, str] | None:
        """Return a file and its type, None where there is none such."""
        if name not in _FILES or self.address(name) != f"/static/{digest}/{name}":
            return None
        return self._data[name], _FILES[name][1]
