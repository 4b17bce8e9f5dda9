"""Requests as the store keeps them: filed once, decided once, each with its log entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import RequestRefused, RequestStep
from party import holds
from party.contract import Contract
from party.decision import Decision
from party.errors import PartyError, RefusalStatus
from party.list_names import Naming, register
from party.request import Request
from party.schema import REQUEST_PEERS, REQUESTS
from party.session_record import FAILED, FINISHED

if TYPE_CHECKING:
    from party.organisation import Organisation

PENDING, APPROVED, REFUSED = "pending", "approved", "refused"


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


class Filing:
    """A party's requests, its own and its counterparts'."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def all(self) -> list[Filed]:
        """Return every request, newest first."""
        query = sa.select(REQUESTS).order_by(REQUESTS.c.number.desc())
        return self._read(query)

    def find(self, wanted: str) -> Filed:
        """Return the request whose id starts with `wanted`.

        Raises:
            PartyError: there is none, or more than one.
        """
        query = sa.select(REQUESTS).where(REQUESTS.c.id.startswith(wanted, autoescape=True))
        found = self._read(query.limit(2))
        if len(found) != 1:
            what = "no request" if not found else "more than one request"
            raise PartyError(f"{what} starts with {wanted}: see `commonground requests list`")
        return found[0]

    def get(self, request_id: str) -> Filed | None:
        """Return the request of exactly this id, or None."""
        found = self._read(sa.select(REQUESTS).where(REQUESTS.c.id == request_id))
        return found[0] if found else None

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
        """

        def work(connection: Connection) -> None:
            number = sa.select(sa.func.coalesce(sa.func.max(REQUESTS.c.number), 0) + 1)
            known = sa.select(REQUESTS.c.id).where(REQUESTS.c.id == request.id)
            if connection.execute(known).first() is not None:
                return  # another call has filed it meanwhile
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
    ) -> None:
        """Record and log a decision on a request; without a `status` it is approved.

        A counterpart that is the `actor` has said it.
        """
        request = filed.request

        def work(connection: Connection) -> None:
            connection.execute(
                sa.update(REQUESTS)
                .where(REQUESTS.c.id == request.id)
                .values(
                    state=state,
                    status=status.value if status else None,
                    reason=reason,
                    decided_by=actor,
                    updated_at=self._party.now,
                )
            )
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

        self._party.store.write(work)

    def _read(self, query: sa.Select[Any]) -> list[Filed]:
        """Return the requests of a query, each with its counterparts, in the query's order."""
        ids = query.with_only_columns(REQUESTS.c.id).subquery()
        said = sa.select(REQUEST_PEERS).where(REQUEST_PEERS.c.request.in_(sa.select(ids.c.id)))
        rows = self._party.store.rows(query)
        words: dict[str, list[sa.Row[Any]]] = {}
        for one in self._party.store.rows(said.order_by(REQUEST_PEERS.c.place)):
            words.setdefault(one.request, []).append(one)
        return [_read_filed(row, words[row.id]) for row in rows]


def _note_word(connection: Connection, request_id: str, peer: str, word: str) -> None:
    connection.execute(
        sa.update(REQUEST_PEERS)
        .where(REQUEST_PEERS.c.request == request_id, REQUEST_PEERS.c.peer == peer)
        .values(word=word)
    )


def _read_filed(row: sa.Row[Any], said: Sequence[sa.Row[Any]]) -> Filed:
    return Filed(
        Request.decode(row.body.encode()),
        bool(row.mine),
        tuple(one.peer for one in said),
        tuple(one.word for one in said),
        row.state,
        row.status,
        row.reason,
        row.created_at,
        row.updated_at,
    )
