"""What people may ask for: their consent, an answer, to be erased; and what follows from it.

Who it is about comes in a form's body alone: it stands in no address, no log and no history of a
browser. What the log says of it is a commitment.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from client import consenting
from client.actors import OPERATOR
from client.audit_files import zipped
from client.console.forms import Problem
from client.console.pages.audit import download
from client.console.visit import Operator, Reader, Visit
from client.exits import said_in
from client.render_subject import found_in
from client.subject_page import WORDS
from client.subjects import SubjectDesk
from client.suppressing import Suppressor
from party import registrations
from party.desk import Desk
from party.errors import PartyError
from party.subjects.person import Wanted
from party.suppression.owed import owed_runs

router = APIRouter()
Who = Annotated[str, Form(max_length=1000)]
Type = Annotated[str, Form(max_length=100)]
Dataset = Annotated[str, Form(max_length=100)]
Word = Annotated[str, Form(max_length=300)]


@router.get("/people", name="people")
def show(visit: Reader) -> Response:
    """Ask who it is about, and show which lists owe a run."""
    return _form(visit)


@router.post("/people/consent", name="people_consent")
def consent(visit: Reader, who: Who, type: Type = "", dataset: Dataset = "") -> Response:  # noqa: A002
    """Show what somebody has consented to, now and before."""
    wanted = Wanted(who.strip(), type or None, dataset or None)
    try:
        answer = SubjectDesk(visit.party).consent(wanted)
    except PartyError as error:
        return _form(visit, [Problem("who", said_in(error))], type, dataset)
    return visit.page(
        "people/consent.html.jinja",
        answer=answer,
        records=consenting.history_of(visit.party, wanted),
        notices=_notices(visit),
        words=lambda text: WORDS.said(str(text), visit.language),
        who=who.strip(),
        type=type,
        dataset=dataset,
    )


@router.post("/people/answer", name="people_answer")
def answer(visit: Reader, who: Who, type: Type = "", dataset: Dataset = "") -> Response:  # noqa: A002
    """Answer the files for a person: all that is held of them."""
    wanted = Wanted(who.strip(), type or None, dataset or None)
    with _private(visit) as folder:
        try:
            SubjectDesk(visit.party).access(wanted, folder / "answer", visit.language)
        except PartyError as error:
            return _form(visit, [Problem("who", said_in(error))], type, dataset)
        files = {path.name: path.read_bytes() for path in (folder / "answer").iterdir()}
    return download(zipped(files), "answer.zip", "application/zip")


@router.post("/people/erase", name="people_erase")
def erase(
    visit: Operator,
    who: Who,
    type: Type = "",  # noqa: A002
    dataset: Dataset = "",
    sure: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Erase somebody, once it was said which datasets have them and that it is meant."""
    wanted, desk = Wanted(who.strip(), type or None, dataset or None), SubjectDesk(visit.party)
    try:
        person = desk.look(wanted)
    except PartyError as error:
        return _form(visit, [Problem("who", said_in(error))], type, dataset)
    if sure != "yes":
        return visit.page(
            "people/erase.html.jinja",
            found=list(found_in(person, visit.language)),
            who=who.strip(),
            type=type,
            dataset=dataset,
        )
    with _private(visit) as folder:
        done = desk.erase(person, folder / "receipt.json")
        receipt = (folder / "receipt.json").read_bytes()
    return visit.page("people/erased.html.jinja", done=done, receipt=_linked(receipt))


@router.post("/people/record", name="people_record")
def record(
    visit: Operator,
    state: Word,
    who: Who = "",
    person: Who = "",
    notice: Word = "",
    purpose: Word = "",
    recipient: Word = "",
    by: Word = "subject",
    how: Word = "",
) -> Response:
    """Record what somebody says to a notice, or that they take it back."""
    about, towards, how = purpose or None, recipient or None, how.strip() or "console"
    subject = (who or person).strip()
    party = visit.party
    if state != "withdrawn" and notice not in consenting.notice_names(party):
        return _form(visit, [Problem("notice", visit.language("Choose one of the notices."))])
    try:
        if state == "withdrawn":
            said = consenting.withdraw(
                party, subject, purpose=about, recipient=towards, by=by, how=how, actor=OPERATOR
            )
        else:
            said = consenting.record(
                party, subject, party.consent.notice(notice), state=state, at=None, purpose=about,
                recipient=towards, by=by, how=how, actor=OPERATOR,
            )  # fmt: skip
    except PartyError as error:
        return _form(visit, [Problem("person", said_in(error))])
    receipt = json.dumps(said.receipt, indent=1).encode()
    return visit.page("people/recorded.html.jinja", said=said, receipt=_linked(receipt))


@router.post("/people/suppress", name="people_suppress")
def suppress(visit: Operator, request: Annotated[str, Form(max_length=64)]) -> Response:
    """Carry the runs that a list owes to whoever has it."""
    done = Suppressor(visit.party).suppress(Desk(visit.party).find(request))
    _ = visit.language
    return visit.then("people", _("Runs that were acknowledged: {runs}.", runs=_.number(done.runs)))


def _form(
    visit: Visit,
    problems: list[Problem] | None = None,
    type: str = "",  # noqa: A002
    dataset: str = "",
) -> Response:
    found = [one for one in registrations.every(visit.party) if one.in_use(visit.party.now)]
    types = {one["type"] for registered in found for one in registered.quality.get("types", ())}
    return visit.page(
        "people/form.html.jinja",
        status=422 if problems else 200,
        problems=problems,
        type_choices=[(one, one) for one in sorted(types)],
        dataset_choices=[(one.name, one.name) for one in found],
        notices=_notices(visit),
        type=type,
        dataset=dataset,
        owed=owed_runs(visit.party),
        now=visit.party.now,
    )


def _notices(visit: Visit) -> list[tuple[str, str]]:
    """Return the notices as a field offers them, none of them first."""
    return [("", "–"), *((one, one) for one in consenting.notice_names(visit.party))]


@contextmanager
def _private(visit: Visit) -> Iterator[Path]:
    """Make a folder for files about a person, which is gone when they are answered."""
    with TemporaryDirectory(prefix=".answer-", dir=visit.party.folder) as folder:
        yield Path(folder)


def _linked(data: bytes) -> str:
    """Return an address that holds a file itself: it is kept nowhere here."""
    return f"data:application/json;base64,{b64encode(data).decode()}"
