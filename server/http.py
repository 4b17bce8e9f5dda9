"""The log over HTTP: tiles for a party's own officers, and the witness that other logs ask.

`GET /checkpoint`, `/log.json`, `/contracts/…`, `/tile/…` (c2sp.org/tlog-tiles and
`party.log_files`) need the bearer token of `keys/http.token`, also from this machine, since a port
on loopback is open to everybody who has an account here. `GET /metrics` (`server.metrics`) needs
that of `keys/metrics.token`, which opens nothing else. `POST /add-checkpoint`
(c2sp.org/tlog-witness) needs none: a checkpoint is taken by its log's signature. `GET /healthz` and
`/readyz` need none either, since probes have none: one sentence, the same truth as gRPC's health
checks (`server.health_service`). On loopback it is HTTP; anywhere else HTTPS with the party's
certificate, so that the token does not travel in clear.

Refused: any other path, any other method, bodies beyond what a checkpoint can have. How many
connections stand, and for how long without asking: `party.web_listener`.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from audit.errors import TileError
from audit.submission import MAX_SUBMISSION_BYTES
from audit.submission import PATH as ADD_CHECKPOINT
from audit.tiles import CHECKPOINT
from party.errors import CannotListen
from party.evidence import StoredLog
from party.http_token import METRICS_FILE, read_or_make_token
from party.log_files import INDEX, LogFiles
from party.organisation import Organisation
from party.web_listener import RunningWeb, bind, is_loopback, start_web, url_of
from party.witness_desk import Answer, WitnessDesk
from server.health_service import SESSIONS
from server.metrics import Metrics

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Health = Callable[[str], str | None]
"""Says why a service of gRPC's health checks ("" is all of them) does not serve; None: it does."""

MOST_CONNECTIONS: Final = 64
_HOUR_SECONDS: Final = 3600
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_UNCHANGING: Final = "private, max-age=31536000, immutable"
_CHANGING: Final = "no-store"


class RunningHttp:
    """A listener for HTTP at work."""

    def __init__(self, web: RunningWeb, url: str, metrics: Metrics) -> None:
        self._web, self._metrics = web, metrics
        self.url = url

    def stop(self) -> None:
        """End it; what is being answered is answered."""
        self._web.stop()
        self._metrics.close()


def start_http(party: Organisation, address: str, health: Health) -> RunningHttp:
    """Listen on an address (host:port; port 0 takes a free one) with the party's log.

    `health` says how what listens for counterparts stands.

    Raises:
        CannotListen: the address is taken, malformed or not this machine's, or the extra `http` is
            not installed.
        IdentityError: the token's file is readable by others.
    """
    if find_spec("uvicorn") is None:
        raise CannotListen(
            "the log is served over HTTP by packages that are not installed: install commonground "
            "with the extra `http`"
        )
    host, listening = bind(address, MOST_CONNECTIONS)
    tokens = Tokens(
        read_or_make_token(party.folder), read_or_make_token(party.folder, METRICS_FILE)
    )
    metrics = Metrics(party)
    port: int = listening.getsockname()[1]
    over_tls = not is_loopback(host)
    web = start_web(
        make_app(party, tokens, metrics, health),
        listening,
        name="http",
        identity=party.identity if over_tls else None,
        lifespan="off",
    )
    return RunningHttp(web, url_of(host, port, over_tls=over_tls), metrics)


@dataclass(frozen=True)
class Tokens:
    """What opens the log, and what opens the metrics; neither shows itself."""

    log: str = field(repr=False)
    metrics: str = field(repr=False)


def make_app(party: Organisation, tokens: Tokens, metrics: Metrics, health: Health) -> Starlette:
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
        if not _authorised(request, tokens.log):
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

    def figures(request: Request) -> Response:
        if not _authorised(request, tokens.metrics):
            return PlainTextResponse(
                "metrics are read with a bearer token\n", 401, {"WWW-Authenticate": "Bearer"}
            )
        headers = {"Cache-Control": _CHANGING, "Content-Type": METRICS_TYPE}
        return Response(metrics.text(), headers=headers)

    # Not in a thread of the pool: those may all wait for a store that does not answer.
    async def healthz(request: Request) -> Response:
        return standing(health(""))

    async def readyz(request: Request) -> Response:
        return standing(health(SESSIONS))

    def standing(trouble: str | None) -> Response:
        said = "serving\n" if trouble is None else f"not serving: {trouble}\n"
        headers = {"Cache-Control": _CHANGING}
        return PlainTextResponse(said, 200 if trouble is None else 503, headers)

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
            Route("/metrics", figures, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
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
