"""People with values, and the tables that sessions make of them: each run rounds and draws anew.

A world is a table of people: row (a tabulator's label, -1 if only the recipient has the person),
segment, value. What a session leaves is made by `CountedSession`, and the recipient's own values as
the product makes them from placed people.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from counted_session import CountedSession, Outcome, People

from psi.buckets import MILLION, ValueBuckets
from reports.own_values import OwnValues
from reports.table import JOINT


@dataclass(frozen=True)
class World:
    """People of both sides: `people` has the columns g (-1: unmatched), segment and value."""

    people: pd.DataFrame
    rows: tuple[str, ...]
    segments: tuple[str, ...] | None
    buckets: ValueBuckets

    @property
    def columns(self):
        """The recipient's labels."""
        if self.segments is None:
            return self.buckets.labels
        return tuple(
            f"{one}{JOINT}{bound}" for one in self.segments for bound in self.buckets.labels
        )

    @property
    def millionths(self):
        """The values as the product holds them."""
        return np.array([round(value * MILLION) for value in self.people["value"]], dtype=np.int64)

    def placed(self, draws):
        """Return the column of each person."""
        values = self.millionths
        bucket = self.buckets.below(values) + self.buckets.goes_up(values, draws)
        segment = 0 if self.segments is None else self.people["segment"].to_numpy()
        return segment * len(self.buckets.labels) + bucket

    def counted(self, column):
        """Return who is where, by row and column."""
        shape = len(self.rows), len(self.columns)
        cells, rows = np.zeros(shape, dtype=int), self.people["g"].to_numpy()
        np.add.at(cells, (rows[rows >= 0], column[rows >= 0]), 1)
        alone = np.bincount(column[rows < 0], minlength=shape[1])
        return People(cells, np.zeros(shape[0], dtype=int), alone)

    def own(self, column):
        """Return what the recipient knows of its values."""
        return OwnValues.of(self.buckets, self.millionths, column, len(self.columns))


def run(world, laws, draws, seed=0, session=None) -> Outcome:
    """Return what one session leaves, by these draws of the rounding."""
    column = world.placed(draws)
    people = world.counted(column)
    if session is None:
        session = CountedSession(
            people, laws, labels=world.rows, segments=world.columns, min_cell=0, seed=seed
        )
    session.people = people
    outcome = session.run()
    return replace(outcome, private=replace(outcome.private, own_values=world.own(column)))
