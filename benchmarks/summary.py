"""The summary of one run: what every part found, on which machine, and which goals are met.

It is made of parts that all ended well in this run, or not at all: an old figure beside a new one,
or a failed part that nobody misses, would be a wrong comparison.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.columns_table import columns_table
from benchmarks.curve_table import curve_table
from benchmarks.errors import BenchmarkError
from benchmarks.goals import Judged, goals_table, judge_goals
from benchmarks.machine import Machine
from benchmarks.moments_table import moments_table
from benchmarks.session_tables import session_tables

FORMAT = 1
TABLES = {
    "curve": curve_table,
    "columns": columns_table,
    "moments": moments_table,
    "session": session_tables,
}
Figures = dict[str, Any]


def assemble(
    parts: Mapping[str, Figures | None], machine: Machine, *, began: float, seconds: float
) -> Figures:
    """Return the summary. `parts` has each part's figures, or None where it failed.

    `began` is in Unix seconds.

    Raises:
        BenchmarkError: a part failed, or none was run.
    """
    failed = [name for name, figures in parts.items() if figures is None]
    if failed or not parts:
        raise BenchmarkError(
            f"the part {', '.join(failed)} has no figures; it says why above"
            if failed
            else "nothing was run"
        )
    found = {name: figures for name, figures in parts.items() if figures is not None}
    return {
        "format": FORMAT,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(seconds, 1),
        "machine": asdict(machine),
        "disturbed": any(load["disturbed"] for load in _loads(found)),
        **found,
        "goals": [asdict(goal) for goal in judge_goals(found)],
    }


def _loads(part: object) -> list[Figures]:
    """Return what every run in these figures says of other work."""
    if isinstance(part, dict):
        own = [part["load"]] if isinstance(part.get("load"), dict) else []
        return own + [load for value in part.values() for load in _loads(value)]
    if isinstance(part, list | tuple):
        return [load for value in part for load in _loads(value)]
    return []


def render(summary: Figures) -> str:
    """Return the summary as a person reads it."""
    machine = summary["machine"]
    heading = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{' '.join(machine['instructions'])}\n"
        f"{machine['openssl']}, Python {machine['python']}, kernel {machine['kernel']}; "
        f"{summary['began']}, {summary['seconds']:.0f} s"
    )
    tables = [table(summary[part]) for part, table in TABLES.items() if part in summary]
    judged = [Judged(**goal) for goal in summary["goals"]]
    if any(goal.met is not None for goal in judged):
        tables.append(goals_table(judged))
    return "\n\n".join([heading, *tables])
