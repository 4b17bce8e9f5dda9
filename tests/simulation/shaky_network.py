"""Two parties in one process over a network that misbehaves by a seed, under clocks of its own.

Covers: the product's own ends of a session (client.link, client.line and client.transfer; the
services, sessions and mailboxes of `server`), desk, session, store, ledger and log, while a seed
  - drops requests (nothing arrives) and answers (it was done, and nobody is told),
  - doubles requests, and repeats old ones after newer ones (reordering),
  - cuts streams of sets in the middle,
  - delays, so that patience ends; sets the parties' clocks apart, and back,
  - stops the listener and starts it anew, and kills the dialling side between two calls.
Does not cover: TLS, gRPC's own framing and threads, signs of life while computing (Attend), the
calls by which a request is put to a counterpart, a kill inside a call (tests/e2e/test_kills), a
store that fails, more than one session at a time, and lies (tests/simulation/test_lies).
The same seed draws the same faults; how the threads interleave is left to the machine.
"""

import random
import threading
import time
from dataclasses import dataclass, field

import grpc
import numpy as np
import sqlalchemy as sa
from organisations import copy_pair

import client.line
import client.link
import server.mailbox
from client.calls import calling
from client.line import Line
from client.link import DialledLink
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import PartyError, Refusal
from party.evidence import StoredLog, compare_logs, verify_log
from party.ledger import rows
from party.request import Request
from party.schema import RELEASES, SALTS, SESSIONS
from party.session_record import FAILED, FINISHED
from server.peers import Peers
from server.session_service import SessionService
from server.sessions import Patience, Sessions

DIALS, LISTENS = "advertiser", "channel"
PATIENCE_SECONDS, HOLD_SECONDS = 120.0, 0.2
TICK_SECONDS = 0.02  # the clock moves on by itself whenever somebody reads it
STARTS = 60  # of the dialling side, before a seed has failed to come to an end
REAL_SECONDS = 60
FAULTS = {
    "drop the request": 6,
    "drop the answer": 6,
    "double the request": 5,
    "repeat an old request": 6,
    "cut the stream": 4,
    "delay a little": 4,
    "delay beyond patience": 1,
    "stop the listener": 2,
    "kill the dialling side": 2,
    "set a clock back": 2,
    "nothing": 62,
}


class Killed(BaseException):
    """The dialling side ends here."""


class CallFailed(grpc.RpcError):
    """A call that ended with a status."""

    def __init__(self, code, details="", metadata=()):
        super().__init__()
        self._said = code, details, metadata

    def code(self):
        return self._said[0]

    def details(self):
        return self._said[1]

    def trailing_metadata(self):
        return self._said[2]


LOST = CallFailed(grpc.StatusCode.UNAVAILABLE, "the network lost it")


class Context:
    """What a service asks of gRPC: who calls over which TLS, and how a call ends."""

    def __init__(self, caller):
        self._caller, self._metadata = caller, ()

    def auth_context(self):
        pem = self._caller.certificate.pem.encode()
        return {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [pem]}

    def set_trailing_metadata(self, metadata):
        self._metadata = metadata

    def abort(self, code, details):
        raise CallFailed(code, details, self._metadata)


class Clock:
    """Time that passes when it is read, and when the network says so."""

    def __init__(self):
        self._passed, self._lock = 0.0, threading.Lock()

    def __call__(self):
        return self.advance(TICK_SECONDS)

    def advance(self, seconds):
        with self._lock:
            self._passed += seconds
            return self._passed


