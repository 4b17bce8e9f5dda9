"""One sentence that the next page tells: what was done. It travels in a cookie under a MAC."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_MAC_BYTES: Final = 32
_MOST_BYTES: Final = 1500


@dataclass(frozen=True)
class Notice:
    """What was done, said once."""

    text: str


def write_notice(text: str, secret: str) -> str:
    """Return a notice for the next page of whoever has this secret."""
    data = text.encode()[:_MOST_BYTES]
    return urlsafe_b64encode(_mac(data, secret) + data).decode()


def read_notice(cookie: str | None, secret: str) -> Notice | None:
    """Return the notice of a cookie, None where this party has not written it."""
    try:
        data = urlsafe_b64decode((cookie or "").encode("ascii"))
    except (Error, ValueError):
        return None
    mac, text = data[:_MAC_BYTES], data[_MAC_BYTES:]
    if not text or not hmac.compare_digest(mac, _mac(text, secret)):
        return None
    return Notice(text.decode(errors="ignore"))


def _mac(data: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"notice" + data, sha256)
