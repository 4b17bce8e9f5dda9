"""Three whole parties in one process: real folders, stores, logs and files; links in memory.

The advertiser asks and receives, the channel tabulates, the vendor is the third. Every two have a
link of their own. Covers: filing, charges, release, logs and cosignatures of three. Does not cover:
the wire, and that the hub relays what the other two say to each other.
"""

import threading
from dataclasses import replace
from itertools import combinations

from organisations import SECONDS, Killed, Wire, WireLink, make_party, people, write_dataset
from store_backends import SQLITE

from party.contract_file import load_contract, sign_contract_file
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import PartyError
from party.request import Request
from party.yaml_text import write_yaml

ROLES = {"tabulator": "channel", "recipient": "advertiser", "third": "vendor"}
RESEARCH = "dpv:MarketResearch"
EVERYBODY = ["advertiser", "channel", "vendor"]
SETS = {
    "advertiser": ("customers", "segment", people(0, 60, ["gold", "silver"])),
    "channel": ("receipts", "frequency", people(20, 90, ["1", "2", "3"])),
    "vendor": ("panel", "income", people(10, 80, ["high", "low"])),
}
ADDRESSES = {"channel": "127.0.0.1:7001", "vendor": "127.0.0.1:7002"}


def make_three(
    folder,
    stores=SQLITE,
    *,
    approval="rule",
    kinds=("insights",),
    epsilon="10",
    addresses=ADDRESSES,
):
    """Return the parties by name, with datasets, and the contract that all have signed."""
    parties = {name: make_party(folder, name, stores) for name in EVERYBODY}
    datasets = {}
    for name, (dataset, label, rows) in SETS.items():
        values = write_dataset(
            folder / "data" / name, dataset, rows, label=label, recipients=EVERYBODY
        )
        definition = load_definition(folder / "data" / name / f"{dataset}.yaml")
        parties[name].keep_dataset(definition, inspect(definition), None)
        datasets[name] = {
            dataset: {
                "identifiers": ["email", "phone"],
                "most_identifiers": 2,
                "labels": {label: values},
            }
        }
    two = {role: ROLES[role] for role in ("tabulator", "recipient")}
    terms = {"purpose": RESEARCH, "approval": approval}
    document = {
        "contract": "commonground/1",
        "id": "three",
        "title": "Three",
        "parties": {
            name: replace(parties[name].own_card(), address=addresses.get(name)).to_json()
            for name in EVERYBODY
        },
        "profile": {"version": "2026.1", "gmail": False},
        "identifiers": ["phone", "email"],
        "datasets": datasets,
        "outputs": [
            {"kind": "reach", **two, **terms},
            *({"kind": kind, **ROLES, **terms} for kind in kinds),
        ],
        "budgets": {name: {"epsilon": epsilon, "delta": "1e-6"} for name in EVERYBODY},
        "filter": "basic",
        "window_days": 30,
        "min_match": 1,
        "min_cell": 10,
        "list_expiry_days": 30,
        "retention_days": 90,
        "consent_max_age_hours": 24,
        "starts": "2020-01-01T00:00:00Z",
        "ends": "2099-12-31T00:00:00Z",
    }
    path = folder / "contract.yaml"
    path.write_text(write_yaml(document), encoding="utf-8")
    for party in parties.values():
        sign_contract_file(path, party.identity)
    contract = load_contract(path)
    for party in parties.values():
        party.keep_contract(contract)
    return parties, contract


def insights_of_three(parties, contract, **changes):
    """Return the unsigned request of the advertiser."""
    choice = {
        "labels": {name: SETS[name][1] for name in EVERYBODY},
        "identifier": "email",
        **changes,
    }
    return Request.crosstab(
        contract,
        contract.outputs[1].kind,
        requester="advertiser",
        now=parties["advertiser"].now,
        **ROLES,
        **choice,
    )


def file_at_all(parties, contract, request):
    """File the request at its asker and put it to the others; return it signed."""
    signed = Desk(parties["advertiser"]).make(request, contract, actor="operator")
    for name in ("channel", "vendor"):
        decision = Desk(parties[name]).submit("advertiser", signed)
        if decision.state != "pending":
            Desk(parties["advertiser"]).decide(name, signed.id, decision)
    return signed


def new_wires():
    """Return a wire for every two parties."""
    return {frozenset(pair): Wire() for pair in combinations(EVERYBODY, 2)}


def run_three(parties, request, wires, link_options=None):
    """Run all sides until each ends; return {party: None or what ended it}.

    `link_options` are a `WireLink`'s, by (whose it is, its peer).
    """
    options = link_options or {}
    ended = {}

    def work(name):
        desk = Desk(parties[name])
        mine = {peer: wires[frozenset((name, peer))] for peer in EVERYBODY if peer != name}
        links = {
            peer: WireLink(
                wire, name, peer, desk.folder(request.id), **options.get((name, peer), {})
            )
            for peer, wire in mine.items()
        }
        try:
            desk.run(request, links)
            ended[name] = None
        except (Killed, PartyError) as error:
            ended[name] = error
        for wire in mine.values():
            wire.down.add(name)
            wire.tell()

    for wire in wires.values():
        wire.down.clear()
    threads = [threading.Thread(target=work, args=(name,)) for name in parties]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * SECONDS)
    return ended
