"""Passwords as argon2id hashes (RFC 9106, its second recommended option).

A check costs the same for an account that there is not. Few run at once, since each takes 64 MiB.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from languages import message
from party.errors import AccessError, PartyError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FEWEST: Final = 12
MOST_BYTES: Final = 1024
_AT_ONCE: Final = threading.BoundedSemaphore(2)


def hash_of(password: str, account: str) -> str:
    """Return the hash of a new password for an account.

    Raises:
        AccessError: it is too short, too long, or the account's name.
    """
    if len(password) < FEWEST:
        raise AccessError(
            message(
                "a password has at least {fewest} characters",
                fewest=FEWEST,
            )
        )
    if len(password.encode()) > MOST_BYTES:
        raise AccessError(
            message(
                "a password has at most {most_bytes} bytes",
                most_bytes=MOST_BYTES,
            )
        )
    if account.partition("~")[0].lower() in password.lower():
        raise AccessError(message("a password does not contain the account's name"))
    if len(set(password)) <= FEWEST // 3:
        raise AccessError(message("a password does not repeat a few characters"))
    with _AT_ONCE:
        return _hasher().hash(password)


def fits(hashed: str | None, password: str) -> bool:
    """Say whether a password is the one that was hashed; None takes as long, and never is."""
    from argon2.exceptions import VerificationError

    if len(password.encode()) > MOST_BYTES:
        return False
    try:
        with _AT_ONCE:
            _hasher().verify(hashed or _nobodys(), password)
    except VerificationError:
        return False
    return hashed is not None


@lru_cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
        from argon2.profiles import RFC_9106_LOW_MEMORY
    except ModuleNotFoundError:
        raise PartyError(
            message(
                "passwords need packages that are not installed: install "
                "commonground with the extra `console`"
            )
        ) from None
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@lru_cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")
