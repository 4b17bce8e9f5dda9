"""Digests that a partner may have made instead of the right one, each with what went wrong.

A digest cannot be inverted. But whoever has the raw value can make every digest that the usual
mistakes lead to, and see which of them is held. The placeholders of the profile are raw values that
everybody has. Nothing here is ever matched or sent: variants serve to name a mistake.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from psi.characters import trim
from psi.errors import Rejected
from psi.identifiers import NAMESPACED, kind_of, normalise
from psi.placeholders import NORMALISED, WORDS

_OTHERS: Final = ("md5", "sha1", "sha256")
_PADDED: Final = (20, 32, 50, 64, 100, 128, 255)  # usual lengths of CHAR columns


class TextFault(StrEnum):
    """What was hashed in, or hashed otherwise, than profile 2026.1 says."""

    CASE = "letter case hashed in"
    SPACE = "white space hashed in"
    NEWLINE = "newline hashed in"
    QUOTES = "quotation marks hashed in"
    NATIONAL = "phone number not in E.164 when hashed"
    GMAIL = "Gmail dots or tags removed before hashing"
    UTF16 = "text hashed as UTF-16"
    TWICE = "hashed twice"
    OTHER = "text not normalised when hashed"


@dataclass(frozen=True)
class Variant:
    """One way in which a digest may have been made: the mistakes, and the text that was hashed."""

    faults: frozenset[TextFault]
    text: str


_Texts = Iterator[tuple[str, frozenset[TextFault]]]
_RIGHT: Final[frozenset[TextFault]] = frozenset()
_AROUND: Final = (
    ("", "", None),
    ("", "\n", TextFault.NEWLINE),
    ("", "\r\n", TextFault.NEWLINE),
    ("", "\r", TextFault.NEWLINE),
    ("", " ", TextFault.SPACE),
    (" ", "", TextFault.SPACE),
    (" ", " ", TextFault.SPACE),
    ("", "\t", TextFault.SPACE),
    ('"', '"', TextFault.QUOTES),
    ("'", "'", TextFault.QUOTES),
)


def variants(
    type: str,  # noqa: A002
    raw: str,
    *,
    algorithm: str,
    region: str | None = None,
    gmail: bool = False,
) -> dict[bytes, Variant]:
    """Return the digests by `algorithm` of one raw value, right and wrong; {} when it has none.

    Where a digest could be made in several ways, the one with the fewest mistakes is named.
    """
    try:
        normalised = normalise(type, raw, region=region, gmail=gmail)
    except Rejected:
        return {}
    found: dict[bytes, Variant] = {}
    _collect(found, _texts(kind_of(type), raw, normalised), algorithm)
    return found


def placeholder_variants(kind: str, algorithm: str) -> dict[bytes, Variant]:
    """Return the digests of placeholders that were hashed with a mistake.

    They tell how a whole column was hashed. The digests of placeholders without a mistake say
    nothing, and are left out.
    """
    found: dict[bytes, Variant] = {}
    for word in sorted(WORDS | NORMALISED.get(kind, frozenset())):
        _collect(found, _spelled(word), algorithm)
    return {digest: variant for digest, variant in found.items() if variant.faults}


def _spelled(word: str) -> _Texts:
    cased = {word: _RIGHT}
    for text in (word.upper(), word.capitalize()):
        cased.setdefault(text, frozenset({TextFault.CASE}))
    for text, faults in cased.items():
        yield from _surrounded(text, faults)


def _texts(kind: str, raw: str, normalised: str) -> _Texts:
    seen = {normalised: _RIGHT}
    for text, faults in _spellings(kind, raw, normalised):
        seen.setdefault(text, faults)
    for text, faults in seen.items():
        yield from _surrounded(text, faults)
    for width in _PADDED:
        if len(normalised) < width:
            yield normalised.ljust(width), frozenset({TextFault.SPACE})
    yield raw, seen.get(trim(raw), _RIGHT) | _edges(raw)


def _surrounded(text: str, faults: frozenset[TextFault]) -> _Texts:
    for before, after, fault in _AROUND:
        yield f"{before}{text}{after}", faults | {fault} if fault else faults


def _edges(raw: str) -> frozenset[TextFault]:
    if trim(raw) == raw:
        return _RIGHT
    return frozenset({TextFault.NEWLINE if raw.endswith(("\n", "\r")) else TextFault.SPACE})


def _spellings(kind: str, raw: str, normalised: str) -> _Texts:
    """Yield other spellings of a value, those with a plain cause first."""
    case, other = frozenset({TextFault.CASE}), frozenset({TextFault.OTHER})
    for text in (normalised.upper(), normalised.lower(), normalised.capitalize()):
        yield text, case
    yield normalised.title(), case
    if kind == "phone":
        yield from _phone_spellings(normalised)
    if kind == "email":
        local, _, domain = normalised.partition("@")
        yield f"{local.title()}@{domain}", case
        yield from _gmail_spelling(normalised)
    if kind not in NAMESPACED and kind not in ("email", "phone"):
        bare = "".join(character for character in normalised if character.isalnum())
        pairs = [bare[start : start + 2] for start in range(0, len(bare), 2)]
        for text in (bare, ":".join(pairs), "-".join(pairs)):
            yield text, other
            yield text.upper(), other
    trimmed = trim(raw)
    if kind == "phone":
        yield trimmed, frozenset({TextFault.NATIONAL})
    yield trimmed, case if trimmed.lower() == normalised.lower() else other


def _phone_spellings(normalised: str) -> _Texts:
    import phonenumbers

    number = phonenumbers.parse(normalised)
    forms = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(number, forms.NATIONAL)
    national = phonenumbers.national_significant_number(number)
    for text in (
        national,
        f"0{national}",
        "".join(character for character in written if character.isdigit()),
        written,
        normalised[1:],
        f"00{normalised[1:]}",
        phonenumbers.format_number(number, forms.INTERNATIONAL),
    ):
        yield text, frozenset({TextFault.NATIONAL})


def _gmail_spelling(normalised: str) -> _Texts:
    try:
        bare = normalise("email", normalised, gmail=True)
    except Rejected:
        return
    yield bare, frozenset({TextFault.GMAIL})


def _collect(found: dict[bytes, Variant], texts: _Texts, algorithm: str) -> None:
    for text, faults in texts:
        for digest, more in _digests(text, algorithm):
            variant = Variant(faults | more, text)
            known = found.get(digest)
            if known is None or len(variant.faults) < len(known.faults):
                found[digest] = variant


def _digests(text: str, algorithm: str) -> Iterator[tuple[bytes, frozenset[TextFault]]]:
    data = text.encode("utf-8", "surrogatepass")
    once = _hash(algorithm, data)
    yield once, _RIGHT
    for encoding in ("utf-16-le", "utf-16-be", "utf-16"):
        wide = text.encode(encoding, "surrogatepass")
        yield _hash(algorithm, wide), frozenset({TextFault.UTF16})
    twice = frozenset({TextFault.TWICE})
    hexed = once.hex()
    for again in (hexed, hexed.upper(), base64.b64encode(once).decode()):
        yield _hash(algorithm, again.encode()), twice
    yield _hash(algorithm, once), twice
    yield _hash(algorithm, f"{hexed}\n".encode()), twice | {TextFault.NEWLINE}
    for other in _OTHERS:
        if other != algorithm:
            yield _hash(algorithm, _hash(other, data).hex().encode()), twice


def _hash(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()
