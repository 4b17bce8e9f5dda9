"""Parties in one process over a network that misbehaves by a seed, under clocks of its own.

One dials, and one or two listen (`three_plays`).

Covers: the product's own ends of a session (client.carrying, client.link, client.line,
client.transfer and client.relay; the services, sessions and mailboxes of `server`), desk, session,
store, ledger and log, while a seed
  - drops requests (nothing arrives) and answers (it was done, and nobody is told),
  - doubles requests, and repeats old ones after newer ones (reordering),
  - cuts streams of sets in the middle,
  - delays, so that patience ends; sets the parties' clocks apart, and back,
  - stops a listener and starts it anew, and kills the dialling side between two calls;
and while sessions come to no result, which both sides must end with the same reason: a match
below its minimum, a budget that another session has used up, a contract that ends meanwhile, and
data or consent of one side that change between two starts (`shaky_plays`).
Does not cover: TLS, gRPC's own framing and threads, signs of life while computing (Attend),
requests that wait for a person or that a dialling counterpart fetches, a kill inside a call
(tests/e2e/test_kills), a store that fails, more than one session at a time, and lies
(tests/simulation/test_lies).
The same seed draws the same faults, and the same time passes, however fast the machine is: no
fault is drawn and no time passes for a call that asks again because the listener still works, nor
for a driver that waits. How the threads interleave is left to the machine.
"""

import random
import threading
import time
from contextlib import contextmanager

import grpc

import client.carrying
import client.dial
import client.line
import client.link
import server.meeting
from client.calls import calling
from client.dial import Dialler
from client.line import Line
from client.link import DialledLink
from client.serving import ServedDesk
from party.desk import Desk
from party.suppression.desk import SuppressionDesk
from party.wire.refusals import CONDITION_KEY, Condition
from server.answering import answering
from server.collaboration_service import CollaborationService
from server.key_service import KeyService
from server.parcel_service import ParcelService
from server.peers import Peers
from server.session_service import SessionService
from server.sessions import Patience, Places, Sessions

DIALS, LISTENS = "advertiser", "channel"
PATIENCE_SECONDS, HOLD_SECONDS = 120.0, 0.2
REACH_SECONDS = -1  # a call that belongs to no session is made once
TICK_SECONDS = 0.02  # that every call takes
REAL_SECONDS = 60
HELD_SECONDS = 5  # real ones; a call that waits for a listener longer is told so
NEVER = threading.Event()
WORKS_ON = (CONDITION_KEY, Condition.NOT_READY.value)
ALL = "every call"
PUSHES, PULLS = ("SendSet", "SendParcel"), ("PullSet", "PullParcel")
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
    """Time that passes when the network says so, and for a call that is held by itself.

    `idle` time passes for whoever listens, and on no wall.
    """

    def __init__(self):
        self._passed, self._idle, self._lock = 0.0, 0.0, threading.Lock()
        self._call = threading.local()

    def __call__(self):
        """Return the time by which a listener's waiting is bounded."""
        if getattr(self._call, "held", None) is not None:
            self._call.held += TICK_SECONDS
        return self._passed + self._idle + (getattr(self._call, "held", None) or 0.0)

    def wall(self):
        return self._passed

    def advance(self, seconds):
        with self._lock:
            self._passed += seconds

    def idle(self, seconds):
        with self._lock:
            self._idle += seconds

    @contextmanager
    def holding(self):
        """Let the call of this thread be held: its own time passes whenever it looks."""
        self._call.held = 0.0
        try:
            yield
        finally:
            self._call.held = None


