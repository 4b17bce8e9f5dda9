"""One call of a program: whose token it has, in which role, and how often it may call.

A route says which role it takes by the type of its first parameter, as pages do: `Reading`,
`Asking`, `Operating`. From here on everything is done as the token.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from audit.roles import Role
from client.console.visit import RANK
from party import accounts
from party.organisation import Organisation
from party.staff.accounts import Staff, StaffAccount

if TYPE_CHECKING:
    from client.console.app import Console

_bearer: Final = HTTPBearer(auto_error=False, description="A token of `console tokens add`.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    code: str | None = None
    """The protocol's word for a refusal, such as BUDGET_EXHAUSTED."""


class Denied(Exception):  # noqa: N818 - what the call is
    """A call is not taken."""

    def __init__(
        self, status: int, title: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


@dataclass(frozen=True)
class Call:
    """Who calls."""

    console: Console
    account: StaffAccount

    @property
    def party(self) -> Organisation:
        """The party, which acts for the token."""
        return self.console.party


def calling(role: Role) -> Callable[..., Coroutine[Any, Any, Call]]:
    """Return the dependency of calls for this role and those above."""

    async def call(
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> Call:
        console: Console = request.app.state.console
        address = "" if request.client is None else request.client.host
        if given is None:
            _slow_down(console, f"from {address}")
            raise Denied(401, "Not signed in", "give a token: Authorization: Bearer TOKEN")
        found = await run_in_threadpool(Staff(console.party).by_token, given.credentials)
        _slow_down(console, f"from {address}" if found is None else found.account)
        if found is None:
            raise Denied(401, "Not signed in", "nobody has this token, or it has ended")
        accounts.act_as(found.account)
        if RANK[found.role] < RANK[role]:
            raise Denied(403, "Not for this role", f"this needs a token of role {role.value}")
        return Call(console, found)

    call.role = role  # type: ignore[attr-defined] # read by `roles_of`
    return call


def _slow_down(console: Console, name: str) -> None:
    seconds = ceil(console.pace.take(name))
    if seconds > 0:
        headers = {"Retry-After": str(seconds)}
        raise Denied(429, "Too many calls", f"call again in {seconds} seconds", headers)


Reading = Annotated[Call, Depends(calling(Role.COMPLIANCE))]
Asking = Annotated[Call, Depends(calling(Role.ANALYST))]
Operating = Annotated[Call, Depends(calling(Role.OPERATOR))]
