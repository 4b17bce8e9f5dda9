"""What people may ask for. Who it is about stands in a call's body, and in no address."""

from __future__ import annotations

from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from client import consenting
from client.actors import OPERATOR
from client.audit_files import zipped
from client.console.api.call import Denied, Operating, Reading
from client.subjects import SubjectDesk
from client.suppressing import Suppressor
from languages import language
from party.desk import Desk
from party.errors import ConsentError, PartyError
from party.subjects.person import Wanted
from party.suppression.owed import owed_runs

router = APIRouter(prefix="/people", tags=["people"])
Id = Annotated[str, Path(pattern="^[0-9a-f]{8,32}$", description="The id, or its beginning")]


class Who(BaseModel):
    """A person, by the party's own reference, or by an identifier of a `type`."""

    who: str = Field(min_length=1, max_length=1000)
    type: str | None = Field(None, max_length=100)
    dataset: str | None = Field(None, max_length=100)

    @property
    def wanted(self) -> Wanted:
        """As the courses take it."""
        return Wanted(self.who, self.type, self.dataset)


class Referred(BaseModel):
    """A person, by the party's own reference."""

    who: str = Field(min_length=1, max_length=1000)


class Asking(Who):
    """A person who is to be answered, in a language."""

    language: Literal["en", "zh"] = "en"


class Statement(Referred):
    """What somebody says, about a purpose and towards a recipient, or about all of them.

    `by` is who says it, and `how` on which way it came.
    """

    purpose: str | None = Field(None, max_length=300)
    recipient: str | None = Field(None, max_length=300)
    by: Literal["subject", "guardian", "controller"] = "subject"
    how: str = Field("api", min_length=1, max_length=300)


class Given(Statement):
    """What somebody says to a notice that is known here; without a time it is now."""

    notice: str = Field(max_length=300)
    state: Literal["given", "refused", "expired"] = "given"
    at: str | None = Field(None, max_length=40)


class Listed(BaseModel):
    """A list that may hold the person: its request, and whose counterpart has it."""

    request: str
    peer: str


class Recorded(BaseModel):
    """What was recorded, with the receipt for the person, which is kept nowhere."""

    statements: list[dict[str, Any]]
    lists: list[Listed]
    receipt: dict[str, Any]


class Carried(BaseModel):
    """How many suppression runs this side did now; of the sender's own, how many are left.

    `did` is sent, applied, or awaited where the counterpart dials.
    """

    request: str
    did: str
    runs: int
    runs_left: int | None


class Owed(BaseModel):
    """A list that owes a run since somebody withdrew, and by when (Unix seconds)."""

    request: str
    recipient: str
    due_at: int


@router.post("/consent")
def consent(call: Reading, who: Who) -> dict[str, Any]:
    """Return what a person has consented to, now and before; the log has that it was read.

    `records` are this party's own of them, as `consent show --json`; null where there are none.
    """
    answer = SubjectDesk(call.party).consent(who.wanted).to_dict()
    return answer | {"records": consenting.history_of(call.party, who.wanted)}


@router.get("/notices")
def notices(call: Reading) -> list[str]:
    """Return the names of the notices that are known here; a new one comes with its file."""
    return consenting.notice_names(call.party)


@router.post("/records", status_code=201)
def record(call: Operating, said: Given) -> Recorded:
    """Record what a person says to a notice; it counts from the next session on."""
    try:
        notice = call.party.consent.notice(said.notice)
    except ConsentError as error:
        raise Denied(404, "No such notice", str(error)) from None
    done = consenting.record(
        call.party, said.who, notice, state=said.state, at=said.at, purpose=said.purpose,
        recipient=said.recipient, by=said.by, how=said.how, actor=OPERATOR,
    )  # fmt: skip
    return Recorded(**done.to_dict())


@router.post("/withdrawals", status_code=201)
def withdraw(call: Operating, said: Statement) -> Recorded:
    """Take back what a person has consented to; the lists that may hold them are named."""
    done = consenting.withdraw(
        call.party, said.who, purpose=said.purpose, recipient=said.recipient, by=said.by,
        how=said.how, actor=OPERATOR,
    )  # fmt: skip
    return Recorded(**done.to_dict())


@router.post("/receipts")
def receipt(call: Reading, who: Referred) -> dict[str, Any]:
    """Return the receipt of what was recorded of a person last; the log has that it was read."""
    try:
        made = consenting.receipt_of(call.party, who.who)
    except ConsentError as error:
        raise Denied(404, "Nothing is recorded", str(error)) from None
    call.party.access.note_reading("consent.receipt")
    return made


@router.post(
    "/answer", response_class=Response, responses={200: {"content": {"application/zip": {}}}}
)
def answer(call: Reading, who: Asking) -> Response:
    """Return the files for a person as a zip: all that is held of them."""
    with TemporaryDirectory(prefix=".answer-", dir=call.party.folder) as folder:
        out = FilePath(folder) / "answer"
        SubjectDesk(call.party).access(who.wanted, out, language(who.language))
        files = {path.name: path.read_bytes() for path in out.iterdir()}
    return Response(zipped(files), media_type="application/zip")


@router.post("/erasure")
def erase(call: Operating, who: Who) -> dict[str, Any]:
    """Erase a person, and return what was done with the receipt for them, which is kept nowhere."""
    desk = SubjectDesk(call.party)
    person = desk.look(who.wanted)
    with TemporaryDirectory(prefix=".answer-", dir=call.party.folder) as folder:
        out = FilePath(folder) / "receipt.json"
        done = desk.erase(person, out).to_dict()
        return done | {"receipt": out.read_text(encoding="utf-8")}


@router.get("/owed-runs")
def owed(call: Reading) -> list[Owed]:
    """Return the lists that owe a run, the soonest first."""
    return [
        Owed(request=one.request, recipient=one.recipient, due_at=one.due_at)
        for one in owed_runs(call.party)
    ]


@router.post("/owed-runs/{request}")
def suppress(call: Operating, request: Id) -> Carried:
    """Carry the runs that a list owes, or fetch those that wait; where nobody dials, 409 says who.

    Doing it again does nothing twice.
    """
    try:
        filed = Desk(call.party).find(request)
    except PartyError as error:
        raise Denied(404, "No such request", str(error)) from None
    done = Suppressor(call.party).suppress(filed)
    return Carried(request=filed.id, did=done.did, runs=done.runs, runs_left=done.runs_left)
