"""Addresses as cards and contracts write them: `host:port`, or `[v6]:port`."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from client.errors import DialError

_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")


def require_address(address: str) -> None:
    """Raise DialError unless a text is host:port."""
    if _ADDRESS.fullmatch(address) is None:
        raise DialError(f"{address!r} is no address: write host:port")


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
