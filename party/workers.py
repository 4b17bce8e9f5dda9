"""Workers: threads where the engine of the curve lets go of the GIL, processes for all other work.

Processes are spawned since nothing may fork beside gRPC. They are deaf to Ctrl-C, and gone when
their party is. A worker that outlived its party would wait
for ever, with a part of someone's set in its memory: Python ends workers only when their parent
ends in good order. This module imports nothing heavy, because every worker imports it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess

from party.errors import PartyError


def start_workers(count: int) -> Executor:
    """Return an executor of `count` processes, started as they are needed."""
    return ProcessPoolExecutor(count, mp_context=_Deaf(), initializer=_begin)


def start_threads(count: int) -> Executor:
    """Return an executor of `count` threads: they share a set's memory, and no chunk is copied."""
    return ThreadPoolExecutor(count, thread_name_prefix="curve")


def require_no_worker() -> None:
    """Raise PartyError in a process that is still importing the script of whoever started it.

    A spawned worker imports the main module again. A script that opens a party there, and not
    under its guard, would do everything a second time.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise PartyError(
            "a worker process imports this script again: put what it does under "
            '`if __name__ == "__main__":`'
        )


class _DeafProcess(SpawnProcess):
    """A process that Ctrl-C never reaches: that is for the party, which ends its workers.

    The signal is blocked where the process is born, and a process inherits that. What the
    process does itself comes too late for a signal that arrives while its Python starts.
    """

    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Deaf(SpawnContext):
    Process = _DeafProcess


def _begin() -> None:
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
