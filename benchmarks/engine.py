"""The curve's engine: material to work on, and what the curve's work of a session takes alone.

From this follows the engine's share of a session. Every point that a party sends of its own is
hashed to the curve and raised once, and raised once more by each other party. How many CPU seconds
that takes is measured right before the session and right after it, with all cores at work, so that
both meet the same machine: a core that works beside another is slower than one that works alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.machine import usable_cores
from benchmarks.timing import microseconds
from party.workers import start_threads
from psi.curve import (
    Scalar,
    engine,
    hash_and_raise,
    hash_to_curve,
    points_per_second,
    raise_points,
)
from psi.keys import Keys

PREFIX = bytes(32)  # as long as a session id
MEASURED_SECONDS = 0.3
_LEAST, _MOST = 4_096, 262_144


@dataclass(frozen=True)
class Cost:
    """CPU microseconds that a point takes, whichever core they are of."""

    hash_and_raise: float
    raising: float

    def cpu_seconds(self, points: int, parties: int) -> float:
        """Return what the curve takes in a session with so many points of all parties."""
        return points * (self.hash_and_raise + (parties - 1) * self.raising) / 1e6

    def mean(self, other: Cost) -> Cost:
        """Return the mean of two measurements."""
        return Cost(
            (self.hash_and_raise + other.hash_and_raise) / 2, (self.raising + other.raising) / 2
        )


def measure_cost() -> Cost:
    """Measure both kinds of work, here and now."""
    with _all_cores() as (cores, executor):
        keys, scalar = some_keys(sample_size(cores)), new_scalar()
        points = hash_to_curve(keys, prefix=PREFIX, executor=executor)

        def hash_them() -> None:
            hash_and_raise(keys, scalar, prefix=PREFIX, executor=executor)

        def raise_them() -> None:
            raise_points(points, scalar, executor=executor)

        return Cost(microseconds(hash_them, len(keys)), microseconds(raise_them, len(keys)))


@contextmanager
def _all_cores() -> Iterator[tuple[int, Executor | None]]:
    """Yield how many cores work, and what puts them to work.

    An engine that holds the GIL works on one: other processes' time would not be seen here.
    """
    if not engine().releases_gil:
        yield 1, None
        return
    cores = usable_cores()
    with start_threads(cores) as executor:
        yield cores, executor


def sample_size(cores: int = 1) -> int:
    """Return how many points keep so many cores busy for about `MEASURED_SECONDS`."""
    return round(min(max(points_per_second() * cores * MEASURED_SECONDS, _LEAST), _MOST))


def some_keys(count: int) -> Keys:
    """Return keys that nobody has."""
    return Keys.from_list([b"email\0" + secrets.token_bytes(32) for _ in range(count)])


def new_scalar() -> Scalar:
    """Return a secret of the operating system's."""
    return Scalar.from_bytes(secrets.token_bytes(32))
