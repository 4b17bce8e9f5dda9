"""The release: exact counts in, counts with discrete Laplace noise out (docs/protocol.md, Release).

The only module that imports OpenDP, and only when it draws, so that a process that never
releases does not pay for it. It refuses to return a sum that left the range of 64-bit
integers, and it hands out the noise only for the commitment that goes into the log.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from privacy.counts import ExactCount, ExactTable, NoisyCount, NoisyTable
from privacy.errors import InvalidParameter
from privacy.noise import exact_scale

_LARGEST = 2**62


@dataclass(frozen=True)
class Release:
    """A released table, and what its log entry commits to.

    Attributes:
        table: the counts with noise, as every receiver gets them.
        noise: e, row by row, each a signed 64-bit big-endian integer. Whoever holds it and
            the table holds the exact counts: commit to it, never send it.
    """

    table: NoisyTable
    noise: bytes = field(repr=False)


def release_table(exact: ExactTable, epsilon_nano: int, sensitivity: int) -> Release:
    """Add discrete Laplace noise of scale sensitivity/ε to every cell.

    Sensitivity is the most by which one person changes the sum of all cells: L_T.
    """
    counts = exact._counts
    noisy = discrete_laplace(counts.ravel().tolist(), epsilon_nano, sensitivity)
    table = np.array(noisy, dtype=np.int64).reshape(counts.shape)
    return Release(NoisyTable(table), (table - counts).astype(">i8").tobytes())


def release_count(exact: ExactCount, epsilon_nano: int, sensitivity: int) -> NoisyCount:
    """Add discrete Laplace noise of scale sensitivity/ε to one count."""
    released = release_table(exact, epsilon_nano, sensitivity)
    return NoisyCount(released.table.counts[0, 0])


def discrete_laplace(values: Sequence[int], epsilon_nano: int, sensitivity: int) -> list[int]:
    """Return values with independent discrete Laplace noise of scale sensitivity/ε.

    The noise is integer from end to end; the scale is rounded up to a double, so that the
    loss stays at or below ε. InvalidParameter when a value is beyond ±2^62.
    """
    if any(abs(value) > _LARGEST for value in values):
        raise InvalidParameter("a count is beyond 2^62 and would saturate under noise")
    scale = _round_up(exact_scale(epsilon_nano, sensitivity))
    if not values:
        return []

    import opendp.prelude as dp

    dp.enable_features("contrib")  # the noise itself is proved; its vector form is "contrib"
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    measurement = dp.m.make_laplace(*space, scale=scale)
    return [int(value) for value in measurement(list(values))]


def _round_up(scale: Fraction) -> float:
    nearest = float(scale)
    return nearest if Fraction(nearest) >= scale else math.nextafter(nearest, math.inf)
