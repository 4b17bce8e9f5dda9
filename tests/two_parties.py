"""Two parties and a contract between them, for the tests of contracts and requests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from party import identity
from party.card import IdentityCard
from party.contract import Contract

BEFORE = 1_700_000_000
"""When the parties were made (Unix seconds)."""
NOW = 1_700_500_000
STARTS, ENDS = "2023-11-15T00:00:00Z", "2024-11-15T00:00:00Z"


_FOLDERS = TemporaryDirectory(prefix="commonground-test-")  # deleted when the tests end


def party_called(name, copy=0):
    """Return an identity; `copy` tells several parties of one name apart."""
    return _party(name, copy)


def card_of(name, copy=0):
    return IdentityCard.of(
        party_called(name, copy), organisation=f"{name.title()} Ltd", address="127.0.0.1:7443"
    )


def contract_document(*parties):
    """Return a contract's document between advertiser, channel, and perhaps more."""
    names = ["advertiser", "channel", *parties]
    table = {"recipient": "advertiser", "tabulator": "channel", "purpose": "dpv:MarketResearch"}
    datasets = {
        "advertiser": {
            "customers": {
                "identifiers": ["email", "phone"],
                "most_identifiers": 2,
                "labels": {"segment": ["gold", "silver", "new"]},
            }
        },
        "channel": {
            "receipts": {
                "identifiers": ["email", "phone", "maid"],
                "most_identifiers": 3,
                "labels": {"frequency": ["1", "2", "3", "4+"], "region": ["north", "south"]},
            },
            "devices": {"identifiers": ["maid"], "most_identifiers": 1},
        },
        **{name: {"panel": {"identifiers": ["email"], "most_identifiers": 1}} for name in parties},
    }
    return {
        "contract": "commonground/1",
        "id": "summer-2026",
        "title": "Summer campaign",
        "parties": {name: card_of(name).to_json() for name in names},
        "profile": {"version": "2026.1", "gmail": False},
        "identifiers": ["phone", "email", "maid"],
        "datasets": datasets,
        "outputs": [
            {
                "kind": "match",
                "receiver": "channel",
                "sender": "advertiser",
                "purpose": "dpv:TargetedAdvertising",
                "approval": "rule",
            },
            {"kind": "reach", **table, "approval": "manual"},
            {"kind": "overlap", **table, "approval": "rule"},
        ],
        "budgets": {name: {"epsilon": "10", "delta": "1e-6"} for name in names},
        "filter": "basic",
        "window_days": 30,
        "min_match": 1000,
        "min_cell": 10,
        "list_expiry_days": 30,
        "retention_days": 90,
        "consent_max_age_hours": 24,
        "starts": STARTS,
        "ends": ENDS,
    }


def signed(document):
    """Return the contract in a document, signed by all of its parties."""
    contract = Contract.from_json(document)
    for name in contract.parties:
        contract = contract.sign(party_called(name))
    return contract


@cache
def _party(name, copy):
    folder = Path(_FOLDERS.name) / f"{name}-{copy}"
    return identity.create(
        folder, name=name, log_origin=f"example.com/{name}{copy or ''}", now=BEFORE
    )


THREE = {"tabulator": "channel", "recipient": "advertiser", "third": "vendor"}


def contract_of_three(*kinds, third="vendor"):
    """Return a document between three that grants these kinds of table to all of them."""
    document = contract_document(third)
    panel = document["datasets"][third]["panel"]
    panel["identifiers"], panel["labels"] = ["phone", "email"], {"income": ["low", "high"]}
    grant = {**THREE, "third": third, "purpose": "dpv:MarketResearch", "approval": "manual"}
    document["outputs"] += [{"kind": str(kind), **grant} for kind in kinds]
    return document
