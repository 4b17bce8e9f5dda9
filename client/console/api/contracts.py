"""Contracts in plain words, and the budget of this party's own people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from client.actors import OPERATOR
from client.console.api.call import Call, Denied, Reading
from client.contract_words import changes_between, terms_of
from client.documents.writing import zipped_documents
from client.drafts import version_of
from client.render_contract import contract_document
from client.render_ledger import ledger_document
from client.render_lists import list_document
from languages import ENGLISH
from party import ledger_history
from party.balances import balances
from party.contract import Contract
from party.contract_file import render_contract
from party.errors import ContractError
from party.lists import Lists

router = APIRouter(tags=["contracts"])
_OF_A_LIST: Final = ("name", "use", "request", "contract", "peer", "dataset", "people", "made_at",
                     "expires_at", "suppressed")  # fmt: skip
YAML: Final = "application/yaml"
Hash = Annotated[str, Path(pattern="^[0-9a-f]{8,64}$", description="The hash, or its beginning")]

Version = Annotated[
    str,
    Path(
        pattern="^([0-9a-f]{8,64}|draft:[A-Za-z0-9][A-Za-z0-9_-]{0,63})$",
        description="The hash of a stored contract, or its beginning; or `draft:NAME`",
    ),
]


class Term(BaseModel):
    """One term of a contract in plain words."""

    heading: str
    name: str
    said: str


class Agreed(BaseModel):
    """A stored contract: how it stands, what it says in plain words, and the document itself."""

    contract: str
    hash: str
    state: str
    signed_by: list[str]
    terms: list[Term]
    document: dict[str, Any]


class Change(BaseModel):
    """A term that differs between two versions; null where it is not there."""

    heading: str
    name: str
    before: str | None
    after: str | None


class Documents(BaseModel):
    """In which language the documents of a contract are."""

    language: Literal["en", "zh"] = "en"


class Budget(BaseModel):
    """Balances, and the newest charges; `older` is what `before` takes for the next page."""

    balances: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    older: int | None


@router.get("/contracts")
def contracts(call: Reading) -> list[Agreed]:
    """Return the stored contracts, newest first."""
    return [agreed(call, one) for one in call.party.contracts()]


@router.get("/contracts/{contract}")
def contract(call: Reading, contract: Hash) -> Agreed:
    """Return one contract."""
    return agreed(call, _found(call.party.contract, contract))


@router.get(
    "/contracts/{contract}/file", response_class=Response, responses={200: {"content": {YAML: {}}}}
)
def file(call: Reading, contract: Hash) -> Response:
    """Return a stored contract with its signatures, as a file for the others."""
    found = _found(call.party.contract, contract)
    return Response(render_contract(found), media_type=YAML)


@router.post(
    "/contracts/{contract}/documents",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def documents(call: Reading, contract: Hash, wanted: Documents) -> Response:
    """Return record of processing and impact assessment as a zip; the log has their digests."""
    found = _found(call.party.contract, contract)
    made = zipped_documents(call.party, found, code=wanted.language, actor=OPERATOR)
    return Response(made, media_type="application/zip")


@router.get("/contracts/{contract}/changes/{later}")
def changes(call: Reading, contract: Version, later: Version) -> list[Change]:
    """Say in plain words in what a later version differs; either may be a draft."""
    before, after = (
        _found(lambda which: version_of(call.party, which), one) for one in (contract, later)
    )
    return [Change(**vars(one)) for one in changes_between(before, after, ENGLISH)]


@router.get("/budget", tags=["budget"])
def budget(
    call: Reading, before: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None
) -> Budget:
    """Return what is left, and what was spent and disclosed."""
    rows, older = call.party.store.read(
        lambda connection: ledger_history.charges(connection, before=before)
    )
    document = ledger_document(balances(call.party), rows)
    return Budget(balances=document["balances"], charges=document["rows"], older=older)


@router.get("/lists", tags=["lists"])
def lists(call: Reading) -> list[dict[str, Any]]:
    """Return the lists that are here, newest first; sizes are for their owner's eyes."""
    return [
        {name: list_document(one)[name] for name in _OF_A_LIST}
        | {"state": one.state(call.party.now)}
        for one in Lists(call.party).held()
    ]


def _found(find: Callable[[str], Contract], which: str) -> Contract:
    try:
        return find(which)
    except ContractError as error:
        raise Denied(404, "No such contract", str(error)) from None


def agreed(call: Call, found: Contract) -> Agreed:
    """Return how a contract stands and what it says."""
    return Agreed(**contract_document(found, call.party.now), terms=terms_in_words(found))


def terms_in_words(found: Contract) -> list[Term]:
    """Return what a contract says, term by term."""
    return [Term(**vars(one)) for one in terms_of(found, ENGLISH)]
