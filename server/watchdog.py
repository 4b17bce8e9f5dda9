"""Ends calls whose caller keeps this party waiting: slow-loris streams, and readers that read not.

A thread of the listener waits for the caller in two places only, for the next message and for room
to write one. gRPC puts no end to either, so one thread looks after all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

MESSAGE_SECONDS: Final = 60.0
"""How long one message may take on its way, in or out."""
_LOOK_SECONDS: Final = 1.0


class Watchdog:
    """Knows the calls that wait for their callers, and cancels those that wait too long."""

    def __init__(
        self, patience_seconds: float = MESSAGE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience, self._clock = patience_seconds, clock
        self._lock = threading.Lock()
        self._waiting: dict[object, tuple[float, Callable[[], object]]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    @contextmanager
    def over(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Call `cancel` if the block takes longer than a message may."""
        key = object()
        with self._lock:
            self._waiting[key] = (self._clock() + self._patience, cancel)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def look(self) -> None:
        """Cancel what has waited too long."""
        now = self._clock()
        with self._lock:
            late = [key for key, (deadline, _) in self._waiting.items() if deadline < now]
            cancels = [self._waiting.pop(key)[1] for key in late]
        for cancel in cancels:
            cancel()

    def _watch(self) -> None:
        while not self._ended.wait(min(_LOOK_SECONDS, self._patience / 4)):
            self.look()
