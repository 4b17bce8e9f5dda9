"""Stopping from another thread what waits or works here.

What is cancelled is suspended, as Ctrl-C does on the command line: charges and messages stay on
disk, and `requests resume` goes on with them. Nothing is undone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from party.errors import SessionSuspended


class Cancelled(SessionSuspended):
    """The caller cancelled; what had begun is kept and can be resumed."""

    def __init__(self) -> None:
        super().__init__("cancelled by the caller; what had begun is on disk and can be resumed")


class CancelToken:
    """Cancels, once and from any thread, whatever was begun with it."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._closers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Suspend what runs with this token; it ends at its next message or chunk of work."""
        with self._lock:
            self._cancelled.set()
            closers, self._closers = self._closers, []
        for close in reversed(closers):
            close()

    def require_going(self) -> None:
        """Raise Cancelled if somebody has cancelled."""
        if self.cancelled:
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait; raise Cancelled as soon as somebody cancels."""
        self._cancelled.wait(seconds)
        self.require_going()

    @contextmanager
    def closing(self, close: Callable[[], None]) -> Iterator[None]:
        """Have `close` called, from the cancelling thread, if somebody cancels meanwhile.

        Raises:
            Cancelled: somebody has cancelled before.
        """
        with self._lock:
            self.require_going()
            self._closers.append(close)
        try:
            yield
        finally:
            with self._lock:
                if close in self._closers:
                    self._closers.remove(close)
