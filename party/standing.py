"""How a party stands: what is in force, what waits, what runs, what is left, what ends when.

Nothing is written and nothing is sent. No figure here is a count of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from audit.checkpoint import open_checkpoint, verify_cosignature
from audit.deadlines import Overdue
from party.balances import balances
from party.contract import Contract
from party.contract_terms import ListUse
from party.decision import CHARGED, OPENED
from party.doing import Doing
from party.filing import APPROVED, PENDING, Filed, Filing
from party.ledger import Balance
from party.occupied import listens_at, said_of
from party.organisation import Organisation
from party.request import Request
from party.schema import (
    COSIGNATURES,
    LIST_GENERATIONS,
    REQUEST_PEERS,
    REQUESTS,
    RESULTS,
    SESSIONS,
)
from party.series import ACTIVE, Series, SeriesBook
from party.suppression.owed import owed_runs


@dataclass(frozen=True)
class OpenSession:
    """A session that has not ended; `runs` when a process carries it out now.

    `doing` is what that process says of it. `filed` is the request, by which it goes on, and
    `rests_since` when it last took a step. Times are in Unix seconds.
    """

    request: str
    peers: tuple[str, ...]
    kind: str
    since: int
    runs: bool
    filed: Filed
    doing: Doing | None
    rests_since: int


@dataclass(frozen=True)
class KeptList:
    """A list that is on disk until it expires (Unix seconds); not every one has a name."""

    request: str
    name: str | None
    use: str
    peer: str
    expires_at: int


@dataclass(frozen=True)
class LastCosignature:
    """The newest word of a counterpart that it has seen this party's log."""

    size: int
    cosigner: str
    time: int


@dataclass(frozen=True)
class Standing:
    """How a party stands at `now` (Unix seconds)."""

    now: int
    listens_at: str | None
    contracts: Sequence[Contract]
    waiting_here: Sequence[Filed]
    waiting_there: Sequence[Filed]
    sessions: Sequence[OpenSession]
    budgets: Sequence[Balance]
    schedules: Sequence[Series]
    lists: Sequence[KeptList]
    log_size: int
    cosigned: LastCosignature | None
    owed_runs: Sequence[Overdue]


def standing_of(party: Organisation) -> Standing:
    """Return how a party stands now.

    Raises:
        StoredContractError, audit.errors.AuditError: something in the store was changed.
    """
    filed = Filing(party).open()
    sessions = _sessions(party, filed)
    begun = {one.request for one in sessions}
    return Standing(
        now=party.now,
        listens_at=listens_at(party.folder),
        contracts=party.contracts(),
        waiting_here=[one for one in filed if one.state == PENDING],
        waiting_there=[
            one for one in filed if one.state == APPROVED and one.request.id not in begun
        ],
        sessions=sessions,
        budgets=balances(party),
        schedules=_schedules(party),
        lists=_lists(party),
        log_size=open_checkpoint(party.journal.checkpoint(), party.identity.verifier).size,
        cosigned=_last_cosignature(party),
        owed_runs=owed_runs(party),
    )


def open_sessions(party: Organisation) -> list[OpenSession]:
    """Return the sessions that have begun here and have not ended, oldest first."""
    return _sessions(party, Filing(party).open())


def _sessions(party: Organisation, filed: Sequence[Filed]) -> list[OpenSession]:
    """Return those of requests that may still bring a result."""
    known = {one.request.id: one for one in filed}
    rows = party.store.rows(
        sa.select(REQUESTS.c.id, REQUESTS.c.kind, SESSIONS.c.started_at)
        .join(SESSIONS, SESSIONS.c.request == REQUESTS.c.id)
        .where(SESSIONS.c.state.in_((OPENED, CHARGED)))
        .order_by(SESSIONS.c.started_at)
    )
    found = []
    for row in rows:
        if row.id in known:  # not filed since they were read
            said, request = said_of(party.folder, row.id), known[row.id]
            found.append(
                OpenSession(
                    row.id,
                    request.peers,
                    row.kind,
                    row.started_at,
                    runs=said is not None,
                    filed=request,
                    doing=Doing.read(said),
                    rests_since=_last_step(party.folder / "sessions" / row.id, row.started_at),
                )
            )
    return found


def _last_step(folder: Path, began: int) -> int:
    """Return when something was written for a session last, as its folder has it."""
    try:
        return max(began, int(folder.stat().st_mtime))
    except FileNotFoundError:
        return began


def _schedules(party: Organisation) -> list[Series]:
    """Return the schedules that go on, those that are due first before others, then by name."""
    found = [(one.next_run, one) for one in SeriesBook(party).all() if one.state == ACTIVE]
    due = {(run.slot, one.name): one for run, one in found if run is not None}
    return [due[key] for key in sorted(due)]


def _lists(party: Organisation) -> list[KeptList]:
    rows = party.store.rows(
        sa.select(
            RESULTS.c.request,
            LIST_GENERATIONS.c.name,
            REQUESTS.c.body,
            REQUEST_PEERS.c.peer,
            RESULTS.c.expires_at,
        )
        .join(REQUESTS, REQUESTS.c.id == RESULTS.c.request)
        .join(REQUEST_PEERS, REQUEST_PEERS.c.request == RESULTS.c.request)
        .outerjoin(LIST_GENERATIONS, LIST_GENERATIONS.c.request == RESULTS.c.request)
        .where(RESULTS.c.list_file.is_not(None))
        .order_by(RESULTS.c.expires_at)
    )
    return [
        KeptList(row.request, row.name, _use_of(row.body), row.peer, row.expires_at) for row in rows
    ]


def _use_of(body: str) -> str:
    return (Request.decode(body.encode()).use or ListUse.INCLUDE).value


def _last_cosignature(party: Organisation) -> LastCosignature | None:
    row = party.store.row(sa.select(COSIGNATURES).order_by(COSIGNATURES.c.size.desc()))
    if row is None:
        return None
    witnesses = [
        card.cosignature_verifier
        for contract in party.contracts()
        for card in contract.parties.values()
    ]
    checkpoint = open_checkpoint(row.checkpoint, party.identity.verifier)
    cosignature = verify_cosignature(checkpoint, row.line, witnesses)
    return LastCosignature(checkpoint.size, row.cosigner, cosignature.time)
