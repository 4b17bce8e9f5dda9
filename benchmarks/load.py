"""What a run took of the machine, and what others took meanwhile.

A figure taken beside other work is worth little. So each run says how many cores other processes
kept busy, and a run above `MOST_OTHER_CORES` is marked wherever it is shown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

MOST_OTHER_CORES = 0.15  # of one core, on average; above, throw the run away


@dataclass(frozen=True)
class Load:
    """One run: seconds, CPU seconds of the processes that it started, and cores that others had.

    `stolen_cores` are those that the host of a virtual machine kept for itself. A run is
    `disturbed` when others took so much that its figures are not worth comparing.
    """

    seconds: float
    cpu_seconds: float
    other_cores: float
    stolen_cores: float
    disturbed: bool


@dataclass(frozen=True)
class _Reading:
    moment: float
    busy: float  # all cores, all processes
    stolen: float
    own: float  # this process
    started: float  # those that it started, ended ones included


class Watch:
    """Measures from when it is made until `stop`."""

    def __init__(self) -> None:
        self._began = _read()

    def stop(self) -> Load:
        """Return what happened since."""
        began, ended = self._began, _read()
        seconds = max(ended.moment - began.moment, 1e-9)
        started = ended.started - began.started
        others = ended.busy - began.busy - started - (ended.own - began.own)
        other_cores = max(0.0, others / seconds)
        stolen_cores = max(0.0, (ended.stolen - began.stolen) / seconds)
        disturbed = other_cores + stolen_cores > MOST_OTHER_CORES
        return Load(seconds, started, other_cores, stolen_cores, disturbed)


def _read() -> _Reading:
    system = psutil.cpu_times()
    here = psutil.Process()
    own = here.cpu_times()
    started = own.children_user + own.children_system
    for process in here.children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has just ended, and is counted where it was waited for
            continue
        started += times.user + times.system + times.children_user + times.children_system
    return _Reading(
        moment=time.monotonic(),
        busy=system.user + system.nice + system.system + system.irq + system.softirq,
        stolen=system.steal,
        own=own.user + own.system,
        started=started,
    )
