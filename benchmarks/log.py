"""A log of a million entries: appended, proven, verified; seconds against their limits.

Makes a party's store with a contract, and writes what its sessions would write: seven entries each,
in groups of one transaction under one checkpoint, with the ledger's charges beside them; after each
group the counterpart witnesses and cosigns. Then measures on that store:

- append: entries a second, from the record to the disk;
- receipt: one entry's proof with its checkpoint, for entries chosen at random;
- tree: every entry read, hashed, and the root held against the checkpoint;
- verify: `audit verify` as a person types it, with every check.

    python -m benchmarks.log [--entries 1000000]

prints a table and writes build/bench/log.json. The store is deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import (
    BudgetSpent,
    ConsentReference,
    ConsentSnapshot,
    ReportReleased,
    RequestStep,
    SessionFinished,
    SessionStarted,
)
from audit.checkpoint import open_checkpoint
from audit.merkle import CompactRange, leaf_hash
from benchmarks.output import FOLDER
from commonground import Party
from party.evidence import StoredLog, verify_log
from party.journal import Group
from party.organisation import Organisation
from party.schema import LEDGER
from party.signed_terms import signed_terms

BUILD: Final = FOLDER / "log"
ENTRIES: Final = 1_000_000
OF_A_SESSION: Final = 7
SESSIONS_A_GROUP: Final = 143
SECONDS_BETWEEN: Final = 60.0
RECEIPTS: Final = 200
SEED: Final = 20_260_101
DIGEST: Final = "d" * 64
LIMITS: Final = {"append": 2_000, "tree": 50_000, "verify": 20_000}
"""Entries a second, at least."""


@dataclass(frozen=True)
class Rate:
    """Entries a second, by the clock and of this process's own time.

    All of it is one process, so that the two are the same where nothing else runs; append waits
    for the disk besides.
    """

    by_clock: float
    by_processor: float


@dataclass(frozen=True)
class Figures:
    """What was measured: rates, and milliseconds by the clock."""

    entries: int
    append: Rate
    tree: Rate
    verify: Rate
    receipt_median_ms: float
    receipt_worst_ms: float
    cosignatures: int


class Stopwatch:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def rate(self, entries: int) -> Rate:
        """Return how fast so many entries went by."""
        return Rate(
            entries / (time.perf_counter() - self._clock),
            entries / (time.process_time() - self._processor),
        )


class Clock:
    """A clock that the writer moves on."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        """Return Unix seconds, later at each look."""
        self.now += SECONDS_BETWEEN
        return self.now


class Writer:
    """Writes what a party's sessions write, and the charges that the ledger has of them."""

    def __init__(self, party: Organisation, counterpart: Organisation) -> None:
        self._party, self._counterpart = party, counterpart
        self._clock = party.clock = Clock()
        self._contract = party.contract(None)
        terms = signed_terms(self._contract)
        self._coalition = terms.coalition_against(party.identity.name)
        self._window = int(self._clock.now)
        self._window_seconds = self._contract.window_days * 86_400
        self._sessions = 0

    def write(self, sessions: int) -> None:
        """Write a group, and have the counterpart cosign it."""
        self._party.store.write(lambda connection: self._write(connection, sessions))
        journal, log = self._party.journal, self._party.identity.verifier
        seen = self._counterpart.journal.seen_size(log.name)
        note, proof = journal.offer(seen)
        line = self._counterpart.journal.witness(note, log, proof, seen)
        card = self._contract.parties[self._counterpart.identity.name]
        journal.keep_cosignature(note, line, card.cosignature_verifier)

    def _write(self, connection: Connection, sessions: int) -> None:
        charges = []
        with self._party.journal.group(connection) as group:
            for _ in range(sessions):
                self._sessions += 1
                spent = self._session(group, f"r-{self._sessions:08d}", f"{self._sessions:064x}")
                charges.append(
                    {
                        "request": spent.request,
                        "what": spent.what,
                        "population": spent.population,
                        "coalition": spent.coalition,
                        "window_start": spent.window,
                        "epsilon_nano": spent.epsilon_nano,
                        "rho_nano": spent.rho_nano,
                        "delta_e15": spent.delta_e15,
                        "spent_at": int(self._clock.now),
                    }
                )
        connection.execute(sa.insert(LEDGER), charges)

    def _session(self, group: Group, request: str, session: str) -> BudgetSpent:
        now, contract = int(self._clock.now), self._contract.digest
        other = self._counterpart.identity.name
        taken = ConsentReference(DIGEST, self._sessions, now)
        spent = BudgetSpent(
            request,
            "people",
            self._coalition,
            now - (now - self._window) % self._window_seconds,
            epsilon_nano=1_000,
            rho_nano=1,
            delta_e15=1,
            what="dp",
        )
        for kind, body, of in (
            ("request.made", RequestStep(request, DIGEST, "reach"), None),
            ("request.approved", RequestStep(request, DIGEST, "reach"), None),
            (
                "consent.snapshot",
                ConsentSnapshot(
                    "people", DIGEST, self._sessions, now, "dpv:MarketResearch", other, DIGEST
                ),
                None,
            ),
            ("session.started", SessionStarted(request, DIGEST, DIGEST, taken, (other,)), None),
            ("budget.spent", spent, None),
            ("report.released", ReportReleased(request, DIGEST, DIGEST), session),
            ("session.finished", SessionFinished(request, session), session),
        ):
            group.append(kind, body, actor="session", session=of, contract=contract)
        return spent


