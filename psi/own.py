"""A party's own set: data, dummies and fillers, blinded and shuffled (protocol §3–5).

Everything here follows from the seed, the session id and the input, so building it again
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.answers import Fillers, filler_points
from psi.curve import Points, Scalar, beyond, engine, hash_and_raise
from psi.errors import LimitExceeded
from psi.keys import Keys
from psi.points import POINT_BYTES
from psi.seed import Seed
from psi.sets import MAX_KEYS, LabelledSet, Progress

DUMMY: Final = -1
FIRST_FILLER: Final = -2

Positions = npt.NDArray[np.int64]
Sources = npt.NDArray[np.int32]  # MAX_KEYS is 2³¹
Numbers = npt.NDArray[np.int16]  # of labels, of which there are 4,096 at most


@dataclass(frozen=True)
class OwnSet:
    """A blinded set and what only its owner knows of it.

    `source[p]` says what stands at position p: the index of a key (>= 0), a dummy (-1), or
    filler i of its label (-2 - i).
    """

    labelled: LabelledSet
    source: Sources

    def dummy_positions(self) -> Positions:
        """Return where the dummies are."""
        return np.flatnonzero(self.source == DUMMY)

    def known_positions(self, known: int) -> Positions:
        """Return where the first `known` fillers of a set of one label are, in their order."""
        places = np.flatnonzero(
            (self.source <= FIRST_FILLER) & (self.source > FIRST_FILLER - known)
        )
        return self._in_order(places)

    def reserve_positions(self, reserve: int) -> Positions:
        """Return where the last `reserve` fillers of a set of one label are, in their order."""
        fillers = int((self.source <= FIRST_FILLER).sum())
        return self._in_order(np.flatnonzero(self.source <= FIRST_FILLER - (fillers - reserve)))

    def _in_order(self, fillers: Positions) -> Positions:
        ordered: Positions = fillers[np.argsort(-self.source[fillers])]
        return ordered


def draw_numbering(seed: Seed, session_id: bytes, labels: int) -> tuple[int, ...]:
    """Return the session's number for each label, in the order of the request's names."""
    draws = seed.derive_many(session_id, "numbering", labels)
    by_draw = sorted(range(labels), key=lambda label: draws[label])
    numbers = [0] * labels
    for number, label in enumerate(by_draw):
        numbers[label] = number
    return tuple(numbers)


def blind_points(
    keys: Keys,
    dummies: Keys,
    fillers: Iterable[Fillers],
    filler_count: int,
    *,
    scalar: Scalar,
    session_id: bytes,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Points:
    """Blind keys, dummies and `filler_count` fillers, and return the points in this order.

    Of a lazy `fillers` a pile is let go of once the next is there: secrets take ten times what
    their points do.

    Raises:
        LimitExceeded: more keys than the protocol allows.
    """
    hashed = len(keys) + len(dummies)
    if hashed > MAX_KEYS:
        raise LimitExceeded(f"a set may have {MAX_KEYS} keys at most: split the request")
    points = np.empty((hashed + filler_count, POINT_BYTES), dtype=np.uint8)
    blind = partial(hash_and_raise, scalar=scalar, prefix=session_id, executor=executor)
    blind(keys, progress=progress, out=points[: len(keys)])
    blind(dummies, progress=beyond(len(keys), progress), out=points[len(keys) : hashed])
    start = hashed
    for pile in fillers:
        points[start : start + len(pile.secrets)] = filler_points(pile, scalar, executor=executor)
        start += len(pile.secrets)
    return points


def shuffle_own_set(
    points: Points, numbers: Numbers, dummies: Sequence[int], fillers: Sequence[int]
) -> OwnSet:
    """Sort blinded points within each label.

    Args:
        points: those of keys, of the dummies of each number, and of the fillers of each number.
        numbers: (n,) the session's number of each key's label.
        dummies, fillers: how many there are of each number.
    """
    number_of = np.concatenate([numbers, *map(_numbered, (dummies, fillers))])
    sizes = tuple(np.bincount(number_of, minlength=len(fillers)).tolist())
    order = _order_by_label(points, number_of, sizes)
    del number_of
    source = np.concatenate(
        [
            np.arange(len(numbers), dtype=np.int32),
            np.full(sum(dummies), DUMMY, dtype=np.int32),
            *(FIRST_FILLER - np.arange(count, dtype=np.int32) for count in fillers),
        ]
    )[order]
    return OwnSet(LabelledSet(sizes, np.take(points, order, axis=0)), source)


def _numbered(counts: Sequence[int]) -> Numbers:
    """Return each number as often as its count says."""
    return np.repeat(np.arange(len(counts), dtype=np.int16), counts)


def _order_by_label(points: Points, number_of: Numbers, sizes: Sequence[int]) -> Positions:
    """Return the order that sorts points by their label number, and by value within it."""
    sort_order = engine().sort_order
    if len(sizes) == 1:
        return sort_order(points)
    order = np.argsort(number_of, kind="stable")
    stop = 0
    for size in sizes:
        start, stop = stop, stop + size
        among = order[start:stop]
        order[start:stop] = among[sort_order(np.take(points, among, axis=0))]
    return order
