"""What forms have in common: a token against forgery, and problems that are told beside fields."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from typing import Final

FORM_TOKEN: Final = "form_token"  # noqa: S105 - a field's name
_BYTES: Final = 32


@dataclass(frozen=True)
class Problem:
    """What is wrong with what was given in a field, and what to do; "" is the form as a whole."""

    field: str
    text: str


def masked(secret: bytes) -> str:
    """Return a secret under a mask of its own, so that a compressed page tells nothing of it."""
    mask = secrets.token_bytes(_BYTES)
    hidden = bytes(a ^ b for a, b in zip(mask, secret, strict=True))
    return urlsafe_b64encode(mask + hidden).decode()


def unmasked(text: str) -> bytes:
    """Return the secret under a mask; empty where there is none."""
    try:
        data = urlsafe_b64decode(text.encode("ascii"))
    except (Error, ValueError):
        return b""
    if len(data) != 2 * _BYTES:
        return b""
    return bytes(a ^ b for a, b in zip(data[:_BYTES], data[_BYTES:], strict=True))
