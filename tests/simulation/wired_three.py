"""Three parties over real gRPC and mutual TLS on loopback, with scripted drivers.

The advertiser is the recipient and the hub: it dials channel (tabulator) and vendor (third), which
listen and never meet. Covers: the relay, sealed parcels, restarts of any party on what is on disk,
and one that says no. Does not cover: the mathematics, the store, processes killed by a signal.
"""

import contextlib
import time
from functools import cache

import numpy as np
from wired_parties import DAY, PATIENCE, NoLists, ScriptedDesk, Walk, party_called

from client.dial import Dialler
from client.line import Halt
from client.link import DialledLink
from client.relay import Relay
from party.artefacts import SessionFolder
from party.card import IdentityCard
from party.contract import Contract
from party.contract_terms import OutputKind, write_time
from party.errors import Refusal
from party.messages import (
    CheckpointOffer,
    Closing,
    Commitment,
    Cosignature,
    Finish,
    KeyArtefact,
    Nonce,
    NumberingArtefact,
    ReleaseArtefact,
    SizesArtefact,
)
from party.parcels.seal import Seal
from party.request import Request
from party.terms import Terms
from psi.legs import Answers, Leg, Numbering, RouteKey, Sizes
from psi.seed import Seed
from psi.sets import LabelledSet
from server import serve

HUB, TABULATES, THIRD = "advertiser", "channel", "vendor"
LISTEN = (THIRD, TABULATES)


@cache
def contract_of_all():
    """Return a contract of three in force, signed by all."""
    now, parties = int(time.time()), (HUB, *LISTEN)
    cards = {
        name: IdentityCard.of(party_called(name), organisation=name, address="127.0.0.1:7443")
        for name in parties
    }
    data = {"identifiers": ["phone"], "most_identifiers": 1, "labels": {"group": ["one", "two"]}}
    roles = {"tabulator": TABULATES, "recipient": HUB, "third": THIRD}
    document = {
        "contract": "commonground/1",
        "id": "wired",
        "title": "Wired",
        "parties": {name: card.to_json() for name, card in cards.items()},
        "profile": {"version": "2026.1", "gmail": False},
        "identifiers": ["phone"],
        "datasets": {name: {"people": data} for name in parties},
        "outputs": [
            {"kind": "reach", **roles, "purpose": "dpv:MarketResearch", "approval": "rule"}
        ],
        "budgets": {name: {"epsilon": "10", "delta": "1e-6"} for name in parties},
        "filter": "basic",
        "window_days": 30,
        "min_match": 1000,
        "min_cell": 10,
        "list_expiry_days": 30,
        "retention_days": 90,
        "consent_max_age_hours": 24,
        "starts": write_time(now - 3600),
        "ends": write_time(now + DAY),
    }
    contract = Contract.from_json(document)
    for name in contract.parties:
        contract = contract.sign(party_called(name))
    return contract


def make_request():
    request = Request.crosstab(
        contract_of_all(),
        OutputKind.REACH,
        requester=HUB,
        tabulator=TABULATES,
        recipient=HUB,
        third=THIRD,
        now=int(time.time()),
        labels=dict.fromkeys((HUB, *LISTEN), "group"),
    )
    return request.sign(party_called(HUB))


