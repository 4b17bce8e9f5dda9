"""What takes part where records are moments: keys of both sides, and what they share (§5.8).

The tabulator's touches (`touch_moments`) become stretches with a label, and these the keys of their
dyadic cover. The recipient's conversions (`conversion_moments`) have a label each and a key for
every level. Both send one person's keys under that person's identifiers alone: one that several
people carry is dropped and counted. Every bound is a step, so that noise takes it from the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from party.datasets.assignment import Flags
from party.datasets.offers import LabelledKeys, Offers, at_most, to_keys
from party.datasets.steps import BoundStep
from psi.keys import Keys
from psi.touches import Numbers
from reports.own_values import OwnValues

NOBODY: Final = np.empty(0, dtype=np.int64)


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


def own_keys(
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


def expanded(first: Numbers, persons: Numbers) -> tuple[Numbers, Numbers]:
    """Pair each key's person with all of the person's rows: (key of each pair, row of each pair).

    Person p has the rows `first[p]` up to `first[p + 1]`.
    """
    counts = first[persons + 1] - first[persons]
    of_key = np.repeat(np.arange(len(persons), dtype=np.int64), counts)
    ends = np.cumsum(counts)
    within = np.arange(len(of_key), dtype=np.int64) - np.repeat(ends - counts, counts)
    return of_key, first[persons][of_key] + within


def place_of(person: Numbers) -> Numbers:
    """Return the place of each row among its person's, from 0; rows are sorted by person."""
    place = np.arange(len(person), dtype=np.int64)
    first = place.copy()
    first[1:][person[1:] == person[:-1]] = 0
    return place - np.maximum.accumulate(first)


def step_of(name: str, before: Flags, after: Flags) -> BoundStep:
    """Return the step from those that were chosen before to those that are chosen after."""
    return BoundStep(name, int(np.count_nonzero(before)), int(np.count_nonzero(after)))
