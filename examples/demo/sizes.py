"""How large the true cells are beside the noise: what a report of this data can say at all.

    python -m examples.demo.sizes 2469 100000

For each table: the smallest cells, the share of cells expected to be suppressed, the expected error
of the total. The noise is that of a shareable number (docs/protocol.md, Release): discrete Laplace
of scale 3/ε_r, as a subscriber offers up to three identifiers, and the recipient's dummy draw
around its mean, at ε_r = ε_d = 1 and δ_d = 1e-9. A cell is suppressed when the noisy count is below
max(10, 3 sd). Floating point is good enough here: nothing is released.
"""

import argparse

import numpy as np
import pandas as pd

from examples.demo import truth
from examples.demo.holdings import TYPES, divide
from examples.demo.world import load, resample

EPSILON = 1.0
MIN_CELL = 10
DUMMY_MEAN = 20  # the n that (ε_d, δ_d) = (1, 1e-9) needs at one record a person
_REACH = 200  # beyond ±200 the release noise has less mass than a double's precision


def noise() -> tuple[np.ndarray, np.ndarray]:
    """Return the values that a cell's noise takes, and their probabilities."""
    release = _laplace(len(TYPES) / EPSILON, _REACH)
    dummies = _laplace(1 / EPSILON, DUMMY_MEAN)
    law = np.convolve(release, dummies)
    return np.arange(len(law)) - len(law) // 2, law


def suppression(cells: np.ndarray) -> np.ndarray:
    """Give the probability that each true count is suppressed: float64, shape as given."""
    values, law = noise()
    threshold = max(MIN_CELL, 3 * deviation())
    return np.array([law[values + count < threshold].sum() for count in cells.flat])


def deviation() -> float:
    """Give the standard deviation of one cell."""
    values, law = noise()
    return float(np.sqrt((law * values**2).sum()))


def describe(name: str, cells: pd.DataFrame) -> str:
    """Say in one line what noise leaves of a table."""
    counts = cells.to_numpy()
    smallest = ", ".join(str(count) for count in np.sort(counts, axis=None)[:5])
    suppressed = suppression(counts)
    error = deviation() * np.sqrt(counts.size) / counts.sum()
    return (
        f"{name}: {counts.size} cells, {counts.sum():,} matched, smallest {smallest}; expected "
        f"suppressed {suppressed.mean():.1%}, sd of the total {error:.2%}"
    )


def main() -> None:
    """Print the tables and what noise leaves of them, for each number of households."""
    parser = argparse.ArgumentParser(description="Compare the demonstration's cells with noise.")
    parser.add_argument("households", type=int, nargs="+")
    real = load()
    print(
        f"noise of one cell: sd {deviation():.2f}, shown from {max(MIN_CELL, 3 * deviation()):.1f}"
    )
    for households in parser.parse_args().households:
        world = resample(real, households)
        holdings = divide(world)
        print(f"\n{world.describe()}")
        for label in (truth.frequency, truth.campaign_sets):
            cells = truth.reach_table(
                holdings.channel, holdings.advertiser, label(holdings), truth.segment(holdings)
            ).cells
            print(cells.to_string(), describe(label.__name__, cells), sep="\n")


def _laplace(scale: float, reach: int) -> np.ndarray:
    weights = np.exp(-np.abs(np.arange(-reach, reach + 1)) / scale)
    return weights / weights.sum()


if __name__ == "__main__":
    main()
