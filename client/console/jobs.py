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
from dataclasses import dataclass, field
from typing import Final

from client.exits import EXPECTED, said_in
from languages import message
from party.events import Event, note

MOST_KEPT: Final = 50
MOST_AT_ONCE: Final = 2
_log: Final = logging.getLogger("commonground.console")


@dataclass
class Job:
    """One piece of work: `what` is its name, `by` the account that began it.

    `said` is what it does just now; at the end there is a `found`, or a `problem` in words.
    """

    id: str
    what: str
    by: str
    said: str = ""
    found: object = None
    problem: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return not self.ended.is_set()

    def tell(self, what: str) -> None:
        """Keep what it does just now."""
        self.said = what


class Jobs:
    """The jobs of one console."""

    def __init__(self) -> None:
        self._lock, self._jobs = threading.Lock(), dict[str, Job]()
        self._room = threading.Semaphore(MOST_AT_ONCE)

    def start(self, what: str, by: str, work: Callable[[Job], object]) -> Job:
        """Begin work, which gets its job; a few are done at once, and others wait."""
        job = Job(secrets.token_urlsafe(16), what, by)
        with self._lock:
            self._jobs[job.id] = job
            over = [one for one in self._jobs.values() if not one.runs]
            for one in over[: max(0, len(self._jobs) - MOST_KEPT)]:
                del self._jobs[one.id]
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._do, job, work), name="console-job", daemon=True
        ).start()
        return job

    def find(self, job_id: str, by: str) -> Job | None:
        """Return a job of an account, None where there is none of it (or no longer)."""
        with self._lock:
            job = self._jobs.get(job_id)
        return job if job is not None and job.by == by else None

    def _do(self, job: Job, work: Callable[[Job], object]) -> None:
        try:
            with self._room:
                job.found = work(job)
        except EXPECTED as error:
            job.problem = said_in(error)
        except Exception as error:  # noqa: BLE001 - nobody else is there to be told
            job.problem = message("a fault of this program; its log, for the operators, says more")
            event = Event("console.failed", reason=type(error).__name__)
            note(_log, event, "a fault in work of the console", level=logging.ERROR, fault=error)
        finally:
            job.ended.set()
