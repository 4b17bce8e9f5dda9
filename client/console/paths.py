"""Addresses within the console, for whoever comes back after signing in or choosing."""

from __future__ import annotations

import re
from typing import Final

_OWN: Final = re.compile(r"/(?:[A-Za-z0-9_.~-][A-Za-z0-9_.~/-]{0,500})?")


def own_path(text: str) -> str:
    """Return a path within the console; its beginning for anything else.

    No host, no scheme, no `//` and no backslash, with which a browser would leave; no query.
    """
    return text if _OWN.fullmatch(text) and "//" not in text else "/"
