"""Reports that run by themselves: templates, runs of them, and schedules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from client.console.api.call import Asking, Call, Denied, Reading
from client.console.api.reports import Choice, Keyed, Progress, form_of, progress_of
from client.console.asked_once import ask_once
from client.guess import MATCH_RATE, Guess
from client.quoting import quote_for
from client.render_series import series_document, series_quote_document, template_document
from client.scheduling import quote_series
from client.templating import asked_before, read_schedule, remove, request_of, save
from party.contract import Contract
from party.errors import PartyError
from party.list_names import Naming
from party.request import Request
from party.schedule import Every, Schedule
from party.series import SeriesBook
from party.templates import Outputs, Template, template_called, templates

router = APIRouter(tags=["standing reports"])
_NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
Name = Annotated[str, Path(pattern=_NAME, description="The template's name")]
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


class SavedChoice(BaseModel, extra="forbid"):
    """A choice, and the name under which to save it."""

    name: str = Field(pattern=_NAME)
    choice: Choice


class SavedRequest(BaseModel, extra="forbid"):
    """The id of a request, or its beginning, and the name under which to save what it asked for."""

    name: str = Field(pattern=_NAME)
    request: str = Field(pattern="^[0-9a-f]{8,32}$")


class Expected(BaseModel):
    """What is expected of the others: people by party, and the share of a side found there."""

    people: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict, max_length=3)
    match_rate: float = Field(MATCH_RATE, ge=0, le=1)

    @property
    def guess(self) -> Guess:
        """The same, as a quote takes it."""
        return Guess(self.people or None, self.match_rate)


class When(BaseModel):
    """When a template runs: every hour, day or week at HH:MM UTC; both days are included."""

    template: str = Field(pattern=_NAME)
    every: Every
    at: str = Field("00:00", pattern="^[0-9]{2}:[0-9]{2}$")
    begins: str | None = Field(None, pattern=_DAY)
    until: str = Field(pattern=_DAY)

    def schedule(self, call: Call) -> tuple[Template, Schedule]:
        """Return the template and its schedule."""
        _template(call, self.template)
        return read_schedule(
            call.party, self.template, self.every.value, self.at, self.until, self.begins
        )


class WhenQuoted(When, Expected):
    """The same, with what is expected of the others."""


class Planned(When, Keyed):
    """The same, with a key."""


@router.get("/templates")
def list_templates(call: Reading) -> list[dict[str, Any]]:
    """Return the templates by name: what each asks for, and the files that its schedule makes."""
    return [template_document(one) for one in templates(call.party)]


@router.post("/templates", status_code=201)
def keep(call: Asking, saved: SavedChoice | SavedRequest) -> dict[str, Any]:
    """Save a report under a name; nothing is asked and nothing is spent, and it makes no files."""
    if isinstance(saved, SavedChoice):
        request = form_of(call, saved.choice).request(call.party)
    else:
        request = asked_before(call.party, saved.request)
    return template_document(save(call.party, saved.name, request, Outputs()))


@router.delete("/templates/{name}", status_code=204)
def forget(call: Asking, name: Name) -> None:
    """Remove a template that no schedule goes on with; what it has made stays."""
    _template(call, name)
    remove(call.party, name)


@router.post("/templates/{name}/quotes")
def quote(call: Asking, name: Name, expected: Expected) -> dict[str, Any]:
    """Say what a run would cost now and how good its numbers would be; nothing is asked."""
    request, contract = request_of(call.party, _template(call, name))
    return quote_for(call.party, contract, request, expected.guess).to_json()


@router.post("/templates/{name}/runs", status_code=202)
def run(call: Asking, name: Name, keyed: Keyed) -> Progress:
    """Ask for a template's report, and carry it on in the background."""
    template = _template(call, name)

    def wanted() -> tuple[Request, Contract, Naming | None]:
        return *request_of(call.party, template), None

    return progress_of(call, ask_once(call.console, call.account.account, keyed.key, wanted))


@router.get("/schedules")
def list_schedules(call: Reading) -> list[dict[str, Any]]:
    """Return every schedule, newest first: its runs, what is held for them and what was spent."""
    return [series_document(one) for one in SeriesBook(call.party).all()]


@router.post("/schedules/quotes")
def quote_all(call: Asking, when: WhenQuoted) -> dict[str, Any]:
    """Say what all runs would cost, by party and by window of the budget; nothing is held."""
    return series_quote_document(quote_series(call.party, *when.schedule(call), when.guess))


@router.post("/schedules", status_code=201)
def plan(call: Asking, planned: Planned) -> dict[str, Any]:
    """Plan all runs and hold their budget, or refuse the whole."""
    made = SeriesBook(call.party).make(*planned.schedule(call), planned.key)
    return series_document(made)


@router.post("/schedules/{name}/cancellation")
def cancel(call: Asking, name: Name) -> dict[str, Any]:
    """Plan no more runs; what was spent stays spent, and what was asked goes on to its end."""
    return series_document(SeriesBook(call.party).cancel(name))


def _template(call: Call, name: str) -> Template:
    try:
        return template_called(call.party, name)
    except PartyError as error:
        raise Denied(404, "No such template", str(error)) from None
