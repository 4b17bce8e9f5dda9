"""What a platform wants in a file: columns, how each value is normalised, hashed and written.

A platform's normalisation is applied to the raw value. A column of digests serves only where a
digest of the identifier profile is what the platform would have computed itself; any other is
refused, because its hashes would match nobody and nothing would say so.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from party.activation import google, meta, tiktok, uid2
from party.contract_terms import Platform
from party.errors import PartyError
from psi.columns import ColumnSpec
from psi.errors import Rejected
from psi.identifiers import normalise, parse_digest


@dataclass(frozen=True)
class Value:
    """How a platform writes identifiers of one type.

    `header` names the column. `adapt` turns the profile's normalised form (without the Gmail
    option) into the platform's. `write` turns a SHA-256 into a cell; None writes the platform's
    form itself, unhashed. `profile_serves` says whether the profile's digest is the platform's,
    without the Gmail option and with it. `alone` values stand in a file of their own.
    """

    type: str
    header: str
    adapt: Callable[[str], str]
    write: Callable[[bytes], str] | None
    profile_serves: tuple[bool, bool]
    alone: bool = False

    def reader(self, spec: ColumnSpec, *, gmail: bool) -> Callable[[str], str]:
        """Return what makes a cell of a column's text; it raises Rejected for what has none.

        `gmail` is the option under which the party's digests were made. Raises PartyError for a
        column of digests that the platform would not recognise.
        """
        if not spec.digested:
            return lambda text: self._cell(normalise(spec.type, text, region=spec.region))
        write = self.write
        if write is None or not self.profile_serves[gmail]:
            raise PartyError("holds digests, and this platform normalises before it hashes")
        return lambda text: write(parse_digest(spec.type, text))

    def _cell(self, normalised: str) -> str:
        form = self.adapt(normalised)
        return form if self.write is None else self.write(sha256(form.encode()).digest())


@dataclass(frozen=True)
class Form:
    """A platform's file.

    With `one_type`, and of a value that stands alone, it has one column and an identifier a line;
    otherwise a person a line, and each header up to `most` times.
    """

    platform: Platform
    values: tuple[Value, ...]
    one_type: bool
    most: int = 3


def hexadecimal(digest: bytes) -> str:
    """Write a SHA-256 as 64 lower-case hex digits."""
    return digest.hex()


def base64(digest: bytes) -> str:
    """Write a SHA-256 as 44 characters of base64."""
    return b64encode(digest).decode()


def _as_it_is(normalised: str) -> str:
    return normalised


_BOTH, _PLAIN_ONLY, _GMAIL_ONLY, _NEVER = (True, True), (True, False), (False, True), (False, False)

FORMS: Final[Mapping[Platform, Form]] = MappingProxyType(
    {
        form.platform: form
        for form in (
            Form(
                Platform.GOOGLE,
                (
                    Value("email", google.EMAIL, google.email, hexadecimal, _GMAIL_ONLY),
                    Value("phone", google.PHONE, _as_it_is, hexadecimal, _BOTH),
                    Value("maid", google.DEVICE, _as_it_is, None, _NEVER, alone=True),
                ),
                one_type=False,
            ),
            Form(
                Platform.META,
                (
                    Value("email", meta.EMAIL, _as_it_is, hexadecimal, _PLAIN_ONLY),
                    Value("phone", meta.PHONE, meta.phone, hexadecimal, _NEVER),
                    Value("maid", meta.DEVICE, _as_it_is, None, _NEVER),
                ),
                one_type=False,
            ),
            Form(
                Platform.TIKTOK,
                (
                    Value("email", tiktok.EMAIL, _as_it_is, hexadecimal, _PLAIN_ONLY),
                    Value("phone", tiktok.PHONE, _as_it_is, hexadecimal, _BOTH),
                    Value("maid", tiktok.DEVICE, _as_it_is, hexadecimal, _BOTH),
                ),
                one_type=True,
            ),
            Form(
                Platform.UID2,
                (
                    Value("email", uid2.EMAIL, uid2.email, base64, _NEVER),
                    Value("phone", uid2.PHONE, _as_it_is, base64, _BOTH),
                ),
                one_type=True,
            ),
        )
    }
)


def cell_or_nothing(read: Callable[[str], str], text: str) -> str | None:
    """Return a cell, or None for a text that is no such identifier."""
    try:
        return read(text)
    except Rejected:
        return None
