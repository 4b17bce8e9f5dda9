"""Sessions end to end: both parties as processes on this machine, over mutual TLS.

A reach report of people x people, from files to the report, against its limits and against its
curve work alone at the speed that a bare loop over `cryptography`'s X25519 has in the same run.

    python -m benchmarks.session [--people 100000]

prints a table and writes build/bench/session.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.curve import bare_loop, microseconds
from examples.demo.__main__ import free_port
from examples.demo.processes import Party
from psi.curve import Scalar

BUILD = Path("build/bench/session")
OUTPUT = Path("build/bench/session.json")
SECONDS_LIMIT = 90.0  # of a report at 100,000 x 100,000 people on two cores
MEMORY_LIMIT_BYTES = 250_000_000
BYTES_A_KEY = 300
KEYS_A_PERSON = 2  # e-mail and phone: the tabulator offers both, the recipient one
SAMPLE_POINTS = 4096

DESCRIPTION = """\
dataset: {name}
source: {name}.csv
person: ref
columns:
  email: id.email
  phone: {{kind: id.phone, region: US}}
  {label}: attribute
  opt_in: consent
consent:
  column: opt_in
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  {label}: {{column: {label}, values: {values}}}
"""
SEGMENTS = ("gold", "silver", "bronze")
FREQUENCIES = ("1", "2", "3", "4", "5+")


@dataclass(frozen=True)
class Result:
    """One report: seconds and bytes, and each figure over its limit (at most 1 is wanted)."""

    people: int
    seconds: float
    seconds_over_limit: float
    curve_seconds_over_seconds: float
    advertiser_mb: float
    channel_mb: float
    advertiser_over_limit: float
    channel_over_limit: float
    wire_mb: float


def measure(people: int) -> Result:
    """Run one reach report between two new parties."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    advertiser, channel = Party(BUILD / "advertiser"), Party(BUILD / "channel")
    _set_up(advertiser, channel, people)
    channel.serve()
    try:
        began = time.monotonic()
        advertiser.run("report", "reach", "--by", "frequency", "--segment", "segment")
        seconds = time.monotonic() - began
    finally:
        channel.stop()
    wire = sum(path.stat().st_size for path in (channel.folder / "sessions").rglob("*.set"))
    return Result(
        people=people,
        seconds=seconds,
        seconds_over_limit=seconds / SECONDS_LIMIT,
        curve_seconds_over_seconds=_curve_seconds(people) / seconds,
        advertiser_mb=advertiser.meter.peak / 1e6,
        channel_mb=channel.meter.peak / 1e6,
        advertiser_over_limit=advertiser.meter.peak / _memory_limit(people),
        channel_over_limit=channel.meter.peak / _memory_limit(KEYS_A_PERSON * people),
        wire_mb=wire / 1e6,
    )


def _memory_limit(keys: int) -> int:
    return MEMORY_LIMIT_BYTES + BYTES_A_KEY * keys


def _curve_seconds(people: int) -> float:
    """Return what the raisings alone take on all cores: each set once by either party."""
    points = np.random.default_rng(1).integers(0, 256, (SAMPLE_POINTS, 32), dtype=np.uint8)
    points[:, 31] &= 0x3F
    scalar = Scalar.from_bytes(bytes(range(32)))
    each = microseconds(lambda: bare_loop(points, scalar), SAMPLE_POINTS) / 1e6
    return 2 * (KEYS_A_PERSON + 1) * people * each / (os.cpu_count() or 1)


def _set_up(advertiser: Party, channel: Party, people: int) -> None:
    parts = (
        (advertiser, "customers", "segment", SEGMENTS, 0),
        (channel, "receipts", "frequency", FREQUENCIES, people // 2),
    )
    for party, dataset, label, values, first in parts:
        name = party.folder.name
        _write(dataset, label, values, range(first, first + people))
        port = free_port()
        party.run(
            "init", party.folder, "--name", name, "--organisation", name,
            "--origin", f"{name}.example/log", "--listen", f"127.0.0.1:{port}",
        )  # fmt: skip
        party.run("dataset", "add", BUILD / f"{dataset}.yaml")
    contract = BUILD / "contract.yaml"
    advertiser.run("contract", "propose", channel.folder / "public.yaml", "--out", contract)
    _fill_in(contract)
    for party in (advertiser, channel):
        party.run("contract", "sign", contract)
    for party in (advertiser, channel):
        party.run("contract", "import", contract)


def _write(dataset: str, label: str, values: tuple[str, ...], numbers: range) -> None:
    with (BUILD / f"{dataset}.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ref", "email", "phone", label, "opt_in"])
        rows.writerows(
            (i, f"p{i}@example.com", f"+1202{5550000 + i:07d}", values[i % len(values)], "yes")
            for i in numbers
        )
    text = DESCRIPTION.format(name=dataset, label=label, values=json.dumps(values))
    (BUILD / f"{dataset}.yaml").write_text(text, encoding="utf-8")


def _fill_in(contract: Path) -> None:
    """Edit the draft: the counterpart's data in place of the example."""
    text = contract.read_text(encoding="utf-8")
    before, _, rest = text.partition("  channel:\n    people:\n")
    _, _, after = rest.partition("        group: [one, two]\n")
    offered = (
        "  channel:\n    receipts:\n      identifiers: [email, phone]\n      most_identifiers: 2\n"
        f"      labels:\n        frequency: {json.dumps(FREQUENCIES)}\n"
    )
    contract.write_text(before + offered + after, encoding="utf-8")


def print_table(result: Result) -> None:
    """Print each figure beside its limit."""
    keys = f"{result.people:,} x {result.people:,} people"
    print(f"reach, {keys}, both parties on {os.cpu_count()} cores")
    for name, value, limit in (
        ("seconds over the limit of 90", result.seconds_over_limit, "<= 1"),
        ("curve work over seconds", result.curve_seconds_over_seconds, ""),
        ("advertiser's memory over its limit", result.advertiser_over_limit, "<= 1"),
        ("channel's memory over its limit", result.channel_over_limit, "<= 1"),
    ):
        print(f"  {name:<36} {value:6.2f}  {limit}")
    print(
        f"  {result.seconds:.1f} s, {result.wire_mb:.1f} MB on the wire, "
        f"{result.advertiser_mb:.0f} and {result.channel_mb:.0f} MB of memory"
    )


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    result = measure(parser.parse_args().people)
    print_table(result)
    OUTPUT.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
