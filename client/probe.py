"""Why a first connection failed: nothing there, another certificate, or ours not accepted.

gRPC reports all three alike. The probe opens a TLS 1.3 connection that trusts nobody, looks at the
certificate that answers, and closes it without a byte.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from enum import Enum, auto
from ipaddress import ip_address
from typing import Final

from party.certificate import Certificate
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


def probe(address: str, pinned: Certificate) -> Finding:
    """Look at what answers at `address` (host:port)."""
    host, port = split_address(address)
    try:
        with (
            socket.create_connection((host, port), timeout=PROBE_SECONDS) as plain,
            _trusting_nobody().wrap_socket(plain, server_hostname=pinned.internal_name) as secured,
        ):
            found = secured.getpeercert(binary_form=True) or b""
    except OSError:
        return Finding.NOTHING
    if "sha256:" + hashlib.sha256(found).hexdigest() != pinned.fingerprint:
        return Finding.ANOTHER
    try:
        pinned.require_valid(int(time.time()))
    except IdentityError:
        return Finding.EXPIRED
    return Finding.PINNED


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[v6]:port`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own, to which no proxy leads."""
    host, _ = split_address(address)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trusting_nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead; nothing is sent
    context.set_alpn_protocols(["h2"])
    return context
