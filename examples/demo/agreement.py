"""Parties are made, and contracts between them: drafted, filled in as a person would, signed."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from examples.demo.processes import CommandError, Party, at_once

SMALL = 10_000  # below, the default minimum of 1,000 people is more than households can give
ORGANISATIONS = {
    "advertiser": "Example Foods",
    "channel": "Channel 5",
    "vendor": "Household Panel",
}
DATASETS = {
    "advertiser": (("customers", "customers"), ("baskets", "customers")),
    "channel": (("receipts", "receipts"), ("experiment", "receipts")),
    "vendor": (("demographics", "panel"), ("coupons", "panel")),
}
"""What each registers: datasets, and the population that they are of, which has one budget."""
EPSILON = "60"
"""What people of a contract of three bear: it is one account with the contract of two."""
_EXAMPLE = """\
    people:
      identifiers: [email, phone]
      most_identifiers: 2
      labels:
        group: [one, two]
"""


def set_up(party: Party, data: Path) -> None:
    """Make a party and register its datasets, whose descriptions lie in `data`."""
    name = party.folder.name
    party.run(
        "init", party.folder, "--name", name, "--organisation", ORGANISATIONS[name],
        "--jurisdiction", "NL", "--origin", f"{name}.example/log",
        "--listen", f"127.0.0.1:{free_port()}",
    )  # fmt: skip
    for dataset, population in DATASETS[name]:
        party.run("dataset", "add", data / name / f"{dataset}.yaml", "--population", population)


def agree_on_two(build: Path, first: Party, second: Party, households: int) -> None:
    """Draft a contract between two, fill it in, and let both sign and keep it."""
    path = build / "contract.yaml"
    _, offered = at_once(
        partial(first.run, "contract", "propose", _card(second), "--out", path),
        partial(_offer, build, second, first),
    )
    changes = {"approval: manual": "approval: rule"}
    if households < SMALL:
        changes["min_match: 1000"] = "min_match: 300"
        print("  The contract's minimum for a list is lowered to 300 people for so few households.")
    _fill_in(path, {second: offered}, changes)
    _sign(path, (first, second))


def agree_on_three(build: Path, first: Party, second: Party, third: Party) -> None:
    """Draft a contract of three, fill it in, and let all sign and keep it."""
    path = build / "three.yaml"
    third_card = ("--third", _card(third))
    words = ("contract", "propose", _card(second), *third_card, "--id", "three", "--out", path)
    others = (second, third)
    _, *offers = at_once(
        partial(first.run, *words), *(partial(_offer, build, party, first) for party in others)
    )
    _fill_in(
        path, dict(zip(others, offers, strict=True)), {"epsilon: '10'": f"epsilon: '{EPSILON}'"}
    )
    _sign(path, (first, second, third))


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _card(party: Party) -> Path:
    return party.folder / "public.yaml"


def _offer(build: Path, party: Party, towards: Party) -> str:
    """Return what a draft of its own says that a party offers."""
    name = party.folder.name
    path = build / f"offer-{name}.yaml"
    party.run("contract", "propose", _card(towards), "--out", path)
    offered = re.search(rf"^datasets:\n  {name}:\n((?:    .*\n)+)", _read(path), re.MULTILINE)
    if offered is None:
        raise CommandError(f"the draft of {name} does not say what it offers")
    path.unlink()
    return offered[1]


def _fill_in(path: Path, offers: Mapping[Party, str], changes: Mapping[str, str]) -> None:
    """Edit a draft as a person would: what the others offer, who approves, the bounds."""
    text = _read(path)
    stated = {
        f"  {party.folder.name}:\n{_EXAMPLE}": f"  {party.folder.name}:\n{offer}"
        for party, offer in offers.items()
    }
    for old, new in (stated | dict(changes)).items():
        if old not in text:
            raise CommandError(f"the draft no longer says:\n{old}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def _sign(path: Path, parties: Sequence[Party]) -> None:
    for party in parties:
        party.run("contract", "sign", path)
    at_once(*(partial(party.run, "contract", "import", path) for party in parties))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
