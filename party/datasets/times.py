"""Times in columns: ISO 8601, read as UTC where no offset is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from party.datasets.coded import CodedColumn

UNREADABLE: Final = -(2**63)
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?"
    r"\s?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def microseconds(column: CodedColumn) -> npt.NDArray[np.int64]:
    """Return each row's time since 1970 in microseconds, or `UNREADABLE`."""
    distinct = [_microseconds(text) for text in column.texts.to_pylist()]
    return np.array([*distinct, UNREADABLE], dtype=np.int64)[column.codes]


def _microseconds(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        return UNREADABLE
    day, clock, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or 'Z'}")
    except ValueError:
        return UNREADABLE
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
