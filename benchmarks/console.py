"""The console over a store of 10,000 requests: milliseconds of the server for each first page.

Makes two parties with a contract, files requests and charges as the desk does, and asks each page
in this process, without a network: what a browser waits for besides is its own. Each page is asked
once to load what it needs, then so often; the median and the worst are told, by the clock and of
this process's own time, and how large the page is when compressed.

    python -m benchmarks.console [--requests 10000] [--times 20]

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
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from audit.roles import Role
from benchmarks.output import FOLDER, write_figures
from benchmarks.text_table import number, text_table
from client.console.app import Place, make_app
from commonground import Party
from party.contract import Contract
from party.contract_terms import OutputKind
from party.decision import FINISHED
from party.filing import APPROVED, Filing
from party.ledger import Account
from party.organisation import Organisation
from party.request import Request
from party.schema import LEDGER, REQUESTS
from party.staff.accounts import Staff

BUILD: Final = FOLDER / "console"
REQUESTS_MADE: Final = 10_000
TIMES: Final = 20
MOST_MS: Final = 150
MOST_BYTES: Final = 300_000
_OPEN: Final = 20
"""Requests that are under way; all others are finished."""
_PASSWORD: Final = "a password of the benchmark"
_PAGES: Final = (
    "/",
    "/reports",
    "/requests?show=all",
    "/requests",
    "/lists",
    "/contracts",
    "/budget",
)
_DATASET: Final = """\
dataset: people
source: people.csv
person: ref
columns: {email: id.email, segment: attribute, opt_in: consent}
consent:
  column: opt_in
  given: ["yes"]
  purposes: [dpv:MarketResearch, dpv:TargetedAdvertising]
  recipients: [channel, advertiser]
labels:
  segment: {column: segment, values: [gold, silver]}
"""


@dataclass(frozen=True)
class Page:
    """What one page takes of the server, and how large it is when compressed."""

    path: str
    median_ms: float
    worst_ms: float
    processor_ms: float
    compressed_bytes: int


def measure(folder: Path, requests: int, times: int) -> list[Page]:
    """Make a store and ask each page."""
    party = _prepared(folder, requests)
    try:
        client = _signed_in(party)
        return [_page(client, path, times) for path in _PAGES]
    finally:
        party.close()


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


def _prepared(folder: Path, requests: int) -> Organisation:
    """Return an advertiser with a contract, requests and charges of the last weeks."""
    contract = _agreed(folder)
    party = Organisation.open(folder / "advertiser")
    first = _request(party, contract)
    Filing(party).file(
        first, contract, mine=True, peers=("channel",), state=APPROVED, actor="operator"
    )
    population = party.dataset("people").population
    account = Account.of(contract, "advertiser", population, party.now)
    party.store.write(lambda connection: _fill(connection, party, contract, account, requests))
    return party


def _fill(
    connection: Connection, party: Organisation, contract: Contract, account: Account, count: int
) -> None:
    """Write what filing and charging so many requests leaves, but their entries of the log."""
    from party.schema import REQUEST_PEERS

    requests, peers, charges = [], [], []
    for number_ in range(2, count + 1):
        request, at = _request(party, contract), party.now - (count - number_) * 120
        state = APPROVED if number_ % (count // _OPEN or 1) == 0 else FINISHED
        requests.append(
            {
                "id": request.id, "mine": 1, "contract": contract.digest, "kind": str(request.kind),
                "body": request.encode().decode(), "state": state, "created_at": at,
                "updated_at": at, "number": number_,
            }
        )  # fmt: skip
        peers.append({"request": request.id, "peer": "channel", "place": 0, "word": APPROVED})
        charges.append(
            {
                "request": request.id, "what": "session", "population": account.population,
                "coalition": account.coalition, "window_start": account.window_start,
                "epsilon_nano": 10_000, "rho_nano": 1, "delta_e15": 1, "spent_at": at,
            }
        )  # fmt: skip
    for table, rows in ((REQUESTS, requests), (REQUEST_PEERS, peers), (LEDGER, charges)):
        connection.execute(sa.insert(table), rows)


def _request(party: Organisation, contract: Contract) -> Request:
    made = Request.crosstab(
        contract,
        OutputKind.REACH,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        now=party.now,
        labels={"advertiser": "segment", "channel": "segment"},
        datasets={},
    )
    return made.sign(party.identity)


def _agreed(folder: Path) -> Contract:
    made: dict[str, Any] = {}
    for name in ("advertiser", "channel"):
        data = folder / "data" / name
        data.mkdir(parents=True)
        lines = [f"{n},p{n}@example.com,{'gold' if n % 2 else 'silver'},yes" for n in range(200)]
        (data / "people.csv").write_text("\n".join(["ref,email,segment,opt_in", *lines]) + "\n")
        (data / "people.yaml").write_text(_DATASET)
        made[name] = Party.create(
            folder / name, name=name, organisation=name, origin=f"{name}.example/log",
            jurisdiction="DE", listen="127.0.0.1:7443", address=f"{name}.example:7443", workers=1,
        )  # fmt: skip
        made[name].datasets.add(data / "people.yaml")
    advertiser, channel = made["advertiser"], made["channel"]
    draft = advertiser.contracts.propose(channel.card, id="bench", out=folder / "contract.yaml")
    text = draft.read_text(encoding="utf-8")
    offer = "people:\n      identifiers: [email]\n      most_identifiers: 1\n"
    offer += "      labels: {segment: [gold, silver]}\n"
    text = re.sub(
        r"(?ms)^datasets:\n.*?\n\n",
        f"datasets:\n  advertiser:\n    {offer}  channel:\n    {offer}\n",
        text,
    )
    text = re.sub(r"(?ms)^identifiers:.*?\n\n", "identifiers: [email]\n\n", text)
    text = text.replace('epsilon: "10"', 'epsilon: "900"')
    draft.write_text(text, encoding="utf-8")
    for party in made.values():
        party.contracts.sign(draft)
    for party in made.values():
        contract: Contract = party.contracts.import_(draft)
        party.close()
    return contract


def main() -> None:
    """Measure, print, and say which pages are above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS_MADE)
    parser.add_argument("--times", type=int, default=TIMES)
    wanted = parser.parse_args()
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    try:
        pages = measure(BUILD.absolute(), wanted.requests, wanted.times)
    finally:
        shutil.rmtree(BUILD, ignore_errors=True)
    figures = {"requests": wanted.requests, "pages": [asdict(one) for one in pages]}
    write_figures(FOLDER / "console.json", figures)
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
                for one in pages
            ],
        )
    )
    slow = [one.path for one in pages if one.processor_ms > MOST_MS]
    large = [one.path for one in pages if one.compressed_bytes > MOST_BYTES]
    print(
        f"over {wanted.requests:,} requests; above {MOST_MS} ms of processor time: "
        f"{', '.join(slow) or 'none'}"
    )
    print(f"above {MOST_BYTES // 1000} kB: {', '.join(large) or 'none'}")


if __name__ == "__main__":
    main()
