"""Requests as the store keeps them: filed once, decided once, each with its log entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import RequestRefused, RequestStep
from languages import message
from party import holds
from party.contract import Contract
from party.decision import FAILED, FINISHED, OPEN_STATES, Decision
from party.errors import PartyError, RefusalStatus
from party.list_names import Naming, register
from party.request import Request
from party.revocation import refuse_revoked
from party.schema import REQUEST_PEERS, REQUESTS, SESSIONS
from party.store import begins_with

if TYPE_CHECKING:
    from party.organisation import Organisation

PENDING, APPROVED, REFUSED = "pending", "approved", "refused"
PAGE: Final = 25
"""How many requests a page lists."""
_LIST_KIND: Final = "match"
_COUNT: Final = sa.select(sa.func.count().label("requests")).select_from(REQUESTS)


@dataclass(frozen=True)
class Filed:
    """A request as it stands here.

    `peers` are the counterparts that this party talks to about it, in the order of their roles:
    the asker has all others, and whoever is asked has the asker alone. `words` is what each has
    said of it: pending, approved or refused.
    """

    request: Request
    mine: bool
    peers: tuple[str, ...]
    words: tuple[str, ...]
    state: str
    status: str | None
    reason: str | None
    created_at: int
    updated_at: int

    @property
    def id(self) -> str:
        """The request's id."""
        return self.request.id

    @property
    def peer(self) -> str:
        """The one counterpart of what is between two, such as a list."""
        (peer,) = self.peers
        return peer

    @property
    def awaited(self) -> tuple[str, ...]:
        """The counterparts that have not said yet whether they approve."""
        if self.state != APPROVED:
            return ()
        words = zip(self.peers, self.words, strict=True)
        return tuple(peer for peer, word in words if word == PENDING)

    @property
    def decision(self) -> Decision:
        """Return the state as the counterpart is told it."""
        if self.state in (REFUSED, FAILED):
            status = RefusalStatus(self.status) if self.status else RefusalStatus.DECLINED
            return Decision("refused", status, self.reason or "")
        if self.state == FINISHED:
            return Decision("finished")
        return Decision("pending" if self.state == PENDING else "approved")


