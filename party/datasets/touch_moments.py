"""The tabulator's touches as time keys: stretches, their covers, and winners (§5.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from party.datasets.offers import LabelledKeys, Offers
from party.datasets.people import People
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.datasets.touch_labels import JourneyLabel, TouchLabel
from party.errors import DatasetError
from psi.journey import coalitions_of
from psi.keys import Keys
from psi.seed import Seed
from psi.time_keys import SUFFIX_BYTES, Intervals, cover, time_keys
from psi.touches import Numbers, Stretches, Touches
from psi.windows import Timing

_WINNERS: Final = "winners"
_FRACTION_BITS: Final = 53
_BLOCK: Final = 1 << 16  # identifiers whose keys are made at a time


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
        before, intervals, person = len(kept), intervals.take(kept), person[kept]
        first = np.searchsorted(person, np.arange(self.people + 1))
        del kept, person  # a key has 44 bytes, and each of these 1 or 8: they add up
        sent = np.zeros(self.people, dtype=np.int64)
        made, labels = [], []
        for part in filter(lambda one: len(one.keys), own):
            count = self.most_records * int(np.diff(first)[part.persons].sum())
            label = np.empty(count, dtype=np.int16)
            width = len(part.keys[0]) + SUFFIX_BYTES
            blocks = self._blocks(part, first, intervals, label, sent)
            made.append(Keys.gathered(blocks, count, width))
            labels.append(label)
        del intervals
        bound = f"intervals of touches, at most {self.timing.most_keys} keys a person"
        return TimedKeys(
            Keys.concat(made),
            np.concatenate([np.empty(0, dtype=np.int16), *labels]),
            self._by_coalition(held > 0),
            (
                *self.steps,
                *steps,
                BoundStep(bound, before, int(first[-1])),
                measure_moments(sent, self.timing.most_keys),
            ),
        )

    def _blocks(
        self,
        part: LabelledKeys,
        first: Numbers,
        intervals: Intervals,
        label: npt.NDArray[np.int16],
        sent: Numbers,
    ) -> Iterator[Keys]:
        """Yield one type's time keys, block by block of its identifiers, for each ordinal.

        Each key's label is written to `label`, and what is sent of each person counted in `sent`.
        """
        at = 0
        for ordinal in range(1, self.most_records + 1):
            for start in range(0, len(part.persons), _BLOCK):
                persons = part.persons[start : start + _BLOCK]
                of_key, place = expanded(first, persons)
                chosen = intervals.take(place)
                label[at : at + len(place)] = self.stretches.label[chosen.owner]
                at += len(place)
                sent += np.bincount(persons[of_key], minlength=len(sent))
                yield time_keys(part.keys, of_key + start, ordinal, chosen)

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
