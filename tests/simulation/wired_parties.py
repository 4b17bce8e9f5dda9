"""Two parties over real gRPC and mutual TLS on loopback, with scripted drivers.

Covers: the transport of every message and artefact of a two-party session, restarts of either
side on what is on disk, and a peer that speaks the wire by itself (`raw_stubs`). Does not cover:
the mathematics, the store, processes killed by a signal.
"""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import numpy as np

from client.dial import Dialler
from client.link import DialledLink
from commonground.v1 import collaboration_pb2_grpc, session_pb2_grpc
from party import identity as identities
from party.artefacts import SessionFolder
from party.card import IdentityCard
from party.contract_draft import draft_contract
from party.contract_file import parse_contract
from party.contract_terms import OutputKind
from party.decision import Decision
from party.errors import StoreError
from party.messages import (
    CheckpointOffer,
    Closing,
    Commitment,
    ConsentStatement,
    Cosignature,
    Finish,
    Hello,
    KeyArtefact,
    Nonce,
    ReleaseArtefact,
)
from party.request import Request
from party.terms import Terms
from psi.identifiers import Profile
from psi.legs import Leg, RouteKey
from psi.sets import LabelledSet
from server import serve

DAY = 86_400
NAMES = ("advertiser", "channel")
ROLES = {"match": ("channel", "advertiser"), "reach": ("channel", "advertiser")}
SECONDS = 60
"""How long a test waits for what must come: many times what a busy machine takes."""
PATIENCE = 20.0

_FOLDERS = TemporaryDirectory(prefix="commonground-wired-")  # deleted when the tests end


@cache
def party_called(name, *, age_days=0, copy=0):
    """Return an identity whose certificate is `age_days` old; `copy` tells namesakes apart."""
    folder = Path(_FOLDERS.name) / f"{name}-{age_days}-{copy}"
    origin = f"example.com/{name}{copy}"
    made = int(time.time()) - age_days * DAY
    return identities.create(folder, name=name, log_origin=origin, now=made)


@cache
def contract_between(advertiser=None, channel=None, contract_id="wired"):
    """Return a contract in force, signed by both."""
    parties = {
        "advertiser": advertiser or party_called("advertiser"),
        "channel": channel or party_called("channel"),
    }
    cards = {
        name: IdentityCard.of(one, organisation=name, address=None) for name, one in parties.items()
    }
    now = int(time.time())
    text = draft_contract(
        cards, contract_id=contract_id, title="Wired", starts=now - 3600, ends=now + DAY
    )
    contract = parse_contract(text.encode(), source="test")
    for one in parties.values():
        contract = contract.sign(one)
    return contract


def make_request(contract, kind="match", requester="advertiser"):
    first, second = ROLES[kind]
    now = int(time.time())
    if kind == "match":
        request = Request.match(
            contract, requester=requester, receiver=first, sender=second, now=now
        )
    else:
        request = Request.crosstab(
            contract,
            OutputKind(kind),
            requester=requester,
            tabulator=first,
            recipient=second,
            now=now,
            labels={"channel": "group", "advertiser": "group"},
        )
    return request.sign(party_called(requester))


