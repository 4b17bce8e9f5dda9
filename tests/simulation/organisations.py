"""Two whole parties in one process: real folders, stores, logs and files; links in memory.

Covers: the session from request to cosigned logs, on either side stopped at any call of its
link and started again from disk. Does not cover: the wire, TLS, and a kill inside a call (see
tests/e2e, where processes are killed).
"""

import csv
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from store_backends import SQLITE

from party.card import IdentityCard
from party.contract import Contract
from party.contract_file import load_contract, sign_contract_file
from party.contract_terms import write_time
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import PartyError, RefusalStatus, RefusedThere, SessionSuspended
from party.organisation import Organisation
from party.places import Places
from party.request import Request
from party.settings import FILE, Settings, load_settings, render_settings
from party.wire.exchanges import kind_for, kind_of

SECONDS = 60
PAIR = ("advertiser", "channel")


class Killed(BaseException):
    """The process ends here, as far as the party is concerned."""


class Wire:
    """What outlives a party's process: what was said, delivered and acknowledged."""

    def __init__(self):
        self.said, self.artefacts, self.refusals = {}, {}, {}
        self.changed = threading.Condition()
        self.down = set()

    def wait(self, ready, me, peer):
        with self.changed:
            got = self.changed.wait_for(
                lambda: ready() or peer in self.refusals or peer in self.down, SECONDS
            )
            if ready():
                return
            if peer in self.refusals:
                raise RefusedThere(*self.refusals[peer])
            raise SessionSuspended(f"{peer} is gone" if got else f"{peer} is silent")

    def tell(self):
        with self.changed:
            self.changed.notify_all()


class WireLink:
    """A link that ends its process at the call named `dies_at`: before it, or after it."""

    def __init__(self, wire, me, peer, folder, *, dies_at=None, after=False, tamper=None):
        self.wire, self.me, self.peer, self.folder = wire, me, peer, folder
        self.dies_at, self.after, self.tamper = dies_at, after, tamper

    def _count(self, name, done):
        if done == self.after and name == self.dies_at:
            raise Killed(name)

    def exchange(self, message):
        kind = type(message).__name__
        self._count(kind, False)
        data = kind_of(message).to_bytes(message)
        if self.tamper is not None:
            data = self.tamper(kind, data)
        with self.wire.changed:
            self.wire.said.setdefault((self.me, kind), data)
            self.wire.changed.notify_all()
        self.wire.wait(lambda: (self.peer, kind) in self.wire.said, self.me, self.peer)
        heard = kind_of(message).from_bytes(self.wire.said[self.peer, kind])
        self._count(kind, True)
        return heard

    def said(self, kind):
        data = self.wire.said.get((self.me, kind.__name__))
        return None if data is None else kind_for(kind).from_bytes(data)

    def send(self, step, artefact):
        self._count(f"send {step}", False)
        with self.wire.changed:
            self.wire.artefacts[step] = artefact
            self.wire.changed.notify_all()
        self.wire.wait(lambda: ("stored", step) in self.wire.said, self.me, self.peer)
        self._count(f"send {step}", True)

    def receive(self, step):
        self._count(f"receive {step}", False)
        if self.folder.load(step) is None:
            self.wire.wait(lambda: step in self.wire.artefacts, self.me, self.peer)
            self.folder.store(step, self.wire.artefacts[step])
        with self.wire.changed:
            self.wire.said["stored", step] = b""
            self.wire.changed.notify_all()
        self._count(f"receive {step}", True)
        return self.folder.load(step)

    def conclude(self):
        for after in (False, True):
            self._count("conclude", after)

    def refuse(self, status, reason):
        with self.wire.changed:
            self.wire.refusals[self.me] = (RefusalStatus(status), reason)
            self.wire.changed.notify_all()


def write_dataset(folder: Path, name: str, people, *, label: str, recipients=PAIR):
    """Write people (reference, email, phone, label value, consent) as CSV and its description."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ref", "email", "phone", label, "consent"])
        rows.writerows(people)
    values = sorted({row[3] for row in people})
    (folder / f"{name}.yaml").write_text(
        f"""dataset: {name}
source: {name}.csv
person: ref
columns:
  email: id.email
  phone: {{kind: id.phone, region: US}}
  {label}: attribute
  consent: consent
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [{", ".join(recipients)}]
labels:
  {label}: {{column: {label}, values: {values}}}
