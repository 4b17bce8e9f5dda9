"""The suppression runs of one list in the store, each written with the log entry about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import ListSuppressed
from audit.shapes import Record
from party.errors import Refusal
from party.incidents import incident_of
from party.schema import SUPPRESSION_RUNS
from party.suppression.list_session import ListSession
from party.suppression.run import Acknowledgement, SuppressionRun
from psi.legs import RECEIVER
from psi.points import POINT_BYTES, Points

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR: Final = "suppression"
WAITING, DONE, REFUSED = "waiting", "done", "refused"
"""A run that was made and not acknowledged, one that is applied, one that was not taken."""


@dataclass(frozen=True)
class Entered:
    """A run as it stands here; `signature` is the receiver's, empty until it is done."""

    number: int
    state: str
    digest: bytes
    signature: bytes
    changed_at: int


class Book:
    """The runs of one list at one party."""

    def __init__(self, party: Organisation, session: ListSession) -> None:
        self._party, self._session = party, session

    def entered(self, number: int) -> Entered | None:
        """Return one run, unless it was never made or taken."""
        return next((run for run in self.runs() if run.number == number), None)

    def runs(self) -> list[Entered]:
        """Return the runs that were made or taken, in order."""
        table = SUPPRESSION_RUNS
        rows = self._party.store.rows(
            sa.select(table)
            .where(table.c.request == self._session.request.id, table.c.state != REFUSED)
            .order_by(table.c.number)
        )
        return [
            Entered(row.number, row.state, row.digest, row.signature, row.changed_at)
            for row in rows
        ]

    def read_run(self, number: int) -> SuppressionRun:
        """Return a run that was made or taken, with its points."""
        key = self._key(number)
        row = self._party.store.row(sa.select(SUPPRESSION_RUNS.c.points).where(*key))
        return SuppressionRun(number, b"" if row is None else row.points)

    def used_points(self) -> Points:
        """Return the points of every run so far, shape (n, 32)."""
        parts = [self.read_run(run.number).as_points for run in self.runs()]
        return np.concatenate([np.empty((0, POINT_BYTES), np.uint8), *parts])

    # -- rows and entries ------------------------------------------------------------------

    def make(self, run: SuppressionRun) -> None:
        """Enter a run of the sender's, which waits for its acknowledgement.

        A run of this number that another process has entered meanwhile stays.
        """

        def work(connection: Connection) -> None:
            row = self._row(connection, run.number)
            if row is None or row.state == REFUSED:
                self._put(connection, run, state=WAITING, signature=b"")

        self._party.store.write(work)

    def finish(
        self,
        run: SuppressionRun,
        acknowledgement: Acknowledgement,
        also: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Enter a run as applied and log it, once; do `also` in the same transaction."""

        def work(connection: Connection) -> None:
            row = self._row(connection, run.number)
            if row is not None and row.state == DONE:
                return
            also(connection)
            self._put(connection, run, state=DONE, signature=acknowledgement.signature)
            body = ListSuppressed(
                request=self._session.request.id,
                recipient=self._session.request.roles[RECEIVER],
                run=run.number,
                digest=acknowledgement.digest.hex(),
            )
            self._log(connection, "list.suppressed", body)

        self._party.store.write(work)

    def note_incident(self, number: int, refusal: Refusal) -> None:
        """Log what the counterpart did wrong, once a run: repeating it fills no log."""
        incident = incident_of(refusal)
        if incident is None or not 1 <= number <= self._session.runs:
            return

        def work(connection: Connection) -> None:
            row = self._row(connection, number)
            if row is not None and row.incident:
                return
            if row is None:
                nothing = SuppressionRun(number, b"")
                self._put(connection, nothing, state=REFUSED, signature=b"")
            key = self._key(number)
            connection.execute(sa.update(SUPPRESSION_RUNS).where(*key).values(incident=1))
            self._log(connection, *incident)

        self._party.store.write(work)

    def _row(self, connection: Connection, number: int) -> sa.Row[Any] | None:
        return connection.execute(sa.select(SUPPRESSION_RUNS).where(*self._key(number))).first()

    def _put(
        self, connection: Connection, run: SuppressionRun, *, state: str, signature: bytes
    ) -> None:
        values = {
            "state": state,
            "points": run.points,
            "digest": run.digest(self._session.session_id),
            "signature": signature,
            "changed_at": self._party.now,
        }
        table, key = SUPPRESSION_RUNS, self._key(run.number)
        if self._row(connection, run.number) is None:
            named = {"request": self._session.request.id, "number": run.number, "incident": 0}
            connection.execute(sa.insert(table).values(**named, **values))
        else:
            connection.execute(sa.update(table).where(*key).values(**values))

    def _key(self, number: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        table = SUPPRESSION_RUNS
        return (table.c.request == self._session.request.id, table.c.number == number)

    def _log(self, connection: Connection, kind: str, body: Record) -> None:
        self._party.journal.append(
            connection,
            kind,
            body,
            actor=ACTOR,
            session=self._session.session_id.hex(),
            contract=self._session.contract.digest,
        )


def forget_points(connection: Connection, request_id: str) -> None:
    """Delete the points of a list's runs, which serve nothing after the list's end."""
    connection.execute(
        sa.update(SUPPRESSION_RUNS)
        .where(SUPPRESSION_RUNS.c.request == request_id)
        .values(points=b"")
    )
