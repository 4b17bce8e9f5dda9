"""The forms in which a column of digests arrives, also the wrong ones.

`psi.digests` takes a digest or refuses it. Here a refused cell is looked at more closely: another
algorithm, an encoding upon an encoding, a text around the digest, a digest cut short. What can be
read is returned, so that it can be compared; nothing here ever becomes a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.characters import trim
from psi.columns import mask
from psi.digests import WIDTHS

_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_IS_HEX_DIGIT: Final = np.isin(np.arange(256), np.frombuffer(_HEX_DIGITS, np.uint8))
_FIRST_BYTES: Final = 4  # so many random bytes are hex digits once in 18,000 times

HASHES: Final = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
"""Algorithms by the bytes of their digests; those of one width cannot be told apart."""
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")
_AROUND: Final = re.compile(
    r"""["']?(?:0x|\\x|sha-?256[:$]|sha-?1[:$]|md5[:$]|\{[a-z0-9-]+\})?([0-9A-Za-z+/_=-]+)["']?""",
    re.IGNORECASE,
)
_SEPARATED: Final = re.compile(r"[0-9A-Fa-f]{2}(?:([:\- ])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2})+")
_HEX_RUN: Final = re.compile(r"[0-9A-Fa-f]{16,}")
_LEAST_HEX: Final = 16  # shorter text of hex digits is no digest that was cut
_LEAST_BASE64: Final = 20  # of so many characters, at least one is in upper case


class FormFault(StrEnum):
    """What is wrong with how a digest is written."""

    ALGORITHM = "other hash algorithm"
    ENCODED_TWICE = "digest encoded twice"
    AROUND = "text around the digest"
    BASE64_CASE = "base64 in one letter case"
    CUT = "digest cut short"
    NO_DIGEST = "no digest"


@dataclass(frozen=True)
class DigestForm:
    """One cell: its fault, None when there is none, and the digest where it can be read."""

    fault: FormFault | None
    digest: bytes | None = None

    @property
    def algorithm(self) -> str | None:
        """The algorithm whose digests are as long."""
        return None if self.digest is None else HASHES.get(len(self.digest))


def read_form(text: str, algorithm: str) -> DigestForm:
    """Return how a cell of a column of `algorithm` digests is written."""
    text = trim(text)
    if _SEPARATED.fullmatch(text):
        inner = _read_bare(re.sub(r"[:\- ]", "", text), WIDTHS[algorithm])
        return DigestForm(FormFault.AROUND, inner.digest)
    found = _AROUND.fullmatch(text)
    if found is None:
        return DigestForm(FormFault.NO_DIGEST)
    form = _read_bare(found[1], WIDTHS[algorithm])
    if found[1] == text or form.fault not in (None, FormFault.ALGORITHM):
        return form
    return DigestForm(form.fault or FormFault.AROUND, form.digest)


def encoded_twice(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return which of (n, width) digests are text of hex digits: a shorter digest, encoded twice.

    A true digest is so once in 10^19 times or less.
    """
    likely = np.flatnonzero(_IS_HEX_DIGIT[digests[:, :_FIRST_BYTES]].all(axis=1))
    return likely[_IS_HEX_DIGIT[digests[likely]].all(axis=1)]


def shape(text: str) -> str:
    """Return what a value looks like; of a digest only how long it is.

    Which places of a digest hold letters and which digits would tell it from all others.
    """
    body = trim(text)
    is_long = len(body) >= _LEAST_BASE64
    if is_long and _BASE64.fullmatch(body) and not _HEX_RUN.search(body):
        return f"{len(body)} characters of base64"
    parts = _HEX_RUN.split(text)
    runs = [f"({len(run)} hex digits)" for run in _HEX_RUN.findall(text)]
    masked = [mask(part) for part in parts]
    return "".join(map("".join, zip_longest(masked, runs, fillvalue="")))


def in_one_case(text: str) -> bool:
    """Return whether text in base64 has lost the case of its letters."""
    body = trim(text).rstrip("=")
    alike = body in (body.lower(), body.upper())
    return alike and len(body) >= _LEAST_BASE64 and _HEX.fullmatch(body) is None


def _read_bare(text: str, width: int) -> DigestForm:
    if _HEX.fullmatch(text):
        return _read_hex(text, width)
    if not _BASE64.fullmatch(text):
        return DigestForm(FormFault.NO_DIGEST)
    return _read_base64(text, width)


def _read_hex(text: str, width: int) -> DigestForm:
    if len(text) % 2 or len(text) // 2 not in HASHES:
        cut = len(text) >= _LEAST_HEX
        return DigestForm(FormFault.CUT if cut else FormFault.NO_DIGEST)
    data = bytes.fromhex(text)
    if len(data) == width:
        return DigestForm(None, data)
    return _unwrapped(data) or DigestForm(FormFault.ALGORITHM, data)


def _read_base64(text: str, width: int) -> DigestForm:
    body = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return DigestForm(FormFault.NO_DIGEST)
    inner = _unwrapped(data)
    if inner is not None:
        return inner
    if len(data) not in HASHES:
        return DigestForm(FormFault.NO_DIGEST)
    if in_one_case(text):
        return DigestForm(FormFault.BASE64_CASE)
    return DigestForm(None if len(data) == width else FormFault.ALGORITHM, data)


def _unwrapped(data: bytes) -> DigestForm | None:
    """Return the digest whose hex digits `data` is, or None."""
    if len(data) not in {2 * size for size in HASHES} or not data.isascii():
        return None
    text = data.decode("ascii")
    if _HEX.fullmatch(text) is None:
        return None
    return DigestForm(FormFault.ENCODED_TWICE, bytes.fromhex(text))
