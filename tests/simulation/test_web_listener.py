"""Connections to what answers HTTP: how many stand, and for how long without asking."""

import socket
import threading
from contextlib import ExitStack, contextmanager, suppress

import pytest

import party.web_listener as web
from party.errors import CannotListen

SECONDS = 60  # how long a test waits for what must happen
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n12345"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(web, "FIRST_REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(web, "IDLE_SECONDS", 2.0)
    monkeypatch.setattr(web, "BODY_SECONDS", 1.0)
    monkeypatch.setattr(web, "_LOOK_SECONDS", 0.1)


async def _read_whole(receive):
    while (message := await receive()).get("more_body"):
        pass
    return message["type"]


async def _answer(scope, receive, send):
    if await _read_whole(receive) == "http.disconnect":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@contextmanager
def _listening(most, app=_answer):
    _, listening = web.bind("127.0.0.1:0", most)
    address = listening.getsockname()
    running = web.start_web(app, listening, name="web", identity=None, lifespan="off")
    try:
        yield address
    finally:
        running.stop()


def _connected(address):
    return socket.create_connection(address, timeout=SECONDS)


def _ended(connection):
    """Read to the end of a connection, which comes within `SECONDS`; return what was read."""
    read = b""
    try:
        while more := connection.recv(4096):
            read += more
    except ConnectionResetError:
        pass
    return read


def test_one_connection_too_many_is_closed_and_silent_ones_make_room_in_time(monkeypatch):
    monkeypatch.setattr(web, "FIRST_REQUEST_SECONDS", SECONDS)
    with _listening(3) as address, ExitStack() as stack:
        silent = [stack.enter_context(_connected(address)) for _ in range(3)]
        one_more = stack.enter_context(_connected(address))
        with suppress(ConnectionError):
            one_more.sendall(GET)
        assert _ended(one_more) == b""
        monkeypatch.setattr(web, "FIRST_REQUEST_SECONDS", 0.5)
        assert [_ended(one) for one in silent] == [b""] * 3
        while True:  # until a closed one is forgotten
            with _connected(address) as asking:
                try:
                    asking.sendall(GET)
                    if asking.recv(4096).startswith(b"HTTP/1.1 200"):
                        return
                except ConnectionError:
                    continue


def test_a_head_that_never_ends_is_cut_off_first_or_second():
    with _listening(3) as address, _connected(address) as first, _connected(address) as second:
        first.sendall(GET[:-2])
        second.sendall(GET + GET[:-2])
        assert b" 200 " not in _ended(first)
        assert _ended(second).count(b" 200 ") == 1


def test_a_body_that_never_ends_is_cut_off():
    with _listening(3) as address, _connected(address) as one:
        one.sendall(POST)
        assert b" 200 " not in _ended(one)


def test_what_takes_long_to_answer_is_left_alone():
    may_answer = threading.Event()

    async def answers_late(scope, receive, send):
        import asyncio

        await asyncio.to_thread(may_answer.wait, SECONDS)
        await _answer(scope, receive, send)

    with _listening(3, answers_late) as address, _connected(address) as asking:
        asking.sendall(GET)
        with _connected(address) as silent:
            assert _ended(silent) == b""  # whose time is over, and the other's would be
        may_answer.set()
        assert asking.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("address", ["here", "127.0.0.1:", "127.0.0.1:99999", "192.0.2.1:0"])
def test_an_address_that_is_none_of_this_machine_is_refused(address):
    with pytest.raises(CannotListen, match="cannot listen on"):
        web.bind(address, 1)
