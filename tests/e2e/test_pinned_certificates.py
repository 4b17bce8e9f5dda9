"""The TLS library inside gRPC accepts a party's certificate as its own root, and no other's."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from party import identity

THREE_YEARS = 3 * 365 * 86_400


@pytest.fixture(scope="module")
def parties(tmp_path_factory):
    """Two parties, one of the same name as the second, a stranger, and an expired one."""
    names = {"advertiser": "advertiser", "channel": "channel", "namesake": "channel", "s": "s"}
    parties = {
        key: identity.create(
            tmp_path_factory.mktemp(key), name=name, log_origin=f"example.com/{key}"
        )
        for key, name in names.items()
    }
    parties["expired"] = identity.create(
        tmp_path_factory.mktemp("expired"),
        name="channel",
        log_origin="example.com/expired",
        now=int(time.time()) - THREE_YEARS,
    )
    return parties


@pytest.fixture
def listen():
    """Start a server as one party that pins others; return its address."""
    servers = []

    def start(me, pinned):
        server = grpc.server(ThreadPoolExecutor(1))
        echo = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t", {"e": echo}),))
        credentials = grpc.ssl_server_credentials(
            [(me.tls_key_pem(), me.certificate.pem.encode())],
            root_certificates="".join(one.certificate.pem for one in pinned).encode(),
            require_client_auth=True,
        )
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        servers.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in servers:
        server.stop(None)


def dial(address, me, pinned):
    """Send one message as one party that pins another, and return the answer."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=pinned.certificate.pem.encode(),
        private_key=me.tls_key_pem(),
        certificate_chain=me.certificate.pem.encode(),
    )
    options = [("grpc.ssl_target_name_override", pinned.certificate.internal_name)]
    with grpc.secure_channel(address, credentials, options) as channel:
        return channel.unary_unary("/t/e")(b"hello", timeout=60)


def test_two_parties_that_pin_each_other_talk(parties, listen):
    address = listen(parties["channel"], [parties["advertiser"]])
    assert dial(address, parties["advertiser"], parties["channel"]) == b"hello"


def test_two_pinned_parties_of_one_name_both_get_in(parties, listen):
    address = listen(parties["advertiser"], [parties["channel"], parties["namesake"]])
    for name in ("channel", "namesake"):
        assert dial(address, parties[name], parties["advertiser"]) == b"hello"


@pytest.mark.parametrize("dialler", ["s", "namesake"])
def test_a_dialler_that_is_not_pinned_is_refused(parties, listen, dialler):
    address = listen(parties["advertiser"], [parties["channel"]])
    with pytest.raises(grpc.RpcError):
        dial(address, parties[dialler], parties["advertiser"])


@pytest.mark.parametrize("listener", ["s", "namesake"])
def test_a_listener_that_is_not_pinned_is_refused(parties, listen, listener):
    address = listen(parties[listener], [parties["advertiser"]])
    with pytest.raises(grpc.RpcError):
        dial(address, parties["advertiser"], parties["channel"])


def test_an_expired_certificate_is_refused_although_it_is_pinned(parties, listen):
    with pytest.raises(grpc.RpcError):
        dial(
            listen(parties["advertiser"], [parties["expired"]]),
            parties["expired"],
            parties["advertiser"],
        )
    with pytest.raises(grpc.RpcError):
        dial(
            listen(parties["expired"], [parties["advertiser"]]),
            parties["advertiser"],
            parties["expired"],
        )
