"""`doctor --peer`: each fault on the way is planted, and the step that it breaks is named first.

Over real gRPC and mutual TLS on loopback; the counterpart's store is scripted.
"""

import contextlib
import dataclasses
import socket
import time

import pytest
from connect_proxy import ConnectProxy
from ports import free_port
from wired_parties import ScriptedDesk, party_called

from client.joining import join
from client.peer_diagnosis import State, walk_to
from client.proxy import EXCEPTIONS, VARIABLES
from commonground.v1 import doctor_pb2
from party.card import IdentityCard
from party.contract_draft import draft_contract
from party.contract_file import parse_contract
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.places import Places
from party.reception import Reception
from party.settings import Settings
from psi.identifiers import Profile
from server import doctor_service, serve

DAY = 86_400
STEPS = ["DNS", "TCP", "TLS", "pin", "clock", "profile", "contract", "log", "throughput"]


class OnePeer:
    """A reception that has pinned one party."""

    def __init__(self, card):
        self.cards = {"advertiser": card}

    def invitations(self):
        return {}

    def peers(self):
        return dict(self.cards)


@pytest.fixture(scope="module")
def party(tmp_path_factory):
    """The one who walks."""
    made = Organisation.create(
        tmp_path_factory.mktemp("walking") / "advertiser",
        Settings("The advertiser", workers=1),
        name="advertiser",
        log_origin="advertiser.test/log",
        hosts=[],
        places=Places.of("NL"),
    )
    yield made
    made.close()


def pin(party, address, identity=None):
    """Let the party know the channel at an address."""
    card = IdentityCard.of(
        identity or party_called("channel"), organisation="The channel", address=address
    )
    party.store.write(
        lambda connection: KnownPeers(party).pin(
            connection, card, "joined", actor="operator", replace=True
        )
    )


@contextlib.contextmanager
def channel(party, tmp_path, *, knows=True, contracts=(), now=time.time):
    """Let the channel listen, and the party know where."""
    reception = OnePeer(party.own_card())
    if not knows:
        reception.cards.clear()
    desk = ScriptedDesk(tmp_path, list(contracts), None)
    server = serve.start(desk, party_called("channel"), "127.0.0.1:0", reception=reception, now=now)
    pin(party, f"127.0.0.1:{server.port}")
    try:
        yield server
    finally:
        server.stop(0)


def walk(party):
    """Return the state of each step, and what each says."""
    checks = {check.name.removeprefix("channel: "): check for check in walk_to(party, "channel")}
    states = {step: check.state for step, check in checks.items()}
    return states, {step: check.detail for step, check in checks.items()}


def breaks_at(party, step, said):
    """Require that the way is walked to a step, fails there, and ends there."""
    states, details = walk(party)
    place = STEPS.index(step)
    expected = ["ok"] * place + ["failed"] + ["skipped"] * (len(STEPS) - place - 1)
    assert states == dict(zip(STEPS, expected, strict=True))
    assert said in details[step]


def differs_in(party, step, said, state="failed"):
    """Require that one comparison fails, and the others are still made."""
    states, details = walk(party)
    assert states.pop(step) == state
    if step != "contract":  # nothing here is about contracts but what says so
        assert states.pop("contract") == "failed"
    assert set(states.values()) == {"ok"}
    assert said in details[step]


def contract_at(address, party, contract_id="deal"):
    now = int(time.time())
    listener = party_called("channel")
    cards = {
        "advertiser": party.own_card(),
        "channel": IdentityCard.of(
            listener, organisation="The channel", address=address, places=Places.of("NL")
        ),
    }
    text = draft_contract(
        cards, contract_id=contract_id, title="Deal", starts=now - 60, ends=now + DAY
    )
    return parse_contract(text.encode()).sign(party.identity).sign(listener)


def test_a_name_that_nobody_knows_breaks_at_dns(party):
    pin(party, "channel.invalid:7443")
    breaks_at(party, "DNS", "channel.invalid is not known to this machine")


def test_nobody_at_the_address_breaks_at_tcp(party):
    pin(party, "127.0.0.1:9")
    breaks_at(party, "TCP", "nobody answers at 127.0.0.1:9")


def test_another_service_breaks_at_tls(party):
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        entrance.settimeout(10)
        pin(party, f"127.0.0.1:{entrance.getsockname()[1]}")
        steps = walk_to(party, "channel")
        assert [next(steps).state for _ in range(2)] == ["ok", "ok"]
        near, _ = entrance.accept()
        near.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        near.close()
        assert next(steps).detail.startswith("what answers at 127.0.0.1")
        assert {check.state for check in steps} == {"skipped"}


