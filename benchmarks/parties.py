"""Two parties on this machine with one contract, and what one command of theirs takes.

Everything is done by the command line, each command a process, over mutual TLS 1.3 on loopback:
the advertiser asks, the channel serves. The channel's listener is started anew for each run, so
that no run inherits memory from the one before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, Watch
from benchmarks.network import loopback_bytes
from benchmarks.workload import (
    FREQUENCIES,
    SEGMENTS,
    Size,
    receiver_numbers,
    sender_numbers,
    write_people,
)
from examples.demo.__main__ import free_port
from examples.demo.processes import Meter, Party
from party.yaml_text import write_yaml

ADVERTISER, CHANNEL = "advertiser", "channel"
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
  recipients: [advertiser, channel]
labels:
  {label}: {{column: {label}, values: {values}}}
"""


@dataclass(frozen=True)
class Taken:
    """What one command and the counterpart's answer took, and the document that it printed.

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


class Pair:
    """An advertiser and a channel in folders of `build`, with datasets of several sizes."""

    def __init__(self, build: Path, *, own_network: bool) -> None:
        self.build = build
        self.advertiser, self.channel = Party(build / ADVERTISER), Party(build / CHANNEL)
        self._own_network = own_network

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
        self.agree({ADVERTISER: ours, CHANNEL: theirs}, "reach")

    def begin(self) -> None:
        """Make the parties."""
        self.build.mkdir(parents=True)
        for party in (self.advertiser, self.channel):
            name = party.folder.name
            party.run(
                "init", party.folder, "--name", name, "--organisation", name,
                "--origin", f"{name}.example/log", "--listen", f"127.0.0.1:{free_port()}",
            )  # fmt: skip

    def add(self, party: Party, name: str, description: str) -> None:
        """Register a dataset whose Parquet file of that name lies in the folder."""
        file = self.build / f"{name}.yaml"
        file.write_text(description, encoding="utf-8")
        party.run("dataset", "add", file)

    def agree(self, datasets: dict[str, Any], table: str) -> None:
        """Sign and import a contract of these datasets, for matches and one kind of table."""
        contract = self.build / "contract.yaml"
        draft = self.build / "draft.yaml"
        self.advertiser.run(
            "contract", "propose", self.channel.folder / "public.yaml", "--out", draft
        )
        drafted = yaml.load(draft.read_text(encoding="utf-8"), yaml.BaseLoader)  # all texts
        filled = _filled_in(drafted, datasets, table)
        contract.write_text(write_yaml(filled), encoding="utf-8")
        for party in (self.advertiser, self.channel):
            party.run("contract", "sign", contract)
        for party in (self.advertiser, self.channel):
            party.run("contract", "import", contract)

    def run(self, *words: str | Path) -> Taken:
        """Run one command of the advertiser while the channel serves."""
        self.advertiser.meter, self.channel.meter = Meter(), Meter()
        with self._serving():
            wire, watch = self._wire(), Watch()
            document = self.advertiser.run(*words)
            load, wire = watch.stop(), self._wire() - wire
            session_seconds = _session_seconds(self.channel.folder / "serve.log")
        points, payload = _carried(self.channel.folder / "sessions" / document["id"])
        peaks = {party.folder.name: party.meter.peak for party in (self.advertiser, self.channel)}
        return Taken(document, load, session_seconds, peaks, wire, payload, points)

    @contextmanager
    def _serving(self) -> Iterator[None]:
        self.channel.serve("--log-format", "json")
        try:
            yield
        finally:
            self.channel.stop()

    def _wire(self) -> int:
        return loopback_bytes() if self._own_network else 0


def dataset_of(size: Size) -> str:
    """Return the name of the advertiser's dataset for a size."""
    return f"customers_{size.receiver}_{size.sender}"


def their_dataset_of(people: int) -> str:
    """Return the name of the channel's dataset of so many people."""
    return f"receipts_{people}"


def terms_of(label: str, values: Sequence[str]) -> dict[str, Any]:
    """Return what a contract says of a dataset of e-mails with one label."""
    return {"identifiers": ["email"], "most_identifiers": 1, "labels": {label: list(values)}}


def _described(name: str, label: str, values: Sequence[str]) -> str:
    return DESCRIPTION.format(name=name, label=label, values=json.dumps(values))


def _filled_in(draft: dict[str, Any], datasets: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the contract: these datasets, and matches and tables for the advertiser by rule."""
    table = {"recipient": ADVERTISER, "tabulator": CHANNEL, "purpose": "dpv:MarketResearch"}
    listed = {"receiver": ADVERTISER, "sender": CHANNEL, "purpose": "dpv:TargetedAdvertising"}
    return draft | {
        "profile": draft["profile"] | {"gmail": False},
        "identifiers": ["email"],
        "datasets": datasets,
        "outputs": [
            {"kind": "match", **listed, "approval": "rule"},
            {"kind": kind, **table, "approval": "rule"},
        ],
        "window_days": 30,
        "min_match": LEAST_LIST,
        "min_cell": 10,
        "list_expiry_days": 30,
        "retention_days": 90,
        "consent_max_age_hours": 24,
    }


def _session_seconds(log: Path) -> float:
    """Return how long the last session of a listener took, by its log."""
    for line in reversed(log.read_text(encoding="utf-8").splitlines()):
        if line.startswith("{") and json.loads(line)["event"] == "session.finished":
            return float(json.loads(line)["seconds"])
    raise BenchmarkError("the channel's log has no finished session")


def _carried(session: Path) -> tuple[int, int]:
    """Return the points that the parties sent of their own, and all bytes of sets, by the files."""
    points = payload = 0
    for file in session.glob("*.set"):
        width = int.from_bytes(file.with_suffix(".header").read_bytes()[:4], "big")
        payload += file.stat().st_size
        points += file.stat().st_size // width if width == POINT_BYTES else 0
    if not points:
        raise BenchmarkError("the session left no sets to count")
    return points, payload
