"""Two or three parties on this machine with one contract, and what one command of theirs takes.

Everything is done by the command line, each command a process, over mutual TLS 1.3 on loopback: the
advertiser asks, the channel and a vendor serve. Listeners are started anew for each run, so that no
run inherits memory from the one before, and have looked who has withdrawn from the lists of runs
before when a run begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, Watch
from benchmarks.network import loopback_bytes
from benchmarks.workload import (
    FREQUENCIES,
    INCOMES,
    SEGMENTS,
    Size,
    receiver_numbers,
    sender_numbers,
    vendor_numbers,
    write_people,
)
from examples.demo.agreement import free_port
from examples.demo.processes import Meter, Party
from party.yaml_text import read_yaml, write_yaml

ADVERTISER, CHANNEL, VENDOR = "advertiser", "channel", "vendor"
POINT_BYTES = 32
LEAST_LIST = 500
DESCRIPTION = """\
dataset: {name}
source: {name}.parquet
person: ref
columns:
  email: id.email_sha256
  {label}: attribute
  opt_in: consent
consent:
  column: opt_in
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel, vendor]
labels:
  {label}: {{column: {label}, values: {values}}}
"""


@dataclass(frozen=True)
class Taken:
    """What one command and the counterparts' answers took, and the document that it printed.

    `session_seconds` is the session alone, as the channel logs it: without starting the command,
    the quote, and the report's printing. `wire_bytes` is 0 without a network of one's own.
    """

    document: dict[str, Any]
    load: Load
    session_seconds: float
    peak_bytes: dict[str, int]
    wire_bytes: int
    payload_bytes: int
    points: int


class Parties:
    """An advertiser and a channel in folders of `build`, and a vendor where one is wanted."""

    def __init__(self, build: Path, *, own_network: bool, vendor: bool = False) -> None:
        self.build = build
        self.advertiser, self.channel = Party(build / ADVERTISER), Party(build / CHANNEL)
        self.vendors = [Party(build / VENDOR)] if vendor else []
        self._own_network = own_network

    @property
    def all(self) -> list[Party]:
        """Every party; the channel, which counts, first."""
        return [self.channel, self.advertiser, *self.vendors]

    def set_up(self, sizes: Sequence[Size]) -> None:
        """Make parties, datasets of people and the contract; nothing of it is timed."""
        self.begin()
        for size in sizes:
            name = dataset_of(size)
            write_people(self.build / f"{name}.parquet", receiver_numbers(size), label="segment")
            self.add(self.advertiser, name, _described(name, "segment", SEGMENTS))
        for people in sorted({size.sender for size in sizes}):
            name = their_dataset_of(people)
            write_people(self.build / f"{name}.parquet", sender_numbers(people), label="frequency")
            self.add(self.channel, name, _described(name, "frequency", FREQUENCIES))
        ours = {dataset_of(size): terms_of("segment", SEGMENTS) for size in sizes}
        theirs = {
            their_dataset_of(size.sender): terms_of("frequency", FREQUENCIES) for size in sizes
        }
        datasets = {ADVERTISER: ours, CHANNEL: theirs}
        for vendor in self.vendors:
            datasets[VENDOR] = {}
            for people in sorted({size.sender for size in sizes}):
                name = vendors_dataset_of(people)
                write_people(self.build / f"{name}.parquet", vendor_numbers(people), label="income")
                self.add(vendor, name, _described(name, "income", INCOMES))
                datasets[VENDOR][name] = terms_of("income", INCOMES)
        self.agree(datasets, "insights" if self.vendors else "reach")

    def begin(self) -> None:
        """Make the parties."""
        self.build.mkdir(parents=True)
        for party in self.all:
            name = party.folder.name
            party.run(
                "init", party.folder, "--name", name, "--organisation", name,
                "--jurisdiction", "NL", "--origin", f"{name}.example/log",
                "--listen", f"127.0.0.1:{free_port()}",
            )  # fmt: skip

    def add(self, party: Party, name: str, description: str) -> None:
        """Register a dataset whose Parquet file of that name lies in the folder."""
        file = self.build / f"{name}.yaml"
        file.write_text(description, encoding="utf-8")
        party.run("dataset", "add", file)

    def agree(self, datasets: dict[str, Any], table: str) -> None:
        """Sign and import a contract of these datasets, for matches and one kind of table.

        With a vendor it is for that kind of table of three alone.
        """
        contract = self.build / "contract.yaml"
        draft = self.build / "draft.yaml"
        third = [word for one in self.vendors for word in ("--third", one.folder / "public.yaml")]
        self.advertiser.run(
            "contract", "propose", self.channel.folder / "public.yaml", *third, "--out", draft
        )
        drafted = draft.read_text(encoding="utf-8")
        contract.write_text(filled_in(drafted, datasets, table), encoding="utf-8")
        for party in self.all:
            party.run("contract", "sign", contract)
        for party in self.all:
            party.run("contract", "import", contract)

    def run(self, *words: str | Path) -> Taken:
        """Run one command of the advertiser while the others serve."""
        for party in self.all:
            party.meter = Meter()
        with self._serving():
            for party in self.all:
                party.settle()
            wire, watch = self._wire(), Watch()
            document = self.advertiser.run(*words)
            load, wire = watch.stop(), self._wire() - wire
            session_seconds = _session_seconds(self.channel.folder / "serve.log")
        points, payload = _carried([one.folder / "sessions" / document["id"] for one in self.all])
        peaks = {party.folder.name: party.meter.peak for party in self.all}
        return Taken(document, load, session_seconds, peaks, wire, payload, points)

    @contextmanager
    def _serving(self) -> Iterator[None]:
        with ExitStack() as stack:
            for party in (self.channel, *self.vendors):
                party.serve("--log-format", "json")
                stack.callback(party.stop)
            yield

    def _wire(self) -> int:
        return loopback_bytes() if self._own_network else 0


def dataset_of(size: Size) -> str:
    """Return the name of the advertiser's dataset for a size."""
    return f"customers_{size.receiver}_{size.sender}"


