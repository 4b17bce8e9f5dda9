"""Contracts in plain words, and the budget of this party's own people."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from client.console.api.call import Call, Denied, Reading
from client.contract_words import changes_between, terms_of
from client.render_contract import contract_document
from client.render_ledger import ledger_document
from client.render_lists import list_document
from languages import ENGLISH
from party import ledger_history
from party.balances import balances
from party.contract import Contract
from party.errors import ContractError
from party.lists import Lists

router = APIRouter(tags=["contracts"])
_OF_A_LIST: Final = ("name", "use", "request", "contract", "peer", "dataset", "people", "made_at",
                     "expires_at", "suppressed")  # fmt: skip
Hash = Annotated[str, Path(pattern="^[0-9a-f]{8,64}$", description="The hash, or its beginning")]


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


class Budget(BaseModel):
    """Balances, and the newest charges; `older` is what `before` takes for the next page."""

    balances: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    older: int | None


@router.get("/contracts")
def contracts(call: Reading) -> list[Agreed]:
    """Return the stored contracts, newest first."""
    return [_agreed(call, one) for one in call.party.contracts()]


@router.get("/contracts/{contract}")
def contract(call: Reading, contract: Hash) -> Agreed:
    """Return one contract."""
    return _agreed(call, _found(call, contract))


@router.get("/contracts/{contract}/changes/{later}")
def changes(call: Reading, contract: Hash, later: Hash) -> list[Change]:
    """Say in plain words in what a later contract differs."""
    found = changes_between(_found(call, contract), _found(call, later), ENGLISH)
    return [Change(**vars(one)) for one in found]


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


def _found(call: Call, which: str) -> Contract:
    try:
        return call.party.contract(which)
    except ContractError as error:
        raise Denied(404, "No such contract", str(error)) from None


def _agreed(call: Call, found: Contract) -> Agreed:
    terms = [Term(**vars(one)) for one in terms_of(found, ENGLISH)]
    return Agreed(**contract_document(found, call.party.now), terms=terms)
