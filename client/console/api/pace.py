"""How often somebody may call: a bucket of calls each, which fills again by the second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST: Final = 60
A_SECOND: Final = 5.0
_MOST_KNOWN: Final = 4096


class Pace:
    """Buckets by name, in memory; those that were used longest ago are forgotten beyond a number.

    `clock` gives seconds that do not go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take one call; return 0.0, or in how many seconds there is one to be taken."""
        with self._lock:
            now = self._clock()
            left, since = self._buckets.pop(name, (float(BURST), now))
            left = min(BURST, left + (now - since) * A_SECOND)
            taken = left >= 1
            self._buckets[name] = (left - 1 if taken else left, now)
            if len(self._buckets) > _MOST_KNOWN:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / A_SECOND
