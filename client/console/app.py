"""The console as one application: pages, the API beside them, and what holds for every answer.

A route without a role is refused when the application is made (`roles_of`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlencode

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount

from audit.roles import Role
from client.console import pages
from client.console.api import make_api
from client.console.api.pace import Pace
from client.console.areas import Area
from client.console.cookies import Cookies
from client.console.errors import Forbidden, Forged, SignInFirst
from client.console.guard import Guard
from client.console.jobs import Jobs
from client.console.provider import Provider
from client.console.running import Runner
from client.console.settings import load_provider
from client.console.static import Files
from client.console.templating import environment
from client.console.visit import Visit, visit_as, visit_of
from client.exits import EXPECTED, said_in
from client.log_check import LogCheck
from languages import message
from party.errors import NotEntitled, Refusal, StoreError
from party.events import Event, note
from party.organisation import Organisation

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log: Final = logging.getLogger("commonground.console")
MOST_BODY_BYTES: Final = 1 << 20
PAGES_AT_ONCE: Final = 10
"""Others wait their turn: the store has 15 connections, and what is carried needs some too."""


@dataclass(frozen=True)
class Place:
    """Where the console is: the names by which browsers reach it, its port, and over TLS or not."""

    names: frozenset[str]
    port: int
    secure: bool


@dataclass(frozen=True)
class Console:
    """What every request needs (`app.state.console`)."""

    party: Organisation
    place: Place
    cookies: Cookies
    areas: tuple[Area, ...]
    templates: Environment
    files: Files
    provider: Provider | None
    pace: Pace
    runner: Runner
    log_check: LogCheck
    jobs: Jobs


def make_app(party: Organisation, place: Place) -> FastAPI:
    """Return the console of a party."""
    files, settings = Files(), load_provider(party.folder)
    runner = Runner(party)
    console = Console(
        party,
        place,
        Cookies(place.port, place.secure),
        pages.AREAS,
        environment(files),
        files,
        None if settings is None else Provider(party, settings),
        Pace(time.monotonic),
        runner,
        LogCheck(party.folder),
        Jobs(),
    )

    @asynccontextmanager
    async def carrying(_: FastAPI) -> AsyncIterator[None]:
        """Carry what was asked for while the console is there."""
        current_default_thread_limiter().total_tokens = PAGES_AT_ONCE
        await run_in_threadpool(runner.start)
        try:
            yield
        finally:
            await run_in_threadpool(console.log_check.stop)
            await run_in_threadpool(runner.stop)

    app = FastAPI(
        lifespan=carrying,
        title="commonground",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Guard, place=place, most_body_bytes=MOST_BODY_BYTES),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
            Middleware(_Faults),
        ],
    )
    app.state.console = console
    app.state.party = party
    for router in pages.ROUTERS:
        app.include_router(router)
    app.mount("/api/v1", make_api(console), name="api")
    for kind in (*(kind for kind, _ in _TOLD), SignInFirst, HTTPException):
        app.add_exception_handler(kind, _answer)
    roles_of(app)
    return app


def roles_of(app: FastAPI) -> dict[tuple[str, str], Role | None]:
    """Return the role of each page by its method and path; None is for anybody.

    Raises:
        LookupError: a route does not say its role.
    """
    found: dict[tuple[str, str], Role | None] = {}
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount):
            continue
        gates = [one.call for one in route.dependant.dependencies if hasattr(one.call, "role")]
        if len(gates) != 1:
            raise LookupError(f"{route.path} does not say which role it takes: see client.console")
        for method in route.methods or ():
            found[method, route.path or ""] = gates[0].role
    return found


class _Faults:
    """ASGI middleware: a fault of this program is answered with a page, inside of the guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            if scope["type"] != "http":
                raise
            if not started:  # otherwise the API has answered, and said so
                answer = await _answer(Request(scope, receive), error)
                await answer(scope, receive, send)


async def _answer(request: Request, error: Exception) -> Response:
    """Return the page that an error becomes; what was unexpected is said on the log alone."""
    console: Console = request.app.state.console
    if isinstance(error, SignInFirst):
        return _to_sign_in(request)
    visit = getattr(error, "visit", None) or await _visit(request, console)
    status, title, said = _told(error)
    if status == 500:
        event = Event("console.failed", reason=type(error).__name__)
        sentence = "a fault of this program in answering the console"
        note(_log, event, sentence, level=logging.ERROR, fault=error)
    return visit.page("error.html.jinja", status=status, title=title, said=said)


async def _visit(request: Request, console: Console) -> Visit:
    """Return who asks; a store that is away knows nobody, and is told of all the same."""
    try:
        return await visit_of(request, console)
    except StoreError:
        return visit_as(None, request, console)


def _to_sign_in(request: Request) -> Response:
    path = request.app.url_path_for("sign_in")
    if request.method != "GET" or request.url.path == "/":
        return RedirectResponse(path, status_code=303)
    return RedirectResponse(f"{path}?{urlencode({'next': request.url.path})}", status_code=303)


_Told: TypeAlias = tuple[int, str, str | None]
_TOLD: Final[tuple[tuple[type[Exception], _Told], ...]] = (
    (
        Forged,
        (
            403,
            message("The form is too old"),
            message("The form is of a session that has ended, or of another page. Try again."),
        ),
    ),
    (
        Forbidden,
        (
            403,
            message("Not for your role"),
            message("Your role does not reach this page. Ask an operator of the party."),
        ),
    ),
    (NotEntitled, (403, message("Not for your role"), None)),
    (Refusal, (409, message("Refused"), None)),
    (
        StoreError,
        (
            503,
            message("The store does not answer"),
            message("The party's store does not answer. Try again in a moment."),
        ),
    ),
    *((root, (422, message("This does not serve"), None)) for root in EXPECTED),
    (
        RequestValidationError,
        (
            422,
            message("This does not serve"),
            message("A field is missing, or holds what does not belong there."),
        ),
    ),
)
"""Status, title and sentence of an error's page; without a sentence, the error's own."""
_TOLD_BY_STATUS: Final[dict[int, tuple[str, str]]] = {
    404: (message("No such page"), message("There is nothing at this address.")),
    405: (message("No such action"), message("This page takes no such action.")),
    413: (message("Too large"), message("What was sent is larger than is taken here.")),
    422: (
        message("This does not serve"),
        message("A field is missing, or holds what does not belong there."),
    ),
}


def _told(error: Exception) -> tuple[int, str, str]:
    """Return the status, the title and the sentence of an error's page."""
    for kind, (status, title, said) in _TOLD:
        if isinstance(error, kind):
            return status, title, said_in(error) if said is None else said
    if isinstance(error, HTTPException):
        status = error.status_code if error.status_code in _TOLD_BY_STATUS else 422
        return (status, *_TOLD_BY_STATUS[status])
    said = message("A fault of this program. Its log, for the operators, says more.")
    return 500, message("Something went wrong"), said


__all__ = ["Console", "Place", "Visit", "make_app", "roles_of"]
