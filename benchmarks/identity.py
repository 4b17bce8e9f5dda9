"""Persons from rows of several identifiers: seconds and memory, against their limits.

Makes rows as a web shop with an app has them: visits with a cookie, some with a device, an open id,
an e-mail or a telephone (both as SHA-256), people with several of each. Families share devices,
crowds share kiosks, friends borrow browsers, so that chains of people come about. Then measures,
each in a process of its own:

- components: from numbered identifiers to persons, the graph alone;
- dataset add: the command as a person types it, from a Parquet file to the registered report,
  with reading, normalising every distinct text, quality, consent and digest of the file.

    python -m benchmarks.identity [--rows 10000000]

prints a table and writes build/bench/identity.json. The rows are deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.command import part_parser
from benchmarks.load import Load, Watch
from benchmarks.output import FOLDER, part_file, write_figures
from benchmarks.text_table import MARK_LEGEND
from examples.demo.processes import Meter, Party
from party.datasets.connection import Connection
from party.datasets.graph import Sightings, partition
from psi.arrow import integers

PART = "identity"
BUILD = FOLDER / PART
SECONDS_LIMIT = 600.0  # of `dataset add` with ten million rows, on two cores
LIMIT_ROWS = 10_000_000
MEMORY_LIMIT_BYTES = 250_000_000
BYTES_A_ROW = 250
ROWS_A_PERSON = 8
SEED = 20_260_101
BOUNDS = Connection(("email", "phone", "maid", "openid:app", "cookie:web"), 3, 40)
DESCRIPTION = """\
dataset: visits
source: visits.parquet
person:
  connect: [email, phone, maid, "openid:app", "cookie:web"]
  most_sharing: 3
  most_identifiers: 40
columns:
  email: id.email_sha256
  phone: id.phone_sha256
  device: id.maid
  open_id: id.openid:app
  cookie: id.cookie:web
  opt_in: consent
consent:
  column: opt_in
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising]
  recipients: [channel]
