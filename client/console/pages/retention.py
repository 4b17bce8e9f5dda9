"""What is kept until when, and deleting what has come to its end: first looked at, then done."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from client.console.visit import Analyst, Reader
from languages import Message, message
from party.kept import count_kept, kept
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
    now = visit.party.now
    ended, (counts, endless) = kept(visit.party, until=now), count_kept(visit.party)
    found = kept(visit.party, most=len(ended) + MOST)
    return visit.page(
        "datasets/retention.html.jinja",
        ended=ended[:MOST],
        more_ended=max(0, len(ended) - MOST),
        next=[one for one in found if one.ends_at is not None and not one.has_ended(now)],
        counts=counts,
        endless=endless,
        what=WHAT,
    )


@router.post("/retention")
def delete(visit: Analyst) -> Response:
    """Delete what has come to its end; the log has each."""
    ended, _ = run(visit.party), visit.language
    return visit.then("retention", _("Deleted and logged: {number}.", number=_.number(len(ended))))