def artefact_of(terms, index, elements):
    """Return what a step carries: the same for the same step, whoever makes it."""
    step = terms.table.steps[index]
    random = np.random.default_rng(index)
    match step:
        case Leg() | Answers():
            labels = len(terms.labels_of(getattr(step, "owner", step.sender)))
            sizes = [elements // labels] * labels
            sizes[0] += elements - sum(sizes)
            width = step.form.value if isinstance(step, Leg) else 32
            rows = random.integers(0, 256, (elements, width), dtype=np.uint8)
            return LabelledSet(tuple(sizes), rows)
        case RouteKey():
            return KeyArtefact(random.bytes(32))
        case Sizes():
            return SizesArtefact((elements, 0, 2**20))
        case Numbering():
            return NumberingArtefact(terms.labels_of(step.sender))
    return ReleaseArtefact((2, 2, 2), (7, -3, 0, 10**12, 1, 2, 3, 4), (1, 0))


class WalkOfThree(Walk):
    """A scripted driver with a link to each of the others; a refusal goes to all of them."""

    def run(self, request, links, folder):
        try:
            super().run(request, links, folder)
        except Refusal as refusal:
            for link in links.values():
                link.refuse(refusal.status.value, refusal.message)
            raise

    def _walk(self, request, links, folder):
        terms = Terms.of(request)
        role = terms.role_of(self.name)
        by_role = {terms.role_of(name): link for name, link in links.items()}
        for message in (
            self.hello(request),
            Commitment(self.name, bytes(32), bytes(range(32))),
            Nonce(self.name, self.name.encode().ljust(32, b"\0")),
        ):
            self._tell(links, message)
        for index, step in enumerate(terms.table.steps):
            if self.before_step is not None and role in (step.sender, step.receiver):
                self.before_step(index, links)
            if step.sender == role:
                if folder.digest(index) is None:
                    folder.store(index, artefact_of(terms, index, self.elements))
                by_role[step.receiver].send(index, folder.load(index))
            elif step.receiver == role:
                self.got[index] = by_role[step.sender].receive(index)
        digests = {i: d for i in range(len(terms.table.steps)) if (d := folder.digest(i))}
        self._tell(links, Closing(self.name, digests))
        self._tell(links, Finish(self.name, bytes(32)))
        for link in links.values():
            self._say(link, CheckpointOffer(self.name, "note\n", (bytes(32),)))
            self._say(link, Cosignature(self.name, "— example.com AAAA"))
            link.conclude()

    def _tell(self, links, message):
        for link in links.values():
            self._say(link, message)


class ThirdsDesk(ScriptedDesk):
    """A desk of a party that does not meet all others."""

    def __init__(self, path, name, make_walk):
        super().__init__(path, [contract_of_all()], make_walk)
        self.name, self.suppressions = name, NoLists()

    def seal(self, request, own, peer):
        verifier = contract_of_all().parties[peer].verifier
        seed = Seed(bytes(31) + own[:1].encode())
        return Seal(request, own, peer, party_called(own).sign, lambda: verifier, lambda: seed)

    def run(self, request, links):
        assert next(iter(links)) == HUB
        walk = self._make_walk()
        self.walks.append(walk)
        walk.run(request, links, self.folder(request.id))


class Table:
    """Two listeners, and what it takes to dial them."""

    def __init__(self, path, *, elements=1000, **limits):
        self.path, self.elements = path, elements
        self.limits = {"patience_seconds": PATIENCE, "hold_seconds": 0.3, **limits}
        self.desks = {
            name: ThirdsDesk(path / name, name, lambda name=name: self.walk_of(name))
            for name in LISTEN
        }
        self.servers, self.ports = {}, dict.fromkeys(LISTEN, 0)
        self.prepare = {}

    def walk_of(self, name):
        walk = WalkOfThree(name, contract_of_all(), self.elements)
        self.prepare.get(name, lambda walk: None)(walk)
        return walk

    def start(self, name):
        self.servers[name] = serve.start(
            self.desks[name], party_called(name), f"127.0.0.1:{self.ports[name]}", **self.limits
        )
        self.ports[name] = self.servers[name].port

    def stop(self, name, grace=0.0):
        self.servers[name].stop(grace)

    def folder_of(self, name, request):
        place = self.path / name if name == HUB else self.desks[name].path
        return SessionFolder(place / request.id)

    def dialler(self, name):
        address = f"127.0.0.1:{self.ports[name]}"
        return Dialler(party_called(HUB), contract_of_all(), name, address)

    def run_hub(self, request, walk=None, **options):
        """Dial both, and run the hub's walk to its end, with the relay beside it."""
        walk, folder = walk or self.walk_of(HUB), self.folder_of(HUB, request)
        limits = {"patience_seconds": PATIENCE, "attend_seconds": 0.2, **options}
        halt = Halt()
        with contextlib.ExitStack() as stack:
            diallers = [stack.enter_context(self.dialler(name)) for name in LISTEN]
            links = {
                one.peer: stack.enter_context(
                    DialledLink(one, request, folder, halt=halt, **limits)
                )
                for one in diallers
            }
            stack.enter_context(Relay(links.values(), request, folder, halt))
            walk.run(request, links, folder)
        return walk


@contextlib.contextmanager
def table_of_three(path, **options):
    """Run both listeners for the time of a test."""
    table = Table(path, **options)
    for name in LISTEN:
        table.start(name)
    try:
        yield table
    finally:
        for name in LISTEN:
            table.stop(name)
