"""Signing in and out."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from client.console.forms import Problem
from client.console.notices import write_notice
from client.console.paths import own_path
from client.console.provider import Asked, NotVouched, Provider
from client.console.visit import Anybody, Reader, Visit
from party.events import Event, note
from party.staff.accounts import StaffAccount
from party.staff.entrance import Entrance
from party.staff.sessions import Sessions

router = APIRouter()
_PROVIDER_SECONDS: Final = 600
_log: Final = logging.getLogger("commonground.console")


@router.get("/sign-in", name="sign_in")
def show(visit: Anybody, next: str = "/") -> Response:  # noqa: A002 - the parameter's name
    """Ask who it is."""
    if visit.account is not None:
        return RedirectResponse(own_path(next), status_code=303)
    return _form(visit, next)


@router.post("/sign-in")
def sign_in(
    visit: Anybody,
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=1024)],
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the field's name
) -> Response:
    """Let somebody in, in a session with a new secret."""
    tried = Entrance(visit.party).by_password(name, password, address_of(visit))
    if tried.account is None:
        _ = visit.language
        said = _("The name or the password is not right, or both.")
        if tried.wait_seconds > 0:
            seconds = _.number(tried.wait_seconds)
            said += _.space + _("Try again in {seconds} seconds.", seconds=seconds)
        return _form(visit, next, [Problem("name", said)], name, 429 if tried.waits else 403)
    return let_in(visit, tried.account, "password", next)


@router.get("/sign-in/provider", name="ask_provider")
def ask_provider(visit: Anybody, next: str = "/") -> Response:  # noqa: A002 - as above
    """Send the browser to the provider that vouches for staff."""
    provider = _provider(visit)
    asked = Asked.new(own_path(next))
    try:
        answer = RedirectResponse(provider.address(asked, _back(visit)), status_code=303)
    except NotVouched as error:
        return _not_vouched(visit, error)
    cookies = visit.console.cookies
    cookies.set(answer, cookies.provider, asked.to_cookie(), seconds=_PROVIDER_SECONDS)
    return answer


@router.get("/sign-in/back", name="provider_back")
def come_back(visit: Anybody) -> Response:
    """Let in whom the provider vouches for."""
    provider, cookies = _provider(visit), visit.console.cookies
    asked = Asked.of_cookie(visit.request.cookies.get(cookies.provider))
    entrance = Entrance(visit.party)
    if asked is None:
        return _not_vouched(visit, NotVouched("the answer is to another question"))
    counted = entrance.count_address(address_of(visit))
    try:
        if counted > 0:
            raise NotVouched(f"too many tries: again in {counted} seconds")
        account = provider.account(asked, dict(visit.request.query_params), _back(visit))
    except NotVouched as error:
        return _not_vouched(visit, error)
    entrance.forget_address(address_of(visit))
    answer = let_in(visit, account, "provider", asked.next)
    cookies.forget(answer, cookies.provider)
    return answer


@router.post("/sign-out", name="sign_out")
def sign_out(visit: Reader) -> Response:
    """End the session, here and in the browser."""
    Sessions(visit.party).end(visit.secret)
    answer = RedirectResponse(visit.url("sign_in"), status_code=303)
    visit.console.cookies.forget(answer, visit.console.cookies.session)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def let_in(
    visit: Visit, account: StaffAccount, by: str, then: str, notice: str | None = None
) -> Response:
    """Begin a session with a new secret; what stood for one before is worth nothing."""
    secret = Sessions(visit.party).begin(account, by)
    answer = RedirectResponse(own_path(then), status_code=303)
    cookies = visit.console.cookies
    cookies.set(answer, cookies.session, secret)
    cookies.forget(answer, cookies.first)
    if notice is not None:
        cookies.set(answer, cookies.notice, write_notice(notice, secret), seconds=60)
    return answer


def _not_vouched(visit: Visit, error: NotVouched) -> Response:
    _ = visit.language
    event = Event("console.not_vouched", reason=str(error))
    note(_log, event, f"sign-in through the provider: {error}", level=logging.WARNING)
    return _form(visit, "/", [Problem("", _("The provider has not vouched for you."))], status=403)


def _provider(visit: Visit) -> Provider:
    if visit.console.provider is None:
        raise HTTPException(404)
    return visit.console.provider


def _back(visit: Visit) -> str:
    """Return the whole address to which the provider sends the browser back."""
    scheme = "https" if visit.console.place.secure else "http"
    return f"{scheme}://{visit.request.headers['host']}{visit.url('provider_back')}"


def address_of(visit: Visit) -> str:
    """Return the network address that a visit comes from."""
    client = visit.request.client
    return "" if client is None else client.host


def _form(
    visit: Visit,
    then: str,
    problems: list[Problem] | None = None,
    name: str = "",
    status: int = 200,
) -> Response:
    provider = visit.console.provider
    return visit.page(
        "sign_in/form.html.jinja",
        status=status,
        problems=problems,
        next=own_path(then),
        name=name,
        provider="" if provider is None else provider.settings.name,
    )
