"""What can be told of a query from its first word: whether it means to read.

The database itself is what keeps a query from writing; this says it sooner and more clearly.
"""

from __future__ import annotations

import re
from typing import Final

from party.errors import DatasetError

_COMMENT: Final = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\(", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z]+")
_READING: Final = ("SELECT", "WITH", "VALUES", "TABLE", "FROM")


def require_reading(name: str, query: str) -> None:
    """Raise `DatasetError` unless the query's first word is one that reads."""
    start = 0
    while skipped := _COMMENT.match(query, start):
        start = skipped.end()
    word = _WORD.match(query, start)
    if word is None or word[0].upper() not in _READING:
        found = f" with {word[0][:32].upper()}" if word else " otherwise"
        raise DatasetError(
            f"{name}: a source is only read; its query starts with SELECT, WITH, VALUES, TABLE or "
            f"FROM, and this one{found}"
        )
