"""The API as one application."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from client.console.api import (
    audit,
    contracts,
    datasets,
    drafts,
    party,
    people,
    reports,
    requests,
    standing,
)
from client.console.api.call import Denied, Problem
from client.exits import EXPECTED
from party.errors import NotEntitled, Refusal, StoreError
from party.events import Event, note

if TYPE_CHECKING:
    from client.console.app import Console

_log: Final = logging.getLogger("commonground.console")
ROUTERS: Final[Iterable[APIRouter]] = (
    party.router,
    reports.router,
    requests.router,
    standing.router,
    contracts.router,
    drafts.router,
    audit.router,
    datasets.router,
    people.router,
)
PROBLEM: Final = "application/problem+json"
_ANSWERS: Final = {
    code: {"model": Problem, "content": {PROBLEM: {}}, "description": said}
    for code, said in (
        (401, "No token, or one that has ended or was revoked"),
        (403, "The token's role does not reach this"),
        (404, "There is no such thing"),
        (409, "Refused: by the contract, the budget, or how things stand here"),
        (422, "What was given is out of shape"),
        (429, "Too many calls; `Retry-After` says when the next is taken"),
        (503, "The store does not answer"),
    )
}


def make_api(console: Console) -> FastAPI:
    """Return the application that is mounted at `/api/v1`."""
    api = FastAPI(
        title="commonground",
        version="1",
        summary="What the console does, for programs.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=_ANSWERS,  # type: ignore[arg-type] # FastAPI's own wider type
    )
    api.state.console = console
    for router in ROUTERS:
        api.include_router(router)
    for kind in (Denied, *EXPECTED, HTTPException, RequestValidationError, Exception):
        api.add_exception_handler(kind, _answer)
    return api


async def _answer(request: Request, error: Exception) -> Response:
    """Return an error as a problem document; what was unexpected is said on the log alone."""
    problem = _problem(error)
    if problem.status == 500:
        sentence = "a fault of this program in answering the console's API"
        event = Event("console.failed", reason=type(error).__name__)
        note(_log, event, sentence, level=logging.ERROR, fault=error)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    headers |= dict(getattr(error, "headers", None) or {})
    return JSONResponse(
        problem.model_dump(exclude_none=True), problem.status, headers, media_type=PROBLEM
    )


def _problem(error: Exception) -> Problem:  # noqa: PLR0911 - a line a kind of error
    match error:
        case Denied():
            return Problem(title=error.title, status=error.status, detail=error.detail)
        case NotEntitled():
            return Problem(
                title="Not for this role", status=403, detail=error.message, code=error.status
            )
        case Refusal():
            return Problem(
                title="Refused", status=409, detail=error.message, code=error.status.value
            )
        case StoreError():
            return Problem(title="The store does not answer", status=503)
        case RequestValidationError():
            where = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
            )
            return Problem(title="This does not serve", status=422, detail=where[:2000])
        case HTTPException():
            return Problem(title=str(error.detail), status=error.status_code)
    if isinstance(error, EXPECTED):
        return Problem(title="This does not serve now", status=409, detail=str(error))
    return Problem(title="A fault of this program", status=500)
