"""The console over 10,000 requests and a log of a million entries: what each first page takes.

Makes a party's store (`benchmarks.console_store`), and asks each page in this process, without a
network: what a browser waits for besides is its own. Each page is asked once to load what it needs,
then so often; the median and the worst are told, by the clock and of this process's own time, and
how large the page is when compressed. A page is above a limit by its own time, which other
programs on the machine disturb least.

    python -m benchmarks.console [--requests 10000] [--entries 1000000] [--times 20]

prints a table and writes build/bench/console.json. The store is deleted afterwards.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from starlette.testclient import TestClient

from audit.roles import Role
from benchmarks.console_store import CONTRACT, make_store
from benchmarks.output import FOLDER, write_figures
from benchmarks.text_table import number, text_table
from client.console.app import Place, make_app
from party.decision import FINISHED
from party.filing import Filing, Wanted
from party.lists import Lists
from party.organisation import Organisation
from party.staff.accounts import Staff

BUILD: Final = FOLDER / "console"
REQUESTS_MADE: Final = 10_000
ENTRIES: Final = 1_000_000
TIMES: Final = 20
MOST_MS: Final = 150
MOST_BYTES: Final = 300_000
_PASSWORD: Final = "a password of the benchmark"


@dataclass(frozen=True)
class Figures:
    """What was measured, over how much, and the processor seconds that making the store took."""

    requests: int
    entries: int
    store_processor_seconds: float
    pages: list[Page]


@dataclass(frozen=True)
class Page:
    """What one page takes of the server, and how large it is when compressed."""

    path: str
    median_ms: float
    worst_ms: float
    processor_ms: float
    compressed_bytes: int


def measure(folder: Path, requests: int, entries: int, times: int) -> Figures:
    """Make a store and ask each page."""
    began = time.process_time()
    party = make_store(folder, requests, entries)
    made = time.process_time() - began
    try:
        client = _signed_in(party)
        pages = [_page(client, path, times) for path in _paths(party)]
        return Figures(requests, party.journal.size, made, pages)
    finally:
        party.close()


def _paths(party: Organisation) -> list[str]:
    """Return the pages of the menu, and of each sort of thing one page about one of it."""
    filing = Filing(party)
    report = filing.page(Wanted(states=(FINISHED,), lists=False)).requests[0].id
    audience = Lists(party).held(most=1)[0].request.id
    contract = party.contract(CONTRACT).digest
    (dataset,) = (one.name for one in party.datasets())
    return [
        "/",
        *("/reports", f"/reports/{report}", "/reports/new", "/reports/standing"),
        *("/requests", "/requests?show=all", f"/requests/{report}"),
        *("/lists", f"/requests/{audience}"),
        *("/contracts", f"/contracts/{contract}", "/contracts/new"),
        "/budget",
        *("/datasets", f"/datasets/{dataset}", f"/datasets/{dataset}/map", "/register"),
        "/retention",
        "/people",
        *("/audit", "/audit?kind=audit.read", "/audit?kind=request&peer=partner"),
        *(f"/audit?request={report[:8]}", "/audit?kind=consent&since=2026-01-01"),
        f"/audit/entries/{party.journal.size // 2}",
        *("/audit/vouching", "/audit/verify", "/audit/documents", "/audit/evidence"),
        *(f"/audit/lineage/{report}", f"/audit/lineage/{dataset}"),
        *("/incidents", "/health", "/account"),
    ]


def _page(client: TestClient, path: str, times: int) -> Page:
    answer = client.get(path)
    answer.raise_for_status()
    clock: list[float] = []
    processor: list[float] = []
    for _ in range(times):
        with _timed(clock, processor):
            client.get(path)
    return Page(
        path,
        statistics.median(clock),
        max(clock),
        statistics.median(processor),
        len(gzip.compress(answer.content, 5)),
    )


@contextmanager
def _timed(clock: list[float], processor: list[float]) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    yield
    clock.append(1000 * (time.perf_counter() - began))
    processor.append(1000 * (time.process_time() - worked))


def _signed_in(party: Organisation) -> TestClient:
    Staff(party).add("olga", Role.OPERATOR, _PASSWORD)
    app = make_app(party, Place(frozenset({"testserver"}), 443, secure=True))
    client = TestClient(app, base_url="https://testserver")
    page = client.get("/sign-in").text
    token = re.findall(r'name="form_token" value="([^"]*)"', page)[0]
    form = {"form_token": token, "name": "olga", "password": _PASSWORD}
    client.post("/sign-in", data=form).raise_for_status()
    return client


def main() -> None:
    """Measure, print, and say which pages are above the limits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS_MADE)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--times", type=int, default=TIMES)
    wanted = parser.parse_args()
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.parent.mkdir(parents=True, exist_ok=True)
    try:
        figures = measure(BUILD.absolute(), wanted.requests, wanted.entries, wanted.times)
    finally:
        shutil.rmtree(BUILD, ignore_errors=True)
    write_figures(FOLDER / "console.json", asdict(figures))
    print(
        text_table(
            ("page", "median ms", "worst ms", "processor ms", "compressed kB"),
            [
                (
                    one.path,
                    number(one.median_ms, 1),
                    number(one.worst_ms, 1),
                    number(one.processor_ms, 1),
                    number(one.compressed_bytes / 1000, 1),
                )
                for one in figures.pages
            ],
        )
    )
    slow = [one.path for one in figures.pages if one.processor_ms > MOST_MS]
    large = [one.path for one in figures.pages if one.compressed_bytes > MOST_BYTES]
    print(
        f"over {figures.requests:,} requests and {figures.entries:,} entries of the log, which "
        f"took {figures.store_processor_seconds:.0f} s of processor time to make"
    )
    print(f"above {MOST_MS} ms of processor time: {', '.join(slow) or 'none'}")
    print(f"above {MOST_BYTES // 1000} kB: {', '.join(large) or 'none'}")


if __name__ == "__main__":
    main()
