"""What stands behind a released number: its lineage, and the evidence to take away."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from client.audit_files import Wanted, bundle_of, page, zipped
from client.console.forms import Problem
from client.console.pages.audit import At, Ways, download, shown_of
from client.console.visit import Reader, Visit
from client.exits import said_in
from client.render_lineage import left_out, lineage_svg, lineage_trees
from party.errors import LineageError, PartyError
from party.lineage.graph import Lineage, lineage_of
from party.lists import Lists

router = APIRouter()
Named = Annotated[str, Path(pattern=r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")]
_ENDS: Final = ("session.finished",)


@router.get("/audit/evidence", name="audit_evidence")
def choose(
    visit: Reader,
    request: Annotated[str, Query(max_length=128)] = "",
    before: At = None,
    after: At = None,
) -> Response:
    """Show the sessions that evidence can be had of, or the way to one that is named."""
    wanted = request.strip()
    problems = []
    if wanted:
        try:
            filed = Lists(visit.party).match_of(wanted)
            return RedirectResponse(visit.url("audit_lineage", wanted=filed.id), status_code=303)
        except PartyError as error:
            problems.append(Problem("request", said_in(error)))
    found = page(visit.party, Wanted(kinds=_ENDS), before=before, after=after)
    visit.party.access.note_reading("audit.filter")
    return visit.page(
        "audit/evidence.html.jinja",
        status=422 if problems else 200,
        problems=problems,
        wanted=wanted,
        lines=shown_of(visit, found),
        ways=Ways.of(visit.url("audit_evidence"), found),
    )


@router.get("/audit/lineage/{wanted}", name="audit_lineage")
def lineage(visit: Reader, wanted: Named) -> Response:
    """Show what a result or a dataset rests on and where it went, and its evidence."""
    found = _lineage(visit, wanted)
    return visit.page(
        "audit/lineage.html.jinja",
        wanted=wanted,
        lineage=found,
        trees=lineage_trees(found, visit.language),
        left_out=left_out(found, visit.language) if found.left_out else "",
        of_request=any(node.partition(":")[0] in ("result", "session") for node in found.about),
    )


@router.get("/audit/lineage/{wanted}/graph.svg", name="audit_lineage_graph")
def graph(visit: Reader, wanted: Named) -> Response:
    """Answer the same as a drawing."""
    drawing = lineage_svg(_found(visit, wanted), visit.language)
    return Response(drawing, media_type="image/svg+xml")


@router.get("/audit/evidence/{wanted}", name="audit_bundle")
def bundle(visit: Reader, wanted: Named) -> Response:
    """Answer the evidence for a request as a zip that is checked without this program."""
    try:
        filed = Lists(visit.party).match_of(wanted)
    except PartyError:
        raise HTTPException(404) from None
    _, files = bundle_of(visit.party, filed)
    visit.party.access.note_reading("audit.evidence", filed.id)
    return download(zipped(files), f"evidence-{filed.id[:8]}.zip", "application/zip")


def _lineage(visit: Visit, wanted: str) -> Lineage:
    found = _found(visit, wanted)
    visit.party.access.note_reading("lineage.show", wanted)
    return found


def _found(visit: Visit, wanted: str) -> Lineage:
    try:
        return lineage_of(visit.party, wanted)
    except LineageError:
        raise HTTPException(404) from None
