"""Work before its turn: sets that are raised while they come in, or while others are waited for.

What is raised here stays in memory until the driver asks for it. Nothing of it is sent, stored or
logged. A set is refused as a whole, so what is wrong with it is said when its turn has come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, TypeVar

from party.artefacts import SessionFolder
from party.errors import PartyError
from psi.legs import Form
from psi.sets import Buffer, LabelledSet

Value = TypeVar("Value")

_LOOK_SECONDS: Final = 0.02  # between two looks at what has come: half as long as a chunk takes


class Ahead:
    """Raises one set after the other in a thread of its own, until its `with` statement ends."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._raised: dict[int, Future[LabelledSet]] = {}
        self._ended = threading.Event()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.shutdown(cancel_futures=True)

    def __contains__(self, step: int) -> bool:
        return step in self._raised

    def begin(self, step: int, work: Callable[[], LabelledSet]) -> None:
        """Have the set that a step brings raised; `work` calls `require_going` now and then."""
        self._raised[step] = self._thread.submit(work)

    def take(self, step: int) -> LabelledSet | None:
        """Return what the set of a step was raised to, and let go of it; None if it was not begun.

        Waits for what is not done yet, and raises what was wrong with the set.
        """
        raised = self._raised.pop(step, None)
        return None if raised is None else raised.result()

    def require_going(self) -> None:
        """Raise CancelledError once nobody will ask for what is made."""
        if self._ended.is_set():
            raise CancelledError

    def awaited(self, look: Callable[[], Value | None]) -> Value:
        """Return what `look` finds, once it finds something."""
        while (found := look()) is None:
            self._ended.wait(_LOOK_SECONDS)
            self.require_going()
        return found


class ArrivingSet:
    """A set that a step brings, as far as it is in the folder; whoever reads it waits for more."""

    def __init__(self, folder: SessionFolder, step: int, ahead: Ahead) -> None:
        self._folder, self._step, self._ahead = folder, step, ahead
        header = ahead.awaited(lambda: folder.header(step))
        self.sizes, self.form = header.sizes, Form(header.width)

    def parts(self) -> Iterator[Buffer]:
        """Yield the elements in their order, each time all that have come since."""
        seen, elements = 0, sum(self.sizes)
        while seen < elements:
            rows = self._ahead.awaited(partial(self._folder.arrived, self._step, seen))
            yield rows
            seen += len(rows)

    def whole(self) -> LabelledSet:
        """Return the set, once it is here."""
        whole = self._ahead.awaited(lambda: self._folder.load(self._step))
        if not isinstance(whole, LabelledSet):
            raise PartyError(f"step {self._step} carries a set")
        return whole
