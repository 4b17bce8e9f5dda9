"""Attribution end to end: touched people and conversions, from Parquet to the report.

So many people have three touches each, of four campaigns, spread evenly over 30 days of hourly
slots; a tenth as many conversions of other people, half of whom were touched, in eight baskets. One
identifier, one conversion a person, a week's lookback, between two parties that are processes here,
over mutual TLS. The number of conversions that a touch had reached is compared with a plain scan: a
run that is wrong has no figures. With --table there is a table (reach) of as many points beside it,
in the same run.

    python -m benchmarks.attribution [--people 1000000] [--table]

prints a table and writes build/bench/attribution.json. The parties' folders are deleted.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.command import part_parser
from benchmarks.engine import measure_cost
from benchmarks.errors import BenchmarkError
from benchmarks.network import enter_private_network
from benchmarks.output import FOLDER, part_file, write_figures
from benchmarks.parties import ADVERTISER, CHANNEL, Parties, Taken, dataset_of, terms_of
from benchmarks.parties import their_dataset_of as table_of
from benchmarks.session import MOST_ERRORS, Run, run_of
from benchmarks.text_table import MARK_LEGEND, marked, number, text_table
from benchmarks.workload import Size, digest
from examples.demo.processes import CommandError
from psi.journey import list_journeys

PART = "attribution"
BUILD = FOLDER / PART
PEOPLE: Final = 1_000_000
TOUCHES: Final = 3
CAMPAIGNS: Final = ("C1", "C2", "C3", "C4")
BASKETS: Final = ("0", "10", "20", "40", "80", "160", "320", "640")
DAYS, LOOKBACK_DAYS, SLOT_SECONDS = 30, 7, 3_600
MOST_OVER_A_TABLE: Final = 1.5
KEYS_A_MOMENT: Final = 11  # 720 slots lie in a tree of 1,024 leaves, whose levels are 11
_DAY: Final = 86_400
_BATCH: Final = 250_000
_CONSENT = """\
  opt_in: consent
consent:
  column: opt_in
  given: ["yes"]
  purposes: [dpv:MarketResearch]
  recipients: [advertiser, channel]
"""
TOUCHED = f"""\
dataset: touches
source: touches.parquet
person: ref
columns:
  email: id.email_sha256
  at: event_time
{_CONSENT}labels:
  journey: {{journeys_of: campaign, time: at, campaigns: {json.dumps(CAMPAIGNS)}, in_full: 2}}
"""
BOUGHT = f"""\
dataset: purchases
source: purchases.parquet
person: ref
columns:
  email: id.email_sha256
  at: event_time
{_CONSENT}conversions: {{time: at}}
labels:
  basket: {{column: basket, values: {json.dumps(BASKETS)}}}
