"""The HTTP proxy on the way to a counterpart, chosen once, for gRPC and for probes alike.

What is read: `grpc_proxy`, `https_proxy`, `HTTPS_PROXY`, `http_proxy`, in this order, and
`no_grpc_proxy`, `no_proxy`, `NO_PROXY` for names to which no proxy leads. No proxy leads to this
machine itself. A proxy is asked by CONNECT for the counterpart's host and port, and sees TLS only.
"""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from client.addresses import is_loopback, split_address
from client.errors import DialError, ProxyRefused, Unreachable

VARIABLES: Final = ("grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy")
EXCEPTIONS: Final = ("no_grpc_proxy", "no_proxy", "NO_PROXY")
MOST_ANSWER_BYTES: Final = 16_384
_DEFAULT_PORT: Final = 80
_REFUSED: Final = range(400, 500)


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy. `url` is what gRPC is given; it may hold a password and is never shown."""

    host: str
    port: int
    variable: str
    url: str = field(repr=False)
    credentials: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host and port, to be shown."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self, plain: socket.socket, address: str) -> None:
        """Ask the proxy at the other end of a socket for the way to `address` (host:port).

        Raises:
            ProxyRefused: it says no.
            Unreachable: it finds nobody there, or does not speak HTTP.
        """
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        if self.credentials is not None:
            token = b64encode(self.credentials.encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {token}")
        plain.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        self._require_way(_status(_answer(plain)), address)

    def _require_way(self, status: int | None, address: str) -> None:
        if status is None:
            raise Unreachable(
                f"what answers at {self.address} is no HTTP proxy; correct {self.variable}"
            )
        if status == 407:
            raise ProxyRefused(
                f"the proxy {self.address} asks for another user name or password (407); put them "
                f"into {self.variable} as http://USER:PASSWORD@{self.address}"
            )
        if status in _REFUSED:
            raise ProxyRefused(
                f"the proxy {self.address} does not let this machine connect to {address} "
                f"({status}); ask whoever runs it to allow CONNECT to that host and port"
            )
        if status != 200:
            raise Unreachable(
                f"the proxy {self.address} does not get through to {address} ({status}); check "
                "the address, and that they serve"
            )


def proxy_to(address: str) -> Proxy | None:
    """Return the proxy that leads to `address` (host:port), or None.

    Raises:
        DialError: a variable names something that is no HTTP proxy.
    """
    host, _ = split_address(address)
    if is_loopback(address) or _excepted(host):
        return None
    variable = next((name for name in VARIABLES if name in os.environ), None)
    if variable is None or not os.environ[variable]:
        return None
    return _read(variable, os.environ[variable])


def _read(variable: str, text: str) -> Proxy:
    """Return the proxy in a URL, whose text may hold a password and stays out of messages."""
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        port = url.port or _DEFAULT_PORT
    except ValueError:
        url, port = urlsplit(""), 0
    if url.scheme != "http" or not url.hostname:
        raise DialError(
            f"the variable {variable} is no http://HOST:PORT; only HTTP proxies are spoken to"
        )
    return Proxy(url.hostname, port, variable, _plain(url), _credentials(url))


def _plain(url: SplitResult) -> str:
    return f"http://{url.netloc}"


def _credentials(url: SplitResult) -> str | None:
    if url.username is None:
        return None
    return f"{unquote(url.username)}:{unquote(url.password or '')}"


def _excepted(host: str) -> bool:
    """Say whether a variable excepts a host: by the end of its name, as gRPC reads it."""
    listed = next((os.environ[name] for name in EXCEPTIONS if name in os.environ), "")
    entries = [entry.strip() for entry in listed.split(",")]
    return any(entry == "*" or (entry and host.endswith(entry)) for entry in entries)


def _answer(plain: socket.socket) -> bytes:
    """Return the head of the proxy's answer, as far as it comes."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MOST_ANSWER_BYTES:
        # One byte at a time: what follows the head belongs to the counterpart.
        piece = plain.recv(1)
        if not piece:
            break
        head += piece
    return head


def _status(head: bytes) -> int | None:
    """Return the status in the first line of an HTTP answer, or None."""
    words = head.partition(b"\r\n")[0].split(b" ")
    fits = len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit()
    return int(words[1]) if fits else None