def their_dataset_of(people: int) -> str:
    """Return the name of the channel's dataset of so many people."""
    return f"receipts_{people}"


def vendors_dataset_of(people: int) -> str:
    """Return the name of the vendor's dataset of so many people."""
    return f"panel_{people}"


def terms_of(label: str, values: Sequence[str]) -> dict[str, Any]:
    """Return what a contract says of a dataset of e-mails with one label."""
    return {"identifiers": ["email"], "most_identifiers": 1, "labels": {label: list(values)}}


def _described(name: str, label: str, values: Sequence[str]) -> str:
    return DESCRIPTION.format(name=name, label=label, values=json.dumps(values))


def filled_in(drafted: str, datasets: dict[str, Any], kind: str) -> str:
    """Return the contract of a draft: these datasets, and matches and tables by rule."""
    draft: Any = read_yaml(drafted.encode(), "the draft", BenchmarkError)
    table = {"recipient": ADVERTISER, "tabulator": CHANNEL, "purpose": "dpv:MarketResearch"}
    listed = {"receiver": ADVERTISER, "sender": CHANNEL, "purpose": "dpv:TargetedAdvertising"}
    terms = draft | {
        "profile": draft["profile"] | {"gmail": False},
        "identifiers": ["email"],
        "datasets": datasets,
        "outputs": [{"kind": kind, **table, "third": VENDOR, "approval": "rule"}]
        if VENDOR in datasets
        else [
            {"kind": "match", **listed, "approval": "rule"},
            {"kind": kind, **table, "approval": "rule"},
        ],
        "min_match": LEAST_LIST,
    }
    return write_yaml(terms)


def _session_seconds(log: Path) -> float:
    """Return how long the last session of a listener took, by its log."""
    for line in reversed(log.read_text(encoding="utf-8").splitlines()):
        if line.startswith("{") and json.loads(line)["event"] == "session.finished":
            return float(json.loads(line)["seconds"])
    raise BenchmarkError("the channel's log has no finished session")


def _carried(sessions: Sequence[Path]) -> tuple[int, int]:
    """Return the points that the parties sent of their own, and all bytes of sets, by the files.

    What several parties have under one name is one step between them. The party that counts, which
    is the first, has one set of points of each.
    """
    sizes = {file.name: file.stat().st_size for one in sessions for file in one.glob("*.set")}
    held = [file for file in sessions[0].glob("*.set") if _width(file) == POINT_BYTES]
    points = sum(sizes[file.name] // POINT_BYTES for file in held)
    if not points:
        raise BenchmarkError("the session left no sets to count")
    return points, sum(sizes.values())


def _width(file: Path) -> int:
    return int.from_bytes(file.with_suffix(".header").read_bytes()[:4], "big")
