"""The way through an HTTP proxy: sessions, joining and diagnosis, and a proxy that says no."""

import contextlib
import socket
import threading

import pytest
from connect_proxy import ConnectProxy
from wired_parties import Wired, contract_between, make_request, party_called, raw_stubs

from client.dial import Dialler
from client.errors import DialError, ProxyRefused, Unreachable
from client.probe import Way
from client.proxy import EXCEPTIONS, VARIABLES, proxy_to

NAME = "channel.invalid:7443"  # no machine has this name; only the proxy knows where it leads


class BehindProxy(Wired):
    """A listener that is found under a name that the proxy knows."""

    address = NAME


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in (*VARIABLES, *EXCEPTIONS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(monkeypatch):
    one = ConnectProxy()
    monkeypatch.setenv("https_proxy", one.url())
    yield one
    one.close()


@pytest.fixture
def behind(proxy, tmp_path):
    one = BehindProxy(tmp_path)
    one.start()
    proxy.leads[NAME] = one.port
    yield one
    one.stop()


def test_a_whole_session_goes_through_a_proxy(behind, proxy):
    walk = behind.run_here(make_request(behind.contract))
    assert len(walk.heard) == 7
    assert behind.desk.walks[0].errors == []
    assert set(proxy.asked) == {NAME}


@pytest.mark.parametrize("variable", VARIABLES)
def test_connections_go_where_the_probe_goes_whatever_the_variable(
    behind, proxy, monkeypatch, variable
):
    """gRPC by itself does not know all of them."""
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv(variable, proxy.url())
    with behind.dialler(connect_seconds=2) as dialler:
        dialler.check_health()
    with contextlib.closing(Way(NAME).open()):
        pass


def test_a_proxy_that_wants_a_password_gets_the_one_in_the_variable(behind, proxy, monkeypatch):
    proxy.user = "partner:s3cret/="
    monkeypatch.setenv("https_proxy", proxy.url("partner:s3cret%2F%3D"))
    with behind.dialler() as dialler:
        dialler.check_health()
    with contextlib.closing(Way(NAME).open()):
        pass


@pytest.mark.parametrize(
    ("status", "said"), [(407, "user name or password"), (403, "allow CONNECT"), (405, "allow")]
)
def test_a_proxy_that_refuses_is_named_and_told_apart(behind, proxy, status, said):
    proxy.refuses = status
    with behind.dialler() as dialler, pytest.raises(ProxyRefused, match=said) as refused:
        dialler.check_health()
    assert f"({status})" in str(refused.value)
    assert proxy.address in str(refused.value)


def test_a_counterpart_that_the_proxy_does_not_find_is_no_refusal(behind, proxy):
    proxy.refuses = 502
    with (
        behind.dialler(connect_seconds=0.5) as dialler,
        pytest.raises(Unreachable, match="does not answer"),
    ):
        dialler.check_health()
    with pytest.raises(Unreachable, match=r"does not get through to channel\.invalid:7443 \(502\)"):
        Way(NAME).open()


def test_a_password_is_never_said(monkeypatch, proxy):
    proxy.refuses = 407
    monkeypatch.setenv("https_proxy", proxy.url("partner:s3cret"))
    with pytest.raises(ProxyRefused) as refused:
        Way(NAME).open()
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(proxy_to(NAME))
    monkeypatch.setenv("https_proxy", "https://partner:s3cret@proxy")
    with pytest.raises(DialError) as wrong:
        proxy_to(NAME)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    "url", ["https://p:1", "socks5://p:1", "http://", "http://p:x", "://", "["]
)
def test_what_is_no_http_proxy_is_said_and_not_passed_by(monkeypatch, url):
    """Going around a proxy that was asked for would show the way to those who watch it."""
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(DialError, match="the variable https_proxy is no http"):
        Dialler(party_called("advertiser"), contract_between(), "channel", NAME)


def test_the_first_variable_that_is_set_counts(monkeypatch):
    for number, name in reversed(list(enumerate(VARIABLES))):
        monkeypatch.setenv(name, f"http://p{number}:80")
        assert proxy_to(NAME).host == f"p{number}"
    monkeypatch.setenv("grpc_proxy", "")
    assert proxy_to(NAME) is None


def test_a_proxy_without_scheme_or_port_is_taken_as_other_programs_do(monkeypatch):
    monkeypatch.setenv("https_proxy", "proxy.example")
    assert (proxy_to(NAME).host, proxy_to(NAME).port) == ("proxy.example", 80)


@pytest.mark.parametrize("listed", ["channel.invalid", ".invalid", "a, .invalid", "*"])
def test_no_proxy_leads_to_an_excepted_name(monkeypatch, listed):
    monkeypatch.setenv("https_proxy", "http://p:1")
    monkeypatch.setenv("no_proxy", listed)
    assert proxy_to(NAME) is None
    assert (proxy_to("other.example:1") is None) == (listed == "*")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "[::1]:1"])
def test_no_proxy_leads_to_this_machine(monkeypatch, address):
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert proxy_to(address) is None


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 yes\r\n\r\n", b"x" * 20_000]
)
def test_what_is_no_proxy_is_said_to_be_none(monkeypatch, answer):
    with socket.create_server(("127.0.0.1", 0)) as entrance:

        def reply():
            near, _ = entrance.accept()
            with near:
                near.recv(4096)
                near.sendall(answer)

        threading.Thread(target=reply, daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{entrance.getsockname()[1]}")
        with pytest.raises(Unreachable, match=r"is no HTTP proxy|broke off"):
            Way(NAME).open()


def test_a_proxy_that_is_not_there_is_said_so(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"the proxy 127\.0\.0\.1:9 does not answer"):
        Way(NAME).open()


def test_plain_connections_do_not_know_the_name(behind, monkeypatch):
    """The tests above would fail if a connection went past the proxy."""
    monkeypatch.delenv("https_proxy")
    with raw_stubs(behind) as (_, _, channel), pytest.raises(Exception, match="invalid"):
        channel.unary_unary("/commonground.v1.SessionService/Attend")(b"", timeout=60)
    with pytest.raises(Unreachable, match=r"channel\.invalid is not known"):
        Way(NAME).resolve()
