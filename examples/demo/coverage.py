"""How often 95% intervals hold the demo's truth: `make demo-coverage` draws them.

The reach table of the demonstration is computed without the product, and is then released so often:
dummies, fillers and release noise are drawn by the product's own code, and the report is built as
the product builds it. These are simulated releases and not sessions: nothing is blinded or sent,
no budget is charged, and such a series is exactly what a ledger exists to prevent. What is written
says so.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from examples.demo import truth
from examples.demo.holdings import TYPES, divide
from examples.demo.picture import FONT, INK, PALE, PAPER, words, write_svg
from examples.demo.world import load, resample
from party.request_parameters import Parameters
from privacy.counts import ExactTable
from privacy.release import release_table
from privacy.session import SessionNoise, TableLaws
from reports.cells import ShareableEstimates
from reports.kinds import build
from reports.table import ReleasedTable, ReleaseParameters

REAL_HOUSEHOLDS = 2469
RUNS = 300
BUILD = Path("build/demo")
MIN_CELL = 10
PLOTTED = (
    ("reach", None, None),
    ("reach exactly", "1", "bronze"),
    ("average frequency", None, None),
)
"""What has a panel: a sum of all cells, a single cell, a ratio."""

Number = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Interval:
    """One number of one run: its place in the report, its interval, and the truth."""

    run: int
    number: Number
    low: float
    high: float
    truth: float

    @property
    def holds(self) -> bool:
        """Whether the truth is in it."""
        return self.low <= self.truth <= self.high


class Releases:
    """The demonstration's exact table, released again and again."""

    def __init__(self, exact: truth.ReachTable, parameters: Parameters) -> None:
        self._exact, self._parameters = exact, parameters
        noise = SessionNoise(
            parameters.epsilon_release_nano,
            parameters.epsilon_dummies_nano,
            parameters.delta_dummies_e15,
        )
        self._laws = TableLaws(noise, len(TYPES), 1)
        self._counts = exact.cells.to_numpy(dtype=np.int64)

    def reports(self, runs: int) -> Iterator[dict[Number, Any]]:
        """Yield the estimates of each run's report, as they may be passed on."""
        rows, columns = self._counts.shape
        shape = runs, rows, columns
        dummies = np.array([_draw(self._laws.dummies) for _ in range(runs * rows * columns)])
        seen = self._counts + dummies.reshape(shape)
        bound = self._laws.tabulator_bound
        released = release_table(
            ExactTable(seen.reshape(runs, -1)), self._parameters.epsilon_release_nano, bound
        )
        noisy = released.table.counts.reshape(shape)
        for tau, counts in zip(dummies.reshape(shape), noisy, strict=True):
            yield self._estimates(tau, counts)

    def exact(self) -> dict[Number, float]:
        """Return the true numbers of the report, from plain sums over the exact table."""
        cells = self._exact.cells
        weights = np.arange(1, len(cells) + 1)
        found: dict[Number, float] = {}
        for segment in (*cells.columns, None):
            column = cells.sum(axis=1) if segment is None else cells[segment]
            found["reach", None, segment] = int(column.sum())
            found["average frequency", None, segment] = float(weights @ column / column.sum())
            for label, count in column.items():
                found["reach exactly", str(label), segment] = int(count)
        return found

    def _estimates(self, tau: np.ndarray, counts: np.ndarray) -> dict[Number, Any]:
        exact, laws, known = self._exact, self._laws, self._parameters.known_answers
        agreed = 2 * laws.dummies.mean * counts.shape[1]
        mine = [
            int(keys) + agreed + known + _draw(laws.tabulator_fillers)
            for keys in exact.tabulator_keys
        ]
        theirs = [
            int(keys) + int(drawn) + known + _draw(laws.recipient_fillers)
            for keys, drawn in zip(exact.recipient_keys, tau.sum(axis=0), strict=True)
        ]
        asked = self._parameters
        table = ReleasedTable(
            tuple(map(str, exact.cells.index)),
            tuple(map(str, exact.cells.columns)),
            tuple(map(tuple, counts.tolist())),
            tuple(mine),
            tuple(theirs),
            ReleaseParameters(
                asked.epsilon_release_nano,
                asked.epsilon_dummies_nano,
                asked.delta_dummies_e15,
                1,
                len(TYPES),
                known,
                MIN_CELL,
            ),
        )
        report = build("reach", ShareableEstimates(table, laws))
        return {(row.metric, row.label, row.segment): row.estimate for row in report.rows()}


def simulate(households: int, runs: int) -> list[Interval]:
    """Return the intervals of every number that has a truth, of so many releases.

    A suppressed number has none.
    """
    holdings = divide(resample(load(), households))
    exact = truth.reach_table(
        holdings.channel, holdings.advertiser, truth.frequency(holdings), truth.segment(holdings)
    )
    releases = Releases(exact, Parameters())
    true = releases.exact()
    return [
        Interval(run, number, found[number].low, found[number].high, value)
        for run, found in enumerate(releases.reports(runs), start=1)
        for number, value in true.items()
        if not found[number].suppressed
    ]


