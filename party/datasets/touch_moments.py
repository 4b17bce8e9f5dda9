"""The tabulator's touches as time keys: stretches, their covers, and winners (§5.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from party.datasets.bounds import measure_moments
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.moments import (
    NOBODY,
    TimedKeys,
    expanded,
    own_keys,
    place_of,
    step_of,
)
from party.datasets.offers import Offers
from party.datasets.people import People
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.datasets.touch_labels import JourneyLabel, TouchLabel
from party.errors import DatasetError
from psi.journey import coalitions_of
from psi.keys import Keys
from psi.seed import Seed
from psi.time_keys import Timing, cover, time_keys
from psi.touches import Numbers, Stretches, Touches

_WINNERS: Final = "winners"
_FRACTION_BITS: Final = 53


@dataclass(frozen=True, eq=False, repr=False)
class TouchMoments:
    """The tabulator's side: stretches of `people` people, and how they came about."""

    stretches: Stretches
    label: TouchLabel
    timing: Timing
    most_records: int
    people: int
    steps: tuple[BoundStep, ...]

    @classmethod
    def read(
        cls,
        columns: Mapping[str, CodedColumn],
        people: People,
        label: TouchLabel,
        timing: Timing,
        most_records: int,
        salt: bytes,
    ) -> TouchMoments:
        """Make stretches of the rows that are touches; winners are drawn from `salt`.

        Raises:
            DatasetError: no row names a listed campaign, or classes do not fit the slots.
        """
        campaign = label.campaign_of(columns)
        _require_exposures(campaign, label.campaigns)
        time = microseconds(columns[label.time])
        window = timing.window
        of_people = (people.of_row != NOTHING) & (columns[label.time].codes != NOTHING)
        readable = of_people & (time != UNREADABLE)
        named = readable & (campaign != NOTHING)
        slot = window.slot_of(time)
        counting = named & (slot >= -timing.lookback) & (slot < window.slots)
        touches = Touches.ordered(people.of_row[counting], time[counting], campaign[counting])
        stretches = label.stretches(touches, timing, winner_draws(salt, len(touches)))
        steps = (
            step_of("touches of people who consent, with a time", of_people, readable),
            step_of("touches of a listed campaign", readable, named),
            step_of("touches that count in the window", named, counting),
        )
        return cls(stretches, label, timing, most_records, len(people), steps)

    def keyed(self, offers: Sequence[Offers], most_identifiers: int) -> TimedKeys:
        """Return each stretch's keys, for every ordinal, under every identifier of its person."""
        own, steps = own_keys(offers, most_identifiers, self.people)
        stretches = self.stretches
        intervals = cover(stretches.start, stretches.stop, self.timing.window)
        person = stretches.person[intervals.owner]
        held = np.sum([np.bincount(part.persons, minlength=self.people) for part in own], axis=0)
        per_interval = self.most_records * np.maximum(held, 1)
        kept = place_of(person) < (self.timing.most_keys // per_interval)[person]
        intervals, person = intervals.take(kept), person[kept]
        first = np.searchsorted(person, np.arange(self.people + 1))
        parts, labels = [], []
        sent = np.zeros(self.people, dtype=np.int64)
        for part in own:
            of_key, place = expanded(first, part.persons)
            sent += self.most_records * np.bincount(part.persons[of_key], minlength=self.people)
            chosen = intervals.take(place)
            label = stretches.label[chosen.owner].astype(np.int16)
            for ordinal in range(1, self.most_records + 1):
                parts.append(time_keys(part.keys, of_key, ordinal, chosen))
                labels.append(label)
        keys = Keys.concat(parts)
        bound = f"intervals of touches, at most {self.timing.most_keys} keys a person"
        return TimedKeys(
            keys,
            np.concatenate([np.empty(0, dtype=np.int16), *labels]),
            self._by_coalition(held > 0),
            (
                *self.steps,
                *steps,
                BoundStep(bound, len(kept), int(np.count_nonzero(kept))),
                measure_moments(sent, self.timing.most_keys),
            ),
        )

    def _by_coalition(self, takes_part: npt.NDArray[np.bool_]) -> Numbers:
        """Count people by the coalition of their journey at the window's end, as it is listed."""
        if not isinstance(self.label, JourneyLabel) or not self.timing.epsilon_people_nano:
            return NOBODY
        listed = coalitions_of(self.label.journeys)
        number = {frozenset(names): place for place, names in enumerate(listed)}
        of_label = np.array([number[one.coalition] for one in self.label.journeys])
        stretches = self.stretches
        last = (stretches.stop >= self.timing.window.slots) & takes_part[stretches.person]
        return np.bincount(of_label[stretches.label[last]], minlength=len(listed)).astype(np.int64)


def _require_exposures(campaign: Numbers, campaigns: Sequence[str]) -> None:
    seen = np.bincount(campaign[campaign != NOTHING], minlength=len(campaigns))
    missing = [name for name, rows in zip(campaigns, seen, strict=True) if not rows]
    if missing:
        raise DatasetError(
            f"no row has the campaign '{missing[0][:64]}', which the label lists: correct the "
            "name in the dataset's description, or take it off the list"
        )


def winner_draws(salt: bytes, count: int) -> npt.NDArray[np.float64]:
    """Return so many numbers in (0, 1) that follow from `salt`, the same on every resume."""
    key = np.frombuffer(Seed(salt).derive(b"", _WINNERS)[:16], dtype=np.uint64)
    words = np.random.Philox(key=key).random_raw(count) >> np.uint64(64 - _FRACTION_BITS)
    return np.asarray((words + 0.5) / 2.0**_FRACTION_BITS, dtype=np.float64)
