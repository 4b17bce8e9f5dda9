"""Reports: choose, quote, run, look, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from client.by_identifier import quote_all, together
from client.console.asked_once import ask_all_once, ask_once, key_of, new_key
from client.console.forms import Problem
from client.console.pages.requests import lines_of
from client.console.quote_view import quote_values
from client.console.report_form import ReportForm, Typed, offered_to
from client.console.report_view import FORMS, View, chart_of, file_of, page_values, parts_shown
from client.console.typed import Form
from client.console.visit import Analyst, Reader, Visit
from client.exits import EXPECTED, said_in
from client.quoting import Quoted, quote_for
from party.contract import Contract
from party.contract_terms import OutputKind
from party.decision import FINISHED
from party.desk import Desk
from party.filing import APPROVED, Filing, Wanted
from party.list_names import Naming
from party.request import Request
from reports.attribution import ALL_MODELS, MODELS

router = APIRouter(prefix="/reports")
Shown = Literal["finished", "open", "all"]
WANTED: Final = {
    "finished": Wanted(states=(FINISHED,), lists=False),
    "open": Wanted(states=(APPROVED,), lists=False),
    "all": Wanted(lists=False),
}


@router.get("", name="reports")
def reports(
    visit: Reader, show: Shown = "finished", before: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """List reports, newest first."""
    page = Filing(visit.party).page(WANTED[show], before=before)
    return visit.page(
        "reports/list.html.jinja",
        lines=lines_of(visit, page.requests),
        show=show,
        before=before,
        older=page.older,
    )


@router.get("/new", name="new_report")
def choose(visit: Analyst) -> Response:
    """Offer what the contracts in force grant."""
    contracts = Desk(visit.party).contracts()
    return visit.page(
        "reports/choose.html.jinja",
        contracts=contracts,
        offered=list(offered_to(visit.party, contracts, visit.language)),
    )


@router.get("/new/labels", name="report_form")
def fill_in(visit: Analyst) -> Response:
    """Ask by which labels, and at what ε."""
    typed = Typed.read(visit.request.query_params)
    return _form(visit, ReportForm.of(visit.party, typed))


@router.get("/new/quote", name="report_quote")
def quote(visit: Analyst) -> Response:
    """Say what it would cost, and how good its numbers would be; nothing is asked."""
    party = visit.party
    form = ReportForm.of(party, Typed.read(visit.request.query_params))
    try:
        if form.by_type:
            quotes = quote_all(party, form.types(party), form.typed.guess())
            return _quote(visit, form, quotes)
        request = form.request(party)
        form.naming(party, request)
        quoted = quote_for(party, form.contract, request, form.typed.guess())
    except EXPECTED as error:
        return _form(visit, form, said_in(error))
    return _quote(visit, form, [quoted])


@router.post("", name="ask_report")
def ask(visit: Analyst, form: Form) -> Response:
    """Ask for a report, once for each quote that was shown, and carry it on in the background.

    The form's key is the request's id: a second click finds the request. An overlap by identifier
    is a request for each type, whose ids follow from it.
    """
    key, party = key_of(form), visit.party
    filled = ReportForm.of(party, Typed.read(form.values))

    def wanted() -> tuple[Request, Contract, Naming | None]:
        request = filled.request(party)
        return request, filled.contract, filled.naming(party, request)

    try:
        if filled.by_type:
            asked = filled.types(party, key)
            filed, *_ = ask_all_once(visit.console, visit.acts_as, asked)
            address = visit.url("report", request_id=filed.id)
            return RedirectResponse(f"{address}?types=all", status_code=303)
        filed = ask_once(visit.console, visit.acts_as, key, wanted)
    except EXPECTED as error:
        return _form(visit, filled, said_in(error))
    return RedirectResponse(visit.url("request", request_id=filed.id), status_code=303)


@router.get("/{request_id}", name="report")
def report(visit: Reader, request_id: str, view: Annotated[View, Query()]) -> Response:
    """Show a finished report; its models and costs cost nothing."""
    filed = Desk(visit.party).find(request_id)
    parts = parts_shown(visit.party, filed, view)
    if any(one.state != FINISHED for one in parts):
        if view.types:
            return visit.page("reports/types.html.jinja", lines=lines_of(visit, parts))
        return RedirectResponse(visit.url("request", request_id=filed.id), status_code=303)
    types = together(visit.party, filed)
    _, values = visit.language, page_values(visit, filed, view)
    return visit.page(
        "reports/one.html.jinja",
        filed=filed,
        view=view,
        models=filed.request.kind is OutputKind.ATTRIBUTION,
        model_options=[(one, _(one)) for one in (ALL_MODELS, *MODELS)],
        files=FORMS,
        has_types=len(types) > 1,
        missing=[kind for kind, one in types.items() if one.state != FINISHED],
        **values,
    )


@router.get("/{request_id}/charts/{number}.svg", name="report_chart")
def chart(visit: Reader, request_id: str, number: int, view: Annotated[View, Query()]) -> Response:
    """Draw one chart of a report."""
    filed = Desk(visit.party).find(request_id)
    drawing = chart_of(visit.party, filed, view, number, visit.language)
    return Response(drawing, media_type="image/svg+xml")


@router.get("/{request_id}/files/{form}", name="report_file")
def export(visit: Reader, request_id: str, form: str, view: Annotated[View, Query()]) -> Response:
    """Hand out a report as a file; what may be passed on unless its owner insists."""
    filed = Desk(visit.party).find(request_id)
    data, kind, name = file_of(visit.party, filed, view, form, visit.language)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


def _form(visit: Visit, form: ReportForm, problem: str | None = None) -> Response:
    _ = visit.language
    roles = form.grant.roles
    offered = next(
        one for one in offered_to(visit.party, [form.contract], _) if one.grant == form.grant
    )
    return visit.page(
        "reports/form.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        form=form,
        typed=form.typed,
        offered=offered,
        labels={party: form.labels_of(party, _) for party in roles.values()},
        identifiers=[("", _("as usual")), *((one, one) for one in form.contract.identifiers)],
    )


def _quote(visit: Visit, form: ReportForm, quotes: Sequence[Quoted]) -> Response:
    return visit.page(
        "reports/quote.html.jinja",
        form=form,
        key=new_key(),
        **quote_values(quotes, visit.language),
    )
