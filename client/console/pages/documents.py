"""Documents that a contract's facts fill: record of processing, impact assessment."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.responses import Response

from client.actors import OPERATOR
from client.console.pages.audit import download
from client.console.visit import Reader
from client.documents.writing import zipped_documents

router = APIRouter()


@router.get("/audit/documents", name="documents")
def show(visit: Reader) -> Response:
    """Show the contracts that documents can be written of."""
    return visit.page("audit/documents.html.jinja", contracts=visit.party.contracts())


@router.post("/audit/documents")
def write(
    visit: Reader,
    contract: Annotated[str, Form(pattern="[0-9a-f]{64}")],
    language: Annotated[Literal["en", "zh"], Form()],
) -> Response:
    """Answer the documents of a contract as a zip; the log has their digests."""
    party = visit.party
    found = party.contract(contract)
    made = zipped_documents(party, found, code=language, actor=OPERATOR)
    return download(made, f"{found.id}-documents-{language}.zip", "application/zip")
