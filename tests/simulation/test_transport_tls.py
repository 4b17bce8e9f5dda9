"""Who may talk to whom: TLS 1.3, both certificates pinned, and a clear word when it fails."""

import os
import socket
import ssl
import subprocess
import sys
import time

import grpc
import pytest
from wired_parties import (
    SECONDS,
    ScriptedDesk,
    contract_between,
    make_request,
    party_called,
    raw_stubs,
    wired,
)

from client.dial import Dialler
from client.errors import DialError, NotAccepted, Unreachable, WrongCertificate
from commonground.v1 import session_pb2 as pb
from party import tls
from party.decision import Decision
from party.errors import CannotListen, IdentityError, Refusal, RefusalStatus
from server import serve
from server.errors import Unauthenticated
from server.peers import Peers

DAY = 86_400


def handshake(one, tmp_path, version, identity=None):
    """Do a TLS handshake of one version and return what was negotiated after a first answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    if identity is not None:
        both = tmp_path / "both.pem"
        both.write_bytes(identity.certificate.pem.encode() + identity.tls_key_pem())
        context.load_cert_chain(both)
    with (
        socket.create_connection(("127.0.0.1", one.port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="x.commonground.internal") as secured,
    ):
        assert secured.recv(9), "the server hung up instead of sending its settings"
        return secured.version()


def test_a_pinned_client_speaks_tls_1_3(tmp_path):
    with wired(tmp_path) as one:
        found = handshake(one, tmp_path, ssl.TLSVersion.TLSv1_3, party_called(one.dials))
    assert found == "TLSv1.3"


def test_tls_1_2_is_refused_although_the_certificate_is_pinned(tmp_path):
    with wired(tmp_path) as one, pytest.raises(OSError, match=r"EOF|reset|alert|handshake"):
        handshake(one, tmp_path, ssl.TLSVersion.TLSv1_2, party_called(one.dials))


def test_a_client_without_a_certificate_is_refused(tmp_path):
    with wired(tmp_path) as one, pytest.raises((OSError, AssertionError)):
        handshake(one, tmp_path, ssl.TLSVersion.TLSv1_3)


def test_a_call_below_tls_1_3_is_not_answered_however_it_came_about():
    class OldConnection:
        def auth_context(self):
            pem = party_called("advertiser").certificate.pem.encode()
            return {"ssl_tls_version": [b"TLSv1.2"], "x509_pem_cert": [pem]}

    peers = Peers(party_called("channel"), lambda: [contract_between()], time.time)
    with pytest.raises(Unauthenticated, match=r"only TLS 1\.3"):
        peers.require_pinned(OldConnection())


def test_a_proxy_is_not_asked_for_the_way_to_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with wired(tmp_path) as one, one.dialler() as dialler:
        dialler.check_health()


def test_plain_text_is_refused(tmp_path):
    with wired(tmp_path) as one, grpc.insecure_channel(one.address) as channel:
        call = channel.unary_unary("/commonground.v1.SessionService/Attend")
        with pytest.raises(grpc.RpcError):
            call(b"", timeout=SECONDS)


def import_in_a_fresh_process(module):
    """Import a module, then ask for credentials' permission, where nothing has set anything."""
    code = f"import {module}; from party import tls; tls.require_tls13()"
    bare = {name: value for name, value in os.environ.items() if name != tls.VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", ["server.serve", "client.link", "party.wire.refusals"])
def test_every_way_to_grpc_settles_the_tls_version_first(module):
    assert import_in_a_fresh_process(module).returncode == 0


def test_a_program_that_loads_grpc_first_gets_no_credentials():
    done = import_in_a_fresh_process("grpc")
    assert done.returncode == 1
    assert "`from commonground import Party` come before `import grpc`" in done.stderr


# -- the dialler's certificate -------------------------------------------------------------------


def test_a_certificate_that_no_contract_pins_is_not_accepted(tmp_path):
    stranger = party_called("advertiser", copy=1)
    with wired(tmp_path) as one:
        theirs = contract_between(stranger)
        with (
            Dialler(stranger, theirs, one.listens, one.address) as dialler,
            pytest.raises(NotAccepted, match="no contract in force there pins"),
        ):
            dialler.submit(make_request(one.contract))
        assert not one.desk.walks


def test_an_expired_certificate_is_not_dialled_with(tmp_path):
    expired = party_called("advertiser", age_days=800)
    with wired(tmp_path) as one, pytest.raises(IdentityError, match="expired on"):
        Dialler(expired, contract_between(expired), one.listens, one.address)


def test_an_expired_certificate_is_turned_away_although_it_is_pinned(tmp_path):
    expired = party_called("advertiser", age_days=800)
    with wired(tmp_path) as one:
        one.desk._contracts.append(contract_between(expired))
        with raw_stubs(one, expired) as (stub, _, _), pytest.raises(grpc.RpcError) as error:
            stub.Attend(pb.AttendRequest(), timeout=SECONDS)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_one_contract_says_nothing_under_another(tmp_path):
    other = party_called("advertiser", copy=2)
    with wired(tmp_path) as one:
        one.desk._contracts.append(contract_between(other, contract_id="another"))
        with Dialler(other, contract_between(other), one.listens, one.address) as dialler:
            dialler.contract_hash = bytes.fromhex(one.contract.digest)
            with pytest.raises(Refusal) as refused:
                dialler.fetch_requests()
    assert refused.value.status is RefusalStatus.CONTRACT_UNKNOWN


def test_a_contract_imported_while_the_server_runs_is_served_at_once(tmp_path):
    newcomer = party_called("advertiser", copy=3)
    theirs = contract_between(newcomer)
    with wired(tmp_path) as one:
        with (
            Dialler(newcomer, theirs, one.listens, one.address) as early,
            pytest.raises(NotAccepted),
        ):
            early.check_health()
        one.desk._contracts.append(theirs)
        with Dialler(newcomer, theirs, one.listens, one.address) as dialler:
            dialler.check_health()
            assert dialler.fetch_requests() == []


def test_a_connection_is_answered_no_longer_than_its_contract_is_in_force(tmp_path):
    with wired(tmp_path) as one, one.dialler() as dialler:
        assert dialler.submit(make_request(one.contract)) == Decision("approved")
        one.desk._contracts.clear()
        with pytest.raises(NotAccepted, match="no contract in force here pins"):
            dialler.submit(make_request(one.contract))


def test_a_connection_is_answered_no_longer_than_its_certificate_is_valid(tmp_path):
    late_seconds = 0
    with wired(tmp_path, now=lambda: time.time() + late_seconds) as one, one.dialler() as dialler:
        dialler.fetch_requests()
        late_seconds = 731 * DAY
        with pytest.raises(NotAccepted, match="expired on"):
            dialler.fetch_requests()


def test_a_party_without_a_contract_listens_and_lets_nobody_in(tmp_path):
    desk = ScriptedDesk(tmp_path, [], None)
    server = serve.start(desk, party_called("channel"), "127.0.0.1:0")
    address = f"127.0.0.1:{server.port}"
    try:
        with (
            Dialler(party_called("advertiser"), contract_between(), "channel", address) as dialler,
            pytest.raises(NotAccepted),
        ):
            dialler.check_health()
    finally:
        server.stop(0)


# -- the listener's certificate ------------------------------------------------------------------


def listening(tmp_path, identity, *, now=time.time):
    desk = ScriptedDesk(tmp_path, [contract_between(channel=identity)], None)
    return serve.start(desk, identity, "127.0.0.1:0", now=now)


def test_nothing_is_said_to_a_listener_with_another_certificate(tmp_path):
    server = listening(tmp_path, party_called("channel", copy=1))
    address = f"127.0.0.1:{server.port}"
    try:
        with (
            Dialler(party_called("advertiser"), contract_between(), "channel", address) as dialler,
            pytest.raises(WrongCertificate, match="another certificate than is pinned"),
        ):
            dialler.check_health()
    finally:
        server.stop(0)


def test_nothing_is_said_to_a_listener_whose_certificate_has_expired(tmp_path):
    expired = party_called("channel", age_days=800)
    server = listening(tmp_path, expired, now=lambda: time.time() - 799 * DAY)
    contract = contract_between(channel=expired)
    try:
        with (
            Dialler(
                party_called("advertiser"), contract, "channel", f"127.0.0.1:{server.port}"
            ) as dialler,
            pytest.raises(WrongCertificate, match="is not valid now"),
        ):
            dialler.check_health()
    finally:
        server.stop(0)


def test_a_listener_does_not_start_with_an_expired_certificate(tmp_path):
    with pytest.raises(IdentityError, match="expired on"):
        listening(tmp_path, party_called("channel", age_days=800))


def test_nothing_at_an_address_is_said_so(tmp_path):
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{idle.getsockname()[1]}"
        with (
            Dialler(
                party_called("advertiser"),
                contract_between(),
                "channel",
                address,
                connect_seconds=0.3,
            ) as dialler,
            pytest.raises(Unreachable, match="does not answer at"),
        ):
            dialler.check_health()


@pytest.mark.parametrize("address", ["", "localhost", "https://x:1", "host:port", "a b:1", "h:1/x"])
def test_an_address_is_host_and_port(address):
    with pytest.raises(DialError, match="write host:port"):
        Dialler(party_called("advertiser"), contract_between(), "channel", address)


def test_an_address_that_is_taken_is_said_so(tmp_path):
    with wired(tmp_path) as one, pytest.raises(CannotListen, match="cannot listen on"):
        serve.start(one.desk, party_called(one.listens), one.address)
