"""How far a session is: a bar where somebody watches, and a line now and then where nobody does.

Nothing is shown in the first two seconds. Sets are sized by dummies and fillers too, so what is
shown is no exact count of people.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from client.output import open_console
from client.units import shown_seconds
from party.driver import Progress

if TYPE_CHECKING:
    from party.driver import ProgressHook

QUIET_SECONDS: Final = 2.0
LINE_SECONDS: Final = 5.0
FIRST_PHASE: Final = "reading and preparing the data"


class Display(Protocol):
    """What shows a phase."""

    def show(self, phase: Phase) -> None:
        """Show how a phase stands now."""

    def end(self) -> None:
        """Take the display away."""


class Phase:
    """One phase under way, with its rate; `total` is 0 while nothing is counted."""

    def __init__(self, name: str, total: int = 0) -> None:
        self.name, self.total, self.done = name, total, 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._start

    @property
    def rate(self) -> float:
        """Points a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are left at this rate, or None while that cannot be told."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def describe(self) -> str:
        """Return the phase as one line."""
        if not self.total:
            return f"{self.name}, {shown_seconds(self.seconds)}"
        text = f"{self.name}: {self.done:,} of {self.total:,} points, {self.rate:,.0f} a second"
        return text if self.left is None else f"{text}, {shown_seconds(self.left)} left"


@contextmanager
def watching(peer: str) -> Iterator[ProgressHook]:
    """Yield the hook that a session's progress is told to, and show it meanwhile."""
    meter = _Meter(peer)
    meter.start()
    try:
        yield meter.tell
    finally:
        meter.stop()


@contextmanager
def watching_steps() -> Iterator[Callable[[str], None]]:
    """Yield a hook that is told what is done now, and show it meanwhile."""
    meter = _Meter("nobody")
    meter.start()
    try:
        yield meter.begin
    finally:
        meter.stop()


class _Meter:
    """Keeps the present phase and has it shown, from a thread of its own."""

    def __init__(self, peer: str) -> None:
        self._waiting = f"waiting for {peer}"
        self._phase = Phase(FIRST_PHASE)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_terminal = sys.stderr.isatty()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Take the display away."""
        self._ended.set()
        self._thread.join()

    def begin(self, what: str) -> None:
        """Take in what is done now, where nothing is counted."""
        with self._lock:
            self._phase = Phase(what)

    def tell(self, progress: Progress) -> None:
        """Take in how far the session is."""
        with self._lock:
            if (progress.phase, progress.total) != (self._phase.name, self._phase.total):
                self._phase = Phase(progress.phase, progress.total)
            self._phase.done = progress.done
            if progress.done >= progress.total:
                self._phase = Phase(self._waiting)

    def _watch(self) -> None:
        if self._ended.wait(QUIET_SECONDS):
            return
        display: Display = Bar() if self._is_terminal else Lines()
        pause = 0.2 if self._is_terminal else LINE_SECONDS
        try:
            while True:
                with self._lock:
                    display.show(self._phase)
                if self._ended.wait(pause):
                    return
        finally:
            display.end()


class Lines:
    """A plain line each time."""

    def show(self, phase: Phase) -> None:
        """Print a line."""
        open_console(sys.stderr).print(phase.describe(), soft_wrap=True)

    def end(self) -> None:
        """Leave the lines where they are."""


class Bar:
    """A bar, or a spinner while nothing is counted."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            console=open_console(sys.stderr),
            transient=True,
        )
        self._task = self._bars.add_task("", total=None)
        self._bars.start()

    def show(self, phase: Phase) -> None:
        """Move the bar."""
        self._bars.update(
            self._task,
            description=phase.describe(),
            total=phase.total or None,
            completed=phase.done,
        )

    def end(self) -> None:
        """Take the bar away."""
        self._bars.stop()
