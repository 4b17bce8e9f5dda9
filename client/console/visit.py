"""One request of somebody who looks at a page: who it is, in which language, and the answer.

A route says which role it takes by the type of its first parameter: `Reader`, `Analyst`,
`Operator`, or `Anybody` for what stands before signing in. A form is taken only with the token of
the session that it was made for. From here on everything is done as the account that asks
(`party.accounts.act_as`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from audit.roles import Role
from client.console.errors import Forbidden, Forged, SignInFirst
from client.console.forms import FORM_TOKEN, Problem, masked, unmasked
from client.console.notices import Notice, read_notice, write_notice
from languages import LANGUAGES, Language, language
from party import accounts
from party.organisation import Organisation
from party.staff.accounts import StaffAccount
from party.staff.sessions import Sessions

if TYPE_CHECKING:
    from client.console.app import Console

RANK: Final = {Role.COMPLIANCE: 0, Role.ANALYST: 1, Role.OPERATOR: 2}
THEMES: Final = ("light", "dark")
_SAFE: Final = ("GET", "HEAD")


@dataclass(frozen=True)
class Visit:
    """Who asks, and how to answer; `account` is None before signing in."""

    request: Request
    console: Console
    account: StaffAccount | None
    language: Language
    theme: str | None
    secret: str
    notice: Notice | None

    @property
    def party(self) -> Organisation:
        """The party, which acts for the account that asks."""
        return self.console.party

    @property
    def signed_in(self) -> StaffAccount:
        """Who asks, on pages that nobody sees before signing in."""
        if self.account is None:
            raise SignInFirst
        return self.account

    @property
    def name(self) -> str:
        """What the one who asks is called; empty before signing in."""
        return "" if self.account is None else self.account.name

    @property
    def acts_as(self) -> str:
        """The account as the log has it; empty before signing in."""
        return "" if self.account is None else self.account.account

    @property
    def may_ask(self) -> bool:
        """Whether the one who asks may ask counterparts for something."""
        return self.may(Role.ANALYST)

    @property
    def may_decide(self) -> bool:
        """Whether the one who asks may approve, refuse and sign."""
        return self.may(Role.OPERATOR)

    def may(self, role: Role) -> bool:
        """Say whether the one who asks may do what this role may do."""
        return self.account is not None and RANK[self.account.role] >= RANK[role]

    def url(self, route: str, **parts: object) -> str:
        """Return the address of a page by its route's name, on this host."""
        return str(self.request.app.url_path_for(route, **parts))

    @property
    def form_token(self) -> str:
        """What a form of this page carries; another each time, so that it cannot be guessed."""
        return masked(_form_secret(self.secret))

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        problems: list[Problem] | None = None,
        **values: Any,  # noqa: ANN401 - what the template takes
    ) -> Response:
        """Return a page; `problems` of a form are told first, and beside their fields."""
        text = self.console.templates.get_template(template).render(
            visit=self,
            _=self.language,
            problems=problems or [],
            path=self.request.url.path,
            areas=[one for one in self.console.areas if self.may(one.role)],
            **values,
        )
        answer = HTMLResponse(text, status_code=status)
        cookies = self.console.cookies
        if self.account is None and cookies.first not in self.request.cookies:
            cookies.set(answer, cookies.first, self.secret)
        if self.notice is not None:
            cookies.forget(answer, cookies.notice)
        return answer

    def then(self, route: str, notice: str | None = None, **parts: object) -> Response:
        """Return the way to another page after something was done, which tells the notice once."""
        answer = RedirectResponse(self.url(route, **parts), status_code=303)
        if notice is not None:
            self.console.cookies.set(
                answer, self.console.cookies.notice, write_notice(notice, self.secret), seconds=60
            )
        return answer


def visiting(role: Role | None) -> Callable[[Request], Coroutine[Any, Any, Visit]]:
    """Return the dependency of routes for this role and those above; None is for anybody."""

    async def visit(request: Request) -> Visit:
        console: Console = request.app.state.console
        found = await visit_of(request, console)
        if request.method not in _SAFE:
            await _require_own_form(request, found)
        if role is not None:
            if found.account is None:
                raise SignInFirst
            accounts.act_as(found.account.account)
            if not found.may(role):
                raise Forbidden(found, role)
        return found

    visit.role = role  # type: ignore[attr-defined] # read by `roles_of`
    return visit


Anybody = Annotated[Visit, Depends(visiting(None))]
Reader = Annotated[Visit, Depends(visiting(Role.COMPLIANCE))]
Analyst = Annotated[Visit, Depends(visiting(Role.ANALYST))]
Operator = Annotated[Visit, Depends(visiting(Role.OPERATOR))]


async def visit_of(request: Request, console: Console) -> Visit:
    """Return who asks; whoever holds no session that goes on is nobody.

    Raises:
        StoreError: nobody can be looked up.
    """
    session = request.cookies.get(console.cookies.session)
    account = None
    if session is not None:
        account = await run_in_threadpool(Sessions(console.party).find, session)
    return visit_as(account, request, console)


def visit_as(account: StaffAccount | None, request: Request, console: Console) -> Visit:
    """Return the visit of an account, which is not looked up."""
    cookies = console.cookies
    session = request.cookies.get(cookies.session)
    secret = session if account is not None and session is not None else cookies.before(request)
    theme = request.cookies.get(cookies.theme)
    return Visit(
        request,
        console,
        account,
        spoken(request, cookies.language),
        theme if theme in THEMES else None,
        secret,
        read_notice(request.cookies.get(cookies.notice), secret),
    )


def spoken(request: Request, cookie: str) -> Language:
    """Return the language that was chosen, or that the browser asks for first of those here."""
    chosen = request.cookies.get(cookie)
    if chosen in LANGUAGES:
        return language(chosen)
    wanted: list[tuple[float, int, str]] = []
    for number, part in enumerate(request.headers.get("accept-language", "")[:200].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        code = tag.partition("-")[0].lower()
        if code in LANGUAGES:
            wanted.append((-_quality(quality), number, code))
    return language(min(wanted)[2] if wanted else LANGUAGES[0])


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text))) if text else 1.0
    except ValueError:
        return 0.0


async def _require_own_form(request: Request, visit: Visit) -> None:
    """Refuse a form that no page of this session has sent (OWASP, Cross-Site Request Forgery)."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged(visit)
    form = await request.form()
    given = form.get(FORM_TOKEN)
    expected = _form_secret(visit.secret)
    if not isinstance(given, str) or not hmac.compare_digest(unmasked(given), expected):
        raise Forged(visit)


def _form_secret(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"form", sha256)


def values_of(form: Mapping[str, object]) -> dict[str, str]:
    """Return what was typed into a form, to show it again beside its problems; no passwords."""
    return {
        name: text
        for name, text in form.items()
        if isinstance(text, str) and name != FORM_TOKEN and "password" not in name
    }