def artefact_of(terms, index, elements):
    """Return what a step carries: the same for the same step, whoever makes it."""
    step = terms.table.steps[index]
    random = np.random.default_rng(index)
    if isinstance(step, Leg):
        labels = len(terms.labels_of(step.owner))
        sizes = (elements - elements // 3, elements // 3) if labels == 2 else (elements,)
        rows = random.integers(0, 256, (elements, step.form.value), dtype=np.uint8)
        return LabelledSet(sizes, rows)
    if isinstance(step, RouteKey):
        return KeyArtefact(random.bytes(32))
    return ReleaseArtefact((2, 2), (7, -3, 0, 10**12), (1, 0))


@dataclass
class Walk:
    """A scripted driver: says everything, carries `elements` a set, keeps what came."""

    name: str
    contract: object
    elements: int = 1000
    before_step: object = None
    got: dict = field(default_factory=dict)
    heard: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    hook_exchange: object = None

    def hello(self, request, *, seen_size=0):
        return Hello(
            party=self.name,
            request=request,
            contract_hash=bytes.fromhex(self.contract.digest),
            profile=Profile.current(),
            consent=ConsentStatement(bytes(32), 1, int(time.time())),
            checkpoint=f"example.com/{self.name}\n{time.time_ns()}\nAAAA\n",
            seen_size=seen_size,
        )

    def run(self, request, link, folder):
        try:
            self._walk(request, link, folder)
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            self.done.set()

    def _walk(self, request, link, folder):
        terms = Terms.of(request)
        role = terms.role_of(self.name)
        self._say(link, self.hello(request))
        self._say(link, Commitment(self.name, bytes(32), bytes(range(32))))
        self._say(link, Nonce(self.name, self.name.encode().ljust(32, b"\0")))
        for index, step in enumerate(terms.table.steps):
            if self.before_step is not None:
                self.before_step(index, link)
            if step.sender == role:
                if folder.digest(index) is None:
                    folder.store(index, artefact_of(terms, index, self.elements))
                link.send(index, folder.load(index))
            else:
                self.got[index] = link.receive(index)
        digests = {i: folder.digest(i) for i in range(len(terms.table.steps))}
        self._say(link, Closing(self.name, digests))
        self._say(link, Finish(self.name, bytes(32)))
        self._say(link, CheckpointOffer(self.name, "note\n", (bytes(32),)))
        self._say(link, Cosignature(self.name, "— example.com AAAA"))
        link.conclude()

    def _say(self, link, message):
        if self.hook_exchange is not None:
            self.hook_exchange(message, link)
        self.heard.append(link.exchange(message))


class NoLists:
    """A suppression desk of a party without lists."""

    def ended_contracts(self):
        return []


class ScriptedDesk:
    """A desk that approves, and runs a `Walk` a session."""

    def __init__(self, path, contracts, make_walk):
        self.path, self._contracts, self._make_walk = path, contracts, make_walk
        self.walks, self.decision, self.decided = [], Decision("approved"), []
        self.own_requests, self.suppressions, self.ended = [], NoLists(), []
        self.breaches, self.away = [], False

    def submit(self, peer, request):
        return self.decision

    def offered(self, contract_hash, peer):
        return [one for one in self.own_requests if one.contract == contract_hash.hex()]

    def decide(self, peer, request_id, decision):
        self.decided.append((peer, request_id, decision))

    def end(self, peer, request_id, contract_hash, refusal):
        self.ended.append((peer, request_id, refusal.status))

    def note_breach(self, peer, contract_hash, breach):
        self.breaches.append((peer, contract_hash, breach.status))

    def require_ready(self):
        if self.away:
            raise StoreError("the store is away")

    def folder(self, request_id):
        return SessionFolder(self.path / request_id)

    def run(self, request, links):
        walk = self._make_walk()
        self.walks.append(walk)
        (link,) = links.values()
        walk.run(request, link, self.folder(request.id))
        self.decision = Decision("finished")

    def contracts(self):
        return list(self._contracts)

    def seen_checkpoint(self, fingerprint):
        return ""


class Wired:
    """A listener and what it takes to dial it."""

    def __init__(self, path, *, dials="advertiser", elements=1000, **limits):
        self.path, self.elements = path, elements
        self.dials, self.listens = dials, next(n for n in NAMES if n != dials)
        self.contract = contract_between()
        self.limits = {"patience_seconds": PATIENCE, "hold_seconds": 0.3, **limits}
        self.desk = ScriptedDesk(path / "listener", [self.contract], self.walk_there)
        self.server, self.port = None, 0
        self.prepare = lambda walk: None

    def walk_there(self):
        walk = Walk(self.listens, self.contract, self.elements)
        self.prepare(walk)
        return walk

    def walk_here(self):
        return Walk(self.dials, self.contract, self.elements)

    def start(self):
        self.server = serve.start(
            self.desk, party_called(self.listens), f"127.0.0.1:{self.port}", **self.limits
        )
        self.port = self.server.port

    def stop(self, grace=0.0):
        self.server.stop(grace)

    def restart(self, **limits):
        """Listen anew, under other limits."""
        self.stop()
        self.limits |= limits
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def dialler(self, identity=None, **options):
        return Dialler(
            identity or party_called(self.dials), self.contract, self.listens, self.address,
            **options,
        )  # fmt: skip

    def folder_here(self, request):
        return SessionFolder(self.path / "dialler" / request.id)

    def run_here(self, request, walk=None, **options):
        """Dial, and run the own walk to its end."""
        walk = walk or self.walk_here()
        folder = self.folder_here(request)
        limits = {"patience_seconds": PATIENCE, "attend_seconds": 0.2, **options}
        with self.dialler() as dialler, DialledLink(dialler, request, folder, **limits) as link:
            walk.run(request, link, folder)
        return walk


@contextlib.contextmanager
def wired(path, **options):
    """Run a listener for the time of a test."""
    one = Wired(path, **options)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@contextlib.contextmanager
def raw_stubs(one, identity=None):
    """Speak the wire without our client: stubs of both services."""
    mine = identity or party_called(one.dials)
    pinned = one.contract.parties[one.listens].parsed_certificate
    credentials = grpc.ssl_channel_credentials(
        pinned.pem.encode(), mine.tls_key_pem(), mine.certificate.pem.encode()
    )
    options = (
        ("grpc.ssl_target_name_override", pinned.internal_name),
        ("grpc.max_send_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
    )
    with grpc.secure_channel(one.address, credentials, options) as channel:
        yield (
            session_pb2_grpc.SessionServiceStub(channel),
            collaboration_pb2_grpc.CollaborationServiceStub(channel),
            channel,
        )


def until(holds):
    """Wait until `holds()` returns something, and return it."""
    deadline = time.monotonic() + SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def in_background(work):
    """Start `work` on a thread and return a function that waits for its result or error."""
    result = {}

    def run():
        try:
            result["value"] = work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            result["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait():
        thread.join(SECONDS)
        if thread.is_alive():
            raise AssertionError("still running")
        if "error" in result:
            raise result["error"]
        return result.get("value")

    return wait
