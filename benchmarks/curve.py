"""Measure the curve's engine against a bare loop over `cryptography`'s X25519.

Only ratios of work done in the same run are compared, since machines are noisy: each round does
every kind of work once, one behind the other, and the median over the rounds counts.

    python benchmarks/curve.py [--rounds 9] [--count 4096]

prints a table and writes build/bench/curve.json.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from psi.curve import (
    Points,
    Scalar,
    engine,
    hash_and_raise,
    hash_to_curve,
    raise_points,
    require_points,
)
from psi.keys import Keys

OUTPUT = Path("build/bench/curve.json")
PREFIX = bytes(32)
KINDS = ("bare", "raise", "hash", "fused", "refuse")
RAISE_GOAL = 0.7  # of the bare loop's throughput, at least
HASH_GOAL = 6.0  # raisings a hash may cost, at most


@dataclass(frozen=True)
class Result:
    """Medians over the rounds: `microseconds` a point by kind of work, and ratios of a round."""

    engine: str
    count: int
    rounds: int
    microseconds: dict[str, float]
    raise_throughput_ratio: float
    hash_per_raise: float
    fused_per_raise: float


def bare_loop(points: Points, scalar: Scalar) -> list[bytes]:
    """Raise points as one would without the engine: no checks, no buffers."""
    private = X25519PrivateKey.from_private_bytes(scalar.secret_bytes())
    return [private.exchange(X25519PublicKey.from_public_bytes(row)) for row in map(bytes, points)]


def microseconds(work: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / count * 1e6


def measure_round(keys: Keys, points: Points, scalar: Scalar) -> dict[str, float]:
    """Return the microseconds a point of each kind of work."""
    work: dict[str, Callable[[], object]] = {
        "bare": lambda: bare_loop(points, scalar),
        "raise": lambda: raise_points(points, scalar),
        "hash": lambda: hash_to_curve(keys, prefix=PREFIX),
        "fused": lambda: hash_and_raise(keys, scalar, prefix=PREFIX),
        "refuse": lambda: require_points(points),
    }
    return {kind: microseconds(work[kind], len(points)) for kind in KINDS}


def measure(rounds: int, count: int) -> Result:
    scalar = Scalar.from_bytes(secrets.token_bytes(32))
    keys = Keys.from_list([b"email\0" + secrets.token_bytes(32) for _ in range(count)])
    points = hash_to_curve(keys, prefix=PREFIX)
    measured = [measure_round(keys, points, scalar) for _ in range(rounds)]
    return Result(
        engine=engine().name,
        count=count,
        rounds=rounds,
        microseconds={kind: median(times[kind] for times in measured) for kind in KINDS},
        raise_throughput_ratio=median(times["bare"] / times["raise"] for times in measured),
        hash_per_raise=median(times["hash"] / times["raise"] for times in measured),
        fused_per_raise=median(times["fused"] / times["raise"] for times in measured),
    )


def print_table(result: Result) -> None:
    print(f"engine {result.engine}, {result.count} points, {result.rounds} rounds")
    for kind in KINDS:
        print(f"  {kind:<8}{result.microseconds[kind]:9.2f} µs a point")
    print(f"  raise throughput / bare  {result.raise_throughput_ratio:6.2f}  >= {RAISE_GOAL}")
    print(f"  hash time / raise time   {result.hash_per_raise:6.2f}  <= {HASH_GOAL}")
    print(f"  fused time / raise time  {result.fused_per_raise:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=4096)
    arguments = parser.parse_args()
    result = measure(arguments.rounds, arguments.count)
    print_table(result)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(asdict(result), indent=2) + "\n")


if __name__ == "__main__":
    main()