def measure(entries: int, folder: Path) -> Figures:
    """Write a log of about so many entries below a folder, and measure it."""
    ours, theirs = _two_parties(folder)
    writer = Writer(ours, theirs)
    before, groups = _size(ours), round(entries / OF_A_SESSION / SESSIONS_A_GROUP)
    append = Stopwatch()
    for _ in range(groups):
        writer.write(SESSIONS_A_GROUP)
    written = append.rate(_size(ours) - before)
    size = _size(ours)
    receipts = [_receipt_ms(ours, seq) for seq in random.Random(SEED).sample(range(size), RECEIPTS)]
    log = StoredLog(ours.store, ours.identity)
    tree = Stopwatch()
    _verify_tree(ours, log)
    hashed = tree.rate(size)
    verify = Stopwatch()
    verification = verify_log(log)
    verified = verify.rate(size)
    return Figures(
        entries=size,
        append=written,
        tree=hashed,
        verify=verified,
        receipt_median_ms=statistics.median(receipts),
        receipt_worst_ms=max(receipts),
        cosignatures=verification.cosignatures,
    )


def _verify_tree(party: Organisation, log: StoredLog) -> None:
    """Hold the root of the entries against the checkpoint."""
    checkpoint = open_checkpoint(log.checkpoint(), party.identity.verifier)
    tree, leaves = CompactRange(), map(leaf_hash, log.entries())
    while some := list(islice(leaves, 4096)):
        tree = tree.extend(some)
    if (tree.size, tree.root()) != (checkpoint.size, checkpoint.root):
        raise SystemExit("the tree is not that of the checkpoint")


def _receipt_ms(party: Organisation, seq: int) -> float:
    start = time.perf_counter()
    party.journal.receipt(seq)
    return (time.perf_counter() - start) * 1e3


def _size(party: Organisation) -> int:
    return open_checkpoint(party.journal.checkpoint(), party.identity.verifier).size


def _two_parties(folder: Path) -> tuple[Organisation, Organisation]:
    """Make two parties under a contract."""
    made = {
        name: Party.create(
            folder / name,
            name=name,
            organisation=f"The {name}",
            origin=f"{name}.test/log",
            jurisdiction="NL",
            listen=listen,
        )
        for name, listen in (("advertiser", None), ("channel", "127.0.0.1:7443"))
    }
    file = made["advertiser"].contracts.propose(made["channel"].card, out=folder / "draft.yaml")
    for party in made.values():
        party.contracts.sign(file)
    for party in made.values():
        party.contracts.import_(file)
        party.close()
    ours, theirs = (Organisation.open(folder / name) for name in made)
    return ours, theirs


def main() -> None:
    """Measure, print, and say whether the limits hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log", description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    wanted = parser.parse_args()
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    try:
        figures = measure(wanted.entries, BUILD)
    finally:
        shutil.rmtree(BUILD, ignore_errors=True)
    (FOLDER / "log.json").write_text(json.dumps(asdict(figures), indent=2) + "\n")
    print(f"{figures.entries:,} entries, {figures.cosignatures:,} cosignatures")
    for name, least in LIMITS.items():
        found: Rate = getattr(figures, name)
        mark = "✓" if found.by_clock >= least else "✗"
        print(
            f"  {mark} {name:<8} {found.by_clock:>9,.0f} entries a second (at least {least:,}); "
            f"{found.by_processor:,.0f} of processor time"
        )
    print(
        f"    receipt  {figures.receipt_median_ms:.1f} ms, "
        f"{figures.receipt_worst_ms:.1f} ms at worst of {RECEIPTS}"
    )


if __name__ == "__main__":
    main()
