"""One engine in a process of its own, so that its tier can be forced and its cores counted.

    python -m benchmarks.curve_worker [--cores 0 1]

says which engine it has, and does one round of work for each line that it is sent. With cores, it
takes those and uses all of them; without, it works on the one that it was started on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor

from benchmarks.engine import PREFIX, new_scalar, sample_size, some_keys
from benchmarks.timing import microseconds, wall_clock
from party.workers import start_threads, start_workers
from psi.curve import engine, hash_and_raise, hash_to_curve, public_points, raise_points
from psi.errors import EngineError

PUBLIC_POINTS = 1024
Round = Callable[[], dict[str, float]]


def on_one_core() -> Round:
    """Return a round of all kinds of work: microseconds a point of one core, and of the clock."""
    keys, scalar = some_keys(sample_size()), new_scalar()
    points = hash_to_curve(keys, prefix=PREFIX)
    scalars = [new_scalar() for _ in range(PUBLIC_POINTS)]

    def work() -> dict[str, float]:
        count = len(keys)
        return {
            "raise": microseconds(lambda: raise_points(points, scalar), count),
            "hash": microseconds(lambda: hash_to_curve(keys, prefix=PREFIX), count),
            "fused": microseconds(lambda: hash_and_raise(keys, scalar, prefix=PREFIX), count),
            "public": microseconds(lambda: public_points(scalars), PUBLIC_POINTS),
            "raise_wall": microseconds(
                lambda: raise_points(points, scalar), count, clock=wall_clock
            ),
        }

    return work


def on_all_cores(cores: int, executor: Executor) -> Round:
    """Return a round of raising with the workers of a party: microseconds a point by the clock."""
    keys, scalar = some_keys(sample_size(cores)), new_scalar()
    points = hash_to_curve(keys, prefix=PREFIX, executor=executor)  # starts the workers

    def work() -> dict[str, float]:
        raising = microseconds(
            lambda: raise_points(points, scalar, executor=executor), len(keys), clock=wall_clock
        )
        return {"raise_wall": raising}

    return work


def main() -> None:
    """Answer each line with the figures of one round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curve_worker")
    parser.add_argument("--cores", type=int, nargs="+", help="use all of these")
    cores = parser.parse_args().cores
    try:
        name = engine().name
    except EngineError as error:
        sys.exit(str(error))
    if cores is None:
        serve(name, on_one_core())
        return
    os.sched_setaffinity(0, cores)
    start = start_threads if engine().releases_gil else start_workers
    with start(len(cores)) as executor:
        serve(name, on_all_cores(len(cores), executor))


def serve(name: str, work: Round) -> None:
    """Say the engine's name, then do one round a line."""
    print(json.dumps({"engine": name}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(work()), flush=True)


if __name__ == "__main__":
    main()
