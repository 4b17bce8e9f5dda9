"""The curve's engine, tier by tier, beside OpenSSL's X25519 and a bare loop over `cryptography`.

Each round does every kind of work once, one behind the other, on one core, by CPU time as OpenSSL
counts it; then raising on all cores, by the clock. Each tier is a process of its own. Ratios are of
one round, and the median over the rounds counts.

    python -m benchmarks.curve [--rounds 5]

prints a table and writes build/bench/curve.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from types import TracebackType
from typing import Any

import numpy as np

from benchmarks.command import part_parser
from benchmarks.curve_table import curve_table
from benchmarks.engine import new_scalar
from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, Watch
from benchmarks.openssl import bare_loop, openssl_microseconds
from benchmarks.output import part_file, write_figures
from benchmarks.timing import median_ratio, microseconds
from psi.engines import VARIABLE, WITHOUT
from psi.kernel import module

PART = "curve"
TIERS = ("ifma", "avx2", "portable")
BARE_POINTS = 4096


@dataclass(frozen=True)
class Tier:
    """One engine: microseconds a point of one core, and ratios taken round by round.

    `public_us` is of base points, each raised to a scalar of its own, as fillers are.

    `name` is what forces it, `engine` what it calls itself.

    `openssl_ratio` and `cryptography_ratio` are their time over this engine's for raising;
    `scaling` is the throughput of all cores over that of one.
    """

    name: str
    engine: str
    raise_us: float
    hash_us: float
    fused_us: float
    public_us: float
    hash_per_raise: float
    openssl_ratio: float | None
    cryptography_ratio: float
    scaling: float


@dataclass(frozen=True)
class Result:
    """All tiers that run here, the others, and the two that they are compared with."""

    rounds: int
    cores: int
    openssl_us: float | None
    cryptography_us: float
    tiers: tuple[Tier, ...]
    unavailable: tuple[str, ...]
    load: Load

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


class Worker(AbstractContextManager["Worker"]):
    """A process with one tier; see `benchmarks.curve_worker`."""

    def __init__(self, tier: str, cores: Sequence[int] = ()) -> None:
        options = ["--cores", *map(str, cores)] if cores else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.curve_worker", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {VARIABLE: tier},
        )
        self.engine = self._heard()["engine"]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def round(self) -> dict[str, float]:
        """Have one round done."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, said = self._process.communicate()
            raise BenchmarkError((said.strip() or "no word").splitlines()[-1])
        heard: dict[str, Any] = json.loads(line)
        return heard


def measure(rounds: int) -> Result:
    """Start a worker for each tier, and take all of them through the rounds."""
    all_cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, all_cores[:1])  # for this process and those that it starts
    watch = Watch()
    unavailable = []
    with ExitStack() as stack:
        workers: dict[str, tuple[Worker, Worker]] = {}
        for tier in (*(TIERS if module() else ()), WITHOUT):
            try:
                alone = stack.enter_context(Worker(tier))
            except BenchmarkError as error:
                unavailable.append(f"{tier}: {error}")
                continue
            workers[tier] = alone, stack.enter_context(Worker(tier, all_cores))
        if not workers:
            raise BenchmarkError(f"no engine runs here: {'; '.join(unavailable)}")
        measured = [_round(workers) for _ in range(rounds)]
    os.sched_setaffinity(0, all_cores)
    openssl = _column(measured, "openssl")
    return Result(
        rounds=rounds,
        cores=len(all_cores),
        openssl_us=median(openssl) if openssl else None,
        cryptography_us=median(_column(measured, "bare")),
        tiers=tuple(_tier(tier, alone.engine, measured) for tier, (alone, _) in workers.items()),
        unavailable=tuple(unavailable),
        load=watch.stop(),
    )


def _round(workers: dict[str, tuple[Worker, Worker]]) -> dict[str, float]:
    """Return microseconds a point by kind of work; a tier's are under its name and the kind."""
    figures = {"bare": _bare()}
    openssl = openssl_microseconds()
    if openssl is not None:
        figures["openssl"] = openssl
    for tier, (alone, _) in workers.items():
        figures |= {f"{tier} {kind}": figure for kind, figure in alone.round().items()}
    for tier, (_, together) in workers.items():
        figures[f"{tier} all"] = together.round()["raise_wall"]
    return figures


def _bare() -> float:
    points = np.random.default_rng(1).integers(0, 256, (BARE_POINTS, 32), dtype=np.uint8)
    points[:, 31] &= 0x3F
    scalar = new_scalar()
    return microseconds(lambda: bare_loop(points, scalar), BARE_POINTS)


def _tier(tier: str, name: str, measured: list[dict[str, float]]) -> Tier:
    def of(kind: str) -> list[float]:
        return _column(measured, f"{tier} {kind}")

    openssl = _column(measured, "openssl")
    return Tier(
        name=tier,
        engine=name,
        raise_us=median(of("raise")),
        hash_us=median(of("hash")),
        fused_us=median(of("fused")),
        public_us=median(of("public")),
        hash_per_raise=median_ratio(of("hash"), of("raise")),
        openssl_ratio=median_ratio(openssl, of("raise")) if openssl else None,
        cryptography_ratio=median_ratio(_column(measured, "bare"), of("raise")),
        scaling=median_ratio(of("raise_wall"), of("all")),
    )


def _column(measured: list[dict[str, float]], kind: str) -> list[float]:
    return [figures[kind] for figures in measured if kind in figures]


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.curve", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    try:
        figures = measure(parser.parse_args().rounds).to_json()
    except BenchmarkError as error:
        sys.exit(f"No figures: {error}")
    print(curve_table(figures))
    write_figures(part_file(PART), figures)


if __name__ == "__main__":
    main()
