"""Strict readings of single fields: each returns the value or refuses it by name."""

from __future__ import annotations

import re
from collections.abc import Sequence, Sized
from typing import Final, Protocol

from party.errors import Breach, RefusalStatus
from party.wire import limits

REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")


class Presence(Protocol):
    """A protobuf message, as far as the presence of its fields goes."""

    def HasField(self, field_name: str, /) -> bool:  # noqa: N802 - protobuf's name
        """Say whether a submessage is there."""


def malformed(field: str, problem: str) -> Breach:
    """Return the refusal of a field that is out of shape."""
    return Breach(
        RefusalStatus.BAD_REQUEST,
        f"the message's field {field} {problem}. Both sides must run compatible versions",
    )


def too_large(field: str, most: int, unit: str) -> Breach:
    """Return the refusal of a field that is larger than the protocol allows."""
    return Breach(
        RefusalStatus.LIMIT_EXCEEDED,
        f"the message's field {field} is larger than the protocol allows: at most {most} {unit}",
    )


def require_present(message: Presence, *fields: str) -> None:
    """Refuse a message that lacks one of its parts."""
    for field in fields:
        if not message.HasField(field):
            raise malformed(field, "is missing")


def exact_bytes(data: bytes, size: int, field: str) -> bytes:
    """Return `data` of exactly `size` bytes."""
    if len(data) != size:
        raise malformed(field, f"must have {size} bytes and has {len(data)}")
    return data


def bounded_bytes(data: bytes, most: int, field: str) -> bytes:
    """Return `data` of 1 to `most` bytes."""
    if not data:
        raise malformed(field, "is empty")
    if len(data) > most:
        raise too_large(field, most, "bytes")
    return data


def line(text: str, most: int, field: str) -> str:
    """Return a text of 1 to `most` printable characters."""
    if not text or not text.isprintable():
        raise malformed(field, "must be one line of printable text")
    if len(text) > most:
        raise too_large(field, most, "characters")
    return text


def block(text: str, most: int, field: str) -> str:
    """Return a text of 1 to `most` bytes that may have several lines."""
    bounded_bytes(text.encode(), most, field)
    if not text.replace("\n", "").isprintable():
        raise malformed(field, "must be lines of printable text")
    return text


def whole(number: int, most: int, field: str) -> int:
    """Return an integer from 0 to `most`."""
    if not 0 <= number <= most:
        raise too_large(field, most, "(its value)")
    return number


def signed(numbers: Sequence[int], field: str) -> tuple[int, ...]:
    """Return integers whose size JSON can carry."""
    if any(abs(number) > limits.MOST_WHOLE for number in numbers):
        raise too_large(field, limits.MOST_WHOLE, "(its values)")
    return tuple(numbers)


def counted(entries: Sized, least: int, most: int, field: str) -> None:
    """Refuse a repeated field with fewer than `least` or more than `most` entries."""
    if len(entries) < least:
        raise malformed(field, f"needs at least {least} entries and has {len(entries)}")
    if len(entries) > most:
        raise too_large(field, most, "entries")


def set_sizes(numbers: Sequence[int], field: str) -> tuple[int, ...]:
    """Return the sizes of a set's labels."""
    counted(numbers, 1, limits.MOST_LABELS, field)
    if sum(numbers) > limits.MOST_KEYS:
        raise too_large(field, limits.MOST_KEYS, "keys together")
    return tuple(numbers)


def request_id(text: str, field: str) -> str:
    """Return a request id: 32 lower-case hexadecimal digits."""
    if REQUEST_ID.fullmatch(text) is None:
        raise malformed(field, "must be 32 lower-case hexadecimal digits")
    return text


def digest(data: bytes, field: str) -> bytes:
    """Return a SHA-256."""
    return exact_bytes(data, 32, field)
