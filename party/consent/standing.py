"""What people's records say now: the latest event for a purpose and a recipient.

One rule for everything that rests on records. Of all events of a person that speak of a purpose
and a recipient, whatever notice they were shown, the latest counts, and of several at one time the
one that gives least. An event that gives counts only until the days of its notice are over; and
where its notice asks for consent by itself, only if it names the recipient, since a yes to
everything is not that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from party.consent.events import MICROSECONDS, By, Event, State
from party.consent.notice import Notice

SILENT: Final = -1
REFUSED: Final = 0
GIVEN: Final = 1
"""What is said, as `party.datasets.consent` has it."""
DAY: Final = 86_400 * MICROSECONDS
ORDER: Final[Mapping[int, int]] = {GIVEN: 0, SILENT: 1, REFUSED: 2}
"""Of events at one time the last in this order counts."""


@dataclass(frozen=True)
class Question:
    """What is asked of records: consent to a purpose, for a recipient.

    With `by_guardian` only what a guardian gave counts as given; whoever refuses refuses. With
    `category` only consent that was asked for by itself and for this category of data counts.
    """

    purpose: str
    recipient: str
    by_guardian: bool = False
    category: str | None = None

    def says(self, state: State, by: By, notice: Notice, *, names_recipient: bool) -> int | None:
        """Return what an event that speaks of this says, or None where it does not count."""
        if state is State.EXPIRED:
            return SILENT
        if state is not State.GIVEN:
            return REFUSED
        asked_for = notice.separately(self.purpose, self.recipient, self.category)
        if self.category is not None and not asked_for:
            return None
        if asked_for and not names_recipient:
            return None
        return GIVEN if by is By.GUARDIAN or not self.by_guardian else None


def ends_after(notice: Notice) -> int | None:
    """Return for how long consent to a notice counts, in microseconds; None is without an end."""
    return None if notice.valid_days is None else notice.valid_days * DAY


def standing(
    events: Iterable[Event], notices: Mapping[str, Notice], question: Question, now: int
) -> int:
    """Return what one person's events say at `now` (microseconds): GIVEN, REFUSED or SILENT."""
    latest = (-(2**63), ORDER[GIVEN], SILENT)
    for event in events:
        notice = notices[event.notice]
        if event.at > now or not event.is_about(question.purpose, question.recipient):
            continue
        if not notice.covers(question.purpose, question.recipient):
            continue
        named = event.recipient is not None
        says = question.says(event.state, event.by, notice, names_recipient=named)
        if says is None:
            continue
        lasts = ends_after(notice)
        if says == GIVEN and lasts is not None and event.at + lasts <= now:
            says = SILENT
        latest = max(latest, (event.at, ORDER[says], says))
    return latest[2]
