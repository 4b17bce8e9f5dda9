"""Chunks of work on an injected executor: results in order, a bounded number in flight."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
Jobs = Iterable[tuple[Any, ...]]  # arguments of one chunk each, made when a worker is free

IN_FLIGHT: Final = 2 * (os.cpu_count() or 1) + 2  # no worker waits, and memory stays bounded


def in_order(
    function: Callable[..., Result], jobs: Jobs, executor: Executor | None
) -> Generator[Result, None, None]:
    """Yield `function` of each job; without an executor the jobs are worked here.

    Whatever stops the work, a failure or a caller that closes this, cancels the chunks not begun.
    """
    if executor is None:
        yield from (function(*job) for job in jobs)
        return
    pending: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            pending.append(executor.submit(function, *job))
            if len(pending) >= IN_FLIGHT:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
