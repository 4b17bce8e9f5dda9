"""The curve's engine: material to work on, and what the curve's work of a session takes alone.

From this follows the engine's share of a session. Every point that a party sends of its own is
hashed to the curve and raised once, and raised once more by each other party. How many CPU seconds
that takes is measured right before the session, with every core that the engine uses by itself, so
that both meet the same machine.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from benchmarks.timing import microseconds
from psi.curve import Scalar, hash_and_raise, hash_to_curve, points_per_second, raise_points
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


def measure_cost() -> Cost:
    """Measure both kinds of work, here and now."""
    keys, scalar = some_keys(sample_size()), new_scalar()
    points = hash_to_curve(keys, prefix=PREFIX)
    return Cost(
        hash_and_raise=microseconds(lambda: hash_and_raise(keys, scalar, prefix=PREFIX), len(keys)),
        raising=microseconds(lambda: raise_points(points, scalar), len(keys)),
    )


def sample_size(cores: int = 1) -> int:
    """Return how many points keep so many cores busy for about `MEASURED_SECONDS`."""
    return round(min(max(points_per_second() * cores * MEASURED_SECONDS, _LEAST), _MOST))


def some_keys(count: int) -> Keys:
    """Return keys that nobody has."""
    return Keys.from_list([b"email\0" + secrets.token_bytes(32) for _ in range(count)])


def new_scalar() -> Scalar:
    """Return a secret of the operating system's."""
    return Scalar.from_bytes(secrets.token_bytes(32))
