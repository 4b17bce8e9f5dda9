"""Two parties of which the channel has a list: by name, refreshed, with changing people."""

import csv
import shutil
import time
from pathlib import Path

from organisations import Wire, copy_pair, make_contract, make_pair, people, run_both, write_dataset

from client.asking import refresh_request
from party.contract_terms import ListUse
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.evidence import StoredLog, verify_log
from party.list_names import Naming
from party.lists import Lists
from party.request import Request
from party.retention import prune

DAY = 86_400
PLATFORMS = ", export_to: [google-customer-match, meta, tiktok, uid2]"
FREQUENCIES = ["1", "2", "3"]
NAME = "summer"


class Listed:
    """Both parties, and what the channel does with its list."""

    def __init__(self, folder: Path, parties, contract):
        self.folder, self.parties, self.contract = folder, parties, contract

    @property
    def channel(self):
        return self.parties["channel"]

    @property
    def lists(self):
        return Lists(self.channel)

    def close(self):
        for party in self.parties.values():
            party.close()

    def ask(self, naming=None, *, use=ListUse.INCLUDE, requester="channel"):
        """File a match of which the channel gets the list, at both parties."""
        request = Request.match(
            self.contract, requester=requester, receiver="channel", sender="advertiser",
            now=self.channel.now, use=use,
        )  # fmt: skip
        return self.file(request, naming)

    def file(self, request, naming):
        asker = request.requester
        other = next(name for name in self.parties if name != asker)
        desk = Desk(self.parties[asker])
        signed = desk.make(request, self.contract, actor="test", naming=naming)
        Desk(self.parties[other]).submit(asker, signed)
        return signed

    def carry_out(self, request, wire=None):
        return run_both(self.parties, request, wire or Wire())

    def match(self, naming=None, **options):
        request = self.ask(naming, **options)
        ended = self.carry_out(request)
        assert ended == {"advertiser": None, "channel": None}, ended
        return request

    def ask_refresh(self, name=NAME, contract=None):
        found = self.lists.find(name)
        request = refresh_request(self.channel, found, contract or self.contract)
        return self.file(request, Naming(name, replaces=found.request.id))

    def refresh(self, name=NAME):
        request = self.ask_refresh(name)
        ended = self.carry_out(request)
        assert ended == {"advertiser": None, "channel": None}, ended
        return request

    def at(self, days):
        for party in self.parties.values():
            party.clock = lambda: time.time() + days * DAY

    def set_people(self, rows):
        """Let other people stand in the channel's file."""
        write_dataset(self.data, "receipts", rows, label="frequency")

    @property
    def data(self):
        return self.folder / "data" / "channel"

    def register(self, text_of=lambda text: text):
        """Register the channel's dataset again, with its description changed."""
        path = self.data / "receipts.yaml"
        path.write_text(text_of(path.read_text()))
        definition = load_definition(path)
        self.channel.keep_dataset(definition, inspect(definition), None)

    def references(self, part):
        now = self.channel.now
        table = self.lists.find(NAME).table(part, now)
        return set(table["reference"].to_pylist())

    def pruned(self):
        return len(prune(self.channel))

    def entries(self, kind):
        log = StoredLog(self.channel.store, self.channel.identity)
        return [entry for entry in log.parsed() if entry.kind == kind]

    def verify(self):
        for party in self.parties.values():
            verify_log(StoredLog(party.store, party.identity))


def make_listed(folder: Path, of_matches=PLATFORMS):
    """Make both parties, without a match yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return Listed(folder, *make_pair(folder, of_matches=of_matches))


def copy_listed(ready: Path, folder: Path):
    """Open copies of parties at rest, with data of their own."""
    listed = Listed(folder, *copy_pair(ready, folder))
    shutil.copytree(ready / "data", folder / "data")
    listed.register()
    return listed


def another_contract(listed, of_matches=""):
    labels = {"advertiser": ["gold", "silver"], "channel": FREQUENCIES}
    return make_contract(
        listed.folder, listed.parties, labels,
        contract_id="other", of_matches=of_matches,
    )  # fmt: skip


def of_people(start, stop, **consent):
    return people(start, stop, FREQUENCIES, **consent)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))
