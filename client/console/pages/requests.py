"""Requests: what was asked of this party and by it, to approve, refuse, go on with, suspend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import RedirectResponse, Response

from client.actors import OPERATOR
from client.by_identifier import together
from client.carrying import Carrier
from client.console.forms import Problem
from client.console.running import Run
from client.console.under_way import looked_at
from client.console.visit import Analyst, Operator, Reader, Visit
from client.exits import EXPECTED, said_in
from client.page.glossary import STEPS
from client.request_words import (
    asked_by,
    details_of,
    kind_in_words,
    learnt,
    parts_of,
)
from party.contract import Contract
from party.contract_terms import OutputKind
from party.decision import FINISHED
from party.desk import Desk
from party.dialling import DialledBy, dialled_by
from party.filing import APPROVED, PENDING, Filed, Filing, Wanted
from party.terms import Terms

router = APIRouter(prefix="/requests")
Shown = Literal["waiting", "open", "all"]
WANTED: Final = {
    "waiting": Wanted(states=(PENDING,)),
    "open": Wanted(states=(APPROVED,)),
    "all": Wanted(),
}
MOST_REASON: Final = 300


@router.get("", name="requests")
def requests(
    visit: Reader, show: Shown = "open", before: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """List requests, newest first."""
    page = Filing(visit.party).page(WANTED[show], before=before)
    waiting = Filing(visit.party).count(WANTED["waiting"])
    return visit.page(
        "requests/list.html.jinja",
        lines=lines_of(visit, page.requests),
        show=show,
        waiting=waiting,
        before=before,
        older=page.older,
    )


@router.get("/{request_id}", name="request")
def request(visit: Reader, request_id: str) -> Response:
    """Show all of a request, and what it is at."""
    return _page(visit, Desk(visit.party).find(request_id))


@router.post("/{request_id}/approve", name="approve_request")
def approve(visit: Operator, request_id: str) -> Response:
    """Approve a counterpart's request; a second click finds it approved."""
    desk = Desk(visit.party)
    filed = desk.find(request_id)
    try:
        with visit.console.runner.room():
            filed = desk.approve(filed.id, actor=OPERATOR)
            contract = visit.party.contract(filed.request.contract)
            if dialled_by(visit.party, contract, filed) is DialledBy.HERE:
                visit.console.runner.begin(filed.id, visit.acts_as)
    except EXPECTED as error:
        return _page(visit, desk.find(filed.id), said_in(error))
    _ = visit.language
    said = _("Approved. Your approval stands in the log.")
    return visit.then("request", said, request_id=filed.id)


@router.post("/{request_id}/refuse", name="refuse_request")
def refuse(
    visit: Operator,
    request_id: str,
    reason: Annotated[str, Form(min_length=1, max_length=MOST_REASON)],
) -> Response:
    """Refuse a counterpart's request, and tell it."""
    filed = Desk(visit.party).find(request_id)
    try:
        Carrier(visit.party, Run(filed.id, "")).refuse(filed.id, reason, actor=OPERATOR)
    except EXPECTED as error:
        return _page(visit, Desk(visit.party).find(filed.id), said_in(error))
    _ = visit.language
    said = _("Refused. Nothing was spent.")
    return visit.then("request", said, request_id=filed.id)


@router.post("/{request_id}/resume", name="resume_request")
def resume(visit: Analyst, request_id: str) -> Response:
    """Go on with a request where it was."""
    filed = Desk(visit.party).find(request_id)
    try:
        visit.console.runner.resume(filed.id, visit.acts_as)
    except EXPECTED as error:
        return _page(visit, filed, said_in(error))
    return RedirectResponse(visit.url("request", request_id=filed.id), status_code=303)


@router.post("/{request_id}/suspend", name="suspend_request")
def suspend(visit: Analyst, request_id: str) -> Response:
    """Stop carrying a request; it stays as it is and can go on."""
    filed = Desk(visit.party).find(request_id)
    visit.console.runner.suspend(filed.id)
    _ = visit.language
    said = _("Suspended. What has begun is on disk, and nothing is charged twice.")
    return visit.then("request", said, request_id=filed.id)


def lines_of(visit: Visit, requests: Sequence[Filed]) -> list[dict[str, object]]:
    """Return what a list says of requests."""
    contracts = {one.digest: one for one in visit.party.contracts()} if requests else {}
    return [_line(visit, filed, contracts[filed.request.contract]) for filed in requests]


def _line(visit: Visit, filed: Filed, contract: Contract) -> dict[str, object]:
    _, me = visit.language, contract.me(visit.party.identity)
    filed, now = looked_at(visit.party, visit.console.runner, filed, _)
    return {
        "id": filed.id,
        "kind": kind_in_words(filed.request, _),
        "asked_by": asked_by(filed, _),
        "peers": _(", ").join(one for one in filed.request.participants if one != me),
        "now": now,
        "state": filed.state,
        "is_list": filed.request.kind is OutputKind.MATCH,
        "updated_at": filed.updated_at,
        "epsilon": Terms.of(filed.request).spend_of(me).epsilon_nano,
    }


def _page(visit: Visit, filed: Filed, problem: str | None = None) -> Response:
    _ = visit.language
    contract = visit.party.contract(filed.request.contract)
    filed, now = looked_at(visit.party, visit.console.runner, filed, _)
    steps = Desk(visit.party).steps(filed.id) if filed.state == FINISHED else ()
    by = dialled_by(visit.party, contract, filed)
    return visit.page(
        "requests/one.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        filed=filed,
        kind=kind_in_words(filed.request, _),
        asked_by=asked_by(filed, _),
        learnt=learnt(filed.request, contract, _),
        parts_brought=parts_of(filed.request, _),
        details=list(details_of(filed.request, contract, _)),
        contract=contract,
        me=contract.me(visit.party.identity),
        now=now,
        has_types=len(together(visit.party, filed)) > 1,
        may_begin=by is not DialledBy.NOBODY,
        steps=steps,
        said_steps=[STEPS.said(step.name, _) for step in steps],
        most_reason=MOST_REASON,
    )
