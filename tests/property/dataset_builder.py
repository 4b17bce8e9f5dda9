"""Small datasets for tests: a description and its files in a folder."""

import json
from pathlib import Path

import pandas as pd
import yaml

from party.datasets import load_definition
from party.datasets.prepare import prepare

ADS = "dpv:TargetedAdvertising"
RESEARCH = "dpv:MarketResearch"
SALT = bytes(range(32))
NOW = 1_800_000_000.0


def description(**changes):
    """Return the description of the data that `rows` makes, with keys replaced (None removes)."""
    document = {
        "dataset": "receipts",
        "source": "receipts.csv",
        "person": "household",
        "columns": {
            "email": "id.email",
            "tel": {"kind": "id.phone", "region": "US"},
            "opt_in": "consent",
        },
        "consent": {
            "column": "opt_in",
            "given": ["yes", "true", "1"],
            "purposes": [ADS, RESEARCH],
            "recipients": ["channel"],
        },
        "labels": {"segment": {"column": "segment", "values": ["gold", "silver", "new"]}},
    }
    document |= changes
    return {key: value for key, value in document.items() if value is not None}


def row(household, email=None, tel=None, segment="gold", opt_in="yes", **more):
    """Return one row; give only what the test is about."""
    columns = {"household": household, "email": email, "tel": tel, "segment": segment}
    return columns | {"opt_in": opt_in} | more


def write(folder: Path, rows, *, name="receipts.csv", **changes):
    """Write rows and description; return the definition."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        frame.to_parquet(target, index=False)
    else:
        frame.to_csv(target, index=False)
    return describe(folder, **{"source": name} | changes)


def describe(folder: Path, **changes):
    """Write a description and load it."""
    path = folder / "dataset.yaml"
    document = json.loads(json.dumps(description(**changes)))  # lists of their own: no aliases
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_definition(path)


def prepared(definition, **changes):
    """Prepare with arguments that suit `description`, some of them replaced."""
    arguments = {
        "label": "segment",
        "values": ["gold", "silver", "new"],
        "identifiers": ["email", "phone"],
        "offer": "all",
        "most_identifiers": 8,
        "purpose": ADS,
        "recipients": ["channel"],
        "salt": SALT,
        "now": NOW,
    }
    return prepare(definition, **arguments | changes)


def steps_of(result):
    """Return the steps as a mapping of name to (before, after)."""
    return {step.name: (step.before, step.after) for step in result.steps}


def references_of(result):
    """Return the references of the people who take part."""
    return result.person_refs.to_pylist()
