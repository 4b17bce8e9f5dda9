"""Whose hands are at work: an account of the operating system, as the kernel knows it.

Never what the environment says (`USER`, `LOGNAME`, `SUDO_USER`), which anybody can set. On Linux
it is the account that logged in, which stays the same under `su` and `sudo`: so people who act
through one service account are told apart. Where nobody logged in (a service, a container), and on
other systems, it is the account that the process runs as.

What the console does for somebody who has signed in there is done `acting_as` that account
(`party.staff`), as long as the block lasts and in what is started within its context.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from party.errors import AccessError

_LOGIN: Final = Path("/proc/self/loginuid")
_NOBODY_LOGGED_IN: Final = 2**32 - 1
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_NUMBERED: Final = re.compile(r"uid-[0-9]{1,10}")
_ACTING: Final[ContextVar[str | None]] = ContextVar("acting", default=None)


def current() -> str:
    """Return the account that acts, as entries name it: who is acted for, or the process's own."""
    return _ACTING.get() or _named(_user_id())


@contextmanager
def acting_as(account: str) -> Iterator[None]:
    """Act for an account of the party's own meanwhile; a thread needs a copy of the context."""
    before = _ACTING.set(account)
    try:
        yield
    finally:
        _ACTING.reset(before)


def act_as(account: str) -> None:
    """Act for an account of the party's own to the end of this context, as of one request."""
    _ACTING.set(account)


def known(account: str) -> str:
    """Return an account of this machine as entries name it.

    Raises:
        AccessError: there is none of this name.
    """
    if _NUMBERED.fullmatch(account):
        return _named(int(account.removeprefix("uid-")))
    try:
        return _named(pwd.getpwnam(account).pw_uid)
    except (KeyError, ValueError):
        raise AccessError(
            f"this machine has no account {account[:48]!r}: give a name that `id NAME` knows, or "
            "uid-NUMBER"
        ) from None


def _named(user_id: int) -> str:
    """Return an account's name; its number where it has none, or one with other characters."""
    try:
        name = pwd.getpwuid(user_id).pw_name
    except (KeyError, OverflowError):
        return f"uid-{user_id}"
    return name if _NAME.fullmatch(name) else f"uid-{user_id}"


def _user_id() -> int:
    try:
        logged_in = int(_LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return os.geteuid()
    return os.geteuid() if logged_in == _NOBODY_LOGGED_IN else logged_in
