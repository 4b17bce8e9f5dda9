"""What was asked of the party and by it: read one, approve or refuse it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from client.actors import OPERATOR
from client.carrying import Carrier
from client.console.api.call import Call, Denied, Operating, Reading
from client.console.running import Run
from client.render_request import request_document
from party.desk import Desk
from party.dialling import DialledBy, dialled_by
from party.errors import PartyError
from party.filing import Filed

router = APIRouter(prefix="/requests", tags=["requests"])
RequestId = Annotated[str, Path(pattern="^[0-9a-f]{8,32}$", description="The id, or its beginning")]


class Word(BaseModel):
    """What a counterpart has said of a request."""

    party: str
    word: str


class RequestHere(BaseModel):
    """A request as it stands here; times are Unix seconds."""

    id: str
    kind: str
    mine: bool
    peers: list[Word]
    state: str
    status: str | None
    reason: str | None
    dialled_by: DialledBy
    """Which side dials for it, by the addresses of its contract; `nobody` where there are none."""
    created_at: int
    updated_at: int
    request: dict[str, Any]
    """What both parties have signed."""


class Refusing(BaseModel):
    """Why a request is refused."""

    reason: str = Field("declined by hand", min_length=1, max_length=300)


@router.get("/{request}")
def show(call: Reading, request: RequestId) -> RequestHere:
    """Return one request."""
    return _document(call, _found(call, request))


@router.post("/{request}/approval")
def approve(call: Operating, request: RequestId) -> RequestHere:
    """Approve a counterpart's request; the console carries it out where this party dials."""
    filed = _found(call, request)
    with call.console.runner.room():
        filed = Desk(call.party).approve(filed.id, actor=OPERATOR)
        document = _document(call, filed)
        if document.dialled_by is DialledBy.HERE:
            call.console.runner.begin(filed.id, call.account.account)
    return document


@router.post("/{request}/refusal")
def refuse(call: Operating, request: RequestId, why: Refusing) -> RequestHere:
    """Refuse a counterpart's request; nothing is spent, and it reads the reason."""
    filed = _found(call, request)
    carrier = Carrier(call.party, Run(filed.id, call.account.account))
    return _document(call, carrier.refuse(filed.id, why.reason, actor=OPERATOR))


def _found(call: Call, request: str) -> Filed:
    try:
        return Desk(call.party).find(request)
    except PartyError as error:
        raise Denied(404, "No such request", str(error)) from None


def _document(call: Call, filed: Filed) -> RequestHere:
    by = dialled_by(call.party, call.party.contract(filed.request.contract), filed)
    return RequestHere(**request_document(filed), dialled_by=by)
