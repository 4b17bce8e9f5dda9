"""The language and the light that somebody has chosen; neither is known to the party."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from client.console.paths import own_path
from client.console.visit import THEMES, Anybody
from languages import LANGUAGES

router = APIRouter()
_YEAR_SECONDS = 31_536_000


@router.post("/choices", name="choices")
def choose(
    visit: Anybody,
    back: Annotated[str, Form()] = "/",
    language: Annotated[str | None, Form()] = None,
    theme: Annotated[Literal["light", "dark", "auto"] | None, Form()] = None,
) -> Response:
    """Keep a choice in the browser, and go back to the page."""
    answer = RedirectResponse(own_path(back), status_code=303)
    cookies = visit.console.cookies
    if language in LANGUAGES:
        cookies.set(answer, cookies.language, language, seconds=_YEAR_SECONDS)
    if theme in THEMES:
        cookies.set(answer, cookies.theme, theme, seconds=_YEAR_SECONDS)
    elif theme is not None:
        cookies.forget(answer, cookies.theme)
    return answer
