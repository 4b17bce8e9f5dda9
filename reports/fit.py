"""Counts made consistent: none negative, and parts that add up to their totals.

Noise leaves cells below 0, and so a reach that grows with frequency. The fit is least squares,
which is weighted least squares here since all cells of a table have equal variance, from the
top down: the grand total stays, totals by label and by segment are fitted to it, then cells to
them. Fitting cells alone would add up the bias of every cell that is lifted to 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROUNDS = 1_000
_TOLERANCE = 1e-7
"""Of a person, between a sum of cells and its total."""


def fit_table(values: npt.NDArray[np.int64]) -> Floats:
    """Return the nearest non-negative cells, (labels, segments), with fitted margins.

    A table whose noisy total is not above 0 is fitted by zeros.
    """
    given = values.astype(np.float64)
    total = float(given.sum())
    if total <= 0:
        return np.zeros_like(given)
    by_segment = fit_total(given.sum(axis=0), total)
    by_label = fit_total(given.sum(axis=1), total)
    labels = np.zeros_like(by_label)
    fitted = given
    for _ in range(_ROUNDS):
        segments = _levels(given - labels[:, None], by_segment)
        fitted = np.maximum(given - labels[:, None] - segments, 0)
        if np.abs(fitted.sum(axis=1) - by_label).max() < _TOLERANCE:
            break
        labels = _levels((given - segments).T, by_label)
    return fitted


def fit_total(values: Floats, total: float) -> Floats:
    """Return the nearest non-negative values of a given sum, which is at least 0."""
    column = values[:, None]
    return np.maximum(column - _levels(column, np.array([total])), 0)[:, 0]


def _levels(columns: Floats, totals: Floats) -> Floats:
    """Return, for each column, the t with Σ max(column − t, 0) = its total."""
    falling = -np.sort(-columns, axis=0)
    ranks = np.arange(1, len(columns) + 1)[:, None]
    levels = (np.cumsum(falling, axis=0) - totals) / ranks
    last = (falling >= levels).sum(axis=0) - 1
    return np.asarray(np.take_along_axis(levels, last[None, :], axis=0)[0])
