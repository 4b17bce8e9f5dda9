"""All parts, one after the other, into build/bench/summary.json and a table beside it.

    python -m benchmarks                  # what `make bench` runs
    python -m benchmarks --large          # sessions of one and ten million: `make bench-large`

Each part is a process with a time limit. The peers run too where PEERS_DIR names their folder
(docs/performance.md). Without figures of every part there is no summary, and an old one is deleted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from benchmarks.command import part_parser
from benchmarks.errors import BenchmarkError
from benchmarks.machine import describe_machine
from benchmarks.output import FOLDER, part_file, read_figures, write_figures, write_text
from benchmarks.summary import assemble, render

LARGE = ("1000000", "10000000")


@dataclass(frozen=True)
class Part:
    """A module of benchmarks that writes figures under its name, and how long it may take."""

    name: str
    options: tuple[str, ...] = ()
    limit_seconds: int = 300


def parts_of(sizes: Sequence[str], *, large: bool) -> tuple[Part, ...]:
    """Return what is to be run; without sizes the session part chooses them by its engine."""
    if large:
        return (Part("session", ("--sizes", *LARGE), limit_seconds=7200),)
    options = ("--sizes", *sizes) if sizes else ()
    alone = Part("curve"), Part("columns"), Part("moments")
    return *alone, Part("session", options, limit_seconds=3600)


def run_parts(parts: Sequence[Part]) -> dict[str, dict[str, Any] | None]:
    """Run parts until one fails, which stands there as None."""
    figures: dict[str, dict[str, Any] | None] = {}
    for part in parts:
        figures[part.name] = run_part(part)
        if figures[part.name] is None:
            break
    return figures


def run_part(part: Part) -> dict[str, Any] | None:
    """Run one part; return its figures, or None when it ended badly or took too long."""
    file = part_file(part.name)
    file.unlink(missing_ok=True)
    print(f"\n== {part.name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{part.name}", *part.options]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        failed = process.wait(part.limit_seconds)
    except subprocess.TimeoutExpired:
        print(f"{part.name} was not done after {part.limit_seconds} seconds", file=sys.stderr)
        failed = 1
    finally:
        _end(process)
    return None if failed else read_figures(file)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a part and all that it started, if they still run."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    """End in good order when told to, so that no part outlives this program."""
    raise SystemExit(128 + number)


def main() -> None:
    """Run all parts; write and print the summary."""
    parser = part_parser("benchmarks", __doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--large", action="store_true", help="one and ten million people a side")
    chosen.add_argument(
        "--sizes", nargs="+", default=(), metavar="SIZE",
        help="people of both sides, or receiver x sender: 100000 10000x1000000",
    )  # fmt: skip
    arguments = parser.parse_args()
    parts = parts_of(arguments.sizes, large=arguments.large)
    file = FOLDER / ("large.json" if arguments.large else "summary.json")
    table = file.with_suffix(".txt")
    for old in (file, table):
        old.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _stop)
    began, start = time.time(), time.monotonic()
    try:
        figures = run_parts(parts)
        seconds = time.monotonic() - start
        summary = assemble(figures, describe_machine(), began=began, seconds=seconds)
    except BenchmarkError as error:
        sys.exit(f"No summary: {error}")
    text = render(summary)
    write_figures(file, summary)
    write_text(table, text + "\n")
    print(f"\n{text}\n\nWritten to {file} and {table}.")


if __name__ == "__main__":
    main()
