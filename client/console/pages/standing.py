"""Reports that run by themselves: templates, runs of them, and schedules.

A template that is saved here makes no files: whoever has an account of the console has none of the
machine, and finds the report among the others. Nothing is spent or held before a quote was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from client import quote_words
from client.console.asked_once import ask_once, key_of, new_key
from client.console.forms import Problem
from client.console.quote_view import quote_values
from client.console.report_form import ReportForm, Typed
from client.console.typed import Form
from client.console.visit import Analyst, Reader, Visit
from client.exits import EXPECTED, said_in
from client.page.glossary import Glossary
from client.quoting import quote_for
from client.request_words import kind_in_words, parts_of
from client.scheduling import quote_series
from client.templating import asked_before, read_schedule, remove, request_of, save
from languages import message
from party.contract import Contract
from party.list_names import Naming
from party.organisation import Organisation
from party.request import Request
from party.schedule import Every, Schedule
from party.series import SeriesBook
from party.templates import Outputs, Template, template_called, templates
from party.terms import Terms

router = APIRouter(prefix="/reports/standing")
_MOST: Final = 20
"""Letters of a field about time."""
CADENCES: Final = {
    Every.HOUR: message("every hour"),
    Every.DAY: message("every day"),
    Every.WEEK: message("every week"),
}
MISSED: Final = Glossary((message("the party was not at work; a later run makes up for it"),))
"""Why a run has no report, where that is ours to say; what a counterpart says stays as it is."""


@dataclass(frozen=True)
class When:
    """When a schedule is to run, as it was typed: `at` HH:MM UTC, `begins` and `until` days."""

    every: str
    at: str
    begins: str
    until: str

    @classmethod
    def read(cls, given: Mapping[str, object]) -> When:
        """Read the fields of a form or of an address."""
        usual = {"every": Every.DAY.value, "at": "02:00", "begins": "", "until": ""}
        typed = {name: str(given.get(name) or "").strip()[:_MOST] for name in usual}
        return cls(**{name: text or usual[name] for name, text in typed.items()})

    def schedule(self, party: Organisation, name: str) -> tuple[Template, Schedule]:
        """Return a template and when it runs; PartyError where that cannot be."""
        return read_schedule(party, name, self.every, self.at, self.until, self.begins or None)


@router.get("", name="standing_reports")
def standing(visit: Reader) -> Response:
    """Show what runs by itself, and what it will spend."""
    return _list(visit)


@router.get("/save", name="save_template")
def name_it(visit: Analyst) -> Response:
    """Ask for the name under which a report is to be saved."""
    return _save(visit, _Savable.read(visit.party, visit.request.query_params))


@router.post("/save")
def keep(visit: Analyst, form: Form) -> Response:
    """Save a report under a name; nothing is asked and nothing is spent."""
    savable, name = _Savable.read(visit.party, form.values), form.text("template")
    try:
        save(visit.party, name, savable.request, Outputs())
    except EXPECTED as error:
        return _save(visit, savable, name, Problem("template", said_in(error)))
    _ = visit.language
    return visit.then("standing_reports", _("Saved as {name}.", name=name))


@router.post("/{name}/remove", name="remove_template")
def forget(visit: Analyst, name: str) -> Response:
    """Remove a template; what it has made stays."""
    try:
        remove(visit.party, name)
    except EXPECTED as error:
        return _list(visit, said_in(error))
    _ = visit.language
    return visit.then("standing_reports", _("{name} is removed.", name=name))


@router.get("/{name}/run", name="run_template")
def quote(visit: Analyst, name: str) -> Response:
    """Say what a run would cost now, and how good its numbers would be; nothing is asked."""
    return _run(visit, template_called(visit.party, name))


@router.post("/{name}/run")
def run(visit: Analyst, name: str, form: Form) -> Response:
    """Ask for a template's report, once for each quote that was shown."""
    key, template = key_of(form), template_called(visit.party, name)

    def wanted() -> tuple[Request, Contract, Naming | None]:
        return *request_of(visit.party, template), None

    try:
        filed = ask_once(visit.console, visit.acts_as, key, wanted)
    except EXPECTED as error:
        return _run(visit, template, said_in(error))
    return RedirectResponse(visit.url("request", request_id=filed.id), status_code=303)


@router.get("/{name}/schedule", name="schedule_template")
def plan(visit: Analyst, name: str) -> Response:
    """Ask when a template is to run."""
    template_called(visit.party, name)
    return _schedule(visit, name, visit.request.query_params)


