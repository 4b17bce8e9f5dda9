"""Windows of time and the public terms of a table whose records are moments (protocol §5.8).

What a request says of time; the keys that follow from it are made in `psi.time_keys`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from psi.errors import LimitExceeded

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_SLOTS: Final = 1 << 20
MOST_ORDINAL: Final = 255


@dataclass(frozen=True)
class Window:
    """`slots` slots of `slot_seconds` each, the first from `start` (Unix seconds, UTC) on."""

    start: int
    slot_seconds: int
    slots: int

    def __post_init__(self) -> None:
        if not 1 <= self.slots <= MOST_SLOTS:
            raise LimitExceeded(f"a window has 1 to {MOST_SLOTS} slots: take longer slots")

    @property
    def height(self) -> int:
        """h: the tree over the slots has 2^h leaves and h + 1 levels."""
        return (self.slots - 1).bit_length()

    @property
    def stop(self) -> int:
        """The first second after the window."""
        return self.start + self.slots * self.slot_seconds

    def slot_of(self, microseconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the slot of each time (microseconds since 1970); outside, below 0 or too large."""
        return (microseconds - self.start * 1_000_000) // (self.slot_seconds * 1_000_000)


@dataclass(frozen=True)
class Timing:
    """The public terms of a table whose records are moments.

    Attributes:
        window: the slots that moments lie in.
        lookback: slots before a moment in which touches count, its own besides.
        most_keys: K_T, the most keys that the tabulator sends for one person.
        room: moments that each of the recipient's labels has room for; a set is padded to it, so
            that its size says nothing.
        epsilon_people_nano: ε in 1e-9 of the tabulator's touched people by coalition, which are
            released beside the table; 0 where they are not.
    """

    window: Window
    lookback: int
    most_keys: int
    room: int
    epsilon_people_nano: int = 0

    def later(self, seconds: int) -> Timing:
        """Return the terms with the window moved by as many whole slots as so many seconds have."""
        window = self.window
        moved = window.start + seconds // window.slot_seconds * window.slot_seconds
        return replace(self, window=replace(window, start=moved))

    @property
    def keys_a_moment(self) -> int:
        """A key for each level: h + 1."""
        return self.window.height + 1
