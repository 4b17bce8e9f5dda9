"""Drafts of contracts, from what is wished to the last signature; nothing is in force before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from client.console.api.call import Asking, Call, Denied, Operating, Reading
from client.console.api.contracts import YAML, Agreed, Term, agreed, terms_in_words
from client.console.contract_form import ContractForm
from client.drafts import Draft, Drafts
from party.contract_draft import USUAL
from party.contract_file import parse_contract
from party.contract_terms import Approval, OutputKind
from party.errors import ContractError
from party.yaml_text import MOST_BYTES

router = APIRouter(tags=["drafts"])
Name = Annotated[
    str,
    Path(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="The id that the draft gives"),
]
_USUAL = {kind: Approval.MANUAL if kind in USUAL.by_hand else Approval.RULE for kind in OutputKind}


class Proposal(BaseModel):
    """What a contract is to grant, to whom, and within which limits; the rest is for its text."""

    peer: str = Field(max_length=100)
    """The counterpart, by the name under which it is pinned here."""
    third: str | None = Field(None, max_length=100)
    """Whose labels are added to tables."""
    id: str = Field("contract", max_length=64)
    title: str | None = Field(None, max_length=200)
    they_measure: bool = False
    """The counterpart gets tables, and this party lists; without it, the other way."""
    kinds: dict[OutputKind, Approval] = Field(default_factory=lambda: dict(_USUAL))
    """What may be made, and how each is approved; what is not named is not granted."""
    epsilon: str = Field(USUAL.epsilon, max_length=40)
    delta: str = Field(USUAL.delta, max_length=40)
    days: int = Field(365, ge=1, le=3660)
    window_days: int = Field(USUAL.window_days, ge=1, le=3660)
    min_match: int = Field(USUAL.min_match, ge=1, le=10**9)
    min_cell: int = Field(USUAL.min_cell, ge=1, le=10**9)
    list_expiry_days: int = Field(USUAL.list_expiry_days, ge=1, le=3660)
    transfers: list[str] = Field(default_factory=list, max_length=100)
    """What data crosses borders on, each as FROM:TO:OUT_OF:BASIS:REFERENCE."""


class Text(BaseModel):
    """A contract as a file has it (YAML)."""

    text: str = Field(max_length=MOST_BYTES)


class Read(BaseModel):
    """Which text somebody has read."""

    hash: str = Field(pattern="^[0-9a-f]{64}$")
    """The hash of the draft as they have read it."""


class Preview(BaseModel):
    """What a draft would say, which nobody has kept."""

    text: str
    hash: str
    terms: list[Term]


class DraftHere(BaseModel):
    """A draft that is kept here; `imported` is whether this version is in the store."""

    name: str
    hash: str
    changed_at: int
    signed_by: list[str]
    missing: list[str]
    """Those who have not signed."""
    imported: bool
    terms: list[Term]
    text: str


@router.post("/proposals")
def propose(call: Asking, wished: Proposal) -> Preview:
    """Say in plain words what a draft would grant, and return its text; nothing is written."""
    numbers = {name: str(getattr(wished, name)) for name in ContractForm().numbers}
    text = ContractForm(
        peer=wished.peer,
        third=wished.third or "",
        contract_id=wished.id,
        title=wished.title or "",
        they_measure=wished.they_measure,
        kinds={kind.value: how.value for kind, how in wished.kinds.items()},
        epsilon=wished.epsilon,
        delta=wished.delta,
        numbers=numbers,
        transfers="\n".join(wished.transfers),
    ).text(call.party)
    contract = parse_contract(text.encode(), source="the draft")
    return Preview(text=text, hash=contract.digest, terms=terms_in_words(contract))


@router.get("/drafts")
def drafts(call: Reading) -> list[DraftHere]:
    """Return the drafts, the one that was changed last first."""
    return [_document(call, one) for one in Drafts(call.party).all()]


@router.post("/drafts", status_code=201)
def keep(call: Asking, given: Text) -> DraftHere:
    """Keep a text as a draft, under the id that it gives itself."""
    return _document(call, Drafts(call.party).write(given.text))


@router.post("/drafts/received")
def take(call: Asking, given: Text) -> DraftHere:
    """Take in what a counterpart has sent: a draft, or signatures that the draft here lacks."""
    return _document(call, Drafts(call.party).take(given.text.encode()))


@router.get("/drafts/{name}")
def draft(call: Reading, name: Name) -> DraftHere:
    """Return one draft."""
    return _document(call, _found(call, name))


@router.put("/drafts/{name}")
def change(call: Asking, name: Name, given: Text) -> DraftHere:
    """Put another text for a draft that nobody has signed; the text may give another id."""
    _found(call, name)
    return _document(call, Drafts(call.party).write(given.text, replace=name))


@router.delete("/drafts/{name}", status_code=204)
def remove(call: Asking, name: Name) -> None:
    """Remove a draft; what was imported stays."""
    _found(call, name)
    Drafts(call.party).remove(name)


@router.get(
    "/drafts/{name}/file", response_class=Response, responses={200: {"content": {YAML: {}}}}
)
def file(call: Reading, name: Name) -> Response:
    """Return a draft with its signatures, as a file for the others."""
    return Response(_found(call, name).text, media_type=YAML)


@router.post("/drafts/{name}/signature")
def sign(call: Operating, name: Name, read: Read) -> DraftHere:
    """Sign a draft in the name of the party; 409 where its text is not the one that was read."""
    _found(call, name)
    return _document(call, Drafts(call.party).sign(name, read.hash))


@router.post("/drafts/{name}/import")
def accept(call: Operating, name: Name) -> Agreed:
    """Import a draft that all have signed, so that requests can be made under it."""
    _found(call, name)
    return agreed(call, Drafts(call.party).accept(name))


def _found(call: Call, name: str) -> Draft:
    try:
        return Drafts(call.party).find(name)
    except ContractError as error:
        raise Denied(404, "No such draft", str(error)) from None


def _document(call: Call, found: Draft) -> DraftHere:
    contract = found.contract
    stored = {one.digest for one in call.party.contracts()}
    return DraftHere(
        name=found.name,
        hash=contract.digest,
        changed_at=int(found.changed_at.timestamp()),
        signed_by=list(contract.signatures),
        missing=list(found.missing),
        imported=contract.digest in stored,
        terms=terms_in_words(contract),
        text=found.text,
    )