@dataclass(frozen=True)
class Wanted:
    """Which requests a page lists: those for which everything holds that is said.

    `lists` is whether they make a list, `mine` whether this party has asked; `contract` is a hash,
    `dataset` this party's own. They were made, or changed last, after a time (Unix seconds).
    """

    states: tuple[str, ...] = ()
    lists: bool | None = None
    mine: bool | None = None
    contract: str | None = None
    dataset: str | None = None
    asked_after: int | None = None
    changed_after: int | None = None

    def of(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Return a query of requests, of these alone."""
        if self.states:
            query = query.where(REQUESTS.c.state.in_(self.states))
        if self.lists is not None:
            is_list = REQUESTS.c.kind == _LIST_KIND
            query = query.where(is_list if self.lists else ~is_list)
        if self.mine is not None:
            query = query.where(REQUESTS.c.mine == int(self.mine))
        if self.contract is not None:
            query = query.where(REQUESTS.c.contract == self.contract)
        if self.dataset is not None:
            query = query.where(REQUESTS.c.dataset == self.dataset)
        if self.asked_after is not None:
            query = query.where(REQUESTS.c.asked_at > self.asked_after)
        if self.changed_after is not None:
            query = query.where(REQUESTS.c.updated_at > self.changed_after)
        return query


EVERY: Final = Wanted()


@dataclass(frozen=True)
class Page:
    """Some requests, newest first; `older` is where the next page begins, None at the end."""

    requests: tuple[Filed, ...]
    older: int | None


class Filing:
    """A party's requests, its own and its counterparts'."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def all(self, wanted: Wanted = EVERY) -> list[Filed]:
        """Return every request that is wanted, newest first."""
        return self._read(wanted.of(sa.select(REQUESTS)).order_by(REQUESTS.c.number.desc()))

    def open(self) -> list[Filed]:
        """Return the requests that may still bring a result, newest first."""
        return self.all(Wanted(states=OPEN_STATES))

    def page(self, wanted: Wanted, *, before: int | None = None, most: int = PAGE) -> Page:
        """Return the newest requests, or the newest `before` where an earlier page ended."""
        query = wanted.of(sa.select(REQUESTS))
        if before is not None:
            query = query.where(REQUESTS.c.number < before)
        query = query.order_by(REQUESTS.c.number.desc()).limit(most + 1)
        found = self._read(query)
        if len(found) <= most:
            return Page(tuple(found), None)
        last = sa.select(REQUESTS.c.number).where(REQUESTS.c.id == found[most - 1].id)
        row = self._party.store.row(last)
        return Page(tuple(found[:most]), None if row is None else int(row.number))

    def count(self, wanted: Wanted) -> int:
        """Return how many requests there are of these."""
        row = self._party.store.row(wanted.of(_COUNT))
        return 0 if row is None else int(row.requests)

    def find(self, wanted: str) -> Filed:
        """Return the request whose id starts with `wanted`.

        Raises:
            PartyError: there is none, or more than one.
        """
        query = sa.select(REQUESTS).where(begins_with(REQUESTS.c.id, wanted))
        found = self._read(query.limit(2))
        if len(found) != 1:
            what = message("no request") if not found else message("more than one request")
            raise PartyError(
                message(
                    "{what} starts with {wanted}: see `commonground requests list`",
                    what=what,
                    wanted=wanted,
                )
            )
        return found[0]

    def get(self, request_id: str) -> Filed | None:
        """Return the request of exactly this id, or None."""
        found = self._read(sa.select(REQUESTS).where(REQUESTS.c.id == request_id))
        return found[0] if found else None

    def some(self, request_ids: Sequence[str]) -> dict[str, Filed]:
        """Return the requests of these ids, by id."""
        found = self._read(sa.select(REQUESTS).where(REQUESTS.c.id.in_(request_ids)))
        return {filed.id: filed for filed in found}

    def count_of(self, peer: str, *, since: int) -> int:
        """Return how many requests of a counterpart were filed since a time (Unix seconds)."""
        row = self._party.store.row(
            sa.select(sa.func.count().label("requests"))
            .select_from(REQUESTS.join(REQUEST_PEERS, REQUEST_PEERS.c.request == REQUESTS.c.id))
            .where(REQUEST_PEERS.c.peer == peer, REQUESTS.c.mine == 0)
            .where(REQUESTS.c.created_at > since)
        )
        return 0 if row is None else int(row.requests)

    def file(
        self,
        request: Request,
        contract: Contract,
        *,
        mine: bool,
        peers: Sequence[str],
        state: str,
        actor: str,
        naming: Naming | None = None,
    ) -> None:
        """File a request and log it, once; `naming` is for the list that it makes.

        `peers` have still to say whether they approve a request of this party's own.

        Raises:
            Refusal: a counterpart of the contract is revoked.
        """

        def work(connection: Connection) -> None:
            number = sa.select(sa.func.coalesce(sa.func.max(REQUESTS.c.number), 0) + 1)
            known = sa.select(REQUESTS.c.id).where(REQUESTS.c.id == request.id)
            if connection.execute(known).first() is not None:
                return  # another call has filed it meanwhile
            refuse_revoked(connection, contract)
            connection.execute(
                sa.insert(REQUESTS).values(
                    id=request.id,
                    mine=int(mine),
                    contract=contract.digest,
                    kind=str(request.kind),
                    body=request.encode().decode(),
                    state=state,
                    created_at=self._party.now,
                    updated_at=self._party.now,
                    number=number.scalar_subquery(),
                    **described(request, contract.me(self._party.identity)),
                )
            )
            word = PENDING if mine else APPROVED
            connection.execute(
                sa.insert(REQUEST_PEERS),
                [
                    {"request": request.id, "peer": peer, "place": place, "word": word}
                    for place, peer in enumerate(peers)
                ],
            )
            if naming is not None:
                register(connection, request.id, naming)
            step = RequestStep(request.id, request.digest, str(request.kind))
            kind = "request.made" if mine or state == PENDING else "request.approved"
            self._party.journal.append(
                connection, kind, step, actor=actor, contract=contract.digest
            )

        self._party.store.write(work)

    def note_word(self, request_id: str, peer: str, word: str) -> None:
        """Record what a counterpart says of a request; the party's own state is for `settle`."""
        self._party.store.write(lambda connection: _note_word(connection, request_id, peer, word))

    def note_all_approve(self, request_id: str) -> None:
        """Record that no counterpart is awaited: who takes part in a session has approved it."""
        filed = self.get(request_id)
        for peer in filed.awaited if filed else ():
            self.note_word(request_id, peer, APPROVED)

    def settle(
        self,
        filed: Filed,
        state: str,
        status: RefusalStatus | None,
        reason: str | None,
        *,
        actor: str,
    ) -> bool:
        """Record and log a decision on a request; without a `status` it is approved.

        Nothing is decided, and False returned, where it is no longer as it was `filed`, or its
        session has begun. A counterpart that is the `actor` has said it.
        """
        request = filed.request
        begun = sa.exists().where(SESSIONS.c.request == request.id)

        def work(connection: Connection) -> bool:
            decided = connection.execute(
                sa.update(REQUESTS)
                .where(REQUESTS.c.id == request.id, REQUESTS.c.state == filed.state, ~begun)
                .values(
                    state=state,
                    status=status.value if status else None,
                    reason=reason,
                    decided_by=actor,
                    updated_at=self._party.now,
                )
            )
            if not decided.rowcount:
                return False
            if actor in filed.peers:
                _note_word(connection, request.id, actor, state)
            named = (request.id, request.digest, str(request.kind))
            if status is None:
                kind, body = "request.approved", RequestStep(*named)
            else:
                kind, body = "request.refused", RequestRefused(*named, status.value)
                holds.let_go(connection, [request.id])
            self._party.journal.append(
                connection, kind, body, actor=actor, contract=request.contract
            )
            return True

        return self._party.store.write(work)

    def _read(self, query: sa.Select[Any]) -> list[Filed]:
        """Return the requests of a query, each with its counterparts, in the query's order."""
        ids = query.with_only_columns(REQUESTS.c.id).subquery()
        said = sa.select(REQUEST_PEERS).where(REQUEST_PEERS.c.request.in_(sa.select(ids.c.id)))

        def work(connection: Connection) -> list[Filed]:
            rows = list(connection.execute(query))
            words: dict[str, list[sa.Row[Any]]] = {}
            for one in connection.execute(said.order_by(REQUEST_PEERS.c.place)):
                words.setdefault(one.request, []).append(one)
            return [_read_filed(row, words[row.id]) for row in rows]

        return self._party.store.read(work)


def described(request: Request, me: str) -> dict[str, Any]:
    """Return what requests are found and counted by, of the party `me`, by column."""
    roles = json.dumps(dict(request.roles), sort_keys=True, separators=(",", ":"))
    return {"dataset": request.datasets[me], "roles": roles, "asked_at": request.created}


def _note_word(connection: Connection, request_id: str, peer: str, word: str) -> None:
    connection.execute(
        sa.update(REQUEST_PEERS)
        .where(REQUEST_PEERS.c.request == request_id, REQUEST_PEERS.c.peer == peer)
        .values(word=word)
    )


def _read_filed(row: sa.Row[Any], said: Sequence[sa.Row[Any]]) -> Filed:
    return Filed(
        _decoded(row.body),
        bool(row.mine),
        tuple(one.peer for one in said),
        tuple(one.word for one in said),
        row.state,
        row.status,
        row.reason,
        row.created_at,
        row.updated_at,
    )


@lru_cache(maxsize=1024)  # a page is looked at again and again; a request does not change
def _decoded(body: str) -> Request:
    return Request.decode(body.encode())
