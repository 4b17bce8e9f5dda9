"""Workers: threads where the engine of the curve lets go of the GIL, processes for all other work.

Processes are spawned since nothing may fork beside gRPC. They are deaf to Ctrl-C, and gone when
their party is: each hears its work through a pipe, which ends with the party whatever ended that. A
worker that outlived it would keep a part of someone's set in its memory. Python's own pool of
processes has named semaphores, which stay in the system when all are killed at once. This module
imports nothing heavy, because every worker imports it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, ParamSpec, TypeVar

from party.errors import PartyError
from party.process import keep_memory_private

Given = ParamSpec("Given")
Result = TypeVar("Result")
_Worker = tuple[SpawnProcess, Connection]


def start_workers(count: int) -> Executor:
    """Return an executor of `count` processes, started as they are needed."""
    return _Processes(count)


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


class _Processes(Executor):
    """Threads that each have a process do the work that they take, and another when it has ended.

    So a process that ends fails the work that it had, and nobody else's.
    """

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._of_thread = threading.local()
        self._started: list[tuple[SpawnProcess, Connection]] = []

    def submit(
        self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Result]:
        """Let a process call `fn`; the future raises BrokenExecutor when that ends before it."""
        return self._threads.submit(self._ask, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, and with `wait` end the processes once what was begun is done."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if not wait:
            return
        while self._started:
            self._end(self._started[-1])

    def _ask(self, *work: Any) -> Any:  # noqa: ANN401 - what the function returns
        try:
            _, pipe = self._worker()
            pipe.send(work)
            result, error = pipe.recv()
        except (EOFError, OSError) as lost:
            self._forget_worker()
            raise BrokenExecutor("a worker process ended before its work did") from lost
        if error is not None:
            raise error
        return result

    def _worker(self) -> _Worker:
        """Return the thread's process, started if there is none, and the pipe to it."""
        if not hasattr(self._of_thread, "worker"):
            ours, theirs = multiprocessing.Pipe()
            process = _DeafProcess(target=_serve, args=(theirs,), daemon=True)
            with theirs:  # open here, it would hide that the process has ended
                process.start()
            self._of_thread.worker = process, ours
            self._started.append((process, ours))
        worker: _Worker = self._of_thread.worker
        return worker

    def _forget_worker(self) -> None:
        """Let the thread's next work start another process; there may be none to forget."""
        if hasattr(self._of_thread, "worker"):
            self._end(self._of_thread.worker)
            del self._of_thread.worker

    def _end(self, worker: _Worker) -> None:
        self._started.remove(worker)
        process, pipe = worker
        pipe.close()
        process.join()


class _DeafProcess(SpawnProcess):
    """A process that Ctrl-C never reaches: that is for the party, which ends its workers.

    The signal is blocked where the process is born, and a process inherits that. What the
    process does itself comes too late for a signal that arrives while its Python starts.
    """

    def start(self) -> None:
        resource_tracker.ensure_running()  # else it starts below, and lets the signal in again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """Do what comes through the pipe, until the party is gone."""
    keep_memory_private()
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            fn, args, kwargs = pipe.recv()
            result, raised = None, None
            try:
                result = fn(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
                raised = error
            pipe.send((result, raised))


def _end_with_parent() -> None:
    """End at once where the party was killed, also in the middle of a chunk."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
