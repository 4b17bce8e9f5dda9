"""Work that takes longer than a page may: reading a dataset, to report on it or to register it.

Each job runs in a thread of its own, as the account that began it, and is told of by an id that
nobody guesses. What it found is kept until the console ends, or until many others came after it.
"""

from __future__ import annotations

import contextvars
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from client.exits import EXPECTED, said_in
from languages import message
from party.events import Event, note

MOST_KEPT: Final = 50
MOST_AT_ONCE: Final = 2
_log: Final = logging.getLogger("commonground.console")


Tell: TypeAlias = Callable[[str], None]
"""Takes what the work does just now, for whoever waits for it."""


@dataclass(frozen=True)
class Job:
    """One piece of work as it is at one moment: `what` is its name, `by` the account that began it.

    `said` is what it does while it `runs`; at the end there is a `found`, or a `problem` in words.
    """

    id: str
    what: str
    by: str
    runs: bool = True
    said: str = ""
    found: object = None
    problem: str | None = None


class Jobs:
    """The jobs of one console."""

    def __init__(self) -> None:
        self._lock, self._jobs = threading.Lock(), dict[str, Job]()
        self._room = threading.Semaphore(MOST_AT_ONCE)

    def start(self, what: str, by: str, work: Callable[[Tell], object]) -> Job:
        """Begin work, which may tell what it does; a few are done at once, and others wait."""
        job = Job(secrets.token_urlsafe(16), what, by)
        with self._lock:
            self._jobs[job.id] = job
            over = [one for one in self._jobs.values() if not one.runs]
            for one in over[: max(0, len(self._jobs) - MOST_KEPT)]:
                del self._jobs[one.id]
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._do, job.id, work), name="console-job", daemon=True
        ).start()
        return job

    def find(self, job_id: str, by: str, kind: type) -> Job | None:
        """Return a job of an account as it is now.

        None where there is none of it (or no longer), or what it found is not of the kind.
        """
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.by != by:
            return None
        return job if job.runs or job.problem is not None or isinstance(job.found, kind) else None

    def _do(self, job_id: str, work: Callable[[Tell], object]) -> None:
        try:
            with self._room:
                found = work(lambda said: self._note(job_id, said=said))
            self._note(job_id, runs=False, found=found)
        except EXPECTED as error:
            self._note(job_id, runs=False, problem=said_in(error))
        except Exception as error:  # noqa: BLE001 - nobody else is there to be told
            event = Event("console.failed", reason=type(error).__name__)
            note(_log, event, "a fault in work of the console", level=logging.ERROR, fault=error)
            said = message("a fault of this program; its log, for the operators, says more")
            self._note(job_id, runs=False, problem=said)

    def _note(self, job_id: str, **changed: Any) -> None:  # noqa: ANN401 - fields of `Job`
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changed)
