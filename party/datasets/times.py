"""Times in columns: ISO 8601, read as UTC where no offset is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from party.datasets.coded import CodedColumn
from psi.arrow import integers, positions

if TYPE_CHECKING:
    import pyarrow as pa

UNREADABLE: Final = -(2**63)
MICROSECONDS: Final = 1_000_000
"""Of a second."""
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?"
    r"\s?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_USUAL: Final = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
_OFFSET: Final = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"


def microseconds(column: CodedColumn) -> npt.NDArray[np.int64]:
    """Return each row's time since 1970 in microseconds, or `UNREADABLE`."""
    return np.append(microseconds_of_texts(column.texts), UNREADABLE)[column.codes]


def microseconds_of_texts(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Return the time of each text since 1970 in microseconds, or `UNREADABLE`."""
    times, read = _usual_times(texts)
    rest = np.flatnonzero(~read)
    times[rest] = [microseconds_of(text) for text in texts.take(integers(rest)).to_pylist()]
    return times


def _usual_times(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the texts in the form that exports have, as Arrow reads them, and which these are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = np.full(len(texts), UNREADABLE, dtype=np.int64)
    read = np.zeros(len(texts), dtype=np.bool_)
    for zone, kind in ((_OFFSET, pa.timestamp("us", "UTC")), ("", pa.timestamp("us"))):
        fits = pc.match_substring_regex(texts, f"^{_USUAL}{zone}$")
        where = np.flatnonzero(positions(fits.cast(pa.int64()), missing=0))
        try:
            found = texts.take(integers(where)).cast(kind).cast(pa.int64())
        except pa.ArrowInvalid:
            continue  # one is no time, such as 30 February; each is looked at on its own then
        times[where], read[where] = positions(found, missing=UNREADABLE), True
    return times, read


def microseconds_of(text: str) -> int:
    """Return the time since 1970 in microseconds that a text states, or `UNREADABLE`."""
    match = _TIME.fullmatch(text)
    if match is None:
        return UNREADABLE
    day, clock, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or 'Z'}")
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):  # no such day or hour; or beyond the years 1 to 9999
        return UNREADABLE
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
