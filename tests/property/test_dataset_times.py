"""Times in columns: read all together as they are read one by one, and as Python reads them."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from party.datasets.coded import CodedColumn
from party.datasets.table_file import as_text
from party.datasets.times import UNREADABLE, microseconds, microseconds_of

DAY = st.sampled_from(["2026-01-31", "2024-02-29", "2026-02-30", "1969-12-31", "0001-01-01"])
LATE = st.sampled_from(["9999-12-31", "0000-01-01", "2026-13-01", "26-01-31"])
CLOCK = st.sampled_from(
    ["", "T10:00", " 10:00:59", "T23:59:60", "T24:00:00", "T10:00:00.5", "T00:00:00.123456789"]
)
ZONE = st.sampled_from(["", "Z", " Z", "+02:00", "-1130", "+23:59", "-25:00", "+01:60", "CET"])
TEXT = st.builds("".join, st.tuples(DAY | LATE, CLOCK, ZONE)) | st.text(max_size=8)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=8))
@example(["2026-01-31T10:00:00Z", "2026-01-31T10:00:00", "2026-02-30T10:00:00Z"])
def test_a_column_is_read_as_each_of_its_texts(texts):
    column = CodedColumn.of(pa.array(texts, pa.large_string()).dictionary_encode())
    found = microseconds(column)
    wanted = [microseconds_of(text.strip()) for text in texts]
    assert found.tolist() == wanted
    assert found.dtype == np.int64


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_is_the_instant_that_it_names(moment):
    text = moment.isoformat()
    try:
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        assert microseconds_of(text) == UNREADABLE
        return
    if moment.utcoffset().seconds % 60:
        return  # offsets of old times have seconds, and ISO 8601 has none
    assert microseconds_of(text) == (since.days * 86_400 + since.seconds) * 10**6 + (
        since.microseconds
    )


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", 3600),  # summer time ends
        ("2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00", 1),  # and begins
        ("2026-12-31T23:59:59+01:00", "2027-01-01T00:00:00+01:00", 1),
        ("2027-01-01T00:30:00+01:00", "2026-12-31T23:30:01Z", 1),
        ("2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z", 1),
    ],
)
def test_neither_summer_time_nor_a_new_year_moves_an_instant(earlier, later, seconds):
    assert microseconds_of(later) - microseconds_of(earlier) == seconds * 1_000_000


@given(
    st.lists(st.none() | st.integers(-62_135_596_800, 253_402_300_799)),
    st.sampled_from([("s", 1), ("ms", 1_000), ("us", 1_000_000)]),
)
def test_times_of_a_file_are_written_as_arrow_writes_them(seconds, unit):
    name, factor = unit
    numbers = [None if one is None else one * factor for one in seconds]
    column = pa.array(numbers, pa.int64()).cast(pa.timestamp(name, tz="UTC"))
    assert as_text("events", "at", column).equals(column.cast(pa.large_string()))
