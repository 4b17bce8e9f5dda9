"""Reports: what may be asked, a quote, asking, watching, the numbers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from client.by_identifier import quote_all
from client.console.api.call import Asking, Call, Denied, Reading
from client.console.asked_once import ask_all_once, ask_once, new_key
from client.console.report_form import LABEL, PEOPLE, ReportForm, Typed, offered_to
from client.console.report_view import FORMS, View, file_of
from client.console.under_way import looked_at
from client.quoting import quote_for
from client.render_by_identifier import quotes_document
from client.render_request import request_document
from languages import ENGLISH
from party.contract import Contract
from party.contract_terms import ListUse
from party.desk import Desk
from party.errors import PartyError
from party.filing import PAGE, Filed, Filing, Wanted
from party.list_names import Naming
from party.request import Request

router = APIRouter(tags=["reports"])
Number = Annotated[int | None, Field(ge=0, le=2**31 - 1)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{8,32}$", description="The id, or its beginning")]


class Grant(BaseModel):
    """Something that a contract in force lets this party ask for."""

    contract: str
    grant: int
    kind: str
    roles: dict[str, str]
    purpose: str
    said: str
    """Who learns what, in plain words."""
    by_identifier: bool
    """Whether it may be asked for by identifier type, of which there are several."""


class Options(BaseModel, extra="forbid"):
    """What else a report may be asked for; what is left out is as usual.

    ε and δ are exact decimal text. The window of attribution and delay is `start` to `end`, ISO
    8601 in UTC. `use`, `name` and `suppression_runs` are for lists; `match_rate` is for the quote.
    """

    epsilon: str | None = Field(None, max_length=40)
    epsilon_dummies: str | None = Field(None, max_length=40)
    delta: str | None = Field(None, max_length=40)
    identifier: str | None = Field(None, max_length=80)
    start: str | None = Field(None, max_length=40)
    end: str | None = Field(None, max_length=40)
    room: Number = None
    slot_minutes: Number = None
    lookback_days: Number = None
    most_conversions: Number = None
    most_keys: Number = None
    epsilon_people: str | None = Field(None, max_length=40)
    use: ListUse | None = None
    name: str | None = Field(None, max_length=100)
    suppression_runs: Number = None
    match_rate: float | None = Field(None, ge=0, le=1)

    def fields(self) -> dict[str, str]:
        """Return them as fields of the form, which has the share that is found in percent."""
        given = self.model_dump(exclude_none=True)
        if self.match_rate is not None:
            given["match_rate"] = 100 * self.match_rate
        return {name: str(value) for name, value in given.items()}


class Choice(BaseModel):
    """What is asked for: a grant, a label of each party (`dataset/label`), and ε."""

    contract: str = Field(max_length=80)
    grant: int = Field(ge=0, le=63)
    labels: dict[str, str] = Field(default_factory=dict, max_length=3)
    people: dict[str, int] = Field(default_factory=dict, max_length=3)
    options: Options = Field(default_factory=lambda: Options.model_validate({}))


class Keyed(BaseModel):
    """A key of 32 hexadecimal digits: what is asked is made once for each."""

    key: str = Field(pattern="^[0-9a-f]{32}$", default_factory=new_key)


class Asked(Choice, Keyed):
    """The same, with a key."""


class Progress(BaseModel):
    """How a request stands at this moment; `done` of `total` points where a phase is counted."""

    id: str
    kind: str
    state: str
    said: str
    moving: bool
    carried_here: bool
    done: int
    total: int


class Page(BaseModel):
    """Some requests, newest first; `older` is what `before` takes for the next page."""

    requests: list[Progress]
    older: int | None


@router.get("/grants")
def grants(call: Reading) -> list[Grant]:
    """Return what the contracts in force let this party ask for."""
    offered = offered_to(call.party, Desk(call.party).contracts(), ENGLISH)
    return [
        Grant(
            contract=one.contract.digest,
            grant=one.number,
            kind=str(one.grant.kind),
            roles=dict(one.grant.roles),
            purpose=one.grant.purpose,
            said=one.said,
            by_identifier=one.by_type,
        )
        for one in offered
    ]


@router.get("/requests")
def requests(
    call: Reading,
    state: Annotated[list[str] | None, Query(max_length=5)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    most: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> Page:
    """Return requests, newest first."""
    found = Filing(call.party).page(Wanted(states=tuple(state or ())), before=before, most=most)
    return Page(requests=[progress_of(call, one) for one in found.requests], older=found.older)


@router.post("/quotes")
def quote(call: Asking, choice: Choice) -> dict[str, Any]:
    """Say what a request would cost and how good its numbers would be; nothing is asked."""
    form = form_of(call, choice)
    return quote_for(
        call.party, form.contract, form.request(call.party), form.typed.guess()
    ).to_json()


@router.post("/reports", status_code=202)
def ask(call: Asking, asked: Asked) -> Progress:
    """Ask for a report or a list, and carry it on in the background; watch `/requests/{id}/now`."""
    form = form_of(call, asked)

    def wanted() -> tuple[Request, Contract, Naming | None]:
        request = form.request(call.party)
        return request, form.contract, form.naming(call.party, request)

    return progress_of(call, ask_once(call.console, call.account.account, asked.key, wanted))


@router.post("/quotes/by-identifier")
def quote_types(call: Asking, choice: Choice) -> dict[str, Any]:
    """Say what an overlap by identifier would cost: all types together, and each."""
    form = form_of(call, choice, by_identifier=True)
    return quotes_document(quote_all(call.party, form.types(call.party), form.typed.guess()))


@router.post("/reports/by-identifier", status_code=202)
def ask_types(call: Asking, asked: Asked) -> list[Progress]:
    """Ask for an overlap by identifier: a request for each type, all of them or none.

    Once all have ended, `/reports/{id}?types=all` of any of them is the report of all.
    """
    types = form_of(call, asked, by_identifier=True).types(call.party, asked.key)
    filed = ask_all_once(call.console, call.account.account, types)
    return [progress_of(call, one) for one in filed]


@router.get("/requests/{request}/now")
def now(call: Reading, request: Id) -> Progress:
    """Say what a request is at."""
    return progress_of(call, _found(call, request))


@router.post("/requests/{request}/resumption", status_code=202)
def resume(call: Asking, request: Id) -> Progress:
    """Go on with a request where it was."""
    filed = _found(call, request)
    call.console.runner.resume(filed.id, call.account.account)
    return progress_of(call, filed)


@router.post("/requests/{request}/suspension")
def suspend(call: Asking, request: Id) -> Progress:
    """Stop carrying a request here; it stays as it is and can go on."""
    filed = _found(call, request)
    call.console.runner.suspend(filed.id)
    return progress_of(call, filed)


@router.get("/reports/{request}")
def report(call: Reading, request: Id, view: Annotated[View, Query()]) -> dict[str, Any]:
    """Return a finished report: shareable, unless `kind` insists; a model costs nothing."""
    from client.console.report_view import rendering_of

    filed = _found(call, request)
    return {**request_document(filed), "result": rendering_of(call.party, filed, view).to_dict()}


@router.get(
    "/reports/{request}/files/{form}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in FORMS.values()}}},
)
def file(
    call: Reading,
    request: Id,
    form: Annotated[str, Path(pattern="^(csv|parquet|json|html|png|pdf)$")],
    view: Annotated[View, Query()],
) -> Response:
    """Return a finished report as a file."""
    data, kind, _ = file_of(call.party, _found(call, request), view, form, ENGLISH)
    return Response(data, media_type=kind)


def _found(call: Call, request: str) -> Filed:
    try:
        return Desk(call.party).find(request)
    except PartyError as error:
        raise Denied(404, "No such request", str(error)) from None


def form_of(call: Call, choice: Choice, *, by_identifier: bool = False) -> ReportForm:
    """Read a choice as the page's form is read."""
    fields = {
        **choice.options.fields(),
        **({"by_identifier": "yes"} if by_identifier else {}),
        "contract": choice.contract,
        "grant": str(choice.grant),
        **{LABEL + party: label for party, label in choice.labels.items()},
        **{PEOPLE + party: str(people) for party, people in choice.people.items()},
    }
    return ReportForm.of(call.party, Typed.read(fields))


def progress_of(call: Call, filed: Filed) -> Progress:
    """Return how a request stands."""
    filed, at = looked_at(call.party, call.console.runner, filed, ENGLISH)
    return Progress(
        id=filed.id,
        kind=str(filed.request.kind),
        state=filed.state,
        said=at.said,
        moving=at.moving,
        carried_here=at.here,
        done=at.done,
        total=at.total,
    )