def test_another_certificate_breaks_at_the_pin(party, tmp_path):
    with channel(party, tmp_path) as server:
        pin(party, f"127.0.0.1:{server.port}", party_called("channel", copy=1))
        breaks_at(party, "pin", "another certificate than the pinned")


def test_a_counterpart_that_does_not_know_us_breaks_at_the_pin(party, tmp_path):
    with channel(party, tmp_path, knows=False):
        breaks_at(party, "pin", "they hang up on ours")


@pytest.mark.parametrize(
    ("hours", "state"), [(1, "failed"), (-1, "failed"), (60 / 3600, "warning"), (-0.02, "warning")]
)
def test_a_clock_that_is_wrong_is_named(party, tmp_path, hours, state):
    with channel(party, tmp_path, now=lambda: time.time() + hours * 3600):
        differs_in(party, "clock", "ahead" if hours > 0 else "behind", state)


def test_another_profile_is_named(party, tmp_path, monkeypatch):
    class Theirs:
        @staticmethod
        def current():
            return dataclasses.replace(Profile.current(), phone="8.0.0")

    monkeypatch.setattr(doctor_service, "Profile", Theirs)
    with channel(party, tmp_path):
        differs_in(party, "profile", "differ in phone")


def test_a_counterpart_that_answers_with_other_bytes_fails_the_probe(party, tmp_path, monkeypatch):
    def short(self, request, context):
        return doctor_pb2.CarryResponse(payload=b"x")

    monkeypatch.setattr(doctor_service.DoctorService, "Carry", short)
    with channel(party, tmp_path):
        differs_in(party, "throughput", "another number of bytes")


def test_no_contract_is_named_and_so_is_one_that_only_one_side_has(party, tmp_path):
    with channel(party, tmp_path) as server:
        differs_in(party, "contract", "none is in force")
    deal = contract_at(f"127.0.0.1:{server.port}", party)
    with channel(party, tmp_path, contracts=[deal]):
        differs_in(party, "contract", f"in force there only: {deal.digest[:12]}")


def test_there_is_no_way_to_a_peer_that_only_dials(party):
    pin(party, None)
    [check] = walk_to(party, "channel")
    assert (check.state, check.name) == ("failed", "channel: DNS")
    assert "`commonground doctor --peer advertiser`" in check.detail


def test_joining_and_the_walk_go_through_a_proxy(tmp_path, monkeypatch):
    for name in (*VARIABLES, *EXCEPTIONS):
        monkeypatch.delenv(name, raising=False)
    made = [
        Organisation.create(
            tmp_path / name,
            Settings(name, workers=1),
            name=name,
            log_origin=f"{name}.test/log",
            hosts=[],
            places=Places.of("NL"),
            address=address,
        )
        for name, address in (("vendor", None), ("channel", "channel.invalid:7443"))
    ]
    vendor, listener = made
    reception = Reception(listener)
    desk = ScriptedDesk(tmp_path, [], None)
    server = serve.start(desk, listener.identity, "127.0.0.1:0", reception=reception)
    proxy = ConnectProxy(user="partner:word")
    proxy.leads["channel.invalid:7443"] = server.port
    monkeypatch.setenv("https_proxy", proxy.url("partner:word"))
    try:
        join(vendor, reception.invite(hours=1, for_name=None, replace=False), replace=False)
        states, _ = walk(vendor)
        assert states.pop("contract") == "failed"
        assert set(states.values()) == {"ok"}
        assert set(proxy.asked) == {"channel.invalid:7443"}
        for status, said in ((407, "user name or password"), (403, "allow CONNECT")):
            proxy.refuses = status
            breaks_at(vendor, "TCP", said)
    finally:
        server.stop(0)
        proxy.close()
        for one in made:
            one.close()


def test_a_contract_in_force_at_both_is_all_that_is_left(party, tmp_path):
    """Last in this file: the party keeps the contract."""
    port = free_port()
    deal = contract_at(f"127.0.0.1:{port}", party)
    party.keep_contract(deal)
    desk = ScriptedDesk(tmp_path, [], None)
    server = serve.start(
        desk, party_called("channel"), f"127.0.0.1:{port}", reception=OnePeer(party.own_card())
    )
    try:
        differs_in(party, "contract", "in force here only: deal")
        desk._contracts.append(deal)
        assert walk(party)[0] == dict.fromkeys(STEPS, State.OK)
    finally:
        server.stop(0)
