"""Salted commitments: what the log says about a value that it must not show (docs/audit).

`SHA-256(prefix ‖ context ‖ 00 ‖ salt ‖ value)`. The salt has a fixed length and the context has
no zero byte, so no two inputs run together; the context keeps a commitment to one thing from
being opened as another. Salts live outside the log: without the salt a commitment to a guessable
value says nothing, and deleting it cuts the entry from what it was about.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import Final

from audit.errors import CommitmentError

SALT_BYTES: Final = 32
COMMITMENT_BYTES: Final = 32
_PREFIX: Final = b"commonground/v1/commitment/"
_CONTEXT: Final = re.compile(r"[a-z0-9][a-z0-9 ./-]{0,63}")


def new_salt() -> bytes:
    """Draw a salt of 32 bytes from the operating system."""
    return secrets.token_bytes(SALT_BYTES)


def commit(context: str, value: bytes, salt: bytes) -> bytes:
    """Commit to `value`: 32 bytes that reveal nothing without the salt.

    Args:
        context: what the value is ("seed", "noise"), lower-case ASCII.
        value: any bytes.
        salt: 32 bytes, used for this commitment only.

    Raises:
        CommitmentError: the context or the salt is out of form.
    """
    if not _CONTEXT.fullmatch(context):
        raise CommitmentError("a context is 1 to 64 of a-z, 0-9, space, dot, slash and hyphen")
    if len(salt) != SALT_BYTES:
        raise CommitmentError(f"a salt is {SALT_BYTES} bytes, {len(salt)} were given")
    return sha256(_PREFIX + context.encode("ascii") + b"\x00" + salt + value).digest()


def verify_opening(commitment: bytes, context: str, value: bytes, salt: bytes) -> None:
    """Check that `value` and `salt` are what was committed to.

    Raises:
        CommitmentError: they are not.
    """
    if not hmac.compare_digest(commitment, commit(context, value, salt)):
        raise CommitmentError(
            f"the {context} shown is not the one that was committed to; "
            "take value and salt from the record that belongs to this entry"
        )
