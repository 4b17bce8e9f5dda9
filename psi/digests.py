"""Digests that partners exchange instead of raw identifiers (docs/protocol.md, Identifiers).

Hex in any case or base64 (either alphabet, padded or not), checked for length. Base64 must be
canonical: its case carries bits, so a column that was lower-cased on the way decodes to other
bytes, and this is what betrays it.
"""

from __future__ import annotations

import base64
import binascii
import re

from psi.characters import trim
from psi.errors import Rejected
from psi.placeholders import is_placeholder, placeholder_digests
from psi.reasons import Reason

WIDTHS = {"sha256": 32, "md5": 16}
_WRONG_LENGTH = {
    "sha256": Reason.DIGEST_LENGTH_SHA256,
    "md5": Reason.DIGEST_LENGTH_MD5,
}
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")
_HEX_LENGTHS = {64: "sha256", 40: "sha1", 32: "md5"}
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
# Kinds whose own values can look like a digest; only these forms are then taken for one.
_AMBIGUOUS_HEX = {"maid": {32}, "oaid": {32, 40, 64}, "opaque": {32, 40}}


def decode_digest(kind: str, algorithm: str, text: str) -> bytes:
    """Return the bytes of a digest of an identifier of `kind`; raise `Rejected` if it is none."""
    text = trim(text)
    if is_placeholder(kind, text):
        raise Rejected(Reason.PLACEHOLDER)
    digest = (
        _decode_hex(text, algorithm) if _HEX.fullmatch(text) else _decode_base64(text, algorithm)
    )
    if digest in placeholder_digests(kind, algorithm):
        raise Rejected(Reason.DIGEST_OF_PLACEHOLDER)
    return digest


def recognise_digest(kind: str, text: str) -> str | None:
    """Return the algorithm that a value of a raw column seems to be a digest of, or None.

    Asked about refused values, and about every value of the opaque kinds, whose values may look
    like anything: there only 64 hex digits count. An OAID may itself be 64 hex digits.
    """
    text = trim(text)
    if _HEX.fullmatch(text):
        ambiguous = len(text) in _AMBIGUOUS_HEX.get(kind, ())
        return None if ambiguous else _HEX_LENGTHS.get(len(text))
    if kind == "opaque" or not _BASE64.fullmatch(text):
        return None
    mixed = text != text.lower() and text != text.upper()
    for algorithm, width in WIDTHS.items():
        if mixed and len(text.rstrip("=")) == _base64_length(width):
            return algorithm
    return None


def _decode_hex(text: str, algorithm: str) -> bytes:
    if len(text) != 2 * WIDTHS[algorithm]:
        raise Rejected(_WRONG_LENGTH[algorithm])
    return bytes.fromhex(text)


def _decode_base64(text: str, algorithm: str) -> bytes:
    if _BASE64.fullmatch(text) is None:
        raise Rejected(Reason.DIGEST_ENCODING)
    body = text.translate(_STANDARD_ALPHABET).rstrip("=")
    padded = body + "=" * (-len(body) % 4)
    try:
        digest = base64.b64decode(padded, validate=True)
    except binascii.Error:
        raise Rejected(Reason.DIGEST_ENCODING) from None
    if len(digest) != WIDTHS[algorithm]:
        raise Rejected(_WRONG_LENGTH[algorithm])
    one_alphabet = not (set(text) & set("+/") and set(text) & set("-_"))
    padding_complete = len(text) in (len(body), len(padded))
    if base64.b64encode(digest).decode() != padded or not (one_alphabet and padding_complete):
        raise Rejected(Reason.DIGEST_NOT_CANONICAL)
    return digest


def _base64_length(width: int) -> int:
    return (width * 4 + 2) // 3
