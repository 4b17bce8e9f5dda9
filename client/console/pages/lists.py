"""Matched audiences: those that are here, where they may be taken, and runs that are owed."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import APIRouter, Form, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from client.actors import OPERATOR
from client.console.forms import Problem
from client.console.pages.requests import lines_of
from client.console.visit import Analyst, Reader, Visit
from client.exits import EXPECTED, said_in
from party.activation import Order, export_list
from party.activation.export import CSV, PARQUET
from party.contract import Contract
from party.contract_terms import OutputKind, Platform
from party.errors import Refusal
from party.filing import PAGE, Filing, Wanted
from party.list_files import Part
from party.lists import Lists, MatchedList
from party.suppression.owed import owed_runs

router = APIRouter(prefix="/lists")
TARGETS: Final = {Platform.GOOGLE: "csv", Platform.META: "csv", Platform.TIKTOK: "csv",
                  Platform.UID2: "csv", CSV: "csv", PARQUET: "parquet"}  # fmt: skip
"""Where a list can be taken, and how its file ends."""


@router.get("", name="lists")
def lists(
    visit: Reader, before: Annotated[str | None, Query(pattern="[0-9a-f]{32}")] = None
) -> Response:
    """List the audiences that are here, and the newest matches of all."""
    return _page(visit, before=before)


@router.post("/{request_id}/export", name="export_list")
def export(visit: Analyst, request_id: str, to: Annotated[str, Form(max_length=40)]) -> Response:
    """Hand out a list with its manifest, for a platform or as own references; it is logged."""
    party = visit.party
    if to not in TARGETS:  # it becomes a part of a file's name
        raise HTTPException(422)
    try:
        found = Lists(party).find(request_id)
        contract = party.contract(found.request.contract)
        with TemporaryDirectory(prefix="export-", dir=party.folder) as folder:
            out = Path(folder) / f"{found.title}-{to}.{TARGETS[to]}"
            done = export_list(party, contract, found, Order(to, out), actor=OPERATOR)
            data = _zipped(done.file, done.manifest)
    except EXPECTED as error:
        return _page(visit, said_in(error))
    headers = {"Content-Disposition": f'attachment; filename="{found.title}-{to}.zip"'}
    return Response(data, media_type="application/zip", headers=headers)


def _page(visit: Visit, problem: str | None = None, before: str | None = None) -> Response:
    party = visit.party
    found = Lists(party).held(before=before, most=PAGE + 1)
    held = found[:PAGE]
    page = Filing(party).page(Wanted(lists=True))
    overdue = owed_runs(party)
    contracts = {contract.digest: contract for contract in party.contracts()}
    return visit.page(
        "lists/all.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        before=before,
        older=held[-1].request.id if len(found) > PAGE else None,
        lists=[(one, one.state(party.now), _targets(one, contracts)) for one in held],
        matches=lines_of(visit, page.requests),
        owed=overdue,
        part=Part,
    )


def _targets(found: MatchedList, contracts: Mapping[str, Contract]) -> list[str]:
    """Return where a list may be taken, own references last."""
    try:
        contract = contracts[found.request.contract]
        grant = contract.output(OutputKind.MATCH, found.request.roles)
    except Refusal:
        return []
    return [*(one.value for one in grant.export_to), CSV, PARQUET]


def _zipped(*paths: Path) -> bytes:
    held = BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return held.getvalue()