@router.get("/{name}/schedule/quote", name="schedule_quote")
def quote_all(visit: Analyst, name: str) -> Response:
    """Say what all runs would cost, by window of the budget; nothing is held."""
    return _series(visit, name, visit.request.query_params)


@router.post("/{name}/schedule", name="make_schedule")
def schedule(visit: Analyst, name: str, form: Form) -> Response:
    """Plan all runs and hold their budget, or none; once for each quote that was shown."""
    key = key_of(form)
    try:
        template, planned = When.read(form.values).schedule(visit.party, name)
        made = SeriesBook(visit.party).make(template, planned, key)
    except EXPECTED as error:
        return _schedule(visit, name, form.values, said_in(error))
    _ = visit.language
    said = _("{name} is planned: {runs} runs.", name=name, runs=_.number(len(made.runs)))
    return visit.then("standing_reports", said)


@router.post("/{name}/cancel", name="cancel_schedule")
def cancel(visit: Analyst, name: str) -> Response:
    """Plan no more runs; what was asked goes on."""
    try:
        SeriesBook(visit.party).cancel(name)
    except EXPECTED as error:
        return _list(visit, said_in(error))
    _ = visit.language
    said = _("No more runs are planned. What was held for them is free again.")
    return visit.then("standing_reports", said)


@dataclass(frozen=True)
class _Savable:
    """What is to be saved: a request, and the fields of a form by which it is found again."""

    request: Request
    fields: dict[str, str]

    @classmethod
    def read(cls, party: Organisation, given: Mapping[str, object]) -> _Savable:
        """Return what an earlier request asked for (`from`), or what the form of a report says.

        Raises:
            PartyError, Refusal, ContractError: there is no such request, or it cannot be asked.
        """
        before, typed = str(given.get("from") or ""), Typed.read(given)
        if before:
            return cls(asked_before(party, before), {"from": before})
        return cls(ReportForm.of(party, typed).request(party), typed.fields)


def _save(
    visit: Visit, savable: _Savable, name: str = "", problem: Problem | None = None
) -> Response:
    _, request = visit.language, savable.request
    contract = visit.party.contract(request.contract)
    return visit.page(
        "reports/save.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [problem],
        kind=kind_in_words(request, _),
        fields=savable.fields,
        name=name,
        brought=parts_of(request, _),
        me=contract.me(visit.party.identity),
        timed=request.kind.is_timed,
    )


def _list(visit: Visit, problem: str | None = None) -> Response:
    _, party = visit.language, visit.party
    return visit.page(
        "reports/standing.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        templates=[
            (one, kind_in_words(one.request, _), _own_cost(party, one.request))
            for one in templates(party)
        ],
        series=SeriesBook(party).all(),
        cadences=CADENCES,
        missed=MISSED,
    )


def _run(visit: Visit, template: Template, problem: str | None = None) -> Response:
    typed = Typed.read(visit.request.query_params)
    request, contract = request_of(visit.party, template)
    quoted = quote_for(visit.party, contract, request, typed.guess())
    return visit.page(
        "reports/run.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        saved=template,
        contract=contract,
        typed=typed,
        key=new_key(),
        **quote_values([quoted], visit.language),
    )


def _schedule(
    visit: Visit, name: str, given: Mapping[str, object], problem: str | None = None
) -> Response:
    _, party = visit.language, visit.party
    request = template_called(party, name).request
    me = party.contract(request.contract).me(party.identity)
    return visit.page(
        "reports/schedule.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        name=name,
        when=When.read(given),
        cadences=[(one.value, _(said)) for one, said in CADENCES.items()],
        typed=Typed.read(given),
        others=[one for one in request.participants if one != me],
    )


def _series(visit: Visit, name: str, given: Mapping[str, object]) -> Response:
    """Quote all runs; where they cannot be, say so on the form."""
    _, typed, when = visit.language, Typed.read(given), When.read(given)
    try:
        quote = quote_series(visit.party, *when.schedule(visit.party, name), typed.guess())
    except EXPECTED as error:
        return _schedule(visit, name, given, said_in(error))
    return visit.page(
        "reports/series.html.jinja",
        name=name,
        schedule=quote.schedule,
        runs=quote.runs,
        cadence=_(CADENCES[quote.schedule.every]),
        windows=quote_words.windows_of(quote, _),
        paid_for_all=quote_words.paid_for_all(quote, _),
        fields={**asdict(when), **typed.fields},
        key=new_key(),
        **quote_values([quote.each], _),
    )


def _own_cost(party: Organisation, request: Request) -> int:
    """Return what one run costs this party's people: ε in 1e-9."""
    me = party.contract(request.contract).me(party.identity)
    return Terms.of(request).spend_of(me).epsilon_nano
