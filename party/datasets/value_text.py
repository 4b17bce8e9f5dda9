"""The text of a value that a database's driver returns: the same that an export would hold."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from uuid import UUID

_AS_PRINTED: Final = (str, int, float, UUID, IPv4Address, IPv6Address)


def text_of(value: object) -> str | None:
    """Return the text of a number, truth value, time, UUID or address; None for other types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _AS_PRINTED):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return None
