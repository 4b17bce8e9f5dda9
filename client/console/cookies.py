"""The cookies of the console: none is read by a script, none is sent from another site.

Over TLS their names begin with `__Host-`, so that no other host or port of the domain can set them
(RFC 6265bis). The port is in the names, since cookies of one host are shared by its ports.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response


@dataclass(frozen=True)
class Cookies:
    """Names and attributes; `secure` is over TLS."""

    port: int
    secure: bool

    @property
    def session(self) -> str:
        """The secret of a session."""
        return self._named("session")

    @property
    def first(self) -> str:
        """What stands for a session before somebody signs in."""
        return self._named("before")

    @property
    def language(self) -> str:
        """The language that was chosen."""
        return self._named("language")

    @property
    def theme(self) -> str:
        """Light or dark, if it was chosen."""
        return self._named("theme")

    @property
    def notice(self) -> str:
        """What the next page tells."""
        return self._named("notice")

    @property
    def provider(self) -> str:
        """What a sign-in through a provider comes back with."""
        return self._named("provider")

    def before(self, request: Request) -> str:
        """Return what stands for a session before somebody signs in; a new one if there is none."""
        found = request.cookies.get(self.first) or getattr(request.state, "before", None)
        if found is None:
            found = request.state.before = secrets.token_urlsafe(32)
        return str(found)

    def set(self, answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set one, until the browser is closed or for so many seconds."""
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, answer: Response, name: str) -> None:
        """Have the browser forget one."""
        answer.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def _named(self, what: str) -> str:
        return f"{'__Host-' if self.secure else ''}commonground-{self.port}-{what}"
