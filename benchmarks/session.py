"""Sessions end to end: from Parquet to Parquet, over mutual TLS, all parties on this machine.

For each size a match and a table (reach by 50 segments and 8 frequencies) between two parties that
are processes here; with a folder of peers, the peers' intersection of the same digests right after
the match. Where both sides have as many people, also a table of three, by 3 incomes that a vendor
of that size knows. Every list is compared with the truth, and a table's total too: a run that is
wrong has no figures.

    python -m benchmarks.session [--sizes 100000 1000000 10000x1000000] [--peers-dir DIR]

prints a line as soon as a session is done, then tables, and writes build/bench/session.json.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import part_parser
from benchmarks.engine import Cost, measure_cost
from benchmarks.errors import BenchmarkError
from benchmarks.load import Load
from benchmarks.machine import usable_cores
from benchmarks.network import enter_private_network
from benchmarks.output import FOLDER, part_file, write_figures
from benchmarks.parties import (
    ADVERTISER,
    VENDOR,
    Parties,
    Taken,
    dataset_of,
    their_dataset_of,
    vendors_dataset_of,
)
from benchmarks.rivals import Installed, RivalRun, installed, run_rival
from benchmarks.session_tables import session_line, session_tables
from benchmarks.workload import Size, receiver_numbers, sender_numbers, write_list
from examples.demo.processes import CommandError
from psi.curve import engine

PART = "session"
BUILD = FOLDER / PART
PORTABLE_SIZES = ("10000", "30000", "100000", "3000x100000")
KERNEL_SIZES = ("100000", "300000", "1000000", "10000x1000000")
MOST_ERRORS = 6  # standard errors that a table's total may be off


@dataclass(frozen=True)
class Run:
    """One session. Bytes of the wire are None where loopback could not be had alone.

    `engine_cpu_seconds` is what the curve's engine alone needs for the session's points;
    `engine_share` is that over what all cores could give while the command ran, and
    `engine_share_of_cpu` over what all parties took.
    """

    protocol: str
    receiver: int
    sender: int
    seconds: float
    session_seconds: float
    cpu_seconds: float
    engine_cpu_seconds: float
    engine_share: float
    engine_share_of_cpu: float
    peak_mb: dict[str, float]
    wire_mb: float | None
    payload_mb: float
    load: Load


@dataclass(frozen=True)
class Result:
    """All runs of ours and of the peers', and the engine that made ours."""

    engine: str
    runs: tuple[Run, ...]
    rivals: tuple[RivalRun, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def measure(sizes: list[Size], rivals: Installed) -> Result:
    """Run every size; the parties' folders are deleted afterwards, unless a run fails."""
    own_network = enter_private_network()
    shutil.rmtree(BUILD, ignore_errors=True)
    pair = Parties(BUILD / "two", own_network=own_network)
    three = Parties(BUILD / "three", own_network=own_network, vendor=True)
    square = [size for size in sizes if size.square]
    runs: list[Run] = []
    others: list[RivalRun] = []
    pair.set_up(sizes)
    if square:
        three.set_up(square)

    def keep(run: Run) -> None:
        """Keep a run's figures, and print them: the next one may take long."""
        runs.append(run)
        print(session_line(asdict(run)), flush=True)

    for size in sizes:
        keep(_match(pair, size, measure_cost()))
        others += _run_rivals(rivals, size, own_network)
        if size in square:
            keep(_table(pair, size, measure_cost()))
            keep(_table_of_three(three, size, measure_cost()))
    shutil.rmtree(BUILD)
    return Result(engine().name, tuple(runs), tuple(others))


def _match(pair: Parties, size: Size, cost: Cost) -> Run:
    taken = pair.run(
        "match", "--receiver", ADVERTISER, "--their-people", str(size.sender),
        "--dataset", dataset_of(size), "--their-dataset", their_dataset_of(size.sender),
    )  # fmt: skip
    _require_list(pair, taken.document["id"], size)
    return run_of("match", size, taken, cost)


def _require_list(pair: Parties, request: str, size: Size) -> None:
    """Compare the list with the truth."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(pair.advertiser.folder / "lists" / f"{request}.parquet")
    found = np.sort(pc.cast(table["reference"], pa.int64()).to_numpy())
    if not np.array_equal(found, np.arange(size.shared_numbers.start, size.shared_numbers.stop)):
        raise BenchmarkError(f"the list of {size} is wrong")


def _table(pair: Parties, size: Size, cost: Cost) -> Run:
    taken = pair.run(
        "report", "reach", "--segment", "segment", "--by", "frequency",
        "--their-people", str(size.sender), "--dataset", dataset_of(size),
        "--their-dataset", their_dataset_of(size.sender),
        "--out", pair.build / f"reach-{size.receiver}.parquet",
    )  # fmt: skip
    _require_total(taken.document["result"]["rows"], "reach", size)
    return run_of("crosstab", size, taken, cost)


def _table_of_three(three: Parties, size: Size, cost: Cost) -> Run:
    taken = three.run(
        "report", "insights", "--segment", "segment", "--by", "frequency",
        "--third", VENDOR, "--attribute", "income",
        "--their-people", str(size.sender), "--dataset", dataset_of(size),
        "--their-dataset", their_dataset_of(size.sender),
        "--third-dataset", vendors_dataset_of(size.sender),
        "--out", three.build / f"insights-{size.receiver}.parquet",
    )  # fmt: skip
    _require_total(taken.document["result"]["rows"], "matched and known", size)
    return run_of("crosstab of three", size, taken, cost)


def _require_total(rows: list[dict[str, Any]], metric: str, size: Size) -> None:
    """Compare the table's total with the truth, within its noise."""
    everybody = (metric, None, None, None)
    names = ("metric", "label", "segment", "attribute")
    total = next(row for row in rows if tuple(row[name] for name in names) == everybody)
    if abs(total["value"] - size.shared) > MOST_ERRORS * total["standard_error"]:
        raise BenchmarkError(f"the table of {size} is wrong")


def run_of(protocol: str, size: Size, taken: Taken, cost: Cost) -> Run:
    """Return the figures of one command that has just ended; `cost` was measured right before."""
    engine_seconds = cost.mean(measure_cost()).cpu_seconds(taken.points, len(taken.peak_bytes))
    return Run(
        protocol=protocol,
        receiver=size.receiver,
        sender=size.sender,
        seconds=taken.load.seconds,
        session_seconds=taken.session_seconds,
        cpu_seconds=taken.load.cpu_seconds,
        engine_cpu_seconds=engine_seconds,
        engine_share=engine_seconds / (usable_cores() * taken.load.seconds),
        engine_share_of_cpu=engine_seconds / taken.load.cpu_seconds,
        peak_mb={party: peak / 1e6 for party, peak in taken.peak_bytes.items()},
        wire_mb=taken.wire_bytes / 1e6 if taken.wire_bytes else None,
        payload_mb=taken.payload_bytes / 1e6,
        load=taken.load,
    )


def _run_rivals(rivals: Installed, size: Size, own_network: bool) -> list[RivalRun]:
    largest = max(size.receiver, size.sender)
    chosen = {rival: python for rival, python in rivals.items() if largest <= rival.most_people}
    if not chosen:
        return []
    receiver, sender = BUILD / "receiver.csv", BUILD / "sender.csv"
    write_list(receiver, receiver_numbers(size))
    write_list(sender, sender_numbers(size.sender))
    runs = [run_rival(rival, python, size, receiver, sender) for rival, python in chosen.items()]
    return runs if own_network else [replace(run, wire_mb=None) for run in runs]


def default_sizes() -> tuple[str, ...]:
    """Return sizes that the engine here does in minutes."""
    return PORTABLE_SIZES if engine().name == "portable" else KERNEL_SIZES


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.session", __doc__)
    parser.add_argument(
        "--sizes", nargs="+", metavar="SIZE",
        help="people of both sides, or receiver x sender: 100000 10000x1000000",
    )  # fmt: skip
    parser.add_argument(
        "--peers-dir", type=Path, default=os.environ.get("PEERS_DIR"), metavar="DIR",
        help="the peers' environments; PEERS_DIR without it, none without both",
    )  # fmt: skip
    arguments = parser.parse_args()
    try:
        sizes = [Size.parse(text) for text in arguments.sizes or default_sizes()]
        result = measure(sizes, installed(arguments.peers_dir))
    except (BenchmarkError, CommandError) as error:
        sys.exit(f"No figures: {error}")
    figures = result.to_json()
    print(session_tables(figures))
    write_figures(part_file(PART), figures)


if __name__ == "__main__":
    main()
