"""Drawn noise, for numbers whose error no formula tells: tables with fresh noise, a fixed seed."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from reports.laws import NoiseLaw

Floats = npt.NDArray[np.float64]

_NORMAL_FROM_DRAWS: Final = 10


def drawn(law: NoiseLaw, draws: int, shape: tuple[int, ...], source: np.random.Generator) -> Floats:
    """Draw sums of so many draws of a law about its mean; of ten and more, by the normal law."""
    if draws >= _NORMAL_FROM_DRAWS:
        return source.normal(0, (draws * law.variance) ** 0.5, shape)
    first, mass = law.pmf()
    values = (first - law.mean + np.arange(len(mass))).astype(np.float64)
    edges = np.cumsum(mass)
    noise = np.zeros(shape)
    for _ in range(draws):
        places = np.searchsorted(edges, source.random(shape) * edges[-1], side="right")
        noise += values[np.minimum(places, len(values) - 1)]
    return noise
