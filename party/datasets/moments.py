"""What takes part where records are moments: touches and conversions as time keys (protocol §6).

The tabulator's touches become stretches with a label, and these the keys of their dyadic cover. The
recipient's conversions have a label each and a key for every level. Both send one person's keys
under that person's identifiers alone: one that several people carry is dropped and counted. Every
bound is a step, so that noise takes it from the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from party.datasets.assignment import Flags
from party.datasets.bounds import measure_moments
from party.datasets.buckets import place
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.combination import buckets_of
from party.datasets.labels import Label
from party.datasets.offers import LabelledKeys, Offers, at_most, to_keys
from party.datasets.people import People
from party.datasets.selection import requested
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.datasets.touch_labels import JourneyLabel, TouchLabel
from party.errors import DatasetError
from psi.arrow import integers, texts
from psi.buckets import RoundingKey, ValueBuckets
from psi.journey import coalitions_of
from psi.keys import Keys
from psi.seed import Seed
from psi.time_keys import Timing, ancestors, cover, time_keys
from psi.touches import Numbers, Stretches, Touches
from reports.own_values import OwnValues

if TYPE_CHECKING:
    import pyarrow as pa

_WINNERS: Final = "winners"
_FRACTION_BITS: Final = 53
_NOBODY: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class TimedKeys:
    """n time keys and their labels (n,) int16; `people` (coalitions,) where these are asked for.

    `own_values` are those behind the conversions that are sent, where their labels are buckets.
    """

    keys: Keys
    labels: npt.NDArray[np.int16]
    people: Numbers
    steps: tuple[BoundStep, ...]
    own_values: OwnValues | None = None


class Moments(Protocol):
    """A party's moments, ready to be joined with the identifiers of their people."""

    def keyed(self, offers: Sequence[Offers], most_identifiers: int) -> TimedKeys:
        """Return the keys under each person's identifiers, at most so many a person."""
        ...


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
        stretches = label.stretches(touches, timing, _uniforms(salt, len(touches)))
        steps = (
            BoundStep("touches of people who consent, with a time", *_sums(of_people, readable)),
            BoundStep("touches of a listed campaign", *_sums(readable, named)),
            BoundStep("touches that count in the window", *_sums(named, counting)),
        )
        return cls(stretches, label, timing, most_records, len(people), steps)

    def keyed(self, offers: Sequence[Offers], most_identifiers: int) -> TimedKeys:
        """Return each stretch's keys, for every ordinal, under every identifier of its person."""
        own, steps = _own_keys(offers, most_identifiers, self.people)
        stretches = self.stretches
        intervals = cover(stretches.start, stretches.stop, self.timing.window)
        person = stretches.person[intervals.owner]
        held = np.sum([np.bincount(part.persons, minlength=self.people) for part in own], axis=0)
        per_interval = self.most_records * np.maximum(held, 1)
        kept = _place(person) < (self.timing.most_keys // per_interval)[person]
        intervals, person = intervals.take(kept), person[kept]
        first = np.searchsorted(person, np.arange(self.people + 1))
        parts, labels = [], []
        sent = np.zeros(self.people, dtype=np.int64)
        for part in own:
            of_key, place = _expanded(first, part.persons)
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
                BoundStep(bound, len(kept), _sum(kept)),
                measure_moments(sent, self.timing.most_keys),
            ),
        )

    def _by_coalition(self, takes_part: npt.NDArray[np.bool_]) -> Numbers:
        """Count people by the coalition of their journey at the window's end, as it is listed."""
        if not isinstance(self.label, JourneyLabel) or not self.timing.epsilon_people_nano:
            return _NOBODY
        listed = coalitions_of(self.label.journeys)
        number = {frozenset(names): place for place, names in enumerate(listed)}
        of_label = np.array([number[one.coalition] for one in self.label.journeys])
        stretches = self.stretches
        last = (stretches.stop >= self.timing.window.slots) & takes_part[stretches.person]
        return np.bincount(of_label[stretches.label[last]], minlength=len(listed)).astype(np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class ConversionValues:
    """The value of each conversion in millionths, (n,), and the buckets that it is placed in."""

    buckets: ValueBuckets
    amounts: Numbers

    def take(self, chosen: Flags) -> ConversionValues:
        """Return those of the chosen conversions."""
        return ConversionValues(self.buckets, self.amounts[chosen])


@dataclass(frozen=True, eq=False, repr=False)
class ConversionMoments:
    """The recipient's side: conversions sorted by person, then time, each with slot and label.

    `labels` is how many labels were requested.
    """

    person: Numbers
    slot: Numbers
    label: npt.NDArray[np.int16]
    values: ConversionValues | None
    labels: int
    timing: Timing
    most_records: int
    people: int
    steps: tuple[BoundStep, ...]

    @classmethod
    def read(
        cls,
        columns: Mapping[str, CodedColumn],
        people: People,
        time_column: str,
        label: Label | None,
        values: Sequence[str],
        timing: Timing,
        most_records: int,
        rounding: RoundingKey | None,
    ) -> ConversionMoments:
        """Take each row with a time in the window for a conversion, and label it by itself.

        A row whose label is not among `values` is none. Ties in time keep the order of rows.
        `rounding` places values in buckets; DatasetError where it is needed and missing.
        """
        time = microseconds(columns[time_column])
        slot = timing.window.slot_of(time)
        dated = (people.of_row != NOTHING) & (columns[time_column].codes != NOTHING)
        readable = dated & (time != UNREADABLE)
        inside = readable & (slot >= 0) & (slot < timing.window.slots)
        rows = np.flatnonzero(inside)
        rows = rows[np.lexsort((time[rows], people.of_row[rows]))]
        given, amounts = _labels_of(
            columns, rows, len(time), label, values, lambda: _named(people, rows, time), rounding
        )
        labelled = given != NOTHING
        rows, given = rows[labelled], given[labelled]
        person = people.of_row[rows]
        kept = _place(person) < most_records
        steps = (
            BoundStep("conversions of people who consent, with a time", *_sums(dated, readable)),
            BoundStep("conversions in the window", *_sums(readable, inside)),
            BoundStep("conversions with a requested label", len(labelled), len(rows)),
            BoundStep(f"conversions, the first {most_records} of a person", len(rows), _sum(kept)),
        )
        return cls(
            person[kept],
            slot[rows[kept]],
            given[kept].astype(np.int16),
            None if amounts is None else amounts.take(labelled).take(kept),
            len(values),
            timing,
            most_records,
            len(people),
            steps,
        )

    def keyed(self, offers: Sequence[Offers], most_identifiers: int) -> TimedKeys:
        """Return a key a level for each conversion, under the one identifier of its person.

        Raises:
            DatasetError: a label has more conversions than the request has room for.
        """
        own, steps = _own_keys(offers, most_identifiers, self.people)
        first = np.searchsorted(self.person, np.arange(self.people + 1))
        ordinal = _place(self.person) + 1
        parts, labels, places = [], [], []
        for part in own:
            of_key, place = _expanded(first, part.persons)
            places.append(place)
            levels = ancestors(self.slot[place], self.timing.window.height)
            parts.append(
                time_keys(part.keys, of_key[levels.owner], ordinal[place][levels.owner], levels)
            )
            labels.append(self.label[place][levels.owner])
        sent = np.concatenate([_NOBODY, *places])
        found = np.concatenate([np.empty(0, dtype=np.int16), *labels])
        if np.bincount(found).max(initial=0) > self.timing.room * self.timing.keys_a_moment:
            raise DatasetError(
                f"a label has more conversions than the {self.timing.room:,} that the request has "
                "room for: ask again with more room, a number from public knowledge"
            )
        step = BoundStep("conversions of people with an identifier", len(self.person), len(sent))
        counted = np.bincount(self.person[sent], minlength=self.people)
        return TimedKeys(
            Keys.concat(parts),
            found,
            _NOBODY,
            (*self.steps, *steps, step, measure_moments(counted, self.most_records)),
            self._own_values(sent),
        )

    def _own_values(self, sent: Numbers) -> OwnValues | None:
        if self.values is None:
            return None
        amounts = self.values.amounts[sent]
        return OwnValues.of(self.values.buckets, amounts, self.label[sent], self.labels)


def _own_keys(
    offers: Sequence[Offers], most: int, people: int
) -> tuple[list[LabelledKeys], list[BoundStep]]:
    """Return the identifiers that one person alone carries, with that person, type by type."""
    limited = at_most(offers, most)
    alone = [to_keys(part, np.arange(people)) for part in limited]
    every, kept = sum(map(len, offers)), sum(map(len, limited))
    distinct = sum(part.distinct for part in alone)
    return alone, [
        BoundStep(f"identifiers, at most {most} of a person", every, kept),
        BoundStep("identifiers, each once", kept, distinct),
        BoundStep("identifiers of one person", distinct, sum(len(part.keys) for part in alone)),
    ]


def _expanded(first: Numbers, persons: Numbers) -> tuple[Numbers, Numbers]:
    """Pair each key's person with all of the person's rows: (key of each pair, row of each pair).

    Person p has the rows `first[p]` up to `first[p + 1]`.
    """
    counts = first[persons + 1] - first[persons]
    of_key = np.repeat(np.arange(len(persons), dtype=np.int64), counts)
    ends = np.cumsum(counts)
    within = np.arange(len(of_key), dtype=np.int64) - np.repeat(ends - counts, counts)
    return of_key, first[persons][of_key] + within


def _place(person: Numbers) -> Numbers:
    """Return the place of each row among its person's, from 0; rows are sorted by person."""
    place = np.arange(len(person), dtype=np.int64)
    first = place.copy()
    first[1:][person[1:] == person[:-1]] = 0
    return place - np.maximum.accumulate(first)


def _labels_of(
    columns: Mapping[str, CodedColumn],
    rows: Numbers,
    count: int,
    label: Label | None,
    values: Sequence[str],
    references: Callable[[], pa.Array],
    rounding: RoundingKey | None,
) -> tuple[Numbers, ConversionValues | None]:
    """Return the position among `values` of each conversion's label, or -1, and its value.

    A row is a record of its own. Values in buckets are placed by `references`, a text for each.
    """
    if label is None:
        return np.zeros(len(rows), dtype=np.int64), None
    record = np.full(count, NOTHING, dtype=np.int64)
    record[rows] = np.arange(len(rows))
    found, amounts = label.assign(columns, record, len(rows)), None
    bucket = buckets_of(label)
    if bucket is not None:
        found = place(found, bucket, references(), rounding)
        if found.amounts is not None:
            amounts = ConversionValues(bucket.buckets, found.amounts)
    return requested(found, label, values), amounts


def _named(people: People, rows: Numbers, time: Numbers) -> pa.Array:
    """Return a text for each conversion: its person, its time, and its place among equals.

    So what is drawn for it is its own, and the same in every session.
    """
    import pyarrow.compute as pc

    person, when = people.of_row[rows], time[rows]
    again = np.zeros(len(rows), dtype=np.int64)
    again[1:] = (person[1:] == person[:-1]) & (when[1:] == when[:-1])
    runs = np.arange(len(rows)) - np.maximum.accumulate(
        np.where(again == 0, np.arange(len(rows)), 0)
    )
    parts = [integers(part).cast("large_string") for part in (when, runs)]
    return pc.binary_join_element_wise(
        people.references.take(integers(person)), *parts, texts(["\n"])[0]
    )


def _require_exposures(campaign: Numbers, campaigns: Sequence[str]) -> None:
    seen = np.bincount(campaign[campaign != NOTHING], minlength=len(campaigns))
    missing = [name for name, rows in zip(campaigns, seen, strict=True) if not rows]
    if missing:
        raise DatasetError(
            f"no row has the campaign '{missing[0][:64]}', which the label lists: correct the "
            "name in the dataset's description, or take it off the list"
        )


def _uniforms(salt: bytes, count: int) -> npt.NDArray[np.float64]:
    """Return so many numbers in (0, 1) that follow from `salt`, the same on every resume."""
    key = np.frombuffer(Seed(salt).derive(b"", _WINNERS)[:16], dtype=np.uint64)
    words = np.random.Philox(key=key).random_raw(count) >> np.uint64(64 - _FRACTION_BITS)
    return np.asarray((words + 0.5) / 2.0**_FRACTION_BITS, dtype=np.float64)


def _sums(before: Flags, after: Flags) -> tuple[int, int]:
    return _sum(before), _sum(after)


def _sum(chosen: Flags) -> int:
    return int(np.count_nonzero(chosen))
