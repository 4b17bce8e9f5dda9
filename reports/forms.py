"""Numbers as linear forms over who is where, and the noise draws that they hold.

Every number of a report is Σ weight × people over the cells of one table: a label or `∅` of each
party, where `∅` (the index after the last label) means that the party lacks the key. What is
released and how large the sets are give an estimate of each cell; a draw of noise stands in
several of them, and a form has it with one coefficient. Here these coefficients are collected, so
that what cancels does, and what correlates is counted once (docs/decisions/0030). A table of two
parties is one whose third axis has no label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from reports.laws import NoiseLaw, SessionLaws, Term

Floats = npt.NDArray[np.float64]
Shape = tuple[int, int, int]
"""Labels of the tabulator, the recipient and the third."""

_NOTHING: Final = 1e-12
"""A coefficient this near to 0 is the rounding of one that cancels."""


class Source(StrEnum):
    """Where a draw of noise comes from; the value is the name of its law in `SessionLaws`."""

    RELEASE = "release"
    TOTALS = "totals"
    DUMMIES = "dummies"
    THIRD_DUMMIES = "third_dummies"
    TABULATOR_FILLERS = "tabulator_fillers"
    RECIPIENT_FILLERS = "recipient_fillers"
    THIRD_FILLERS = "third_fillers"

    def law(self, laws: SessionLaws) -> NoiseLaw:
        """Return its law."""
        found: NoiseLaw = getattr(laws, self.value)
        return found


@dataclass(frozen=True)
class Weights:
    """What a key of each label of one axis counts for, and then of `∅`; 0 where it is left out."""

    of: tuple[float, ...]


Chosen = range | tuple[int, ...] | Weights
"""Places of an axis, each of which counts 1; or weights."""


class Block(NamedTuple):
    """The people in some places of each axis: products of the places' weights."""

    tabulator: Chosen
    recipient: Chosen
    third: Chosen


Form = Sequence[tuple[float, Block]]
"""A number: a sum of factor × block."""


class Draws(NamedTuple):
    """So many independent draws of a source, with the coefficient that they have in each block."""

    source: Source
    coefficients: tuple[float, ...]
    number: int

    def term(self, factors: Sequence[float], laws: SessionLaws) -> Term:
        """Return their part in the noise of Σ factor × block."""
        coefficient = sum(a * b for a, b in zip(factors, self.coefficients, strict=True))
        return Term(coefficient, self.source.law(laws), self.number)


Classes = tuple[tuple[tuple[float, ...], int], ...]
"""How an axis enters some blocks: weights in each, and how many labels have them; `∅` is last."""


def draws_of(shape: Shape, blocks: tuple[Block, ...]) -> tuple[Draws, ...]:
    """Return all noise of some blocks, draws of equal coefficients together."""
    by_axis = zip(shape, zip(*blocks, strict=True), strict=True)
    tabulator, recipient, third = (_classes(labels, chosen) for labels, chosen in by_axis)
    return _collected(tabulator, recipient, third)


def weights_on(labels: int, chosen: Chosen) -> Floats:
    """Return the weight of each place of an axis, `∅` last."""
    weights = np.zeros(labels + 1)
    if isinstance(chosen, Weights):
        weights[: len(chosen.of)] = chosen.of
    else:
        weights[list(chosen)] = 1
    return weights


@lru_cache(maxsize=1 << 10)
def _classes(labels: int, chosen: tuple[Chosen, ...]) -> Classes:
    places = zip(*(weights_on(labels, one).tolist() for one in chosen), strict=True)
    *named, absent = places
    return (*sorted(Counter(named).items()), (absent, 1))


@lru_cache(maxsize=1 << 10)
def _collected(tabulator: Classes, recipient: Classes, third: Classes) -> tuple[Draws, ...]:
    """Collect the draws of blocks whose axes are of these classes."""
    axes = [np.array([weights for weights, _ in axis]) for axis in (tabulator, recipient, third)]
    rows, columns, layers = (
        np.array([labels for _, labels in axis]) for axis in (tabulator, recipient, third)
    )
    cells = np.einsum("gm,bm,vm->gbvm", *axes)
    cells[-1, -1, -1] = 0  # whom nobody has, nobody counts
    many = rows[:, None, None] * columns[:, None] * layers
    found: Counter[tuple[Source, tuple[float, ...]]] = Counter()
    for source, coefficients, draws in _noise(cells, many):
        flat = coefficients.reshape(-1, cells.shape[-1])
        for one, number in zip(flat.tolist(), draws.ravel().tolist(), strict=True):
            if any(abs(each) > _NOTHING for each in one):
                found[source, tuple(one)] += number
    return tuple(Draws(*what, number) for what, number in found.items())


def _noise(
    cells: Floats, many: npt.NDArray[np.int64]
) -> Iterator[tuple[Source, Floats, npt.NDArray[np.int64]]]:
    """Yield the coefficients of every draw of each source, with how many draws have them.

    Where the tabulator is `∅`, a cell is the total of the others' labels less the cells over the
    tabulator's; where both others are, the size of the tabulator's set less the cells of its label;
    and so for the recipient and the third. So a weight there takes the noise of those away.
    """
    yield Source.RELEASE, cells[:-1] - cells[-1:] - cells[:-1, -1:, -1:], many[:-1]
    totals = cells[-1, :-1] - cells[-1, -1:]
    yield Source.TOTALS, totals[:, :-1] - totals[:, -1:], many[-1, :-1, :-1]
    dummies = cells[:, :-1] - cells[:, -1:]  # what an owner leaves out stands where it is ∅
    dummies[-1, :, -1] = 0  # there are none where both others are ∅
    yield Source.DUMMIES, dummies, many[:, :-1]
    dummies = cells[:, :, :-1] - cells[:, :, -1:]
    dummies[-1, -1] = 0
    yield Source.THIRD_DUMMIES, dummies, many[:, :, :-1]
    yield Source.TABULATOR_FILLERS, cells[:-1, -1, -1], many[:-1, -1, -1]
    yield Source.RECIPIENT_FILLERS, cells[-1, :-1, -1], many[-1, :-1, -1]
    yield Source.THIRD_FILLERS, cells[-1, -1, :-1], many[-1, -1, :-1]
