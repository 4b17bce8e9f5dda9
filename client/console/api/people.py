"""What people may ask for. Who it is about stands in a call's body, and in no address."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from client.audit_files import zipped
from client.console.api.call import Operating, Reading
from client.subjects import SubjectDesk
from languages import language
from party.subjects.person import Wanted
from party.suppression.owed import owed_runs

router = APIRouter(prefix="/people", tags=["people"])


class Who(BaseModel):
    """A person, by the party's own reference, or by an identifier of a `type`."""

    who: str = Field(min_length=1, max_length=1000)
    type: str | None = Field(None, max_length=100)
    dataset: str | None = Field(None, max_length=100)

    @property
    def wanted(self) -> Wanted:
        """As the courses take it."""
        return Wanted(self.who, self.type, self.dataset)


class Asking(Who):
    """A person who is to be answered, in a language."""

    language: Literal["en", "zh"] = "en"


class Owed(BaseModel):
    """A list that owes a run since somebody withdrew, and by when (Unix seconds)."""

    request: str
    recipient: str
    due_at: int


@router.post("/consent")
def consent(call: Reading, who: Who) -> dict[str, Any]:
    """Return what a person has consented to, now and before; the log has that it was read."""
    return SubjectDesk(call.party).consent(who.wanted).to_dict()


@router.post(
    "/answer", response_class=Response, responses={200: {"content": {"application/zip": {}}}}
)
def answer(call: Reading, who: Asking) -> Response:
    """Return the files for a person as a zip: all that is held of them."""
    with TemporaryDirectory(prefix=".answer-", dir=call.party.folder) as folder:
        out = Path(folder) / "answer"
        SubjectDesk(call.party).access(who.wanted, out, language(who.language))
        files = {path.name: path.read_bytes() for path in out.iterdir()}
    return Response(zipped(files), media_type="application/zip")


@router.post("/erasure")
def erase(call: Operating, who: Who) -> dict[str, Any]:
    """Erase a person, and return what was done with the receipt for them, which is kept nowhere."""
    desk = SubjectDesk(call.party)
    person = desk.look(who.wanted)
    with TemporaryDirectory(prefix=".answer-", dir=call.party.folder) as folder:
        out = Path(folder) / "receipt.json"
        done = desk.erase(person, out).to_dict()
        return done | {"receipt": out.read_text(encoding="utf-8")}


@router.get("/owed-runs")
def owed(call: Reading) -> list[Owed]:
    """Return the lists that owe a run, the soonest first."""
    return [
        Owed(request=one.request, recipient=one.recipient, due_at=one.due_at)
        for one in owed_runs(call.party)
    ]
