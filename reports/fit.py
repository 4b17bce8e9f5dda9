"""Counts made consistent: none negative, and parts that add up to their totals.

Noise leaves cells below 0, and so a reach that grows with frequency. The fit is weighted least
squares, from the top down: the grand total stays, totals by label and by segment are fitted to it,
then cells to them. Fitting cells alone would add up the bias of every cell that is lifted to 0.
Cells of one label have equal variance, those of several labels mostly too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROUNDS = 1_000
_TOLERANCE = 1e-7
"""Of a person, between a sum of cells and its total."""


def fit_table(values: npt.NDArray[np.int64], variances: Floats | None = None) -> Floats:
    """Return the nearest non-negative cells, (labels, segments), with fitted margins.

    Args:
        values: unbiased cells.
        variances: (labels,) of a cell of each, above 0; equal ones without it.

    A table whose noisy total is not above 0 is fitted by zeros.
    """
    given = values.astype(np.float64)
    spread = np.ones(len(given)) if variances is None else variances
    total = float(given.sum())
    if total <= 0:
        return np.zeros_like(given)
    alike = np.ones(given.shape[1])
    by_segment = fit_total(given.sum(axis=0), total, alike)
    by_label = fit_total(given.sum(axis=1), total, spread)
    labels = np.zeros_like(by_label)
    fitted = given
    for _ in range(_ROUNDS):
        moved = given - labels[:, None]
        segments = spread[:, None] * _levels(moved, by_segment, spread)
        fitted = np.maximum(moved - segments, 0)
        if np.abs(fitted.sum(axis=1) - by_label).max() < _TOLERANCE:
            break
        labels = _levels((given - segments).T, by_label, alike)
    return fitted


def fit_total(values: Floats, total: float, variances: Floats | None = None) -> Floats:
    """Return the nearest non-negative values of a given sum, which is at least 0."""
    spread = np.ones(len(values)) if variances is None else variances
    column = values[:, None]
    levels = _levels(column, np.array([total]), spread)
    return np.maximum(column - spread[:, None] * levels, 0)[:, 0]


def _levels(columns: Floats, totals: Floats, variances: Floats) -> Floats:
    """Return, for each column, the t with Σ max(column − variance × t, 0) = its total."""
    heights = columns / variances[:, None]
    order = np.argsort(-heights, axis=0)
    falling = np.take_along_axis(columns, order, axis=0)
    levels = (np.cumsum(falling, axis=0) - totals) / np.cumsum(variances[order], axis=0)
    last = (np.take_along_axis(heights, order, axis=0) >= levels).sum(axis=0) - 1
    return np.asarray(np.take_along_axis(levels, last[None, :], axis=0)[0])