class Network:
    """Between the dialling side and the listener; the dialling side's thread runs every call."""

    def __init__(self, seed, parties):
        self.random, self.clock, self.parties = random.Random(seed), Clock(), parties
        self.faults, self.old, self.calm = [], [], False
        self.skew = {name: self.random.uniform(-100, 100) for name in parties}
        start = time.time()
        for name, party in parties.items():
            party.clock = lambda name=name: start + self.skew[name] + self.clock.advance(0)
        self.start_listener()

    def start_listener(self):
        party = self.parties[LISTENS]
        desk = Desk(party)
        self.sessions = Sessions(
            desk,
            max_sessions=2,
            patience=Patience(PATIENCE_SECONDS, HOLD_SECONDS),
            clock=self.clock,
        )
        peers = Peers(party.identity, desk.contracts, party.clock)
        self.service = SessionService(peers, self.sessions)

    def stop_listener(self):
        self.sessions.stop(grace_seconds=10**6)  # of the fake clock: as long as the driver needs

    def wait_for_listener(self):
        deadline = time.monotonic() + REAL_SECONDS
        while self.sessions.running():
            assert time.monotonic() < deadline, "the listener's driver does not come to its end"
            time.sleep(0.002)

    def draw(self):
        if self.calm:
            return "nothing"
        fault = self.random.choices(list(FAULTS), list(FAULTS.values()))[0]
        if fault != "nothing":
            self.faults.append(fault)
        return fault

    # -- calls ---------------------------------------------------------------------------------

    def call(self, rpc, request):
        """Carry a call there and its answer back, or not."""
        request = list(request) if rpc == "SendSet" else request
        fault = self.draw()
        self._before(fault)
        if fault == "cut the stream" and rpc == "SendSet":
            self._deliver(rpc, request[: self.random.randint(1, len(request))], quietly=True)
            raise LOST
        if fault == "drop the request":
            raise LOST
        if fault == "repeat an old request" and self.old:
            self._deliver(*self.random.choice(self.old), quietly=True)
        if fault == "double the request":
            self._deliver(rpc, request, quietly=True)
        answer = self._deliver(rpc, request)
        if rpc != "Refuse":
            self.old.append((rpc, request))
        if fault == "drop the answer":
            raise LOST
        if rpc == "PullSet":
            return Stream(answer, cut=fault == "cut the stream")
        return answer

    def _before(self, fault):
        match fault:
            case "delay a little":
                self.clock.advance(self.random.uniform(1, 60))
            case "delay beyond patience":
                self.clock.advance(2 * PATIENCE_SECONDS)
            case "set a clock back":
                self.skew[self.random.choice(list(self.skew))] -= self.random.uniform(1, 30)
            case "kill the dialling side":
                raise Killed
            case "stop the listener":
                self.stop_listener()
                self.start_listener()

    def _deliver(self, rpc, request, *, quietly=False):
        context = Context(self.parties[DIALS].identity)
        try:
            if rpc == "SendSet":
                return self.service.SendSet(iter(request), context)
            answer = getattr(self.service, rpc)(request, context)
            return list(answer) if rpc == "PullSet" else answer
        except CallFailed:
            if not quietly:
                raise
            return None


class Stream:
    """The listener's answers, some of them."""

    def __init__(self, messages, *, cut):
        self._messages, self._cut = iter(messages[:1] if cut else messages), cut

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self._messages)
        except StopIteration:
            if self._cut:
                raise LOST from None
            raise

    def cancel(self):
        """Nothing is left to cancel."""


class ShakyDialler:
    """What a link needs of `client.dial.Dialler`, over the network."""

    def __init__(self, network, contract):
        self.own, self.peer, self.address = DIALS, LISTENS, "in memory"
        self.contract_hash = bytes.fromhex(contract.digest)
        self.sessions = _Stub(network)

    def attempt(self, call):
        with calling():
            return call()


class _Stub:
    def __init__(self, network):
        self._network = network

    def __getattr__(self, rpc):
        return lambda request, timeout: self._network.call(rpc, request)


# -- one seed ------------------------------------------------------------------------------------


@dataclass
class Play:
    """What happened under one seed."""

    seed: int
    kind: str
    ended: str = ""
    starts: int = 0
    faults: list = field(default_factory=list)


def hurry(monkeypatch):
    """Let both ends wait by the fake clock: short real pauses, long times."""
    monkeypatch.setattr(client.line, "FIRST_WAIT_SECONDS", 0.0005)
    monkeypatch.setattr(client.line, "MOST_WAIT_SECONDS", 0.002)
    monkeypatch.setattr(server.mailbox, "_TICK_SECONDS", 0.002)


def play(seed, ready, folder, monkeypatch):
    """Carry one request through a misbehaving network to its end, and hold it to its promises."""
    parties, contract = copy_pair(ready, folder)
    network = Network(seed, parties)
    monkeypatch.setattr(
        client.link, "Line", lambda *words, **more: Line(*words, **more, clock=network.clock)
    )
    request, kind = _ask(network, parties, contract)
    result = Play(seed, kind, faults=network.faults)
    try:
        while not result.ended:
            result.starts += 1
            assert result.starts <= STARTS, f"seed {seed} comes to no end: {network.faults}"
            network.calm = result.starts > STARTS // 2  # a network that works in the end
            outcome = _dial(network, parties, contract, request)
            network.wait_for_listener() if outcome is None else network.stop_listener()
            if outcome is not None:
                network.start_listener()
            _require_kept(parties, request)
            result.ended = _ended(parties, request, outcome)
        _require_end(parties, request, result)
    finally:
        network.stop_listener()
        for party in parties.values():
            party.close()
    return result


