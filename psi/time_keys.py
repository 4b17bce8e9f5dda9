"""Time keys: a moment meets the stretch that covers it, and no time is shown (protocol §5.8).

A window is a row of equal slots. A moment has one key for each level of the dyadic tree over the
slots; a stretch of slots has a key for each interval of its canonical cover. The two have exactly
one key in common where the moment lies in the stretch, and none elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.keys import Keys
from psi.windows import Window

SUFFIX_BYTES: Final = 6

Slots = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Intervals:
    """n dyadic intervals: `owner` (n,) indexes what they cover, `index` counts from 0 a level."""

    owner: npt.NDArray[np.int64]
    level: npt.NDArray[np.uint8]
    index: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, chosen: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Intervals:
        """Return the chosen intervals."""
        return Intervals(self.owner[chosen], self.level[chosen], self.index[chosen])


def ancestors(slots: Slots, height: int) -> Intervals:
    """Return for each slot the interval of every level that holds it, a slot's levels together."""
    levels = np.arange(height + 1, dtype=np.uint8)
    return Intervals(
        np.repeat(np.arange(len(slots), dtype=np.int64), height + 1),
        np.tile(levels, len(slots)),
        (slots[:, None] >> levels[None, :].astype(np.int64)).astype(np.uint32).reshape(-1),
    )


def cover(start: Slots, stop: Slots, window: Window) -> Intervals:
    """Return the canonical cover of each stretch [start, stop), sorted by stretch and slot.

    A stretch that reaches the window's end is covered to the tree's end, which takes fewer
    intervals and holds no moment more.
    """
    low = np.maximum(start, 0)
    high = np.where(stop >= window.slots, 1 << window.height, stop)
    owner = np.arange(len(start), dtype=np.int64)
    owners: list[npt.NDArray[np.int64]] = []
    levels: list[npt.NDArray[np.uint8]] = []
    indices: list[npt.NDArray[np.uint32]] = []

    def emit(chosen: npt.NDArray[np.bool_], index: Slots, level: int) -> None:
        owners.append(owner[chosen])
        levels.append(np.full(int(chosen.sum()), level, dtype=np.uint8))
        indices.append(index[chosen].astype(np.uint32))

    for level in range(window.height + 1):
        open_ = low < high
        low, high, owner = low[open_], high[open_], owner[open_]
        odd = (low & 1).astype(np.bool_)
        emit(odd, low, level)
        low = low + odd
        odd = (high & 1).astype(np.bool_) & (low < high)
        emit(odd, high - 1, level)
        high = high - odd
        low, high = low >> 1, high >> 1
    every = Intervals(np.concatenate(owners), np.concatenate(levels), np.concatenate(indices))
    first_slot = every.index.astype(np.int64) << every.level.astype(np.int64)
    return every.take(np.argsort((every.owner << window.height) + first_slot))


def time_keys(
    keys: Keys,
    chosen: npt.NDArray[np.int64],
    ordinal: npt.NDArray[np.integer] | int,
    intervals: Intervals,
) -> Keys:
    """Return `keys[chosen[i]] ‖ j ‖ level ‖ index` for each interval i.

    `keys` are of one length. j is a moment's ordinal from 1 (one byte, as level is); index is a
    big-endian u32.
    """
    suffixes = np.empty((len(intervals), SUFFIX_BYTES), dtype=np.uint8)
    suffixes[:, 0] = ordinal
    suffixes[:, 1] = intervals.level
    suffixes[:, 2:] = intervals.index.astype(">u4").view(np.uint8).reshape(-1, 4)
    return keys.extended(chosen, suffixes)
