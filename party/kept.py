"""What a party keeps of people, and until when: datasets, lists, artefacts, results.

Each has one end, from the dataset's description or from the contract. What is deleted
(`retention`), what a dry run tells and what a person reads are this one list. The log and the
contracts are not in it: they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from audit.bodies.upkeep import Pruned
from party import registrations
from party.contract import REPLAY_DAYS, Contract
from party.contract_terms import OutputKind, write_time
from party.list_names import replaced
from party.request import Request
from party.schema import REQUESTS, RESULTS, SESSIONS
from party.suppression.list_file import HOLDERS_FILE

if TYPE_CHECKING:
    from party.organisation import Organisation

What: TypeAlias = Literal["dataset"] | Pruned
_NEVER: Final = 1 << 62


@dataclass(frozen=True)
class Kept:
    """One thing that is kept; `name` is a dataset's, or the id of the request that made it.

    `contract` is the hash of the contract whose terms say when it ends. `ends_at` is in Unix
    seconds, None where nobody has declared an end; `why` names the term that says so. `source` is
    what a dataset is read from outside the party's folder, which is its owner's to delete.
    """

    what: What
    name: str
    ends_at: int | None
    why: str
    contract: str | None = None
    source: str | None = None

    def has_ended(self, now: int) -> bool:
        """Say whether it is to be deleted."""
        return self.ends_at is not None and self.ends_at <= now

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; `ends_at` as contracts write times."""
        return {
            "what": self.what,
            "name": self.name,
            "ends_at": None if self.ends_at is None else write_time(self.ends_at),
            "why": self.why,
            "contract": self.contract,
            "source": self.source,
        }


def kept(party: Organisation) -> list[Kept]:
    """Return all that is kept, what ends first before the rest."""
    contracts = {contract.digest: contract for contract in party.contracts()}
    found = [
        *_datasets(party),
        *(
            one
            for part in (_lists, _holders, _sessions, _results)
            for one in part(party, contracts)
        ),
    ]
    return sorted(found, key=lambda one: (one.ends_at or _NEVER, one.what, one.name))


def _datasets(party: Organisation) -> Iterator[Kept]:
    for one in registrations.every(party):
        if one.erased_at is None:
            why = "retention, in its description" if one.retention else "no end is declared"
            source = one.source_outside(party.folder)
            yield Kept("dataset", one.name, one.ends_at, why, source=source)


_Contracts: TypeAlias = dict[str, Contract]


def _lists(party: Organisation, contracts: _Contracts) -> Iterator[Kept]:
    """Yield the lists; one whose place a refresh has taken ends at once."""
    del contracts
    rows = party.store.rows(
        sa.select(RESULTS.c.request, RESULTS.c.expires_at, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == RESULTS.c.request)
        .where(RESULTS.c.list_file.is_not(None))
    )
    old = replaced(party.store) if rows else set()
    for row in rows:
        if row.request in old:
            yield Kept("list", row.request, party.now, "replaced by a refresh", row.contract)
        else:
            yield Kept("list", row.request, row.expires_at, "list_expiry_days", row.contract)


def _holders(party: Organisation, contracts: _Contracts) -> Iterator[Kept]:
    """Yield what tells a sender whose the points of a list are."""
    matches = party.store.rows(
        sa.select(SESSIONS.c.request, REQUESTS.c.contract, REQUESTS.c.body)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(REQUESTS.c.kind == str(OutputKind.MATCH), SESSIONS.c.sealed_seed != b"")
    )
    for row in matches:
        if (party.folder / "sessions" / row.request / HOLDERS_FILE).exists():
            end = contracts[row.contract].list_expires_at(_request(row.body).created)
            yield Kept("holders", row.request, end, "list_expiry_days", row.contract)


def _sessions(party: Organisation, contracts: _Contracts) -> Iterator[Kept]:
    """Yield the artefacts and seeds of sessions that have ended."""
    rows = party.store.rows(
        sa.select(SESSIONS.c.request, SESSIONS.c.ended_at, REQUESTS.c.contract, REQUESTS.c.body)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(SESSIONS.c.ended_at.is_not(None), SESSIONS.c.sealed_seed != b"")
    )
    for row in rows:
        end, why = session_end(contracts[row.contract], _request(row.body), row.ended_at)
        yield Kept("session", row.request, end, why, row.contract)


def session_end(contract: Contract, request: Request, ended: int) -> tuple[int, str]:
    """Return when what a session left ends that ended at `ended` (Unix seconds), and by which term.

    A session with suppression runs serves them until its list's end.
    """
    why = REPLAY_DAYS if contract.replay_days is not None else "retention_days"
    end = (contract.session_ends_at(ended), why)
    if not request.parameters.suppression_runs:
        return end
    list_end = contract.list_expires_at(request.created)
    return max(end, (list_end, "list_expiry_days, for its suppression runs"))


def _results(party: Organisation, contracts: _Contracts) -> Iterator[Kept]:
    """Yield the numbers and tables; of a match what was counted, which outlives its list."""
    rows = party.store.rows(
        sa.select(RESULTS.c.request, RESULTS.c.made_at, RESULTS.c.expires_at, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == RESULTS.c.request)
        .where(RESULTS.c.body != "")
    )
    for row in rows:
        end = contracts[row.contract].result_ends_at(row.made_at)
        why = "result_days" if end is not None else "the contract states no result_days"
        if end is not None:
            end = max(end, row.expires_at or 0)
        yield Kept("result", row.request, end, why, row.contract)


def _request(body: str) -> Request:
    return Request.decode(body.encode())
