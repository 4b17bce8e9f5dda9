"""Calls over HTTP: to a log's files, and to a witness. One connection is kept and used again.

HTTPS is verified by this machine's authorities, or by the certificate's SHA-256 where one is given,
as a party's own certificate is. Redirects are not followed, answers have an end, and a token is
never sent in clear over a network.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from client.addresses import is_loopback
from client.errors import DialError, Unreachable, WrongCertificate
from client.proxy import proxy_to

TIMEOUT_SECONDS: Final = 30.0
_PORTS: Final = {"http": 80, "https": 443}
_GZIP: Final = 16 + zlib.MAX_WBITS
_PREFIX: Final = "sha256:"


@dataclass(frozen=True)
class Answered:
    """What came back: status, type and body."""

    status: int
    content_type: str
    body: bytes


class HttpPlace:
    """A URL below which things are asked for.

    Args:
        url: with `http://` or `https://`, without a query.
        token: sent as a bearer token.
        fingerprint: `sha256:` and 64 hexadecimal digits of the one certificate that is accepted.

    Raises:
        DialError: the URL does not serve, or would carry the token in clear.
    """

    def __init__(
        self, url: str, *, token: str | None = None, fingerprint: str | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._scheme, self._host, self._address, self._prefix = _split(self.url)
        self._token, self._fingerprint = token, _hex_of(fingerprint)
        self._connection: http.client.HTTPConnection | None = None
        if token and self._scheme == "http" and not is_loopback(self._address):
            raise DialError(
                f"{self.url}: a token is not sent over a network in clear; write https://"
            )

    def get(self, path: str, most: int) -> Answered:
        """Ask for a path below the URL; the body has at most `most` bytes, also when unpacked."""
        return self._ask("GET", path, None, most)

    def post(self, path: str, body: bytes, most: int) -> Answered:
        """Send a body to a path below the URL."""
        return self._ask("POST", path, body, most)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None, most: int) -> Answered:
        headers = {"Host": self._address, "Accept-Encoding": "gzip", "User-Agent": "commonground"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        target = f"{self._prefix}/{path}"
        try:
            kept = self._connection is not None
            try:
                return self._asked(method, target, body, headers, most)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not kept:
                    raise
                self.close()  # the other end had closed a connection that it kept too long
                return self._asked(method, target, body, headers, most)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise WrongCertificate(
                f"{self.url}: its certificate is not accepted ({error.verify_message}); give the "
                "fingerprint of the one that it should have"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{self.url}: no answer ({type(error).__name__})") from None

    def _asked(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], most: int
    ) -> Answered:
        connection = self._connect()
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        data = answer.read(most + 1)
        if len(data) > most:
            self.close()
            raise Unreachable(f"{self.url}: an answer has more than {most} bytes")
        if answer.headers.get("Content-Encoding", "").lower() == "gzip":
            data = self._unpacked(data, most)
        if answer.will_close:
            self.close()
        return Answered(answer.status, answer.headers.get("Content-Type", ""), data)

    def _unpacked(self, data: bytes, most: int) -> bytes:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            whole = unpacking.decompress(data, most)
        except zlib.error:
            raise Unreachable(f"{self.url}: an answer is not packed as it says") from None
        if not unpacking.eof:
            raise Unreachable(f"{self.url}: an answer has more than {most} bytes, or is cut off")
        return whole

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is not None:
            return self._connection
        proxy = proxy_to(self._address)
        port = int(self._address.rpartition(":")[2])
        at = (self._host, port) if proxy is None else (proxy.host, proxy.port)
        plain = socket.create_connection(at, TIMEOUT_SECONDS)
        try:
            if proxy is not None:
                proxy.connect(plain, self._address)
            secured = self._secure(plain) if self._scheme == "https" else plain
        except BaseException:
            with suppress(OSError):
                plain.close()
            raise
        connection = http.client.HTTPConnection(self._host, port, timeout=TIMEOUT_SECONDS)
        connection.sock = secured
        self._connection = connection
        return connection

    def _secure(self, plain: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._fingerprint is not None:  # the one certificate that counts is named
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        secured = context.wrap_socket(plain, server_hostname=self._host)
        found = sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
        if self._fingerprint not in (None, found):
            secured.close()
            raise WrongCertificate(
                f"{self.url}: it has another certificate than the one whose fingerprint was given"
            )
        return secured


def _split(url: str) -> tuple[str, str, str, str]:
    """Return scheme, host, host:port and path of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.username:
        raise DialError(f"{url[:100]!r} is no URL with http:// or https://, host and path")
    host = parts.hostname
    return parts.scheme, host, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", parts.path


def _hex_of(fingerprint: str | None) -> str | None:
    if fingerprint is None:
        return None
    digits = fingerprint.removeprefix(_PREFIX).lower()
    if len(digits) != 64 or any(one not in "0123456789abcdef" for one in digits):
        raise DialError("a fingerprint is sha256: and 64 hexadecimal digits")
    return digits