class Listener:
    """One party's services, which a restart takes away and brings back."""

    def __init__(self, party, clock):
        self.party, self._clock = party, clock
        self._idle, self._under_way = threading.Condition(), 0
        self.start()

    def start(self):
        desk = Desk(self.party)
        self.sessions = Sessions(
            desk,
            places=Places(2, 2),
            patience=Patience(PATIENCE_SECONDS, HOLD_SECONDS),
            clock=self._clock,
        )
        peers = Peers(self.party.identity, desk.contracts, self.party.clock)
        self.services = (
            SessionService(peers, self.sessions),
            ParcelService(peers, self.sessions),
            CollaborationService(peers, desk, self.sessions),
            KeyService(peers, ServedDesk(desk, SuppressionDesk(self.party))),
        )

    def stop(self):
        """Stop as a process does: nothing of it works any more, calls of other threads neither."""
        self.sessions.stop(grace_seconds=10**6)  # of the fake clock: as long as the driver needs
        with self._idle:
            assert self._idle.wait_for(lambda: not self._under_way, REAL_SECONDS)

    def wait(self):
        deadline = time.monotonic() + REAL_SECONDS
        while self.sessions.running():
            assert time.monotonic() < deadline, "the listener's driver does not come to its end"
            self._clock.idle(PATIENCE_SECONDS)  # nobody calls any more, for whom it could wait
            time.sleep(0.002)

    def deliver(self, rpc, request, caller, *, quietly=False):
        """Carry out a call; one that fails `quietly` has no answer."""
        with self._idle:
            self._under_way += 1
            service = next(one for one in self.services if hasattr(type(one), rpc))
        try:
            sent = iter(request) if rpc in PUSHES else request
            context = Context(caller)
            with self._clock.holding(), answering(context, blame_nobody):
                answer = getattr(service, rpc)(sent, context)
                return list(answer) if rpc in PULLS else answer
        except CallFailed:
            if not quietly:
                raise
            return None
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()


def blame_nobody(breach):
    """Fail: whatever a network does, both sides here are honest."""
    raise AssertionError(f"an honest counterpart is blamed: {breach}")


class Network:
    """Between the dialling side and the listeners.

    The dialling side's threads run every call; a listener is restarted by one of them at a time.
    """

    def __init__(self, seed, parties, listens=(LISTENS,)):
        self.random, self.clock, self.parties = random.Random(seed), Clock(), parties
        self.faults, self.old, self.calm = [], {name: [] for name in listens}, False
        self.skew = {name: self.random.uniform(-100, 100) for name in parties}
        start = time.time()
        for name, party in parties.items():
            party.clock = lambda name=name: start + self.skew[name] + self.clock.wall()
        self.calls, self.events = 0, {}
        self.lost, self.gone, self.dark_after = set(), set(), None
        self._lock, self._restarting = threading.Lock(), threading.Lock()
        self.listeners = {name: Listener(parties[name], self.clock) for name in listens}

    def stop_listener(self):
        for listener in self.listeners.values():
            listener.stop()

    def restart_listener(self, *names):
        with self._restarting:
            for name in names or self.listeners:
                self.listeners[name].stop()
                self.listeners[name].start()

    def wait_for_listener(self):
        for listener in self.listeners.values():
            listener.wait()

    def draw(self):
        if self.calm:
            return "nothing"
        fault = self.random.choices(list(FAULTS), list(FAULTS.values()))[0]
        if fault != "nothing":
            self.faults.append(fault)
        return fault

    # -- calls ---------------------------------------------------------------------------------

    def call(self, peer, rpc, request, given_up=NEVER):
        """Carry a call there and its answer back, or not.

        Calls named in `lost` never arrive, nor do calls to who is `gone`; after one of
        `dark_after`, none does and no answer. One that is `given_up` asks no more.
        """
        self.clock.advance(TICK_SECONDS)
        request = list(request) if rpc in PUSHES else request
        listener, caller = self.listeners[peer], self.parties[DIALS].identity
        with self._lock:
            self.calls += 1
            event = self.events.pop(self.calls, lambda: None)
        event()
        if rpc in self.lost or ALL in self.lost or peer in self.gone:
            self.clock.advance(PATIENCE_SECONDS)
            raise LOST
        with self._lock:
            fault = self.draw()
        self._before(fault, peer)
        if fault == "cut the stream" and rpc in PUSHES:
            cut = self.random.randint(1, len(request))
            listener.deliver(rpc, request[:cut], caller, quietly=True)
            raise LOST
        if fault == "drop the request":
            raise LOST
        if fault == "repeat an old request" and self.old[peer]:
            listener.deliver(*self.random.choice(self.old[peer]), caller, quietly=True)
        if fault == "double the request":
            listener.deliver(rpc, request, caller, quietly=True)
        answer = self._answer(peer, rpc, request, given_up)
        self.old[peer].append((rpc, request))
        if rpc == self.dark_after:
            self.lost.add(ALL)
        if fault == "drop the answer" or ALL in self.lost or peer in self.gone:
            raise LOST
        if rpc in PULLS:
            return Stream(answer, cut=fault == "cut the stream")
        return answer

    def _answer(self, peer, rpc, request, given_up):
        """Ask, again and again while the listener still works on what is asked for."""
        listener, caller = self.listeners[peer], self.parties[DIALS].identity
        deadline = time.monotonic() + HELD_SECONDS
        while True:
            try:
                return listener.deliver(rpc, request, caller)
            except CallFailed as failed:
                still_works = WORKS_ON in failed.trailing_metadata()
                over = given_up.is_set() or peer in self.gone or time.monotonic() > deadline
                if over or not still_works:
                    raise

    def _before(self, fault, peer):
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
                self.restart_listener(peer)


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


