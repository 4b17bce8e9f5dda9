"""Every kind of report: intervals hold the truth of every metric as often as they say.

A quick look, which finds an interval of another number or a forgotten noise; `make coverage` runs
2,000 sessions of each kind. test_reports_coverage.py holds the numbers that all kinds are made of
to 95% ± 1.5 in the suite.
"""

import numpy as np
import pytest
from covered_kinds import COVERED, NOMINAL, STRAY, measure

RUNS = 16


@pytest.mark.parametrize("row", COVERED, ids=lambda row: row.name)
def test_the_intervals_of_a_report_hold(row):
    shares = measure(row, RUNS)
    slack = STRAY + 4 * (NOMINAL * (1 - NOMINAL) / RUNS) ** 0.5
    assert {rendering for rendering, _ in shares} == {"private", "shareable"}
    for (rendering, metric), found in shares.items():
        assert np.mean(found) > NOMINAL - slack, (rendering, metric, found)
    whole = np.mean([share for found in shares.values() for share in found])
    assert whole < 0.995, "intervals that never fail are too wide"
