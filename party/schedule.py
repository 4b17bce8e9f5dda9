"""When a series of reports runs: every hour, day or week, in UTC.

A day is 24 hours, so summer time changes nothing: a run at 02:00 is at 02:00 UTC all year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from languages import message
from party.contract_terms import write_time
from party.errors import PartyError

MOST_RUNS: Final = 1000


class Every(StrEnum):
    """How far apart the runs of a series are."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def seconds(self) -> int:
        """The distance in seconds."""
        return {Every.HOUR: 3600, Every.DAY: 86_400, Every.WEEK: 7 * 86_400}[self]


@dataclass(frozen=True)
class Schedule:
    """When a series runs: from the first slot to the last (Unix seconds), both included."""

    every: Every
    first: int
    last: int

    @classmethod
    def read(cls, every: str, at: str, until: str, begins: str | None, now: int) -> Schedule:
        """Read a schedule: at HH:MM UTC, until and from days as YYYY-MM-DD, both included.

        Raises:
            PartyError: a part cannot be read, no run falls between, or there are too many.
        """
        try:
            step = Every(every)
        except ValueError:
            raise PartyError(
                message(
                    "a series runs every hour, day or week, not every '{every}'",
                    every=every,
                )
            ) from None
        time = _seconds_of(at) % step.seconds
        start = now if begins is None else _day(begins)
        if start < now - now % 86_400:
            raise PartyError(
                message(
                    "the first day {begins} is past: a series begins today or later",
                    begins=begins,
                )
            )
        midnight = start - start % 86_400
        first = midnight + time
        while first < max(start, now):
            first += min(step.seconds, 86_400)
        end = _day(until) + 86_400
        if first >= end:
            raise PartyError(
                message(
                    "the first run would be on {first}, after the last day {until}: "
                    "nothing would run",
                    first=write_time(first),
                    until=until,
                )
            )
        last = first + (end - 1 - first) // step.seconds * step.seconds
        schedule = cls(step, first, last)
        if len(schedule.slots) > MOST_RUNS:
            raise PartyError(
                message(
                    "a series has at most {most_runs} runs, and this would have "
                    "{number}: choose an earlier last day",
                    most_runs=MOST_RUNS,
                    number=len(schedule.slots),
                )
            )
        return schedule

    @property
    def slots(self) -> range:
        """When each run is due."""
        return range(self.first, self.last + 1, self.every.seconds)


def _seconds_of(at: str) -> int:
    try:
        time = datetime.strptime(at, "%H:%M")
    except ValueError:
        raise PartyError(
            message(
                "'{at}' is no time of day: write it as HH:MM, such as 02:00",
                at=at,
            )
        ) from None
    return time.hour * 3600 + time.minute * 60


def _day(text: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise PartyError(
            message(
                "'{text}' is no day: write it as YYYY-MM-DD, such as 2026-12-31",
                text=text,
            )
        ) from None
