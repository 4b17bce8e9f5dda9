"""Simulate sessions of every kind of report and print the coverage: `make coverage RUNS=2000`."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from covered_kinds import COVERED, NOMINAL, STRAY, measure  # noqa: E402 - found on the path above

_LINE = "{:18} {:10} {:28} {:>7} {:>8} {:>7} {:>7}"


def main(runs):
    """Print the table; return the number of metrics that are further off than they may be.

    By chance the coverage of one number has a standard error of √(0.0475 / runs), of which four
    are allowed beside 1.5 points. Numbers of one metric share noise, so their mean has no less.
    """
    chance = 4 * (NOMINAL * (1 - NOMINAL) / runs) ** 0.5
    allowed = STRAY + chance
    print(
        f"{runs} sessions of each kind. Allowed: {NOMINAL:.0%} ± {STRAY:.1%}, and "
        f"± {chance:.1%} of chance.\n"
    )
    print(_LINE.format("report", "kind", "metric", "numbers", "covered", "least", "most"))
    off = 0
    for row in COVERED:
        for (rendering, metric), shares in measure(row, runs).items():
            mean, least, most = np.mean(shares), min(shares), max(shares)
            wrong = any(abs(share - NOMINAL) > allowed for share in shares)
            told = (f"{share:.1%}" for share in (mean, least, most))
            line = _LINE.format(row.name, rendering, metric, len(shares), *told)
            print(line + (" OFF" if wrong else ""), flush=True)
            off += wrong
    print(f"\n{off} metrics are off")
    return off


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
