"""Requests as the store keeps them: filed once, decided once, each with its log entry."""

from __future__ import annotations

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
from party.schema import REQUESTS
from party.session_record import FAILED, FINISHED

if TYPE_CHECKING:
    from party.organisation import Organisation

PENDING, APPROVED, REFUSED = "pending", "approved", "refused"


@dataclass(frozen=True)
class Filed:
    """A request as it stands here."""

    request: Request
    mine: bool
    peer: str
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
        return [_read_filed(row) for row in self._party.store.rows(query)]

    def find(self, wanted: str) -> Filed:
        """Return the request whose id starts with `wanted`.

        Raises:
            PartyError: there is none, or more than one.
        """
        query = sa.select(REQUESTS).where(REQUESTS.c.id.startswith(wanted, autoescape=True))
        rows = self._party.store.rows(query.limit(2))
        if len(rows) != 1:
            what = "no request" if not rows else "more than one request"
            raise PartyError(f"{what} starts with {wanted}: see `commonground requests list`")
        return _read_filed(rows[0])

    def get(self, request_id: str) -> Filed | None:
        """Return the request of exactly this id, or None."""
        row = self._party.store.row(sa.select(REQUESTS).where(REQUESTS.c.id == request_id))
        return None if row is None else _read_filed(row)

    def file(
        self,
        request: Request,
        contract: Contract,
        *,
        mine: bool,
        peer: str,
        state: str,
        actor: str,
        naming: Naming | None = None,
    ) -> None:
        """File a request and log it, once; `naming` is for the list that it makes."""

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
                    peer=peer,
                    kind=str(request.kind),
                    body=request.encode().decode(),
                    state=state,
                    created_at=self._party.now,
                    updated_at=self._party.now,
                    number=number.scalar_subquery(),
                )
            )
            if naming is not None:
                register(connection, request.id, naming)
            step = RequestStep(request.id, request.digest, str(request.kind))
            kind = "request.made" if mine or state == PENDING else "request.approved"
            self._party.journal.append(
                connection, kind, step, actor=actor, contract=contract.digest
            )

        self._party.store.write(work)

    def settle(
        self,
        filed: Filed,
        state: str,
        status: RefusalStatus | None,
        reason: str | None,
        *,
        actor: str,
    ) -> None:
        """Record and log a decision on a request; without a `status` it is approved."""
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


def _read_filed(row: sa.Row[Any]) -> Filed:
    return Filed(
        Request.decode(row.body.encode()),
        bool(row.mine),
        row.peer,
        row.state,
        row.status,
        row.reason,
        row.created_at,
        row.updated_at,
    )
