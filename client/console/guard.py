"""What holds for every answer, and what is refused before anybody reads it.

Refused: a name of this host that is not ours (DNS rebinding), a body that is too large. Every
answer has the headers of the OWASP Secure Headers Project. There is no inline script and no inline
style; nothing is loaded from elsewhere; pages are kept nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from client.console.app import Place

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT_TRANSPORT: Final = "max-age=31536000"
_KEPT_NOWHERE: Final = "no-store"


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, place: Place, most_body_bytes: int) -> None:
        self._app, self._place, self._most = app, place, most_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message))
            await send(message)

        refused = self._refused(headers)
        if refused is not None:
            await refused(scope, receive, with_headers)
            return
        await self._app(scope, _bounded(receive, self._most), with_headers)

    def _refused(self, headers: Headers) -> PlainTextResponse | None:
        names = headers.getlist("host")
        if len(names) != 1 or not self._is_ours(names[0]):
            return PlainTextResponse("this console is not reached by that name\n", 421)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            return PlainTextResponse("what was sent is larger than is taken here\n", 413)
        return None

    def _is_ours(self, name: str) -> bool:
        host, colon, port = name.rpartition(":")
        if not colon or port.endswith("]"):  # [::1] without a port
            host, port = name, ""
        return host.lower().strip("[]") in self._place.names and (not port or port.isdecimal())

    def _add(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", _KEPT_NOWHERE)
        if self._place.secure:
            headers["Strict-Transport-Security"] = STRICT_TRANSPORT


def _bounded(receive: Receive, most: int) -> Receive:
    """Return what receives a body, and refuses one that is too long without having said so."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
        return message

    return bounded
