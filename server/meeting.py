"""Where the calls of one session and its driver wait for each other.

The dialler's calls arrive on threads of their own, at any time; the driver waits in one thread.
Here stand the dialler's last sign of life and what has stopped the session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from party.errors import Refusal, SessionSuspended
from party.wire.refusals import Condition
from server.errors import DriverFailed, NotNow, Told

Value = TypeVar("Value")
Clock = Callable[[], float]

_TICK_SECONDS: Final = 1.0  # how often a waiting driver looks at the clock


class Meeting:
    """The two sides of one session, `peer` being the one that dials.

    The driver waits `patience_seconds` without a sign of it; a call that waits for the driver is
    held for `hold_seconds`. Whatever else must not change meanwhile is done under `changed`.
    """

    def __init__(
        self,
        peer: str,
        *,
        patience_seconds: float,
        hold_seconds: float,
        clock: Clock = time.monotonic,
    ) -> None:
        self.peer = peer
        self.changed = threading.Condition()
        self._patience, self._hold, self._clock = patience_seconds, hold_seconds, clock
        self._last_sign = clock()
        self._stop: Refusal | SessionSuspended | DriverFailed | None = None

    def notice(self) -> None:
        """Note a sign of life of the dialler, and raise what has stopped the session."""
        with self.changed:
            self._last_sign = self._clock()
            self._raise_stop_to_caller()

    def silent_seconds(self) -> float:
        """Return the time since the dialler's last sign."""
        return self._clock() - self._last_sign

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self.changed:
            self.changed.notify_all()

    def stop(self, cause: Refusal | SessionSuspended | DriverFailed) -> None:
        """End the session for its calls and its driver; the first cause stands."""
        with self.changed:
            if self._stop is None:
                self._stop = cause
            self.changed.notify_all()

    @property
    def stopped(self) -> Refusal | SessionSuspended | DriverFailed | None:
        """What has ended the session, or None."""
        return self._stop

    def held(self, ready: Callable[[], Value | None]) -> Value:
        """Hold a call until `ready` returns something, for as long as a call is held."""
        deadline = self._clock() + self._hold
        with self.changed:
            while True:
                self._raise_stop_to_caller()
                value = ready()
                if value is not None:
                    return value
                left = deadline - self._clock()
                if left <= 0:
                    raise NotNow(Condition.NOT_READY)
                self.changed.wait(min(left, _TICK_SECONDS))

    def awaited(self, ready: Callable[[], Value | None], what: str) -> Value:
        """Let the driver wait until `ready` returns something; `what` says what would be done.

        It waits its patience at least: a dialler that reads a large dataset while this party reads
        its own gives no sign meanwhile.
        """
        began = self._clock()
        with self.changed:
            while True:
                if self._stop is not None:
                    raise self._stop
                value = ready()
                if value is not None:
                    return value
                left = max(began, self._last_sign) + self._patience - self._clock()
                if left <= 0:
                    raise SessionSuspended(
                        f"'{self.peer}' gave no sign for {self._patience:g} seconds before "
                        f"{what}. The session is on disk and goes on when they dial again"
                    )
                self.changed.wait(min(left, _TICK_SECONDS))

    def _raise_stop_to_caller(self) -> None:
        if isinstance(self._stop, SessionSuspended):
            raise NotNow(Condition.GREET_FIRST)
        if isinstance(self._stop, Refusal):
            raise Told(self._stop)
        if self._stop is not None:
            raise self._stop
