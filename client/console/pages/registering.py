"""Registering a dataset: a file is described, or a description given; the data is read, and kept.

Nothing is registered before its quality report was shown. Files stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, UploadFile
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from client.console.forms import Problem
from client.console.jobs import Job, Tell
from client.console.pages.datasets import JobId
from client.console.visit import Operator, Visit
from client.describing import Draft, columns_of, described, folders_of, tables_in
from client.exits import said_in
from client.registering import register
from languages import Message, message
from party.datasets import QualityReport, inspect
from party.errors import PartyError
from party.registrations import Registered
from party.yaml_text import MOST_BYTES

router = APIRouter()
Text = Annotated[str, Form(max_length=MOST_BYTES)]
KINDS: Final[tuple[tuple[str, Message], ...]] = (
    ("", message("not read")),
    ("id.email", message("e-mail address")),
    ("id.phone", message("telephone number")),
    ("id.maid", message("advertising id")),
    ("id.email_sha256", message("e-mail address as SHA-256")),
    ("id.phone_sha256", message("telephone number as SHA-256")),
    ("attribute", message("attribute")),
    ("value", message("value")),
    ("event_time", message("time of an event")),
)
_COLUMN: Final = "column:"
_VALUES: Final = "values:"


@dataclass(frozen=True)
class Tried:
    """A description that was tried, and what its data are like."""

    text: str
    population: str
    report: QualityReport


@router.get("/register", name="dataset_new")
def begin(visit: Operator) -> Response:
    """Ask for a file to describe, or for a description."""
    return _begin(visit)


@router.post("/register/columns", name="dataset_columns")
def columns(visit: Operator, file: Annotated[str, Form(max_length=4096)]) -> Response:
    """Ask what the columns of a file are."""
    try:
        found = columns_of(visit.party, file)
    except PartyError as error:
        return _begin(visit, [Problem("file", said_in(error))])
    return visit.page("datasets/describe.html.jinja", file=file, columns=found, kinds=KINDS)


@router.post("/register/describe", name="dataset_describe")
async def describe(visit: Operator, request: Request) -> Response:
    """Make a description of what the form says, to be looked at and changed."""
    form = await request.form()
    return _begin(visit, text=_draft(form).text())


@router.post("/register/upload", name="dataset_upload")
async def upload(visit: Operator, description: UploadFile) -> Response:
    """Take a description's file, to be looked at and checked."""
    data = await description.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError
        text = data.decode()
    except ValueError:
        said = visit.language("A description is a text file in UTF-8, and not a long one.")
        return _begin(visit, [Problem("description", said)])
    return _begin(visit, text=text)


@router.post("/register/check", name="dataset_try")
def check(visit: Operator, text: Text, population: Annotated[str, Form()] = "") -> Response:
    """Begin to read the data as described, and to report on it; nothing is registered."""
    party = visit.party
    try:
        definition = party.with_records(described(party, text))
    except PartyError as error:
        return _begin(visit, [Problem("text", said_in(error))], text)

    def work(tell: Tell) -> object:
        return Tried(text, population, inspect(definition, tell, now=party.clock()))

    job = visit.console.jobs.start(definition.name, visit.name, work)
    return visit.then("dataset_tried", job_id=job.id)


@router.get("/register/{job_id}", name="dataset_tried")
def checked(visit: Operator, job_id: JobId) -> Response:
    """Show how far it is, or the quality report, and offer to register."""
    job = _job(visit, job_id, Tried)
    tried = job.found
    if not isinstance(tried, Tried):
        return visit.page("datasets/tried.html.jinja", job=job, quality=None)
    report = tried.report
    return visit.page(
        "datasets/tried.html.jinja",
        job=job,
        quality=report.to_dict(),
        usable=not report.personal and not any(column.problem for column in report.columns),
        text=tried.text,
        population=tried.population,
        steps=[(one.name, one.before, one.after) for one in report.invalid_traffic],
    )


@router.post("/register/register", name="dataset_register")
def keep(
    visit: Operator, text: Text, population: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Begin to register a dataset as it was described."""
    party = visit.party
    try:
        definition = described(party, text)
    except PartyError as error:
        return _begin(visit, [Problem("text", said_in(error))], text)
    job = visit.console.jobs.start(
        definition.name,
        visit.name,
        lambda tell: register(party, definition, population or None, hook=tell),
    )
    return visit.then("dataset_registered", job_id=job.id)


@router.get("/register/done/{job_id}", name="dataset_registered")
def registered(visit: Operator, job_id: JobId) -> Response:
    """Show how far it is; then the dataset."""
    job = _job(visit, job_id, Registered)
    if job.runs or job.problem is not None:
        return visit.page("datasets/tried.html.jinja", job=job, quality=None)
    return visit.then("dataset", visit.language("Registered."), name=job.what)


def _begin(
    visit: Visit, problems: list[Problem] | None = None, text: str = "", population: str = ""
) -> Response:
    return visit.page(
        "datasets/new.html.jinja",
        status=422 if problems else 200,
        problems=problems,
        folders=folders_of(visit.party),
        files=tables_in(visit.party),
        text=text,
        population=population,
    )


def _job(visit: Visit, job_id: str, kind: type) -> Job:
    job = visit.console.jobs.find(job_id, visit.name, kind)
    if job is None:
        raise HTTPException(404)
    return job


def _draft(form: FormData) -> Draft:
    """Return what the form of the columns says."""

    def said(name: str) -> str:
        return str(form.get(name) or "").strip()

    def several(text: str) -> list[str]:
        return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]

    kinds = {
        name.removeprefix(_COLUMN): str(kind)
        for name, kind in form.items()
        if name.startswith(_COLUMN) and kind
    }
    values = {
        name.removeprefix(_VALUES): several(str(text))
        for name, text in form.items()
        if name.startswith(_VALUES) and text
    }
    return Draft(
        said("name"),
        said("file"),
        said("person"),
        kinds,
        said("consent"),
        several(said("given")),
        several(said("purposes")),
        several(said("recipients")),
        values,
    )
