"""A dataset's rows as events: whose each is, when it was, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING, CodedColumn, together
from party.datasets.times import UNREADABLE

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """n rows: `person` (n,) int64, -1 for a row that is nobody's or has left.

    `times` (n,) int64 are microseconds since 1970, or `UNREADABLE`; None where the dataset names
    no column of times. `lists` holds the texts of files by their name in the description.
    """

    person: Numbers
    times: Numbers | None
    columns: Mapping[str, CodedColumn]
    lists: Mapping[str, Sequence[str]]

    def without(self, leaving: Flags) -> Events:
        """Return the events after the flagged rows have left."""
        return replace(self, person=np.where(leaving, NOTHING, self.person))

    @property
    def some_times(self) -> Numbers:
        """The times; a description in which a rule needs them names their column."""
        if self.times is None:
            raise ValueError("these events have no times")
        return self.times

    def timed(self) -> tuple[Numbers, Numbers]:
        """Return the rows that are somebody's and have a time, in order, and their times."""
        times = self.some_times
        rows = np.flatnonzero((self.person != NOTHING) & (times != UNREADABLE))
        return rows, times[rows]

    def sequences(self, alike: Sequence[str]) -> tuple[Numbers, Numbers, Numbers]:
        """Return (rows, group, time) of `timed`, sorted by group, then time, then row.

        Rows of one person that have the same texts in `alike` are a group; nothing is a text here.
        """
        rows, times = self.timed()
        same = together([self.columns[name] for name in alike], rows)
        group = self.person[rows] * (int(same.max(initial=0)) + 1) + same
        order = np.lexsort((times, group))  # stable: equal times stay in the order of their rows
        return rows[order], group[order], times[order]
