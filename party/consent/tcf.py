"""TC strings of the IAB Europe Transparency and Consent Framework, version 2.3.

A string says which purposes a person allows and to which vendors. From version 2.3 on it must carry
the segment of the vendors that were shown to the person; one without it says nothing here, since
nobody can tell whether the recipient was among them. Legitimate interest is no consent and is not
read. Restrictions of the publisher count before anything else.

Format: IAB Tech Lab, *Transparency and Consent String with Global Vendor & CMP List Formats*.
A string is somebody else's input: what is cut off, too long or malformed raises `ConsentError`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from party.errors import ConsentError

PURPOSES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "dpv:Advertising": (2,),
        "dpv:MarketResearch": (7, 9),
        "dpv:Marketing": (2, 3, 4, 7),
        "dpv:PersonalisedAdvertising": (3, 4),
        "dpv:TargetedAdvertising": (3, 4),
    }
)
"""The framework's purposes that a DPV purpose needs, all of them (docs/consent.md has why)."""
MOST_VENDOR: Final = 2**16 - 1
MICROSECONDS_OF_DECISECOND: Final = 100_000
VERSION: Final = 2

_MOST_CHARACTERS: Final = 16_384
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
_CORE_HEADER: Final = 74
"""Bits from the time of the last update to the purposes: who made the string, and how."""
_PURPOSES: Final = 24
_AFTER_PURPOSES: Final = 24 + 1 + 12  # legitimate interests, purpose one, the publisher's country
_DISCLOSED: Final = 1
_ONLY_CONSENT: Final = 1
"""The restriction that a vendor needs consent; the others forbid to rest a purpose on consent."""


@dataclass(frozen=True)
class Vendors:
    """A set of vendors: those whose bit is set, or those in ranges (first, last)."""

    bits: int = 0
    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, vendor: int) -> bool:
        return bool(self.bits >> vendor & 1) or any(a <= vendor <= b for a, b in self.ranges)


@dataclass(frozen=True)
class TCString:
    """What a TC string says. `updated_at` is in microseconds since 1970."""

    updated_at: int
    purposes: frozenset[int]
    consents: Vendors
    restricted: tuple[tuple[int, Vendors], ...]
    disclosed: Vendors | None

    def allows(self, purpose: str, vendor: int) -> bool:
        """Say whether a person consents to a DPV purpose for a vendor, who was shown to them."""
        needed = PURPOSES.get(purpose)
        if needed is None or self.disclosed is None or vendor not in self.disclosed:
            return False
        if vendor not in self.consents or not self.purposes.issuperset(needed):
            return False
        return not any(
            number in needed and vendor in vendors for number, vendors in self.restricted
        )


def read_tc_string(text: str) -> TCString | None:
    """Return what a string says, None for one of another version of the framework.

    Raises:
        ConsentError: it is not a TC string.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ConsentError(f"a TC string has at most {_MOST_CHARACTERS} characters")
    core, *others = text.split(".")
    reader = _Reader(core)
    if reader.read(6) != VERSION:
        return None
    reader.read(36)
    updated_at = reader.read(36) * MICROSECONDS_OF_DECISECOND
    reader.read(_CORE_HEADER)
    mask = reader.read(_PURPOSES)
    purposes = frozenset(number for number in range(1, 25) if mask >> (_PURPOSES - number) & 1)
    reader.read(_AFTER_PURPOSES)
    consents = reader.vendors()
    reader.vendors()  # legitimate interests
    restricted = []
    for _ in range(reader.read(12)):
        number, kind = reader.read(6), reader.read(2)
        vendors = Vendors(ranges=reader.ranges())
        if kind != _ONLY_CONSENT:
            restricted.append((number, vendors))
    disclosed = None
    for segment in others:
        part = _Reader(segment)
        if part.read(3) != _DISCLOSED:
            continue
        if disclosed is not None:
            raise ConsentError("a TC string has the vendors that were disclosed twice")
        disclosed = part.vendors()
    return TCString(updated_at, purposes, consents, tuple(restricted), disclosed)


class _Reader:
    """Reads a segment bit by bit, from the left."""

    def __init__(self, segment: str) -> None:
        if _SEGMENT.fullmatch(segment) is None:
            raise ConsentError("it is no TC string: a segment is letters, digits, - and _")
        filled = -len(segment) % 4
        data = base64.urlsafe_b64decode(segment + "A" * filled)
        self._bits, self._left = int.from_bytes(data, "big") >> 6 * filled, 6 * len(segment)

    def read(self, width: int) -> int:
        """Return the next bits as a number."""
        if width > self._left:
            raise ConsentError("it is no TC string: a segment ends too early")
        self._left -= width
        return self._bits >> self._left & ((1 << width) - 1)

    def vendors(self) -> Vendors:
        """Return the next set of vendors, in either encoding."""
        highest, in_ranges = self.read(16), self.read(1)
        if in_ranges:
            return Vendors(ranges=self.ranges())
        field = self.read(highest)
        # Vendor 1 is the leftmost bit; reversed, it is bit 1.
        return Vendors(bits=int(f"{field:0{highest}b}"[::-1] + "0", 2) if highest else 0)

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the next ranges of vendors."""
        found = []
        for _ in range(self.read(12)):
            is_range, first = self.read(1), self.read(16)
            last = self.read(16) if is_range else first
            if last < first or not first:
                raise ConsentError("it is no TC string: a range of vendors runs backwards")
            found.append((first, last))
        return tuple(found)