def coverage(intervals: list[Interval]) -> pd.DataFrame:
    """Return how often the intervals of each number hold, a line a number."""
    frame = pd.DataFrame(
        [(*one.number, one.truth, one.holds) for one in intervals],
        columns=["metric", "label", "segment", "truth", "holds"],
    )
    numbers = frame.fillna("all").groupby(["metric", "label", "segment", "truth"], sort=False)
    return numbers["holds"].agg(shown="size", covered="mean").reset_index()


def chart(intervals: list[Interval], households: int, runs: int) -> dict[str, Any]:
    """Return the plot as Vega-Lite: a panel a number, a line a run; misses are thick and dark."""
    panels = [
        _panel([one for one in intervals if one.number == number], number) for number in PLOTTED
    ]
    title = alt.TitleParams(
        f"{runs} simulated releases of the demo's reach table, {households:,} households",
        subtitle=[
            "Noise drawn by the product's code for the demo's true table; no sessions were run. "
            "Vertical lines are 95% intervals, the horizontal",
            "one is the truth. Dark lines with an end mark miss it. At 95%, one of twenty does.",
        ],
        anchor="start",
        fontSize=17,
        offset=14,
    )
    sheet = alt.vconcat(*panels, title=title, spacing=22, background=PAPER)
    drawn: dict[str, Any] = (
        sheet.configure(font=FONT, padding=8).configure_view(stroke=None).to_dict()
    )
    return drawn


def _panel(intervals: list[Interval], number: Number) -> alt.LayerChart:
    share = np.mean([one.holds for one in intervals]) if intervals else 0.0
    frame = pd.DataFrame(
        [(one.run, one.low, one.high, one.truth, one.holds) for one in intervals],
        columns=["run", "low", "high", "truth", "holds"],
    )
    metric, label, segment = number
    name = " ".join(filter(None, (metric, label))) + (f", {segment}" if segment else "")
    base = alt.Chart(frame).encode(
        x=alt.X("run:Q", title="run", axis=alt.Axis(grid=False, tickCount=6)),
        y=alt.Y("low:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(grid=False)),
        y2="high:Q",
    )
    holds, misses = (base.transform_filter(alt.datum.holds == which) for which in (True, False))
    ends = [
        misses.mark_point(shape="stroke", size=30, color=INK, strokeWidth=1.6).encode(
            y=alt.Y(f"{end}:Q"), y2=alt.Undefined
        )
        for end in ("low", "high")
    ]
    line = alt.Chart(frame.head(1)).mark_rule(color=INK, strokeWidth=1).encode(y="truth:Q")
    return alt.layer(
        holds.mark_rule(color=PALE, strokeWidth=1.2),
        misses.mark_rule(color=INK, strokeWidth=2),
        *ends,
        line,
    ).properties(
        width=900,
        height=150,
        title=alt.TitleParams(
            f"{name}: {share:.1%} of {len(intervals)} intervals hold", anchor="start", fontSize=13
        ),
    )


def main() -> None:
    """Simulate, write the plot as SVG and PNG, and print the coverage."""
    parser = argparse.ArgumentParser(prog="make demo-coverage", description=__doc__)
    parser.add_argument("--households", type=int, default=REAL_HOUSEHOLDS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--build", type=Path, default=BUILD, help="where the plot is put")
    arguments = parser.parse_args()
    intervals = simulate(arguments.households, arguments.runs)
    found = coverage(intervals)
    for line in found.itertuples():
        print(
            f"  {line.metric:18} {line.label:>4} {line.segment:>7} {line.truth:>10,.5g} "
            f"{line.covered:7.1%} of {line.shown}"
        )
    whole = np.mean([one.holds for one in intervals])
    print(
        f"\n{whole:.1%} of {len(intervals):,} intervals hold the truth: {len(found)} numbers of "
        f"{arguments.runs} simulated releases.\nA cell that is often suppressed is shown when "
        "noise is high, so its shown intervals may miss more often."
    )
    sheet = chart(intervals, arguments.households, arguments.runs)
    arguments.build.mkdir(parents=True, exist_ok=True)
    svg, png = (arguments.build / f"coverage.{ending}" for ending in ("svg", "png"))
    write_svg(sheet, svg)
    png.write_bytes(vl_convert.vegalite_to_png(sheet, scale=2.0, **words()))
    print(f"Drawn in {svg} and {png}")


def _draw(law: Any) -> int:
    return int(law.draw(os.urandom(32)))


if __name__ == "__main__":
    main()
