"""The recipient's conversions as time keys: a row each, with a label and a key a level (§5.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from party.datasets.assignment import Flags
from party.datasets.bounds import measure_moments
from party.datasets.buckets import place
from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.combination import buckets_of
from party.datasets.labels import Label
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
from party.datasets.selection import requested
from party.datasets.steps import BoundStep
from party.datasets.times import UNREADABLE, microseconds
from party.errors import DatasetError
from psi.arrow import integers, texts
from psi.buckets import RoundingKey, ValueBuckets
from psi.keys import Keys
from psi.time_keys import ancestors, time_keys
from psi.touches import Numbers
from psi.windows import Timing
from reports.own_values import OwnValues

if TYPE_CHECKING:
    import pyarrow as pa


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
        kept = place_of(person) < most_records
        steps = (
            step_of("conversions of people who consent, with a time", dated, readable),
            step_of("conversions in the window", readable, inside),
            BoundStep("conversions with a requested label", len(labelled), len(rows)),
            BoundStep(
                f"conversions, the first {most_records} of a person",
                len(rows),
                int(np.count_nonzero(kept)),
            ),
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
        own, steps = own_keys(offers, most_identifiers, self.people)
        first = np.searchsorted(self.person, np.arange(self.people + 1))
        ordinal = place_of(self.person) + 1
        parts, labels, places = [], [], []
        for part in own:
            of_key, place = expanded(first, part.persons)
            places.append(place)
            levels = ancestors(self.slot[place], self.timing.window.height)
            parts.append(
                time_keys(part.keys, of_key[levels.owner], ordinal[place][levels.owner], levels)
            )
            labels.append(self.label[place][levels.owner])
        sent = np.concatenate([NOBODY, *places])
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
            NOBODY,
            (*self.steps, *steps, step, measure_moments(counted, self.most_records)),
            self._own_values(sent),
        )

    def _own_values(self, sent: Numbers) -> OwnValues | None:
        if self.values is None:
            return None
        amounts = self.values.amounts[sent]
        return OwnValues.of(self.values.buckets, amounts, self.label[sent], self.labels)


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
    return requested(found, label, values).astype(np.int64), amounts


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