"""

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """One identifier column: the share of rows that have it, and how many one person has."""

    column: str
    share: float
    most: int
    prefix: str
    digits: int


KINDS = (
    Kind("email", 0.30, 2, "", 64),
    Kind("phone", 0.10, 1, "", 64),
    Kind("device", 0.35, 2, "", 32),
    Kind("open_id", 0.15, 1, "o6_", 24),
    Kind("cookie", 0.75, 4, "", 20),
)


@dataclass(frozen=True)
class Result:
    """Seconds and bytes; each ratio is a figure over its limit (at most 1 is wanted)."""

    rows: int
    people_made: int
    persons: int
    over_shared: int
    broken: int
    components_seconds: float
    components_mb: float
    seconds: float
    mb: float
    seconds_over_limit: float
    memory_over_limit: float
    load: Load


def draw(rows: int, chance: np.random.Generator) -> list[Ids]:
    """Return the number of each row's identifier in each column, -1 where there is none."""
    people = max(1, rows // ROWS_A_PERSON)
    person = chance.integers(0, people, rows)
    columns = []
    for kind in KINDS:
        # Later ones of a person are rarer, as old cookies are.
        which = np.minimum(chance.geometric(0.5, rows) - 1, kind.most - 1)
        numbers = person * kind.most + which
        numbers[chance.random(rows) >= kind.share] = -1
        columns.append(numbers)
    device = columns[2]
    _share(device, person // 3, person % 20 == 0, people * 2, chance)  # a family's tablet
    kiosk = chance.random(rows) < 0.001
    _share(device, chance.integers(0, 50, rows), kiosk, people * 4, chance)
    borrowed = chance.random(rows) < 0.06  # somebody else's browser
    columns[4][borrowed] = chance.integers(0, people, int(borrowed.sum())) * KINDS[4].most
    tester = chance.random(rows) < 0.0001
    columns[0][tester] = people * 4
    return columns


def _share(
    column: Ids, number: Ids, where: npt.NDArray[np.bool_], start: int, chance: np.random.Generator
) -> None:
    """Put shared identifiers, numbered from `start`, in half of the places."""
    chosen = where & (chance.random(len(column)) < 0.5)
    column[chosen] = start + number[chosen]


def texts_of(kind: Kind, numbers: Ids, chance: np.random.Generator) -> pa.Array:
    """Return the column as text: random hexadecimal digits for each distinct identifier."""
    filled = numbers >= 0
    distinct, codes = np.unique(numbers[filled], return_inverse=True)
    digits = chance.bytes(len(distinct) * kind.digits // 2).hex()
    table = np.frombuffer(digits.encode(), np.uint8).reshape(-1, kind.digits)
    if kind.column == "device":
        table = np.insert(table, (8, 12, 16, 20), ord("-"), axis=1)
    prefix = np.frombuffer(kind.prefix.encode(), np.uint8)
    table = np.hstack([np.tile(prefix, (len(table), 1)), table])
    offsets = np.arange(len(table) + 1, dtype=np.int64) * table.shape[1]
    data = pa.py_buffer(np.ascontiguousarray(table).tobytes())
    words = pa.Array.from_buffers(
        pa.large_string(), len(table), [None, pa.py_buffer(offsets), data]
    )
    places = np.full(len(numbers), -1, dtype=np.int64)
    places[filled] = codes
    found = integers(places)
    return words.take(pc.if_else(pc.equal(found, -1), None, found))


def make(rows: int) -> None:
    """Write the numbers, the file and its description."""
    chance = np.random.default_rng(SEED)
    columns = draw(rows, chance)
    np.savez(BUILD / "numbers.npz", *columns)
    refused = chance.random(rows) < 0.02
    table = pa.table(
        {
            kind.column: texts_of(kind, numbers, chance)
            for kind, numbers in zip(KINDS, columns, strict=True)
        }
        | {"opt_in": pa.array(np.where(refused, "no", "yes"))}
    )
    pq.write_table(table, BUILD / "visits.parquet")
    (BUILD / "visits.yaml").write_text(DESCRIPTION, encoding="utf-8")


def sightings(folder: Path) -> Sightings:
    """Return the numbers that `make` wrote, without gaps, one type after the other."""
    columns, starts = [], [0]
    with np.load(folder / "numbers.npz") as numbers:
        for name in numbers.files:
            column = numbers[name]
            distinct, codes = np.unique(column[column >= 0], return_inverse=True)
            dense = np.full(len(column), -1, dtype=np.int32)
            dense[column >= 0] = codes + starts[-1]
            columns.append(dense)
            starts.append(starts[-1] + len(distinct))
    return Sightings(tuple(columns), tuple(range(len(columns))), tuple(starts))


def time_components(folder: Path) -> dict[str, float]:
    """Return seconds and what was found; runs in a process of its own."""
    seen = sightings(folder)
    began = time.monotonic()
    found = partition(seen, BOUNDS)
    return {
        "seconds": time.monotonic() - began,
        "persons": found.persons,
        "over_shared": int(np.count_nonzero(found.over_shared)),
        "broken": found.broken,
    }


def measure(rows: int) -> Result:
    """Make the rows, and measure both."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.identity"]
    subprocess.run([*command, "--make", "--rows", str(rows)], check=True)
    meter = Meter()
    child = subprocess.Popen([*command, "--components"], stdout=subprocess.PIPE, text=True)
    meter.watch(child.pid)
    graph = json.loads(child.communicate()[0])
    party = Party(BUILD / "party")
    party.run("init", party.folder, "--name", "shop", "--organisation", "shop",
              "--origin", "shop.example/log", "--jurisdiction", "NL")  # fmt: skip
    watch = Watch()
    report = party.run("dataset", "add", BUILD / "visits.yaml")["quality"]
    load = watch.stop()
    if report["people"] != graph["persons"]:
        raise SystemExit("the command and the graph alone found different persons")
    shutil.rmtree(BUILD)  # a gigabyte
    return Result(
        rows=rows,
        people_made=max(1, rows // ROWS_A_PERSON),
        persons=int(graph["persons"]),
        over_shared=int(graph["over_shared"]),
        broken=int(graph["broken"]),
        components_seconds=graph["seconds"],
        components_mb=meter.peak / 1e6,
        seconds=load.seconds,
        mb=party.meter.peak / 1e6,
        seconds_over_limit=load.seconds / (SECONDS_LIMIT * max(1.0, rows / LIMIT_ROWS)),
        memory_over_limit=party.meter.peak / (MEMORY_LIMIT_BYTES + BYTES_A_ROW * rows),
        load=load,
    )


def print_table(result: Result) -> None:
    """Print each figure beside its limit."""
    print(
        f"{result.rows:,} rows of {result.people_made:,} people made: {result.persons:,} persons, "
        f"{result.over_shared:,} over-shared identifiers, {result.broken:,} components broken"
    )
    print(f"  components   {result.components_seconds:7.1f} s  {result.components_mb:7.0f} MB")
    print(f"  dataset add  {result.seconds:7.1f} s  {result.mb:7.0f} MB")
    for name, value in (
        ("seconds over their limit", result.seconds_over_limit),
        ("memory over its limit", result.memory_over_limit),
    ):
        print(f"  {name:<26} {value:6.2f}  <= 1")
    if result.load.disturbed:
        print(MARK_LEGEND)


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.identity", __doc__)
    parser.add_argument("--rows", type=int, default=LIMIT_ROWS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--components", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.rows)
        return
    if arguments.components:
        print(json.dumps(time_components(BUILD)))
        return
    result = measure(arguments.rows)
    print_table(result)
    write_figures(part_file(PART), asdict(result))


if __name__ == "__main__":
    main()