""",
        encoding="utf-8",
    )
    return values


def people(start, stop, labels, *, consent=lambda i: "yes"):
    """Return synthetic people; the same number is the same person at every party."""
    return [
        (
            f"ref{i}",
            f" Person{i}@Example.com ",
            f"(202) 555-{i % 10000:04d}" if i % 9 else "",
            labels[i % len(labels)],
            consent(i),
        )
        for i in range(start, stop)
    ]


def make_party(folder: Path, name: str, stores=SQLITE):
    party = Organisation.create(
        folder / name,
        Settings(organisation=f"The {name}", workers=1, store=stores.new()),
        name=name,
        log_origin=f"{name}.test/log",
        hosts=["localhost"],
        places=Places.of("NL"),
    )
    party._processes = ThreadPoolExecutor(1)
    return party


def make_contract(
    folder: Path,
    parties,
    labels,
    *,
    min_match=1,
    epsilon="10",
    approval="rule",
    accounting_filter="basic",
    addresses=None,
    of_matches="",
    contract_id="test",
    ends=4102358400,  # 2099-12-31
    beside="",
    advertiser="advertiser",
):
    """Write, sign by both and store one contract between advertiser and channel.

    The `advertiser` may have another name. Dummies count against the minimum of a match: the forty
    people whom both sides of `make_pair` have, nearly all by two identifiers, are below it once in
    ten million sessions.

    `of_matches` is added to the terms of each match, such as ", export_to: [meta]"; `beside` are
    lines of terms that a contract may leave out.
    """
    targeting, research = "dpv:TargetedAdvertising", "dpv:MarketResearch"
    outputs = "\n".join(
        f'  - {{kind: {kind}, {roles}, purpose: "{purpose}", approval: {approval}'
        f"{of_matches if kind == 'match' else ''}}}"
        for kind, roles, purpose in (
            ("match", "receiver: channel, sender: advertiser", targeting),
            ("match", "receiver: advertiser, sender: channel", targeting),
            ("reach", "recipient: advertiser, tabulator: channel", research),
            ("overlap", "recipient: channel, tabulator: advertiser", research),
        )
    )
    reached = addresses or {}
    cards: dict[str, IdentityCard] = {
        name: replace(p.own_card(), address=reached.get(name)) for name, p in parties.items()
    }
    text = f"""contract: commonground/1
id: {contract_id}
title: Test
parties:
{_indented(cards)}
profile: {{version: "2026.1", gmail: false}}
identifiers: [phone, email]
datasets:
  advertiser:
    customers:
      identifiers: [email, phone]
      most_identifiers: 2
      labels: {{segment: {labels["advertiser"]}}}
  channel:
    receipts:
      identifiers: [email, phone]
      most_identifiers: 2
      labels: {{frequency: {labels["channel"]}}}
outputs:
{outputs}
budgets:
  advertiser: {{epsilon: "{epsilon}", delta: "1e-6"}}
  channel: {{epsilon: "{epsilon}", delta: "1e-6"}}
filter: {accounting_filter}
window_days: 30
min_match: {min_match}
min_cell: 10
list_expiry_days: 30
retention_days: 90
consent_max_age_hours: 24
starts: 2020-01-01T00:00:00Z
ends: {write_time(ends)}
{beside}""".replace("advertiser", advertiser)
    path = folder / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    for party in parties.values():
        sign_contract_file(path, party.identity)
    contract: Contract = load_contract(path)
    for party in parties.values():
        party.keep_contract(contract)
    return contract


def make_pair(folder: Path, stores=SQLITE, **contract):
    """Return both parties with datasets and a contract."""
    parties = {name: make_party(folder, name, stores) for name in ("advertiser", "channel")}
    sets = {
        "advertiser": ("customers", "segment", people(0, 60, ["gold", "silver"])),
        "channel": ("receipts", "frequency", people(20, 90, ["1", "2", "3"])),
    }
    labels = {}
    for name, (dataset, label, rows) in sets.items():
        labels[name] = write_dataset(folder / "data" / name, dataset, rows, label=label)
        definition = load_definition(folder / "data" / name / f"{dataset}.yaml")
        parties[name].keep_dataset(definition, inspect(definition), None)
    return parties, make_contract(folder, parties, labels, **contract)


def copy_pair(ready: Path, folder: Path, stores=SQLITE):
    """Open copies of the parties of `ready`; their datasets stay where they are."""
    parties = {}
    for name in ("advertiser", "channel"):
        shutil.copytree(ready / name, folder / name)
        settings = load_settings(folder / name)
        copied = replace(settings, store=stores.copy_of(settings.store))
        (folder / name / FILE).write_text(render_settings(copied), encoding="utf-8")
        parties[name] = Organisation.open(folder / name)
        parties[name]._processes = ThreadPoolExecutor(1)
    return parties, parties["advertiser"].contract("test")


def file_match(parties, contract):
    """File a match at both parties, whose list the channel gets; return its request."""
    request = Request.match(
        contract,
        requester="channel",
        receiver="channel",
        sender="advertiser",
        now=parties["channel"].now,
    )
    request = Desk(parties["channel"]).make(request, contract, actor="test")
    Desk(parties["advertiser"]).submit("channel", request)
    return request


def run_both(parties, request, wire, **link_options):
    """Run both sides until each ends; return {party: None or what ended it}."""
    ended = {}

    def work(name):
        peer = next(other for other in parties if other != name)
        desk = Desk(parties[name])
        link = WireLink(wire, name, peer, desk.folder(request.id), **link_options.get(name, {}))
        try:
            desk.run(request, {peer: link})
            ended[name] = None
        except (Killed, PartyError) as error:
            ended[name] = error
        wire.down.add(name)
        wire.tell()

    wire.down.clear()
    threads = [threading.Thread(target=work, args=(name,)) for name in parties]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * SECONDS)
    return ended


def _indented(cards):
    import yaml

    text = yaml.safe_dump({name: card.to_json() for name, card in cards.items()}, sort_keys=False)
    return "".join(f"  {line}\n" for line in text.splitlines())


__all__ = ["Killed", "Wire", "WireLink", "copy_pair", "file_match", "make_pair", "run_both"]
