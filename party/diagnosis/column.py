"""One identifier column as its diagnosis needs it: what stands where, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING
from party.datasets.people import People
from party.diagnosis.causes import REMEDIES, Cause, Finding, Level, level_of
from psi.columns import ColumnSpec, Survey
from psi.digest_forms import shape

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class SurveyedColumn:
    """A column, the survey of its distinct values, and the people of its rows."""

    name: str
    spec: ColumnSpec
    survey: Survey
    people: People

    @cached_property
    def pairs(self) -> tuple[Positions, Positions]:
        """Return (person, position of a value) of every value that a person has, each once."""
        width = len(self.survey.texts) + 1
        rows = self._filled_values[self.survey.of_row] & (self.people.of_row != NOTHING)
        pairs = np.unique(self.people.of_row[rows] * width + self.survey.of_row[rows])
        person, position = np.divmod(pairs, width)
        return person, position

    @cached_property
    def _filled_values(self) -> npt.NDArray[np.bool_]:
        """Which values are more than blank; the last place stands for no value."""
        filled = np.append(self.survey.accepted, False)
        for found in self.survey.refused.values():
            filled[found] = True
        filled[list(self.survey.contradictions)] = True
        return filled

    @cached_property
    def filled(self) -> int:
        """How many people have a value here, usable or not."""
        return len(np.unique(self.pairs[0]))

    @cached_property
    def accepted(self) -> Positions:
        """The positions of the values that would be matched."""
        return np.flatnonzero(self.survey.accepted)

    @cached_property
    def usable(self) -> npt.NDArray[np.int64]:
        """The people with a value that would be matched."""
        return self.people_with(self.accepted)

    def people_with(self, positions: Positions) -> npt.NDArray[np.int64]:
        """Return the people who have one of some values."""
        chosen = np.zeros(len(self.survey.texts) + 1, dtype=np.bool_)
        chosen[positions] = True
        person, position = self.pairs
        return np.unique(person[chosen[position]])

    def text(self, position: int) -> str:
        """Return one value. It does not leave the diagnosis."""
        return str(self.survey.texts[int(position)].as_py())

    def finding(
        self,
        cause: Cause,
        positions: Positions,
        evidence: str,
        *,
        remedy: str | None = None,
        level: Level | None = None,
    ) -> Finding:
        """Return the finding that some of the values have a cause; its example is the first."""
        people = len(self.people_with(positions))
        return Finding(
            cause,
            self.name,
            level or level_of(people, self.filled),
            people,
            len(self.people),
            evidence,
            remedy or REMEDIES[cause],
            shape(self.text(int(positions[0]))),
        )
