"""HTTP on an address of this machine, as `serve --http` and the console answer it.

Uvicorn answers requests, and lets connections stand that never ask for anything, as many as come.
Here there is a most, and each has its time: to its first whole request (the TLS handshake is part
of it), then between two requests, and to send the body of one. A connection that has a request
under way is left alone. Over TLS the party's certificate is the one in use at each handshake, since
it may be replaced.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from party.errors import CannotListen
from party.identity import Identity

if TYPE_CHECKING:
    import uvicorn

FIRST_REQUEST_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 30.0
BODY_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 1.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Any, Receive, Any], Awaitable[None]]
Address = tuple[str, int]


class RunningWeb:
    """A listener at work; `stop` ends it once what is being answered is answered."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket, name: str) -> None:
        self._server, self._listening = server, listening
        self._work = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name=name, daemon=True
        )
        self._work.start()

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._work.join()
        self._listening.close()


def start_web(
    app: Any,  # noqa: ANN401 - an ASGI application, which nothing here looks into
    listening: BoundSocket,
    *,
    name: str,
    identity: Identity | None,
    **settings: Any,  # noqa: ANN401 - as they are called there
) -> RunningWeb:
    """Answer on a socket in a thread of this name; over TLS 1.3 where an identity is given.

    `settings` are uvicorn's.
    """
    import uvicorn

    config = uvicorn.Config(
        listening.doorkeeper.guard(app),
        loop="asyncio",  # whose listener accepts by way of the socket
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(IDLE_SECONDS),
        h11_max_incomplete_event_size=16 * 1024,
        **settings,
    )
    config.load()
    if identity is not None:
        config.ssl = _tls_of(identity)
    return RunningWeb(uvicorn.Server(config), listening, name)


@dataclass
class _Guest:
    """A connection: since when nothing was asked (monotonic seconds), and whether anything was."""

    connection: socket.socket
    since: float
    has_asked: bool = False
    asks: bool = False

    def outstays(self, now: float) -> bool:
        """Say whether its time is over."""
        allowed = IDLE_SECONDS if self.has_asked else FIRST_REQUEST_SECONDS
        return not self.asks and now - self.since > allowed


class Doorkeeper:
    """Counts the connections of one listener, and shows those out whose time is over.

    Everything here happens in the thread of the listener's loop.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._guests: dict[Address, _Guest] = {}
        self._looks = False

    def let_in(self, connection: socket.socket, address: Address) -> bool:
        """Say whether one more may come, and count it."""
        self._forget_closed()
        if len(self._guests) >= self._most:
            return False
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
        self._guests[address] = _Guest(connection, time.monotonic())
        return True

    def guard(self, app: App) -> App:
        """Return the application, which tells here when a connection asks for something."""

        async def guarded(scope: Any, receive: Receive, send: Any) -> None:  # noqa: ANN401
            guest = self._guests.get(tuple(scope.get("client") or ())[:2])
            if guest is None:
                return await app(scope, receive, send)
            ends: float | None = asyncio.get_running_loop().time() + BODY_SECONDS

            async def receive_in_time() -> Message:
                """Wait for a part of the body; behind its end comes the end of the connection."""
                nonlocal ends
                try:
                    async with asyncio.timeout_at(ends):
                        message = await receive()
                except TimeoutError:
                    return {"type": "http.disconnect"}
                if not message.get("more_body", False):
                    ends = None
                return message

            guest.asks = guest.has_asked = True
            try:
                await app(scope, receive_in_time, send)
            finally:
                guest.asks, guest.since = False, time.monotonic()

        return guarded

    def _look(self) -> None:
        self._forget_closed()
        now = time.monotonic()
        for guest in self._guests.values():
            if guest.outstays(now):
                _hang_up(guest.connection)
        self._looks = bool(self._guests)
        if self._looks:
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)

    def _forget_closed(self) -> None:
        gone = [key for key, guest in self._guests.items() if guest.connection.fileno() == -1]
        for key in gone:
            del self._guests[key]


class BoundSocket(socket.socket):
    """A socket that listens, and accepts no more connections than its doorkeeper lets in."""

    doorkeeper: Doorkeeper

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection; one too many is closed."""
        connection, address = super().accept()
        if self.doorkeeper.let_in(connection, address[:2]):
            return connection, address
        connection.close()
        raise ConnectionAbortedError("as many connections as are served stand")


def bind(address: str, most: int) -> tuple[str, BoundSocket]:
    """Return the host of an address (host:port; port 0 takes a free one), and what listens there.

    Raises:
        CannotListen: the address is taken, malformed or not this machine's.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal():
        raise CannotListen(f"cannot listen on {address}: write it as host:port")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, int(port)), family=family)
    except (OSError, OverflowError):
        raise CannotListen(
            f"cannot listen on {address}: another program does, or the address is not this "
            "machine's; choose another with --http"
        ) from None
    listening = BoundSocket(made.family, made.type, made.proto, made.detach())
    listening.doorkeeper = Doorkeeper(most)
    return host, listening


def url_of(host: str, port: int, *, over_tls: bool) -> str:
    """Return the address of a listener as browsers take it."""
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if over_tls else 'http'}://{shown}:{port}"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other end has gone meanwhile
        return


def _tls_of(identity: Identity) -> ssl.SSLContext:
    """Return TLS 1.3 by the certificate in use at each handshake, since it may be replaced."""
    made: dict[str, ssl.SSLContext] = {}

    def current() -> ssl.SSLContext:
        name = identity.fingerprint
        if name not in made:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(*identity.tls_files())
            made[name] = context
        return made[name]

    def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = current()

    first = current()
    first.sni_callback = choose
    return first
