"""What a party has learnt when its walk through a leg table ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from party.messages import ReleaseArtefact
from psi.dummies import Cell
from psi.points import Tags


@dataclass(frozen=True)
class TableOutcome:
    """A recipient's: the release, and what only it can read it with.

    `numbering` gives the session's number of each own label name, `drawn` the dummies that it
    put into each cell; `sizes` are the points of each role's labels, by the numbers of whose they
    are, and `third_names` a third's labels by its numbers.
    """

    release: ReleaseArtefact
    numbering: tuple[int, ...]
    drawn: Mapping[Cell, int]
    sizes: Mapping[str, tuple[int, ...]]
    third_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TabulatorOutcome:
    """A tabulator's: the table that it sent, and the sizes of all sets by number."""

    release: ReleaseArtefact
    sizes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class ListOutcome:
    """A receiver's: the indices (n,) of its keys that the sender has too, and their tags (n, 16).

    Indices ascend. The tags are what suppression runs are compared with.
    """

    matched_keys: npt.NDArray[np.int64]
    tags: Tags


@dataclass(frozen=True)
class NoOutcome:
    """A party's that lent its set and learns nothing."""


Outcome = TableOutcome | TabulatorOutcome | ListOutcome | NoOutcome
