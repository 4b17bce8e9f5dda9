"""The figures of sessions as text: ours, the peers' beside them, and how they grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.growth import fit_exponent
from benchmarks.text_table import MARK, MARK_LEGEND, marked, number, share, text_table
from benchmarks.workload import Size

Figures = dict[str, Any]
PROTOCOLS = ("match", "crosstab", "crosstab of three")
_SESSION_HEADINGS = (
    "session", "receiver x sender", "s", "session s", "CPU s", "engine/wall", "engine/CPU",
    "MB asker", "MB server", "MB third", "MB wire",
)  # fmt: skip
_SESSION_LEGEND = (
    "s: the command as typed, from Parquet to Parquet; session s: the session alone. MB asker,",
    "server, third: most resident memory. MB wire: all directions, with all headers. engine: the",
    "CPU seconds that the curve's engine alone needs for the session's points (each is hashed and",
    "raised once, and once more by each other party) by its cost right before and after; over",
    "wall: of what all cores could give in s; over CPU: of what all parties took.",
)
_RIVAL_HEADINGS = (
    "peer", "receiver x sender", "s", "MB receiver", "MB sender", "MB wire", "s / our match",
    "wire / our match",
)  # fmt: skip
_RIVAL_LEGEND = (
    "A ratio above 1 says that the peer takes more. Peers without TLS, by a clock that leaves out",
    "starting; SecretFlow from CSV to CSV, OpenMined from lists in memory. Ours: as typed.",
)
_GROWN: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("seconds", lambda run: run["seconds"]),
    ("CPU seconds", lambda run: run["cpu_seconds"]),
    ("peak MB", lambda run: max(run["peak_mb"].values())),
)


def session_tables(figures: Figures) -> str:
    """Return all tables of a session part."""
    parts = [_sessions(figures)]
    if figures["rivals"]:
        parts.append(_rivals(figures))
    parts += [_growth(figures, protocol) for protocol in PROTOCOLS]
    text = "\n\n".join(part for part in parts if part)
    return f"{text}\n{MARK_LEGEND}" if MARK in text else text


def session_line(run: Figures) -> str:
    """Return one run's figures as a line of their own."""
    figures = zip(_SESSION_HEADINGS[2:], _cells(run)[2:], strict=True)
    told = ", ".join(f"{heading} {cell}" for heading, cell in figures if cell != "-")
    return f"  {run['protocol']} {size_of(run)}: {told}"


def _cells(run: Figures) -> list[str]:
    """Return what stands in a run's row."""
    return [
        run["protocol"],
        size_of(run),
        marked(number(run["seconds"], 1), disturbed=run["load"]["disturbed"]),
        number(run["session_seconds"], 1),
        number(run["cpu_seconds"], 1),
        share(run["engine_share"]),
        share(run["engine_share_of_cpu"]),
        number(run["peak_mb"]["advertiser"], 0),
        number(run["peak_mb"]["channel"], 0),
        number(run["peak_mb"].get("vendor"), 0),
        number(run["wire_mb"] or run["payload_mb"], 1),
    ]


def _sessions(figures: Figures) -> str:
    rows = [_cells(run) for run in figures["runs"]]
    legend = list(_SESSION_LEGEND)
    if any(run["wire_mb"] is None for run in figures["runs"]):
        legend.append("Without a loopback of its own (root), MB wire is the sets alone.")
    heading = f"Sessions, engine {figures['engine']}"
    return "\n".join([heading, text_table(_SESSION_HEADINGS, rows), *legend])


def _rivals(figures: Figures) -> str:
    rows = []
    for run in figures["rivals"]:
        if run["error"]:
            rows.append([run["name"], size_of(run), "failed", *["-"] * 5])
            continue
        rows.append(
            [
                run["name"],
                size_of(run),
                marked(number(run["seconds"], 1), disturbed=run["load"]["disturbed"]),
                number(run["peak_mb"]["receiver"], 0),
                number(run["peak_mb"]["sender"], 0),
                number(run["wire_mb"], 1),
                number(rival_ratio(figures, run, "seconds")),
                number(rival_ratio(figures, run, "wire_mb")),
            ]
        )
    failed = [
        f"{run['name']}, {size_of(run)}: {run['error']}"
        for run in figures["rivals"]
        if run["error"]
    ]
    table = text_table(_RIVAL_HEADINGS, rows)
    return "\n".join(["Peers in the same run", table, *_RIVAL_LEGEND, *failed])


def rival_ratio(figures: Figures, run: Figures, figure: str) -> float | None:
    """Return a peer's figure over that of our match of the same size; None where one is missing."""
    ours = find_run(figures, "match", run["receiver"], run["sender"])
    if ours is None or not ours[figure] or run[figure] is None:
        return None
    return float(run[figure] / ours[figure])


def find_run(figures: Figures, protocol: str, receiver: int, sender: int) -> Figures | None:
    """Return our run of a protocol and size, if there is one."""
    wanted = (protocol, receiver, sender)
    for run in figures["runs"]:
        if (run["protocol"], run["receiver"], run["sender"]) == wanted:
            found: Figures = run
            return found
    return None


def _growth(figures: Figures, protocol: str) -> str:
    """Return how the figures of a protocol grow with n, where three sizes or two were run."""
    runs = sorted(
        (
            run
            for run in figures["runs"]
            if run["protocol"] == protocol and run["receiver"] == run["sender"]
        ),
        key=lambda run: int(run["sender"]),
    )
    if len(runs) < 2:
        return ""
    sizes = [run["sender"] for run in runs]
    rows = []
    for name, figure in _GROWN:
        values = [figure(run) for run in runs]
        last = values[-1] / values[-2]
        rows.append([name, *(number(value, 1) for value in values), number(last),
                     number(fit_exponent(sizes, values))])  # fmt: skip
    headings = [protocol, *(size_of(run) for run in runs), "last / before", "exponent"]
    heading = "Growth: exponent b of the law figure = a n^b that fits best; 1 is proportional to n"
    return "\n".join([heading, text_table(headings, rows)])


def size_of(run: Figures) -> str:
    """Return a run's size as text."""
    return str(Size(run["receiver"], run["sender"]))
