"""How the party stands."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from client.console.api.call import Reading
from client.render_status import status_document
from party.standing import standing_of

router = APIRouter(tags=["party"])


class Status(BaseModel):
    """How the party stands: what is in force, what waits, what runs, what is left."""

    model_config = {"extra": "allow"}

    party: str
    organisation: str


@router.get("/status")
def status(call: Reading) -> Status:
    """Return how the party stands, as `commonground status --json` does."""
    document: dict[str, Any] = status_document(call.party, standing_of(call.party))
    document.pop("folder")
    return Status(**document)
