"""The party's datasets: what they hold, what for, why few are found, and what ends."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from client.checking import check
from client.console.api.call import Asking, Call, Denied, Operating, Reading
from client.describing import described
from client.registering import register
from client.render_dataset import dataset_document
from client.render_retention import deleted_document, kept_document
from party import registrations
from party.catalogue import data_map
from party.errors import DatasetError
from party.kept import kept
from party.registrations import Registered
from party.retention import due, run

router = APIRouter(tags=["datasets"])
Name = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,100}$")]


class Dataset(BaseModel):
    """A registered dataset. Its counts are exact: for the party's own eyes."""

    dataset: str
    population: str
    snapshot: str
    registered_at: int
    definition: dict[str, Any]
    quality: dict[str, Any]


class Describing(BaseModel):
    """A description in YAML, all of whose files lie below the party's `data_folders`."""

    description: str = Field(max_length=1_000_000)
    population: str | None = Field(None, max_length=100)


class Against(BaseModel):
    """The contract that a diagnosis is held against, by its id or hash; none without it."""

    contract: str | None = Field(None, max_length=100)


@router.get("/datasets")
def every(call: Reading) -> list[Dataset]:
    """Return the registered datasets by name, those that have ended too."""
    return [Dataset(**dataset_document(one)) for one in registrations.every(call.party)]


@router.post("/datasets", status_code=201)
def add(call: Operating, given: Describing) -> Dataset:
    """Read what a description names and register it; it takes as long as reading does."""
    definition = described(call.party, given.description)
    return Dataset(**dataset_document(register(call.party, definition, given.population)))


@router.get("/datasets/{name}")
def one(call: Reading, name: Name) -> Dataset:
    """Return one dataset as of its registration."""
    return Dataset(**dataset_document(_find(call, name)))


@router.get("/datasets/{name}/map")
def data(call: Reading, name: Name) -> dict[str, Any]:
    """Return its data map, which holds no count of people."""
    _find(call, name)
    found = data_map(call.party, name)
    call.party.access.note_reading("dataset.show", name)
    return found.to_dict()


@router.post("/datasets/{name}/diagnosis")
def diagnose(call: Reading, name: Name, against: Against) -> dict[str, Any]:
    """Read it again, and return why few of its people are found, as `dataset check --json`."""
    _find(call, name)
    return check(call.party, name, contract=against.contract).to_dict()


@router.get("/retention")
def retention(call: Reading) -> dict[str, Any]:
    """Return everything that is kept, until when, and by which term."""
    return kept_document(kept(call.party), call.party.now)


@router.get("/retention/due")
def ended(call: Reading) -> dict[str, Any]:
    """Return what has come to its end and would be deleted."""
    return deleted_document(due(call.party), dry_run=True)


@router.post("/retention/run")
def delete(call: Asking) -> dict[str, Any]:
    """Delete what has come to its end; the log has each."""
    return deleted_document(run(call.party), dry_run=False)


def _find(call: Call, name: str) -> Registered:
    try:
        return registrations.find(call.party, name)
    except DatasetError as error:
        raise Denied(404, "No such dataset", str(error)) from None
