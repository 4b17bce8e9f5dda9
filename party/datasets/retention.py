"""A dataset's section `retention`: until when a party may use what its description names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from languages import message
from party.document import Section, TextRule

DAY_SECONDS: Final = 86_400
_MOST_DAYS: Final = 36_525
_DAY: Final = TextRule(
    message("a day, such as 2027-12-31"), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), 10
)


@dataclass(frozen=True)
class Retention:
    """The end of a dataset: so many `days` after its content was registered, or the day `until`.

    `until` is the last day of use, in UTC. Exactly one of the two is there.
    """

    days: int | None = None
    until: date | None = None

    def ends_at(self, since: int) -> int:
        """Return the end of content that was registered at `since`; both in Unix seconds."""
        if self.until is None:
            return since + (self.days or 0) * DAY_SECONDS
        midnight = datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC)
        return int(midnight.timestamp()) + DAY_SECONDS

    @classmethod
    def from_json(cls, section: Mapping[str, Any]) -> Retention:
        """Return the section as it was written by `to_json`."""
        if "days" in section:
            return cls(days=section["days"])
        return cls(until=date.fromisoformat(section["until"]))

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"days": self.days} if self.until is None else {"until": self.until.isoformat()}

    def in_words(self) -> str:
        """Say the section in a few words."""
        if self.until is None:
            return f"{self.days} days after its content was registered"
        return f"to the end of {self.until.isoformat()} (UTC)"


def read_retention(root: Section) -> Retention | None:
    """Read the section `retention`, None where there is none."""
    if "retention" not in root:
        return None
    section = root.section("retention", required=(), optional=("days", "until"))
    if ("days" in section) == ("until" in section):
        raise root.fault("retention", "has exactly one of 'days' and 'until'")
    if "days" in section:
        return Retention(days=section.integer("days", 1, _MOST_DAYS))
    try:
        return Retention(until=date.fromisoformat(section.text("until", _DAY)))
    except ValueError:
        raise section.fault("until", "there is no such day") from None
