"""Placeholders: values that stand for "we do not know" (docs/protocol.md, Identifiers).

Thousands of rows share them, so a single one would join thousands of strangers. The list is closed
and part of the profile: a new entry is a new profile version. A placeholder is refused as text and
as digest, in the spellings that systems hash in practice (the MD5 of nothing is the commonest IMEI
there is). What merely looks odd is not refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache

from psi.luhn import with_check_digit

WORDS = frozenset(
    {
        "",
        "-",
        "--",
        "?",
        "#n/a",
        "(null)",
        "<na>",
        "\\n",
        "empty",
        "n/a",
        "na",
        "nan",
        "nil",
        "none",
        "null",
        "undefined",
        "unknown",
    }
)
NORMALISED = {
    "email": frozenset(
        {
            "a@a.com",
            "noemail@noemail.com",
            "none@none.com",
            "null@null.com",
            "test@test.com",
            "unknown@unknown.com",
        }
    ),
    "imei": frozenset({"004999010640000", "012345678912345", "123456789012345"}),
    "mac": frozenset({"020000000000"}),
}
_REPEATED = re.compile(r"[+({\[]*([0-9f])(?:[-:. ()]*\1){5,}[)}\]]*", re.IGNORECASE)
_SHORTEST, _LONGEST = 6, 64
_E164_DIGITS = 15


def is_placeholder(kind: str, text: str) -> bool:
    """Return whether the trimmed raw or normalised `text` of this kind is a placeholder."""
    lowered = text.lower()
    return (
        lowered in WORDS
        or lowered in NORMALISED.get(kind, ())
        or _REPEATED.fullmatch(lowered) is not None
    )


def is_repeated_digit(digits: str) -> bool:
    """Return whether `digits` is one digit, six or more times."""
    return len(digits) >= _SHORTEST and digits == digits[0] * len(digits)


@cache
def placeholder_digests(kind: str, algorithm: str) -> frozenset[bytes]:
    """Return the digests of every placeholder of this kind, in every usual spelling."""
    spellings = set(_spellings(kind))
    return frozenset(
        hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest() for text in spellings
    )


def _spellings(kind: str) -> Iterator[str]:
    for word in WORDS | NORMALISED.get(kind, frozenset()):
        yield from (word, word.upper(), word.capitalize())
    for digit in "0123456789fF":
        yield from (digit * length for length in range(_SHORTEST, _LONGEST + 1))
        yield _grouped(digit, (8, 4, 4, 4, 12), "-")
    if kind == "mac":
        for separator in ":-":
            yield separator.join(("02", "00", "00", "00", "00", "00"))
            yield from (_grouped(digit, (2,) * 6, separator) for digit in "0123456789fF")
    if kind == "imei":
        yield from (with_check_digit(digit * 14) for digit in "0123456789")
    if kind == "phone":
        yield from _phone_spellings()


def _grouped(digit: str, sizes: tuple[int, ...], separator: str) -> str:
    return separator.join(digit * size for size in sizes)


def _phone_spellings() -> Iterator[str]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    for code in COUNTRY_CODE_TO_REGION_CODE:
        for length in range(_SHORTEST, _E164_DIGITS - len(str(code)) + 1):
            yield from (f"+{code}{digit * length}" for digit in "0123456789")