def _ask(network, parties, contract):
    kind = network.random.choice(["match there", "match here", "reach"])
    now = parties[DIALS].now
    if kind == "reach":
        request = Request.crosstab(
            contract, OutputKind.REACH, requester=DIALS, tabulator=LISTENS, recipient=DIALS,
            labels={LISTENS: "frequency", DIALS: "segment"}, now=now,
        )  # fmt: skip
    else:
        receiver, sender = (LISTENS, DIALS) if kind == "match there" else (DIALS, LISTENS)
        request = Request.match(
            contract, requester=DIALS, receiver=receiver, sender=sender, now=now
        )
    return Desk(parties[DIALS]).make(request, contract, actor="test"), kind


def _dial(network, parties, contract, request):
    """Run the dialling side once; return None when it is done, or what stopped it."""
    desk = Desk(parties[DIALS])
    options = {"patience_seconds": PATIENCE_SECONDS, "attend_seconds": 10**6}
    try:
        dialler = ShakyDialler(network, contract)
        with DialledLink(dialler, request, desk.folder(request.id), **options) as link:
            desk.run(request, link)
    except (Killed, PartyError) as error:
        return error
    return None


# -- what must hold ------------------------------------------------------------------------------


def _states(parties, request):
    """Return how the request's session stands at each party, None where it has not begun."""
    query = sa.select(SESSIONS.c.state).where(SESSIONS.c.request == request.id)
    found = {name: party.store.row(query) for name, party in parties.items()}
    return {name: None if row is None else row.state for name, row in found.items()}


def _require_kept(parties, request):
    """Whatever happened: at most one charge, no result beside a failure, a log that verifies."""
    states = set(_states(parties, request).values())
    assert states != {FINISHED, FAILED}, "one side has a result, and the other one a failure"
    for party in parties.values():
        charged = [row.what for row in party.store.write(rows)]
        assert len(charged) == len(set(charged)), "charged twice"
        verify_log(StoredLog(party.store, party.identity))


def _ended(parties, request, outcome):
    """Return how it ended, "" while it can be resumed."""
    states = _states(parties, request)
    if outcome is None:
        assert set(states.values()) == {FINISHED}
        return "finished"
    if isinstance(outcome, Refusal):
        assert FINISHED not in states.values()
        return outcome.status.value
    return ""


def _require_end(parties, request, result):
    charged = {
        name: [row.what for row in party.store.write(rows)].count("session")
        for name, party in parties.items()
    }
    if result.ended != "finished":
        assert set(charged.values()) <= {0, 1}
        assert all(Desk(party).result(request.id) is None for party in parties.values())
        return
    assert set(charged.values()) == {1}
    transcripts = {
        bytes(party.store.row(sa.select(SESSIONS.c.transcript)).transcript)
        for party in parties.values()
    }
    assert len(transcripts) == 1
    compared = compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))
    assert len(compared.shared) == 1
    assert compared.ours.cosignatures == compared.theirs.cosignatures == 1
    _require_exact(parties, request, result.kind)


def _require_exact(parties, request, kind):
    """People 20 to 59 are at both; the table without its noise and dummies is their table."""
    results = {name: Desk(party).result(request.id) for name, party in parties.items()}
    if kind != "reach":
        receiver = LISTENS if kind == "match there" else DIALS
        assert results[receiver]["people"] == 40
        return
    store = parties[LISTENS].store
    commitment = bytes.fromhex(store.row(sa.select(RELEASES.c.noise)).noise)
    value = store.row(sa.select(SALTS.c.value).where(SALTS.c.commitment == commitment)).value
    noise = np.frombuffer(value, dtype=">i8")
    table = results[DIALS]
    counts, drawn = np.array(table["table"]["counts"]), np.array(table["drawn"])
    assert int((counts - drawn).sum() - noise.sum()) == 40


__all__ = ["Play", "hurry", "play"]
