"""The way to one counterpart, walked step by step until it works or the first step fails.

DNS, TCP, TLS and pin lead to a connection; a step after one of these that failed is skipped. Then
clock, profile, contract, log and throughput are held against the counterpart's over that
connection. Nothing is changed on either side, and nothing that depends on data is asked or said.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from audit.errors import AuditError
from client.calls import CALL_SECONDS, calling
from client.channel import open_own_channel
from client.errors import DialError, Interrupted, NotAccepted, Unreachable, WrongCertificate
from client.probe import Way
from client.units import shown_time
from commonground.v1 import doctor_pb2 as pb
from commonground.v1 import doctor_pb2_grpc
from party.card import IdentityCard
from party.certificate import Certificate
from party.contract import Contract
from party.errors import ContractError, PartyError
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.wire import limits
from party.wire.doctor import Examination, decode_examination
from psi.errors import ProfileMismatch
from psi.identifiers import Profile

ATTEMPTS: Final = 3
RETRY_SECONDS: Final = 0.3
MOST_APART_SECONDS: Final = 300
"""A consent snapshot that is further in the future than this is refused (docs/protocol.md, 6)."""
NOTABLE_SECONDS: Final = 30


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str


def walk_to(party: Organisation, peer: str) -> Iterator[Check]:
    """Yield one check a step of the way to a counterpart."""
    try:
        with ExitStack() as stack:
            yield from _steps(_Walk(party, peer, stack), peer)
    except PartyError as error:  # there is no way to walk
        yield Check(f"{peer}: DNS", State.FAILED, str(error))


def _steps(walk: _Walk, peer: str) -> Iterator[Check]:
    broken = ""
    for name, look in walk.connecting():
        check = _look(f"{peer}: {name}", look, broken)
        broken = broken or (name if check.state is State.FAILED else "")
        yield check
    for name, look in walk.comparing():
        yield _look(f"{peer}: {name}", look, broken)


def _look(name: str, look: Callable[[], tuple[State, str]], broken: str) -> Check:
    if broken:
        return Check(name, State.SKIPPED, f"not looked at, since {broken} failed")
    try:
        return Check(name, *look())
    except (PartyError, ProfileMismatch) as error:
        return Check(name, State.FAILED, str(error))


class _Walk:
    """The steps; what one finds, the next one uses."""

    def __init__(self, party: Organisation, peer: str, stack: ExitStack) -> None:
        self._party, self._peer, self._stack = party, peer, stack
        self._contracts = _in_force(party, peer)
        self._card = _card(party, peer, self._contracts)
        if self._card.address is None:
            raise ContractError(
                f"'{peer}' only dials, and cannot be looked for from here: let them type "
                f"`commonground doctor --peer {party.identity.name}` while you serve"
            )
        self._way = Way(self._card.address)
        self._plain: socket.socket | None = None
        self._found: Certificate | None = None
        self._stub: Any = None
        self._seconds = 0.0

    def connecting(self) -> tuple[tuple[str, Callable[[], tuple[State, str]]], ...]:
        """Return the steps to a connection, in order."""
        return ("DNS", self._dns), ("TCP", self._tcp), ("TLS", self._tls), ("pin", self._pin)

    def comparing(self) -> tuple[tuple[str, Callable[[], tuple[State, str]]], ...]:
        """Return the steps over the connection, in order."""
        return (
            ("clock", self._clock),
            ("profile", self._profile),
            ("contract", self._contract),
            ("log", self._log),
            ("throughput", self._throughput),
        )

    def _dns(self) -> tuple[State, str]:
        found = self._way.resolve()
        if self._way.proxy is None:
            return State.OK, f"{self._way.address} is {found}"
        return State.OK, f"the proxy {self._way.first} is {found}; it looks up the counterpart"

    def _tcp(self) -> tuple[State, str]:
        start = time.monotonic()
        self._plain = self._stack.enter_context(self._way.open())
        through = "" if self._way.proxy is None else f", through the proxy {self._way.first}"
        return State.OK, f"connected in {_milliseconds(time.monotonic() - start)}{through}"

    def _tls(self) -> tuple[State, str]:
        if self._plain is None:
            raise DialError("there is no connection")
        self._found = self._way.certificate(self._plain)
        return State.OK, "TLS 1.3"

    def _pin(self) -> tuple[State, str]:
        """Hold both certificates: theirs against the pin, ours by a call over mutual TLS."""
        pinned, found = self._card.certificates(time.time()), self._found
        if found is None or all(found.fingerprint != one.fingerprint for one in pinned):
            raise WrongCertificate(
                f"what answers has another certificate than the pinned {pinned[-1].fingerprint}: "
                "ask them whether they serve there, and whether they replaced their keys "
                "(`commonground peers renew FILE`) or made their party anew"
            )
        found.require_valid(int(time.time()))
        channel = open_own_channel(self._way.address, self._way.proxy, pinned, self._party.identity)
        self._stack.enter_context(channel)
        self._stub = doctor_pb2_grpc.DoctorServiceStub(channel)  # type: ignore[no-untyped-call]
        self._examination = self._first_answer()
        return State.OK, f"{found.fingerprint}, and they know ours"

    def _first_answer(self) -> Examination:
        """Return the first answer over mutual TLS; the third hang-up is taken at its word."""
        for _ in range(ATTEMPTS - 1):
            with suppress(Interrupted):
                return self._examine()
            time.sleep(RETRY_SECONDS)
        try:
            return self._examine()
        except Interrupted as error:
            raise NotAccepted(
                "their certificate is the pinned one, and they hang up on ours or do not answer "
                f"({error}): they do not know this party, or have forgotten it. They import the "
                "contract that names it, or invite it"
            ) from None

    def _examine(self) -> Examination:
        with calling():
            response = self._stub.Examine(pb.ExamineRequest(), timeout=CALL_SECONDS)
        return decode_examination(response)

    def _clock(self) -> tuple[State, str]:
        ours, start = time.time(), time.monotonic()
        examined = self._examine()  # the first one had to connect
        self._seconds = time.monotonic() - start
        apart = examined.time_ms / 1000 - (ours + self._seconds / 2)
        ahead = f"theirs is {abs(apart):.1f} s {'ahead' if apart > 0 else 'behind'}"
        if abs(apart) > MOST_APART_SECONDS:
            return State.FAILED, f"{ahead}: sessions end with CONSENT_STALE; set the clocks (NTP)"
        if abs(apart) > NOTABLE_SECONDS:
            return State.WARNING, f"{ahead}; set the clocks (NTP)"
        return State.OK, ahead

    def _profile(self) -> tuple[State, str]:
        Profile.current().require_equal(self._examination.profile)
        return State.OK, f"{self._examination.profile.version}, the same at both"

    def _contract(self) -> tuple[State, str]:
        theirs = self._examination.contracts
        both = [contract for contract in self._contracts if contract.digest in theirs]
        if both:
            names = ", ".join(f"{it.id} until {shown_time(it.ends)}" for it in both)
            return State.OK, f"in force at both: {names}"
        if self._contracts:
            names = ", ".join(contract.id for contract in self._contracts)
            return State.FAILED, f"in force here only: {names}; they import the same signed file"
        if theirs:
            return State.FAILED, f"in force there only: {theirs[0][:12]}…; import their signed file"
        return State.FAILED, (
            f"none is in force: `commonground contract propose {self._peer}`, then both sign and "
            "import it"
        )

    def _log(self) -> tuple[State, str]:
        """Hold this party's log against what they have witnessed of it."""
        seen = self._examination.seen_checkpoint
        if not seen:
            return State.OK, "they have witnessed nothing of this party's log yet"
        try:
            size = self._party.journal.require_extends(seen)
        except AuditError as error:
            return State.FAILED, f"{error}: was this party restored from an old backup?"
        return State.OK, f"it goes on from the {size} entries that they have witnessed"

    def _throughput(self) -> tuple[State, str]:
        size = limits.MOST_PROBE_BYTES
        there = self._carry(pb.CarryRequest(payload=bytes(size)), 0)
        back = self._carry(pb.CarryRequest(wanted=size), size)
        return State.OK, (
            f"1 MB there at {_rate(size, there)}, back at {_rate(size, back)}; "
            f"a round trip takes {_milliseconds(self._seconds)}"
        )

    def _carry(self, request: pb.CarryRequest, wanted: int) -> float:
        """Return how many seconds the bytes of a request and its answer took."""
        start = time.monotonic()
        try:
            with calling():
                response = self._stub.Carry(request, timeout=CALL_SECONDS)
        except Interrupted as error:
            raise Unreachable(
                f"1 MB did not get through in {CALL_SECONDS:.0f} s ({error}): the way is too slow, "
                "or something on it breaks off what is large"
            ) from None
        if len(response.payload) != wanted:
            raise DialError("the counterpart answered with another number of bytes")
        return time.monotonic() - start


def _in_force(party: Organisation, peer: str) -> list[Contract]:
    """Return the contracts in force with a counterpart of this name, newest first."""
    found = []
    for contract in party.contracts():
        try:
            contract.require_in_force(party.now)
            if peer in contract.counterparts(contract.me(party.identity)):
                found.append(contract)
        except ContractError:
            continue
    return found


def _card(party: Organisation, peer: str, contracts: list[Contract]) -> IdentityCard:
    known = KnownPeers(party).cards()
    if contracts:
        return contracts[0].parties[peer]
    if peer not in known:
        raise ContractError(
            f"no contract in force here is with '{peer}', and no invitation has pinned it: "
            "`commonground join LINE`, or `commonground contract import FILE`"
        )
    return known[peer]


def _rate(size: int, seconds: float) -> str:
    return f"{size / seconds / 1e6:.1f} MB/s"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
