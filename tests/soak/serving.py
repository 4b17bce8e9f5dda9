"""Many small sessions by several counterparts against one `commonground serve`, and what it keeps.

Covers: that no request is lost, that the listener's memory, descriptors and threads do not grow
with the number of sessions, and that all logs verify. Does not cover: large data, faults (see
tests/chaos), and hostile counterparts (tests/hostile).
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE.parent / "simulation")]

import party.tls  # noqa: E402, F401 - settled before gRPC is loaded

# isort: split
import psutil  # noqa: E402
from organisations import make_contract, make_party, people, write_dataset  # noqa: E402
from ports import free_port  # noqa: E402

from client.carrying import Carrier  # noqa: E402
from client.serving import Logged  # noqa: E402
from party.contract_terms import OutputKind  # noqa: E402
from party.datasets import inspect, load_definition  # noqa: E402
from party.desk import Desk  # noqa: E402
from party.errors import PartyError, SessionSuspended  # noqa: E402
from party.evidence import StoredLog, verify_log  # noqa: E402
from party.organisation import Organisation  # noqa: E402
from party.request import Request  # noqa: E402
from party.request_parameters import Parameters  # noqa: E402
from party.settings import FILE, load_settings, render_settings  # noqa: E402

SERVER = "channel"
START_SECONDS = 60
GROWTH_BYTES = 24 << 20  # over the last three quarters of the sessions
GROWTH_COUNT = 8  # descriptors and threads that come and go
CHEAP = Parameters(known_answers=32, delta_dummies_e15=100_000)


@dataclass(frozen=True)
class Look:
    """What the listener holds at one moment."""

    sessions: int
    memory: int
    descriptors: int
    threads: int


@dataclass
class Soak:
    """What was seen: how long each session took, and what the listener held meanwhile."""

    seconds: list[float] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    suspended: int = 0

    @property
    def settled(self) -> list[Look]:
        """The looks after the first quarter, which makes caches and pools."""
        return self.looks[len(self.looks) // 4 :]

    def growth(self, what: str) -> int:
        """Return by how much the listener grew: the last looks against the first settled ones."""
        held = [getattr(look, what) for look in self.settled]
        some = max(1, len(held) // 4)
        return int(statistics.median(held[-some:]) - statistics.median(held[:some]))

    @property
    def flat(self) -> bool:
        """Whether nothing grew with the number of sessions."""
        counts = max(self.growth("descriptors"), self.growth("threads"))
        return self.growth("memory") <= GROWTH_BYTES and counts <= GROWTH_COUNT


class Office:
    """One listening party and its counterparts, each with a contract of its own with it."""

    def __init__(self, folder: Path, counterparts: int) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        names = [f"brand{number}" for number in range(counterparts)]
        server = make_party(folder, SERVER)
        values = _register(server, folder, "receipts", "frequency", ["1", "2", "3"], names)
        self.counterparts = {}
        for name in names:
            one = make_party(folder, name)
            own = _register(one, folder, "customers", "segment", ["gold", "silver"], [SERVER])
            contract = make_contract(
                folder,
                {name: one, SERVER: server},
                {"advertiser": own, SERVER: values},
                epsilon="1000",
                addresses={SERVER: self.address},
                contract_id=f"with-{name}",
                advertiser=name,
            )
            self.counterparts[name] = (one, contract)
        server.close()
        place = folder / SERVER / FILE
        settings = replace(load_settings(folder / SERVER), listen=self.address)
        place.write_text(render_settings(settings), encoding="utf-8")

    @contextlib.contextmanager
    def serving(self) -> Iterator[psutil.Process]:
        """Serve meanwhile, as a process of its own."""
        words = ["-m", "commonground", "serve", "--party", str(self.folder / SERVER)]
        with (self.folder / "serve.log").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, "TMPDIR": str(self.folder)},
            )
            try:
                self._await(process)
                yield psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(60)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        host, port = self.address.split(":")
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
                return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "serve.log").read_text())

    def close(self) -> None:
        """Close the counterparts."""
        for one, _ in self.counterparts.values():
            one.close()


def soak(office: Office, sessions: int, deadline: float) -> Soak:
    """Carry `sessions` sessions, the counterparts side by side, until `deadline` (monotonic)."""
    seen, lock = Soak(), threading.Lock()
    with office.serving() as server, ThreadPoolExecutor(len(office.counterparts)) as pool:

        def work(name: str, number: int) -> None:
            one, contract = office.counterparts[name]
            began = time.monotonic()
            request = _request(name, contract, number)
            ended = _carry(one, contract, request, seen, deadline)
            with lock:
                seen.seconds.append(time.monotonic() - began)
                if ended is not None:
                    seen.lost.append(f"{name}: {ended}")
                seen.looks.append(_look(server, len(seen.seconds)))

        turns = [(name, n) for n in range(sessions) for name in office.counterparts]
        lines = {name: [] for name in office.counterparts}
        for name, number in turns[:sessions]:
            lines[name].append(number)
        jobs = [
            pool.submit(lambda name=name, own=own: [work(name, number) for number in own])
            for name, own in lines.items()
        ]
        for job in jobs:
            job.result()
        _require_finished(office, seen)
    return seen


def _carry(one, contract, request, seen, deadline):
    """Ask, and go on after every suspension, as `resume` does; return why it has no result."""
    carrier = Carrier(one, Logged())
    filed = None
    while time.monotonic() < deadline:
        try:
            if filed is None:
                filed = Desk(one).find(Desk(one).make(request, contract, actor="soak").id)
            return None if carrier.go_on(filed).state == "finished" else "no result"
        except SessionSuspended:
            seen.suspended += 1
        except PartyError as error:
            return str(error)
    return "no time left"


def _request(name, contract, number):
    now = int(time.time())
    if number % 2:
        match = replace(CHEAP, epsilon_release_nano=0)
        return Request.match(
            contract, requester=name, receiver=name, sender=SERVER, now=now, parameters=match
        )
    return Request.crosstab(
        contract,
        OutputKind.REACH,
        requester=name,
        tabulator=SERVER,
        recipient=name,
        labels={SERVER: "frequency", name: "segment"},
        now=now,
        parameters=CHEAP,
    )


def _look(server: psutil.Process, sessions: int) -> Look:
    family = [server, *server.children(recursive=True)]
    memory = sum(one.memory_info().rss for one in family)
    return Look(sessions, memory, server.num_fds(), server.num_threads())


def _require_finished(office: Office, seen: Soak) -> None:
    """Count as lost what the counterparts have asked and the listener has not finished."""
    with contextlib.closing(Organisation.open(office.folder / SERVER)) as server:
        states = {filed.id: filed.state for filed in Desk(server).filed()}
    for name, (one, _) in office.counterparts.items():
        for filed in Desk(one).filed():
            if (filed.state, states.get(filed.id)) != ("finished", "finished"):
                seen.lost.append(f"{name}: {filed.state} here, {states.get(filed.id)} there")


def verify(office: Office) -> int:
    """Verify every party's log, and return the entries of all of them."""
    entries = 0
    for place in (SERVER, *office.counterparts):
        with contextlib.closing(Organisation.open(office.folder / place)) as one:
            entries += verify_log(StoredLog(one.store, one.identity)).entries
    return entries


