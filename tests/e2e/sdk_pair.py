"""Two parties made and joined with the SDK alone: an advertiser from a DataFrame, a channel."""

import re
from pathlib import Path

import pandas as pd
from known_people import HEADER, Holding, matched, reached
from ports import free_port

from commonground import Party

HOLDINGS = {"advertiser": Holding("advertiser", 0, 300), "channel": Holding("channel", 75, 375)}
_DATASET = (
    "{identifiers: [phone, email], most_identifiers: 2, "
    'labels: {frequency: ["1", "2", "3+"], segment: [gold, silver]}}'
)
_LISTS, _TABLES = '"dpv:TargetedAdvertising"', '"dpv:MarketResearch"'
_BY_RULE = "approval: rule, export_to: [meta]"
AGREED = {
    "identifiers": "\n- phone\n- email",
    "datasets": "".join(f"\n  {name}: {{{name}-people: {_DATASET}}}" for name in HOLDINGS),
    "outputs": f"""
  - {{kind: match, receiver: advertiser, sender: channel, purpose: {_LISTS}, {_BY_RULE}}}
  - {{kind: match, receiver: channel, sender: advertiser, purpose: {_LISTS}, approval: manual}}
  - {{kind: reach, recipient: advertiser, tabulator: channel, purpose: {_TABLES}, approval: rule}}
  - {{kind: reach, recipient: channel, tabulator: advertiser, purpose: {_TABLES}, approval: manual}}
  - {{kind: overlap, recipient: advertiser, tabulator: channel, purpose: {_TABLES}, approval: rule}}
""",
    "budgets": "".join(f'\n  {name}: {{epsilon: "100", delta: "1e-6"}}' for name in HOLDINGS),
    "min_match": " 50",
}


def description(name, email_kind="id.email"):
    """Return a description as a mapping, without a source."""
    return {
        "dataset": f"{name}-people",
        "person": "ref",
        "columns": {
            "email": email_kind,
            "phone": {"kind": "id.phone", "region": "US"},
            "frequency": "attribute",
            "segment": "attribute",
            "consent": "consent",
        },
        "consent": {
            "column": "consent",
            "given": ["yes"],
            "purposes": ["dpv:TargetedAdvertising", "dpv:MarketResearch"],
            "recipients": ["advertiser", "channel"],
        },
        "labels": {
            "frequency": {"column": "frequency", "values": ["1", "2", "3+"]},
            "segment": {"column": "segment", "values": ["gold", "silver"]},
        },
    }


def frame_of(name):
    holding = HOLDINGS[name]
    people = [holding.row(i) for i in range(holding.start, holding.stop)]
    return pd.DataFrame(people, columns=HEADER)


def make_pair(folder: Path):
    """Return an advertiser that only dials and a channel that can listen, under a contract."""
    where = {"channel": f"127.0.0.1:{free_port()}", "advertiser": None}
    made = {
        name: Party.create(
            folder / name,
            name=name,
            organisation=f"The {name}",
            origin=f"{name}.test/log",
            jurisdiction="NL",
            listen=where[name],
            workers=1,
        )
        for name in where
    }
    advertiser, channel = made["advertiser"], made["channel"]
    advertiser.datasets.add_frame(frame_of("advertiser"), description("advertiser"))
    channel.datasets.add(HOLDINGS["channel"].write(folder, "channel-people"))
    file = advertiser.contracts.propose(channel.card, id="deal", out=folder / "deal.yaml")
    file.write_text(filled_in(file.read_text(encoding="utf-8")), encoding="utf-8")
    for party in (advertiser, channel):
        party.contracts.sign(file)
    for party in (advertiser, channel):
        party.contracts.import_(file)
    return advertiser, channel


def filled_in(text):
    """Return a draft in which sections say what the two have agreed."""
    for key, said in AGREED.items():
        section = rf"(?m)^{key}:.*\n(?:[ -].*\n)*"
        text, times = re.subn(section, f"{key}:{said.rstrip()}\n", text)
        assert times == 1, key
    return text


def true_match():
    return matched(HOLDINGS["advertiser"], HOLDINGS["channel"])


def true_reach():
    return reached(HOLDINGS["advertiser"], HOLDINGS["channel"])