"""
_HEADINGS: Final = (
    "table", "s", "session s", "CPU s", "engine CPU s", "MB asker", "MB server", "MB wire",
)  # fmt: skip

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """`people` are touched; times are seconds from the window's `start` (Unix seconds)."""

    people: int
    start: int

    @property
    def conversions(self) -> int:
        """How many there are, each of a person of its own."""
        return self.people // 10

    @property
    def room(self) -> int:
        """How many conversions a basket has room for: a tenth more than there are."""
        return -(-self.conversions // len(BASKETS)) * 11 // 10

    @property
    def padding(self) -> int:
        """How many points the recipient's sets have for moments, filled or not."""
        return len(BASKETS) * self.room * KEYS_A_MOMENT

    @cached_property
    def touches(self) -> Numbers:
        """When each person was touched: (people, TOUCHES)."""
        shape = (self.people, TOUCHES)
        return np.random.default_rng(1).integers(0, DAYS * _DAY, shape)

    @cached_property
    def purchases(self) -> Numbers:
        """When each conversion was; person `buyers[i]` made the i-th."""
        return np.random.default_rng(2).integers(0, DAYS * _DAY, self.conversions)

    @property
    def buyers(self) -> Numbers:
        """Who converted: the first half of them are the last of those who were touched."""
        first = self.people - self.conversions // 2
        return np.arange(first, first + self.conversions)

    def attributed(self) -> int:
        """Return how many conversions a touch had reached, by a plain scan."""
        touched = self.buyers < self.people
        slot = self.purchases[touched, None] // SLOT_SECONDS
        seen = self.touches[self.buyers[touched]] // SLOT_SECONDS
        lookback = LOOKBACK_DAYS * _DAY // SLOT_SECONDS
        reached = (seen <= slot) & (slot <= seen + lookback)
        return int(reached.any(axis=1).sum())


@dataclass(frozen=True)
class Result:
    """The attribution, the table of as many points where there was one, and keys of a person."""

    people: int
    conversions: int
    keys_a_person: float
    attribution: Run
    table: Run | None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def measure(people: int, *, beside_a_table: bool) -> Result:
    """Run it; the parties' folders are deleted afterwards, unless it fails."""
    own_network = enter_private_network()
    shutil.rmtree(BUILD, ignore_errors=True)
    midnight = int(time.time()) // _DAY * _DAY
    world = World(people, midnight - (DAYS + 1) * _DAY)
    taken, run = _attribution(Parties(BUILD / "moments", own_network=own_network), world)
    keys = taken.points - world.padding
    size = Size(world.padding, keys)
    table = (
        _table(Parties(BUILD / "people", own_network=own_network), size) if beside_a_table else None
    )
    shutil.rmtree(BUILD)
    return Result(people, world.conversions, keys / people, run, table)


def _attribution(pair: Parties, world: World) -> tuple[Taken, Run]:
    pair.begin()
    _write(pair.build / "touches.parquet", "campaign", _touch_rows(world), world.start)
    pair.add(pair.channel, "touches", TOUCHED)
    _write(pair.build / "purchases.parquet", "basket", _purchase_rows(world), world.start)
    pair.add(pair.advertiser, "purchases", BOUGHT)
    journeys = [one.text for one in list_journeys(CAMPAIGNS, 2)]
    pair.agree(
        {
            ADVERTISER: {"purchases": terms_of("basket", BASKETS)},
            CHANNEL: {"touches": terms_of("journey", journeys)},
        },
        "attribution",
    )
    cost = measure_cost()
    taken = pair.run(
        "report", "attribution", "--segment", "basket", "--by", "journey",
        "--start", _iso(world.start), "--end", _iso(world.start + DAYS * _DAY),
        "--room", str(world.room), "--lookback-days", str(LOOKBACK_DAYS),
        "--their-people", str(world.people), "--out", pair.build / "attribution.parquet",
    )  # fmt: skip
    _require_total(taken.document["result"]["rows"], world.attributed())
    return taken, run_of("attribution", Size(world.conversions, world.people), taken, cost)


def _require_total(rows: list[dict[str, Any]], truth: int) -> None:
    """Compare the attributed conversions with the truth, within their noise."""
    found = next(row for row in rows if row["metric"] == "conversions" and row["segment"] is None)
    if abs(found["value"] - truth) > MOST_ERRORS * found["standard_error"]:
        raise BenchmarkError(f"{found['value']:,.0f} conversions were attributed of {truth:,}")


def _table(pair: Parties, size: Size) -> Run:
    pair.set_up([size])
    cost = measure_cost()
    taken = pair.run(
        "report", "reach", "--segment", "segment", "--by", "frequency",
        "--their-people", str(size.sender), "--dataset", dataset_of(size),
        "--their-dataset", table_of(size.sender),
    )  # fmt: skip
    return run_of("crosstab", size, taken, cost)


def _touch_rows(world: World) -> Iterator[tuple[Numbers, Numbers, list[str]]]:
    """Yield person, time and campaign of touches, in no order."""
    order = np.random.default_rng(3).permutation(world.people * TOUCHES)
    campaign = np.random.default_rng(4).integers(0, len(CAMPAIGNS), len(order))
    for first in range(0, len(order), _BATCH):
        part = order[first : first + _BATCH]
        names = [CAMPAIGNS[place] for place in campaign[part].tolist()]
        yield part // TOUCHES, world.touches.reshape(-1)[part], names


def _purchase_rows(world: World) -> Iterator[tuple[Numbers, Numbers, list[str]]]:
    """Yield person, time and basket of conversions; each basket has as many as another."""
    baskets = [BASKETS[number % len(BASKETS)] for number in range(world.conversions)]
    yield world.buyers, world.purchases, baskets


def _write(
    path: Path, name: str, batches: Iterator[tuple[Numbers, Numbers, list[str]]], start: int
) -> None:
    """Write a Parquet file of events: `ref`, `email` (digests), `at`, the column, `opt_in`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    moment = pa.timestamp("s", tz="UTC")
    schema = pa.schema(
        [("ref", text), ("email", text), ("at", moment), (name, text), ("opt_in", text)]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for person, seconds, values in batches:
            columns = [
                pa.array([str(one) for one in person.tolist()], text),
                pa.array([digest(one) for one in person.tolist()], text),
                pa.array(seconds + start, pa.int64()).cast(moment),
                pa.array(values, text),
                pa.array(["yes"] * len(person), text),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def attribution_table(figures: dict[str, Any]) -> str:
    """Return both runs as text, and what the one takes over the other."""
    runs = [figures["attribution"], *([figures["table"]] if figures["table"] else [])]
    rows = [
        [
            run["protocol"],
            marked(number(run["seconds"], 1), disturbed=run["load"]["disturbed"]),
            number(run["session_seconds"], 1),
            number(run["cpu_seconds"], 1),
            number(run["engine_cpu_seconds"], 1),
            number(run["peak_mb"][ADVERTISER], 0),
            number(run["peak_mb"][CHANNEL], 0),
            number(run["wire_mb"] or run["payload_mb"], 1),
        ]
        for run in runs
    ]
    lines = [
        f"Attribution of {figures['conversions']:,} conversions against {figures['people']:,} "
        f"touched people: {figures['keys_a_person']:.1f} points a touched person, with fillers",
        text_table(_HEADINGS, rows),
    ]
    if figures["table"]:
        ours, other = runs
        lines += [
            f"over a table of as many points: {ours[figure] / other[figure]:.2f} in {figure} "
            f"(goal: at most {MOST_OVER_A_TABLE})"
            for figure in ("seconds", "cpu_seconds")
        ]
    if any(run["load"]["disturbed"] for run in runs):
        lines.append(MARK_LEGEND)
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.attribution", __doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, help="how many are touched")
    parser.add_argument(
        "--table", action="store_true", help="a table of as many points too, right after it"
    )
    arguments = parser.parse_args()
    try:
        figures = measure(arguments.people, beside_a_table=arguments.table).to_json()
    except (BenchmarkError, CommandError) as error:
        sys.exit(f"No figures: {error}")
    print(attribution_table(figures))
    write_figures(part_file(PART), figures)


if __name__ == "__main__":
    main()