def _register(one, folder, dataset, label, labels, recipients):
    values = write_dataset(
        folder / "data" / one.identity.name,
        dataset,
        people(0, 80, labels),
        label=label,
        recipients=[one.identity.name, *recipients],
    )
    definition = load_definition(folder / "data" / one.identity.name / f"{dataset}.yaml")
    one.keep_dataset(definition, inspect(definition), None)
    return values


def main() -> int:
    """Print figures; return 1 if a request was lost, or the listener grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--counterparts", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=15.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="commonground-soak-") as name:
        office = Office(Path(name), asked.counterparts)
        began = time.monotonic()
        seen = soak(office, asked.sessions, began + 60 * asked.minutes)
        took = time.monotonic() - began
        office.close()
        entries = verify(office)
    _print(seen, asked.counterparts, took, entries)
    return 0 if seen.flat and not seen.lost else 1


def _print(seen: Soak, counterparts: int, took: float, entries: int) -> None:
    times = sorted(seen.seconds)
    last = times[max(0, round(0.95 * len(times)) - 1)]
    print(f"{len(times)} sessions by {counterparts} counterparts in {took:.0f} s")
    print(f"a session: median {statistics.median(times):.1f} s, 95% within {last:.1f} s")
    print(f"put aside and gone on with: {seen.suspended}; lost: {len(seen.lost)}")
    print(f"logs verified: {counterparts + 1}, {entries} entries")
    print("sessions  memory MB  descriptors  threads")
    step = max(1, len(seen.looks) // 10)
    for look in [*seen.looks[::step], seen.looks[-1]]:
        size = look.memory / 1e6
        print(f"{look.sessions:8}  {size:9.0f}  {look.descriptors:11}  {look.threads:7}")
    grown = ", ".join(
        f"{what} {seen.growth(what) / unit:+.0f}{word}"
        for what, unit, word in (("memory", 1e6, " MB"), ("descriptors", 1, ""), ("threads", 1, ""))
    )
    print(f"since the first quarter: {grown}: {'flat' if seen.flat else 'it grows'}")
    for line in seen.lost[:10]:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
