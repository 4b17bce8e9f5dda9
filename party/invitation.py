"""An invitation: one line that pins its maker, with a code that lets one counterpart in once.

The line names the address, the fingerprint of the certificate that answers there, and a code of
128 bits from the operating system. From code and fingerprint both sides derive one key and one
certificate, so whoever holds the line can speak mutual TLS to whoever made it, and nobody else
can. The maker keeps the certificate and forgets the code. A mistyped line is refused as such.
"""

from __future__ import annotations

import os
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from party.card import ADDRESS
from party.certificate import Certificate, repeatable_certificate
from party.errors import InvitationError

SCHEME: Final = "commonground://"
CODE_BYTES: Final = 16
CERTIFICATE_NAME: Final = "invitation"
MOST_CHARACTERS: Final = 512

_CHECK_BYTES: Final = 5
_CONTEXT: Final = b"commonground/invitation/v1/"
_LINE: Final = re.compile(r"commonground://([^/]+)/([0-9a-f]{64})/([a-z2-7]{26})-([a-z2-7]{8})")
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SCALAR_BYTES: Final = (
    48  # FIPS 186-5, A.2.1: 128 bits more than the order, so no value is likelier
)
_SERIAL_BYTES: Final = 16


@dataclass(frozen=True)
class Invitation:
    """An invitation as its line says it.

    `address` is host:port; `fingerprint` is `sha256:` and 64 hex digits; `code` has 16 bytes and
    is a secret until it has been used.
    """

    address: str
    fingerprint: str
    code: bytes = field(repr=False)

    @classmethod
    def make(cls, address: str, fingerprint: str) -> Invitation:
        """Return a new invitation to the party with a certificate, reached at an address."""
        return cls(address, fingerprint, os.urandom(CODE_BYTES))

    @classmethod
    def parse(cls, line: str) -> Invitation:
        """Return the invitation in a line; white space around and in it does not count.

        Raises:
            InvitationError: it is no invitation, or was mistyped.
        """
        text = "".join(line.split())
        if not text.startswith(SCHEME):
            raise InvitationError(
                f"this is no invitation: an invitation begins with {SCHEME}. Copy the whole line "
                "that `commonground invite` printed"
            )
        found = _LINE.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
        if found is None or _check(text.rpartition("-")[0]) != found[4]:
            raise InvitationError(
                "the invitation was mistyped or cut short: its last characters do not fit the "
                "rest. Copy the whole line again"
            )
        code = b32decode(found[3].upper() + "======")
        if _base32(code) != found[3] or ADDRESS.broken_by(found[1]) is not None:
            raise InvitationError(
                "the invitation is not of this version's form; both sides install the same version"
            )
        return cls(found[1], f"sha256:{found[2]}", code)

    @property
    def line(self) -> str:
        """The line to pass on; it holds the code."""
        digest = self.fingerprint.removeprefix("sha256:")
        text = f"{SCHEME}{self.address}/{digest}/{_base32(self.code)}"
        return f"{text}-{_check(text)}"

    @property
    def id(self) -> str:
        """The name by which its maker withdraws it."""
        return short_id(self.certificate.fingerprint)

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate by which the maker knows whoever holds the code."""
        serial = int.from_bytes(self._derive("serial", _SERIAL_BYTES)) >> 1 or 1
        return repeatable_certificate(self._key, name=CERTIFICATE_NAME, serial=serial)

    def key_pem(self) -> bytes:
        """Return the certificate's private key as PKCS#8 PEM: for a TLS library, not a file."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        drawn = int.from_bytes(self._derive("key", _SCALAR_BYTES))
        return ec.derive_private_key(drawn % (_P256_ORDER - 1) + 1, ec.SECP256R1())

    def _derive(self, context: str, length: int) -> bytes:
        salt = bytes.fromhex(self.fingerprint.removeprefix("sha256:"))
        return HKDF(SHA512(), length, salt, _CONTEXT + context.encode()).derive(self.code)


def short_id(fingerprint: str) -> str:
    """Return the name of an invitation: the first eight digits of its certificate's fingerprint."""
    return fingerprint.removeprefix("sha256:")[:8]


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()


def _check(text: str) -> str:
    """Return the characters that show a mistyped line; they keep nothing secret."""
    return _base32(sha256(text.encode()).digest()[:_CHECK_BYTES])
