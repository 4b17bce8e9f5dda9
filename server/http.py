"""The log over HTTP: tiles for a party's own officers, and the witness that other logs ask.

`GET /checkpoint`, `/log.json`, `/contracts/…`, `/tile/…` (c2sp.org/tlog-tiles and
`party.log_files`) need the bearer token of `keys/http.token`, also from this machine, since a port
on loopback is open to everybody who has an account here. `POST /add-checkpoint`
(c2sp.org/tlog-witness) needs none: a checkpoint is taken by its log's signature. On loopback it is
HTTP; anywhere else HTTPS with the party's certificate, so that the token does not travel in clear.

Refused: any other path, any other method, bodies beyond what a checkpoint can have.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Final

from audit.errors import TileError
from audit.submission import MAX_SUBMISSION_BYTES
from audit.submission import PATH as ADD_CHECKPOINT
from audit.tiles import CHECKPOINT
from party.evidence import StoredLog
from party.http_token import read_or_make_token
from party.log_files import INDEX, LogFiles
from party.organisation import Organisation
from party.witness_desk import Answer, WitnessDesk
from server.errors import CannotListen

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_HOUR_SECONDS: Final = 3600
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_UNCHANGING: Final = "private, max-age=31536000, immutable"
_CHANGING: Final = "no-store"


class RunningHttp:
    """A listener for HTTP at work."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, url: str) -> None:
        self._server, self._thread = server, thread
        self.url = url

    def stop(self) -> None:
        """End it; what is being answered is answered."""
        self._server.should_exit = True
        self._thread.join()


def start_http(party: Organisation, address: str) -> RunningHttp:
    """Listen on an address (host:port; port 0 takes a free one) with the party's log.

    Raises:
        CannotListen: the address is taken, malformed or not this machine's, or the extra `http` is
            not installed.
        IdentityError: the token's file is readable by others.
    """
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise CannotListen(
            "the log is served over HTTP by packages that are not installed: install commonground "
            "with the extra `http`"
        ) from None
    host, listening = _bind(address)
    token = read_or_make_token(party.folder)
    config = uvicorn.Config(
        make_app(party, token),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=30,
        limit_concurrency=64,
        h11_max_incomplete_event_size=16 * 1024,
    )
    scheme = "http" if _is_loopback(host) else "https"
    if scheme == "https":
        keys = party.folder / "keys"
        config.ssl_certfile, config.ssl_keyfile = str(keys / "tls.crt"), str(keys / "tls.key")
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    server = uvicorn.Server(config)
    work = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="http", daemon=True
    )
    work.start()
    shown = f"[{host}]" if ":" in host else host
    return RunningHttp(server, work, f"{scheme}://{shown}:{listening.getsockname()[1]}")


def make_app(party: Organisation, token: str) -> Starlette:
    """Return the application: what is asked for, and what is answered."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    files, desk = LogFiles(StoredLog(party.store, party.identity)), WitnessDesk(party)
    reading = _Readings(party)

    def log_file(request: Request) -> Response:
        if not _authorised(request, token):
            return PlainTextResponse(
                "the log is read with a bearer token\n", 401, {"WWW-Authenticate": "Bearer"}
            )
        path = request.url.path.removeprefix("/")
        reading.begin()
        try:
            data = files.read(path)
        except TileError as error:
            return PlainTextResponse(f"{error}\n", 404)
        changing = path in (CHECKPOINT, INDEX)
        return Response(
            data,
            media_type=_TEXT if path == CHECKPOINT else _BYTES,
            headers={"Cache-Control": _CHANGING if changing else _UNCHANGING},
        )

    async def add_checkpoint(request: Request) -> Response:
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > MAX_SUBMISSION_BYTES:
                return PlainTextResponse("a submission is not that long\n", 413)
        answer: Answer = await run_in_threadpool(desk.add_checkpoint, data)
        # A Response of its own, since a text response would add a charset to the type.
        headers = {"Content-Type": answer.content_type}
        return Response(answer.text.encode(), answer.status, headers)

    return Starlette(
        routes=[
            Route(f"/{CHECKPOINT}", log_file, methods=["GET"]),
            Route(f"/{INDEX}", log_file, methods=["GET"]),
            Route("/contracts/{name}", log_file, methods=["GET"]),
            Route("/tile/{rest:path}", log_file, methods=["GET"]),
            Route(f"/{ADD_CHECKPOINT}", add_checkpoint, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)],
    )


class _Readings:
    """Logs that the log is read over HTTP, once an hour at most: a reader asks for many tiles."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._lock, self._last = party, threading.Lock(), -_HOUR_SECONDS

    def begin(self) -> None:
        """Take note that somebody with the token reads, before anything is answered."""
        with self._lock:
            if self._party.now - self._last < _HOUR_SECONDS:
                return
            self._last = self._party.now
        self._party.access.note_reading("audit.tiles")


def _authorised(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())


def _bind(address: str) -> tuple[str, socket.socket]:
    """Return the host of an address, and a socket that listens there."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal():
        raise CannotListen(f"cannot listen on {address}: write it as host:port")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return host, socket.create_server((host, int(port)), family=family)
    except (OSError, OverflowError):
        raise CannotListen(
            f"cannot listen on {address}: another program does, or the address is not this "
            "machine's; choose another with --http"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
