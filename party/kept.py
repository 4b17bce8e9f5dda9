"""What a party keeps of people, and until when: datasets, lists, artefacts, results.

Each has one end, from the dataset's description or from the contract. What is deleted
(`retention`), what a dry run tells and what a person reads are this one list. The log and the
contracts are not in it: they stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from audit.bodies.upkeep import Pruned
from party import registrations
from party.contract import REPLAY_DAYS, Contract
from party.contract_terms import write_time
from party.list_names import was_replaced
from party.schema import ENDLESS, REQUESTS, RESULTS, SESSIONS
from party.suppression.list_file import HOLDERS_FILE

if TYPE_CHECKING:
    from party.organisation import Organisation

What: TypeAlias = Literal["dataset"] | Pruned
_Column: TypeAlias = sa.Column[Any]
_NEVER: Final = ENDLESS


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


def kept(party: Organisation, *, until: int | None = None, most: int | None = None) -> list[Kept]:
    """Return all that is kept, what ends first before the rest.

    Where `until` is given (Unix seconds), what has ended by then; where `most` is, so many of it.
    Neither reads what it does not return.
    """
    return _kept(party, _Wanted(until=until, most=most))


def kept_of(party: Organisation, dataset: str, *, most: int) -> list[Kept]:
    """Return what is kept of a dataset and what was made of it: the first so many to end."""
    return _kept(party, _Wanted(most=most, dataset=dataset))


@dataclass(frozen=True)
class _Wanted:
    """Of what is kept, what ends by a time, the first so many, or what is made of a dataset."""

    until: int | None = None
    most: int | None = None
    dataset: str | None = None

    def of(self, query: sa.Select[Any], request: _Column, ends: _Column | None) -> sa.Select[Any]:
        """Return a query of things of requests, of these alone, that which ends first before."""
        if self.dataset is not None:
            named = sa.func.coalesce(REQUESTS.c.dataset, "")  # by the index of ends
            query = query.where(named == self.dataset)
        if ends is not None:
            query = query.order_by(ends, request).limit(self.most)
            if self.until is not None:
                query = query.where(ends <= self.until)
        return query


def _kept(party: Organisation, wanted: _Wanted) -> list[Kept]:
    contracts = {contract.digest: contract for contract in party.contracts()}
    found = [
        *(one for one in _datasets(party) if wanted.dataset in (None, one.name)),
        *_lists(party, wanted),
        *_holders(party, wanted),
        *_sessions(party, contracts, wanted),
        *_results(party, contracts, wanted),
    ]
    if wanted.until is not None:
        found = [one for one in found if one.has_ended(wanted.until)]
    found.sort(key=lambda one: (one.ends_at or _NEVER, one.what, one.name))
    return found if wanted.most is None else found[: wanted.most]


def count_kept(party: Organisation) -> tuple[Counter[What], Counter[What]]:
    """Return how much is kept of each sort, and how much of that has no end."""
    datasets = list(_datasets(party))
    lists, sessions = RESULTS.c.list_file.is_not(None), SESSIONS.c.ends_at.is_not(None)
    whole: dict[What, int] = {
        "dataset": len(datasets),
        "holders": sum(1 for _ in _holders(party, _Wanted())),
        "list": _count(party, RESULTS, lists),
        "session": _count(party, SESSIONS, sessions),
        "result": _count(party, RESULTS, RESULTS.c.ends_at.is_not(None)),
    }
    endless: dict[What, int] = {
        "dataset": sum(one.ends_at is None for one in datasets),
        "result": _count(party, RESULTS, RESULTS.c.ends_at == ENDLESS),
    }
    return +Counter(whole), +Counter(endless)


def _count(party: Organisation, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count().label("rows")).select_from(table).where(condition)
    row = party.store.row(query)
    return 0 if row is None else int(row.rows)


def _datasets(party: Organisation) -> Iterator[Kept]:
    for one in registrations.every(party):
        if one.erased_at is None:
            why = "retention, in its description" if one.retention else "no end is declared"
            source = one.source_outside(party.folder)
            yield Kept("dataset", one.name, one.ends_at, why, source=source)


_Contracts: TypeAlias = dict[str, Contract]


def _lists(party: Organisation, wanted: _Wanted) -> Iterator[Kept]:
    """Yield the lists; one whose place a refresh has taken ends at once."""
    request, ends = RESULTS.c.request, RESULTS.c.expires_at
    query = (
        sa.select(request, ends, REQUESTS.c.contract, was_replaced(request).label("replaced"))
        .join(REQUESTS, REQUESTS.c.id == request)
        .where(RESULTS.c.list_file.is_not(None))
    )
    old = wanted.of(query, request, None).where(was_replaced(request))
    for row in party.store.rows(old):
        yield Kept("list", row.request, party.now, "replaced by a refresh", row.contract)
    for row in party.store.rows(wanted.of(query, request, ends)):
        if not row.replaced:
            yield Kept("list", row.request, row.expires_at, "list_expiry_days", row.contract)


def _holders(party: Organisation, wanted: _Wanted) -> Iterator[Kept]:
    """Yield what tells a sender whose the points of a list are."""
    request, ends = SESSIONS.c.request, SESSIONS.c.holders_end_at
    query = (
        sa.select(request, ends, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == request)
        .where(ends.is_not(None))
    )
    for row in party.store.rows(wanted.of(query, request, ends)):
        if (party.folder / "sessions" / row.request / HOLDERS_FILE).exists():
            yield Kept("holders", row.request, row.holders_end_at, "list_expiry_days", row.contract)


def _sessions(party: Organisation, contracts: _Contracts, wanted: _Wanted) -> Iterator[Kept]:
    """Yield the artefacts and seeds of sessions that have ended.

    A session with suppression runs serves them until its list's end.
    """
    request, ends = SESSIONS.c.request, SESSIONS.c.ends_at
    query = (
        sa.select(request, ends, SESSIONS.c.ended_at, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == request)
        .where(ends.is_not(None))
    )
    for row in party.store.rows(wanted.of(query, request, ends)):
        contract = contracts[row.contract]
        why = REPLAY_DAYS if contract.replay_days is not None else "retention_days"
        if row.ends_at > contract.session_ends_at(row.ended_at):
            why = "list_expiry_days, for its suppression runs"
        yield Kept("session", row.request, row.ends_at, why, row.contract)


def _results(party: Organisation, contracts: _Contracts, wanted: _Wanted) -> Iterator[Kept]:
    """Yield the numbers and tables; of a match what was counted, which outlives its list."""
    request, ends = RESULTS.c.request, RESULTS.c.ends_at
    query = (
        sa.select(request, ends, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == request)
        .where(ends.is_not(None))
    )
    for row in party.store.rows(wanted.of(query, request, ends)):
        if contracts[row.contract].result_days is None:
            why = "the contract states no result_days"
            yield Kept("result", row.request, None, why, row.contract)
        else:
            yield Kept("result", row.request, row.ends_at, "result_days", row.contract)
