"""One's own account: its role, and its password.

Whoever changes it gives the old one, so that a browser that was left open does not suffice; tries
are slowed as at the door. All sessions of the account end, and this browser begins a new one.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from client.console.forms import Problem
from client.console.pages.sign_in import address_of, let_in
from client.console.visit import Reader, Visit
from client.exits import EXPECTED, said_in
from party.staff.accounts import Staff
from party.staff.entrance import Entrance
from party.staff.passwords import FEWEST

router = APIRouter(prefix="/account")
Password = Annotated[str, Form(max_length=1024)]


@router.get("", name="account")
def show(visit: Reader) -> Response:
    """Show whose session it is, and ask for another password."""
    return _page(visit)


@router.post("/password", name="own_password")
def change(visit: Reader, old: Password, new: Password, again: Password) -> Response:
    """Give one's own account another password, and end its sessions everywhere else."""
    account, _ = visit.signed_in, visit.language
    if account.issuer is not None:
        return _page(visit, Problem("", _vouched(visit)))
    if new != again:
        return _page(visit, Problem("again", _("The two are not the same.")))
    tried = Entrance(visit.party).by_password(account.name, old, address_of(visit))
    if tried.account is None:
        said = _("The password is not right.")
        if tried.wait_seconds > 0:
            seconds = _.number(tried.wait_seconds)
            said += _.space + _("Try again in {seconds} seconds.", seconds=seconds)
        return _page(visit, Problem("old", said), 429 if tried.waits else 403)
    try:
        Staff(visit.party).set_password(account.account, new)
    except EXPECTED as error:
        return _page(visit, Problem("new", said_in(error)))
    said = _("Your password is changed. Sessions elsewhere have ended.")
    return let_in(visit, account, "password", visit.url("account"), said)


def _vouched(visit: Visit) -> str:
    _, provider = visit.language, visit.console.provider
    name = _("the provider") if provider is None else provider.settings.name
    return _("{name} vouches for you: your password is changed there.", name=name)


def _page(visit: Visit, problem: Problem | None = None, status: int = 422) -> Response:
    account = visit.signed_in
    return visit.page(
        "account.html.jinja",
        status=200 if problem is None else status,
        problems=[] if problem is None else [problem],
        account=account,
        vouched=None if account.issuer is None else _vouched(visit),
        fewest=FEWEST,
    )