class ShakyDialler(Dialler):
    """A connection over the network, which may lose every call of it."""

    def __init__(self, network, contract, peer):
        self.own, self.peer, self.address = DIALS, peer, "in memory"
        self.contract_hash = bytes.fromhex(contract.digest)
        self._patience, self._closed = REACH_SECONDS, False
        self.sessions = self._requests = self.parcels = self._keys = _Stub(network, peer)

    def close(self):
        self._closed = True

    def attempt(self, call):
        with calling():
            return call()


class _Stub:
    def __init__(self, network, peer):
        self._network, self._peer = network, peer

    def __getattr__(self, rpc):
        return _Call(lambda *words: self._network.call(self._peer, rpc, *words))


class _Call:
    """One kind of call, which may be waited for or begun."""

    def __init__(self, carry):
        self._carry = carry

    def __call__(self, request, timeout):
        return self._carry(request)

    def future(self, request, timeout):
        return _Begun(self._carry, request)


class _Begun:
    def __init__(self, carry, request):
        self._carry, self._request, self._given_up = carry, request, threading.Event()

    def result(self):
        return self._carry(self._request, self._given_up)

    def cancel(self):
        self._given_up.set()


def hurry(monkeypatch):
    """Let both ends wait by the fake clock: short real pauses, long times."""
    monkeypatch.setattr(client.line, "FIRST_WAIT_SECONDS", 0.0005)
    monkeypatch.setattr(client.line, "MOST_WAIT_SECONDS", 0.002)
    monkeypatch.setattr(client.dial, "RETRY_SECONDS", 0.0005)
    monkeypatch.setattr(server.meeting, "_TICK_SECONDS", 0.002)


def lay_wires(network, monkeypatch):
    """Let the dialling side's commands reach the listener over the network alone."""
    monkeypatch.setattr(
        client.carrying,
        "Dialler",
        lambda identity, contract, peer, address, **more: ShakyDialler(network, contract, peer),
    )
    monkeypatch.setattr(
        client.carrying,
        "DialledLink",
        lambda *words, **more: DialledLink(*words, **more, attend_seconds=10**6),
    )
    monkeypatch.setattr(
        client.link, "Line", lambda *words, **more: Line(*words, **more, clock=network.clock.wall)
    )


__all__ = ["ALL", "DIALS", "FAULTS", "LISTENS", "Killed", "Network", "hurry", "lay_wires"]
