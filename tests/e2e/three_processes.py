"""Three organisations as folders and processes: the advertiser dials, channel and vendor listen.

Everybody's people overlap; each listener stands behind a road of its own, which a test can slow
down or cut. Nobody but the advertiser knows the way to both.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from known_people import email, write_csv
from slow_road import Road
from two_processes import Party

from party.contract_terms import OutputKind
from party.desk import Desk
from party.evidence import StoredLog, compare_all_logs
from party.organisation import Organisation
from party.request import Request
from party.yaml_text import write_yaml

ROLES = {"tabulator": "channel", "recipient": "advertiser", "third": "vendor"}
NAMES = ("advertiser", "channel", "vendor")
PEOPLE = {"advertiser": range(300), "channel": range(60, 360), "vendor": range(30, 330)}
VALUES = ["one", "two"]


@dataclass(frozen=True)
class Three:
    """The parties by name, and the road to each that listens."""

    parties: dict[str, Party]
    roads: dict[str, Road]

    def serve(self, *names):
        for name in names or self.roads:
            self.parties[name].serve(self.roads[name])

    def file(self, **changes):
        """File a request for a table at the advertiser; return it."""
        party = Organisation.open(self.parties["advertiser"].folder)
        try:
            contract = party.contract("three")
            request = Request.crosstab(
                contract,
                OutputKind.INSIGHTS,
                requester="advertiser",
                now=party.now,
                labels=dict.fromkeys(NAMES, "group"),
                **ROLES,
                **changes,
            )
            return Desk(party).make(request, contract, actor="test")
        finally:
            party.close()

    def compared(self):
        """Return the comparison of every two logs, each of which verifies."""
        opened = [Organisation.open(party.folder) for party in self.parties.values()]
        try:
            return compare_all_logs(*(StoredLog(one.store, one.identity) for one in opened))
        finally:
            for one in opened:
                one.close()

    def end(self):
        for party in self.parties.values():
            party.end()
        for road in self.roads.values():
            road.close()


def make_three(folder: Path, roads=None, new_store=lambda: "") -> Three:
    """Make the parties with data, and a contract that all have signed.

    `roads` lead to those that listen; `new_store` says where a party's store is: empty for SQLite
    in its folder.
    """
    three = Three(
        {name: Party(folder / name, folder / "said") for name in NAMES},
        roads or {name: Road() for name in ("channel", "vendor")},
    )
    cards = {}
    for name, party in three.parties.items():
        road = three.roads.get(name)
        listen = ("--listen", road.address) if road else ()
        party.read(
            *("init", party.folder, "--name", name, "--organisation", f"The {name}"),
            *("--jurisdiction", "NL", "--origin", f"{name}.test/log", *listen),
            *("--store", new_store()),
        )
        party.set(workers=1)
        party.read("dataset", "add", _write_people(folder / "data" / name, PEOPLE[name]))
        opened = Organisation.open(party.folder)
        cards[name] = replace(opened.own_card(), address=road.address if road else None).to_json()
        opened.close()
    path = folder / "contract.yaml"
    path.write_text(write_yaml(_contract(cards)), encoding="utf-8")
    for step in ("sign", "import"):
        for party in three.parties.values():
            party.read("contract", step, path)
    return three


def _write_people(folder: Path, people):
    rows = [[str(i), email(i), VALUES[i % 2], "yes"] for i in people]
    write_csv(folder / "people.csv", rows, ["ref", "email", "group", "consent"])
    path = folder / "people.yaml"
    document = {
        "dataset": "people",
        "source": "people.csv",
        "person": "ref",
        "columns": {"email": "id.email", "group": "attribute", "consent": "consent"},
        "consent": {
            "column": "consent",
            "given": ["yes"],
            "purposes": ["dpv:MarketResearch"],
            "recipients": list(NAMES),
        },
        "labels": {"group": {"column": "group", "values": VALUES}},
    }
    path.write_text(write_yaml(document), encoding="utf-8")
    return path


def _contract(cards):
    data = {"identifiers": ["email"], "most_identifiers": 1, "labels": {"group": VALUES}}
    return {
        "contract": "commonground/1",
        "id": "three",
        "title": "Three",
        "parties": cards,
        "profile": {"version": "2026.1", "gmail": False},
        "identifiers": ["email"],
        "datasets": {name: {"people": data} for name in NAMES},
        "outputs": [
            {"kind": "insights", **ROLES, "purpose": "dpv:MarketResearch", "approval": "rule"}
        ],
        "budgets": {name: {"epsilon": "100", "delta": "1e-6"} for name in NAMES},
        "filter": "basic",
        "window_days": 30,
        "min_match": 50,
        "min_cell": 10,
        "list_expiry_days": 2,
        "retention_days": 90,
        "consent_max_age_hours": 24,
        "starts": "2020-01-01T00:00:00Z",
        "ends": "2099-12-31T00:00:00Z",
    }
