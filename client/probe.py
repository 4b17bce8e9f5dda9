"""What answers at an address, looked at step by step: name, connection, TLS, certificate.

gRPC reports all failures of a first connection alike. The probe takes the same way, through the
same proxy, opens a TLS 1.3 connection that trusts nobody, looks at the certificate that answers,
and closes it without a byte.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import closing
from enum import Enum, auto
from typing import Final

from client.addresses import require_address, split_address
from client.errors import ProxyRefused, Unreachable
from client.proxy import proxy_to
from party.certificate import Certificate, read_certificate
from party.errors import IdentityError

PROBE_SECONDS: Final = 5.0


class Finding(Enum):
    """What answers at an address."""

    NOTHING = auto()
    """No connection, or no TLS 1.3."""
    ANOTHER = auto()
    """Another certificate than the pinned one."""
    EXPIRED = auto()
    """The pinned certificate, which is not valid now."""
    PINNED = auto()
    """The pinned certificate."""


class Way:
    """The way to an address, through a proxy where one leads there."""

    def __init__(self, address: str) -> None:
        """Choose the way; nothing is looked up yet.

        Raises:
            DialError: the address is no host:port, or the proxy's variable does not serve.
        """
        require_address(address)
        self.address = address
        self.proxy = proxy_to(address)

    @property
    def first(self) -> str:
        """Where the first connection goes: to the proxy, or to the address."""
        return self.address if self.proxy is None else self.proxy.address

    def resolve(self) -> str:
        """Return the numeric address of the first host.

        Raises:
            Unreachable: the name is not known here.
        """
        host, port = split_address(self.first)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(
                f"the name {host} is not known to this machine ({error.strerror or error}); check "
                + ("the address" if self.proxy is None else self.proxy.variable)
            ) from None
        return str(found[0][4][0])

    def open(self) -> socket.socket:
        """Return a connection to the address.

        Raises:
            ProxyRefused: the proxy says no.
            Unreachable: nothing answers.
        """
        try:
            plain = socket.create_connection(split_address(self.first), timeout=PROBE_SECONDS)
        except OSError as error:
            raise Unreachable(self._silence(_brief(error))) from None
        try:
            if self.proxy is not None:
                self.proxy.connect(plain, self.address)
        except OSError as error:
            plain.close()
            raise Unreachable(f"the proxy {self.first} broke off ({_brief(error)})") from None
        except BaseException:
            plain.close()
            raise
        return plain

    def _silence(self, why: str) -> str:
        if self.proxy is None:
            return (
                f"nobody answers at {self.address} ({why}); check the address, the firewalls "
                "between you, and that they serve"
            )
        return (
            f"the proxy {self.first} does not answer ({why}); check {self.proxy.variable}, and that"
            " the proxy runs"
        )

    def certificate(self, plain: socket.socket) -> Certificate | None:
        """Return the certificate that answers over a connection; None when it is no party's.

        Raises:
            Unreachable: what answers speaks no TLS 1.3.
        """
        try:
            with _trusting_nobody().wrap_socket(plain) as secured:
                found = secured.getpeercert(binary_form=True) or b""
        except OSError as error:
            raise Unreachable(
                f"what answers at {self.address} speaks no TLS 1.3 ({_brief(error)}); check the "
                "port, and that nothing between you takes TLS apart"
            ) from None
        try:
            return read_certificate(ssl.DER_cert_to_PEM_cert(found))
        except IdentityError:
            return None


def probe(address: str, pinned: Sequence[Certificate]) -> Finding:
    """Look at what answers at `address` (host:port); `pinned` are one party's certificates.

    Raises:
        ProxyRefused: a proxy on the way says no.
    """
    way = Way(address)
    try:
        with closing(way.open()) as plain:
            found = way.certificate(plain)
    except ProxyRefused:
        raise
    except Unreachable:
        return Finding.NOTHING
    if found is None or all(found.fingerprint != one.fingerprint for one in pinned):
        return Finding.ANOTHER
    try:
        found.require_valid(int(time.time()))
    except IdentityError:
        return Finding.EXPIRED
    return Finding.PINNED


def _trusting_nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead; nothing is sent
    context.set_alpn_protocols(["h2"])
    return context


def _brief(error: OSError) -> str:
    """Return what went wrong in a few words."""
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "handshake failed").lower().replace("_", " ")
    return (error.strerror or str(error) or type(error).__name__).lower()
