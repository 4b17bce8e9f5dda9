"""What is kept until when, and deleting what has come to its end: first looked at, then done."""

from __future__ import annotations

from collections import Counter
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from client.console.visit import Analyst, Reader
from languages import Message, message
from party.kept import kept
from party.retention import run

router = APIRouter()
MOST: Final = 100
WHAT: Final[dict[str, Message]] = {
    "dataset": message("dataset"),
    "list": message("list"),
    "holders": message("whose the points of a list are"),
    "session": message("artefacts of a session"),
    "result": message("result"),
}


@router.get("/retention", name="retention")
def show(visit: Reader) -> Response:
    """Show what is kept and what ends first; what has ended is what would be deleted now."""
    found, now = kept(visit.party), visit.party.now
    ended = [one for one in found if one.has_ended(now)]
    return visit.page(
        "datasets/retention.html.jinja",
        ended=ended[:MOST],
        more_ended=max(0, len(ended) - MOST),
        next=[one for one in found if one.ends_at is not None and not one.has_ended(now)][:MOST],
        counts=Counter(one.what for one in found),
        endless=Counter(one.what for one in found if one.ends_at is None),
        what=WHAT,
    )


@router.post("/retention")
def delete(visit: Analyst) -> Response:
    """Delete what has come to its end; the log has each."""
    ended, _ = run(visit.party), visit.language
    return visit.then("retention", _("Deleted and logged: {number}.", number=_.number(len(ended))))
