"""Ctrl-C that a library cannot swallow.

Python raises KeyboardInterrupt wherever the main thread is. Where that is inside a library that
drops exceptions (an import that it only tries, a callback, a finaliser) nobody hears of it, and a
session would go on that somebody has interrupted. So it is remembered too, and asked for before
each call to a counterpart.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_heard = threading.Event()


def hear() -> None:
    """Raise and remember Ctrl-C from now on; for a program's main thread."""
    signal.signal(signal.SIGINT, _hear)


def require_uninterrupted() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed and the program has not ended since."""
    if _heard.is_set():
        raise KeyboardInterrupt


def _hear(number: int, frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
