"""The log: its entries by what is looked for, one with its proof, verifying it, what vouches."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from client.audit_files import Wanted, bundle_of, page, zipped
from client.console.api.call import Denied, Reading
from client.proving import prove_entry
from client.vouching import forks, vouching
from party.errors import LineageError, PartyError
from party.lineage.graph import lineage_of
from party.lists import Lists

router = APIRouter(prefix="/audit", tags=["audit"])
Place = Annotated[int, Path(ge=0, le=2**53, description="The entry's place in the log, from 0")]
At = Annotated[int | None, Query(ge=0, le=2**53)]
Text = Annotated[str | None, Query(max_length=300)]
Named = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,127}$",
        description="A request by its first digits, or a list by its name",
    ),
]


class Entries(BaseModel):
    """Entries of a log of `size`, newest first; whether there are more before and after them."""

    size: int
    entries: list[dict[str, Any]]
    older: bool
    newer: bool


class PathStep(BaseModel):
    """A step from the leaf to the root: the hash beside it, on the left or not, and both joined."""

    sibling: str
    left: bool
    node: str


class Checkpoint(BaseModel):
    """What the log has signed."""

    origin: str
    size: int
    root: str


class Cosignature(BaseModel):
    """Who else has signed the checkpoint; `known` keys were checked."""

    cosigner: str
    known: bool
    time: int | None
    problem: str | None


class Proof(BaseModel):
    """An entry and each step of its proof; a `problem` is why one does not hold.

    `receipt` is c2sp.org/tlog-proof@v1 in base64, which is checked without this party.
    """

    entry: dict[str, Any]
    holds: bool
    leaf_hash: str
    leaf_problem: str | None
    path: list[PathStep]
    root: str
    path_problem: str | None
    checkpoint: Checkpoint
    key: str
    signature_problem: str | None
    cosignatures: list[Cosignature]
    extended_to: int
    extension_problem: str | None
    receipt: str


class Check(BaseModel):
    """How far verifying the log is, and its end: a `verification`, or what failed first."""

    runs: bool
    by: str
    began: int
    done: int
    total: int
    ended: int | None
    verification: dict[str, Any] | None
    problem: str | None
    entry: int | None


class Voucher(BaseModel):
    """One who cosigns the log: up to which size, when last, how often; what of its own we have."""

    log: str
    names: list[str]
    cosigned: int
    at: int | None
    times: int
    seen: int
    problem: str | None


class Fork(BaseModel):
    """A log that has signed two trees of one size; `file` is the evidence in `forks/`."""

    log: str
    size: int
    file: str


class Vouching(BaseModel):
    """Who vouches for the log, and which logs have two histories."""

    vouchers: list[Voucher]
    forks: list[Fork]


@router.get("/entries")
def entries(
    call: Reading,
    kind: Annotated[list[str] | None, Query(max_length=20)] = None,
    request: Text = None,
    contract: Text = None,
    peer: Text = None,
    actor: Text = None,
    since: Text = None,
    until: Text = None,
    before: At = None,
    after: At = None,
) -> Entries:
    """Return the newest entries for which all holds, or those next `before` or `after` a place."""
    wanted = Wanted(tuple(kind or ()), request, contract, since, until, actor, peer)
    found = page(call.party, wanted, before=before, after=after)
    call.party.access.note_reading("audit.filter")
    said = [json.loads(entry.encode()) for entry in found.entries]
    return Entries(size=found.size, entries=said, older=found.older, newer=found.newer)


@router.get("/entries/{number}")
def entry(call: Reading, number: Place) -> Proof:
    """Return one entry with its proof, every step of it checked anew."""
    if number >= call.party.journal.size:
        raise Denied(404, "No such entry", f"the log has {call.party.journal.size} entries")
    proven = prove_entry(call.party, number)
    call.party.access.note_reading("audit.show", str(number))
    return Proof(**proven.to_dict())


@router.get("/verification")
def check(call: Reading) -> Check | None:
    """Return the check that runs, or the last one since the console began; null for none."""
    last = call.console.log_check.last
    return None if last is None else Check(**last.to_dict())


@router.post("/verification", status_code=202)
def verify(call: Reading) -> Check:
    """Begin to verify the whole log in a process of its own; one that runs goes on instead."""
    party = call.party
    party.access.note_reading("audit.verify")
    return Check(**call.console.log_check.start(call.account.name, party.journal.size).to_dict())


@router.get("/vouching")
def vouchers(call: Reading) -> Vouching:
    """Return who has cosigned the log, and which logs have forked."""
    found, forked = vouching(call.party), forks(call.party)
    call.party.access.note_reading("audit.vouching")
    return Vouching(
        vouchers=[Voucher(**one.to_dict()) for one in found],
        forks=[Fork(**one.to_dict()) for one in forked],
    )


@router.get("/lineage/{wanted}")
def lineage(call: Reading, wanted: Named) -> dict[str, Any]:
    """Return what a result or a dataset rests on and where it went, as `lineage show --json`."""
    try:
        found = lineage_of(call.party, wanted)
    except LineageError as error:
        raise Denied(404, "No such result or dataset", str(error)) from None
    call.party.access.note_reading("lineage.show", wanted)
    return found.to_dict()


@router.get(
    "/evidence/{wanted}",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def evidence(call: Reading, wanted: Named) -> Response:
    """Return the evidence for a request as a zip, which is checked without this program."""
    try:
        filed = Lists(call.party).match_of(wanted)
    except PartyError as error:
        raise Denied(404, "No such request or list", str(error)) from None
    _, files = bundle_of(call.party, filed)
    call.party.access.note_reading("audit.evidence", filed.id)
    return Response(zipped(files), media_type="application/zip")
