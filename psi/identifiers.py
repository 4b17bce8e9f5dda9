"""Identifiers of profile 2026.1: type, normalised form, digest (docs/protocol.md, Identifiers).

Partners may deliver the raw form or the digest, and the two must meet: so every value has one
normalised form, and whatever could be read in two ways is refused with a reason from a closed list.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import asdict, dataclass, fields
from functools import lru_cache

from psi.characters import refuse_invisible, trim
from psi.devices import normalise_imei, normalise_mac, normalise_maid, normalise_oaid
from psi.digests import WIDTHS, decode_digest
from psi.emails import normalise_email
from psi.errors import IdentifierError, ProfileMismatch, Rejected
from psi.phones import normalise_phone
from psi.placeholders import is_placeholder
from psi.reasons import Reason

VERSION = "2026.1"
ALGORITHMS = {
    "email": "sha256",
    "phone": "sha256",
    "maid": "sha256",
    "oaid": "sha256",
    "imei": "md5",
    "mac": "md5",
    "openid": "sha256",
    "cookie": "sha256",
    "member": "sha256",
}
NAMESPACED = frozenset({"openid", "cookie", "member"})
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DEVICES = {
    "maid": normalise_maid,
    "oaid": normalise_oaid,
    "imei": normalise_imei,
    "mac": normalise_mac,
}


@dataclass(frozen=True)
class Profile:
    """What two parties must share for their keys to meet."""

    version: str
    unicode: str
    idna: str
    phone: str
    gmail: bool = False

    @classmethod
    def current(cls, *, gmail: bool = False) -> Profile:
        """Return the profile that this installation follows."""
        import phonenumbers
        from idna import idnadata

        return cls(
            version=VERSION,
            unicode=unicodedata.unidata_version,
            idna=str(idnadata.__version__),
            phone=str(phonenumbers.__version__),
            gmail=gmail,
        )

    def to_json(self) -> dict[str, str | bool]:
        """Return the profile as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: object) -> Profile:
        """Return the profile in a JSON object; raise `IdentifierError` when it is none."""
        expected = {field.name: bool if field.name == "gmail" else str for field in fields(cls)}
        if not isinstance(document, dict) or set(document) != set(expected):
            raise IdentifierError(f"an identifier profile has exactly the keys {sorted(expected)}")
        for name, kind in expected.items():
            if type(document[name]) is not kind:
                raise IdentifierError(f"identifier profile: {name} must be a {kind.__name__}")
        return cls(**document)

    def require_equal(self, other: Profile) -> None:
        """Raise `ProfileMismatch`, naming the first difference, unless both are the same."""
        for field in fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            if ours != theirs:
                raise ProfileMismatch(
                    f"identifier profiles differ in {field.name}: {ours!r} here, {theirs!r} there; "
                    f"install the same version or agree on the same option at both parties"
                )


@lru_cache(maxsize=256)
def kind_of(type: str) -> str:  # noqa: A002
    """Return the type without its namespace; raise `IdentifierError` when it is not a type."""
    kind, colon, namespace = type.partition(":")
    if kind not in ALGORITHMS:
        raise IdentifierError(
            f"unknown identifier type {kind!r}: one of {', '.join(sorted(ALGORITHMS))}"
        )
    if kind not in NAMESPACED and colon:
        raise IdentifierError(f"{kind} takes no namespace: write {kind!r}")
    if kind in NAMESPACED and _NAMESPACE.fullmatch(namespace) is None:
        raise IdentifierError(
            f"{kind} needs a namespace of up to 64 letters, digits, dots, hyphens or underscores, "
            f"such as {kind}:shop"
        )
    return kind


def normalise(type: str, raw: str, *, region: str | None = None, gmail: bool = False) -> str:  # noqa: A002
    """Return the normalised form of one raw identifier; raise `Rejected` with the reason.

    `region` is the default region of phone numbers, `gmail` the option of e-mail addresses.
    """
    kind = kind_of(type)
    if kind == "email":
        return normalise_email(raw, gmail=gmail)
    if kind == "phone":
        return normalise_phone(raw, region=region)
    if kind in _DEVICES:
        return _DEVICES[kind](raw)
    return _normalise_opaque(kind, raw)


def digest(type: str, normalised: str) -> bytes:  # noqa: A002
    """Return the digest of a normalised identifier: 32 bytes of SHA-256 or 16 of MD5."""
    return hashlib.new(
        ALGORITHMS[kind_of(type)], normalised.encode(), usedforsecurity=False
    ).digest()


def digest_width(type: str) -> int:  # noqa: A002
    """Return the bytes in a digest of this type."""
    return WIDTHS[ALGORITHMS[kind_of(type)]]


def parse_digest(type: str, text: str) -> bytes:  # noqa: A002
    """Return the bytes of a digest that a partner delivered; raise `Rejected` with the reason."""
    kind = kind_of(type)
    return decode_digest(kind, ALGORITHMS[kind], text)


def _normalise_opaque(kind: str, raw: str) -> str:
    text = trim(raw)
    if is_placeholder(kind, text):
        raise Rejected(Reason.PLACEHOLDER)
    refuse_invisible(text)
    return text
