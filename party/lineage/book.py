"""Lineage events in a party's store, each made in the transaction that it is about.

The event is written with the log entry that it tells of, and its SHA-256 is entered in the log
right after (`lineage.emitted`). A session that ends before it has started has no event: there was
no run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import BudgetSpent, ConsentReference, LineageEmitted, SessionFailed
from audit.entry import Entry, parse_time
from audit.tlog_proof import prove
from party.contract import Contract
from party.identity import Identity
from party.journal import Journal
from party.ledger import DISCLOSURE, STOP
from party.lineage.event import Facts, Field, Input, Proof, encode, event_type_of
from party.log_tree import nodes_within
from party.request import Request
from party.schema import (
    CONSENT_SNAPSHOTS,
    DATASETS,
    LEDGER,
    LINEAGE_EVENTS,
    LOG_ENTRIES,
    LOG_HEAD,
    RESULTS,
    SESSIONS,
)
from party.terms import Terms
from psi.legs import RECEIVER, RECIPIENT

if TYPE_CHECKING:
    from reports.estimate import Estimate

START: Final = "START"
COMPLETE: Final = "COMPLETE"


@dataclass(frozen=True)
class Teller:
    """Tells of one request's session at the party `me`."""

    journal: Journal
    identity: Identity
    contract: Contract
    request: Request
    me: str

    def tell(self, connection: Connection, seq: int, *, actor: str) -> None:
        """Make the event of the entry at `seq`, where it is one that is told, once.

        `actor` is how the entry came about.
        """
        query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == seq)
        entry = Entry.parse(connection.execute(query).scalar_one())
        kind = event_type_of(entry.kind)
        told = self._told(connection)
        if kind is None or kind in told or (kind != START and START not in told):
            return
        data = encode(self._facts(connection, entry))
        body = LineageEmitted(self.request.id, kind, sha256(data).hexdigest())
        at = self.journal.append(
            connection,
            "lineage.emitted",
            body,
            actor=actor,
            session=entry.session,
            contract=entry.contract,
            moment=parse_time(entry.time),  # a charge reads the clock once
        )
        connection.execute(
            sa.insert(LINEAGE_EVENTS).values(
                seq=at, request=self.request.id, type=kind, data=data.decode()
            )
        )

    def _told(self, connection: Connection) -> set[str]:
        query = sa.select(LINEAGE_EVENTS.c.type).where(LINEAGE_EVENTS.c.request == self.request.id)
        return set(connection.execute(query).scalars())

    def _facts(self, connection: Connection, entry: Entry) -> Facts:
        request, terms = self.request, Terms.of(self.request)
        opening = connection.execute(
            sa.select(SESSIONS.c.input_root, CONSENT_SNAPSHOTS)
            .join(CONSENT_SNAPSHOTS, CONSENT_SNAPSHOTS.c.sequence == SESSIONS.c.consent_sequence)
            .where(SESSIONS.c.request == request.id)
        ).one()
        kind = event_type_of(entry.kind)
        assert kind is not None
        cells = 1
        for labels in request.labels.values():
            cells *= len(labels.values)
        return Facts(
            type=kind,
            time=entry.time,
            namespace=self._namespace(self.me),
            job=f"{self.contract.id}.{request.kind}",
            request=request.id,
            contract=request.contract,
            session=entry.session,
            role=terms.role_of(self.me),
            inputs=[self._input(connection, name, opening.input_root) for name in self._parties],
            owners=[self.contract.parties[self._owner].organisation],
            is_list=terms.is_match,
            cells=None if terms.is_match else cells,
            matched=self._matched(connection) if kind == COMPLETE else None,
            dataset=opening.dataset,
            purpose=request.purpose,
            recipient=", ".join(name for name in request.participants if name != self.me),
            consent=ConsentReference(opening.root.hex(), opening.sequence, opening.taken_at),
            spends=self._spends(connection),
            proof=self._proof(connection, entry),
            failure=entry.body.reason if isinstance(entry.body, SessionFailed) else None,
        )

    def _matched(self, connection: Connection) -> Estimate | None:
        """Estimate what the released table counts in all, where this party has it.

        As in what may be passed on: a function of the noisy table and of what is public.
        """
        from reports.cells import ShareableEstimates
        from reports.table import ReleasedTable

        query = sa.select(RESULTS.c.body).where(RESULTS.c.request == self.request.id)
        stored = connection.execute(query).scalar()
        table = json.loads(stored).get("table") if stored else None
        if table is None:
            return None
        laws = Terms.of(self.request).table_laws
        estimates = ShareableEstimates(ReleasedTable.from_dict(table), laws)
        return estimates.sum(estimates.block(estimates.all_rows, estimates.all_columns))

    @property
    def _parties(self) -> list[str]:
        """This party, then the others in the order of their roles."""
        others = [name for name in self.request.participants if name != self.me]
        return [self.me, *others]

    @property
    def _owner(self) -> str:
        """Who gets what the request brings."""
        terms = Terms.of(self.request)
        return terms.party_of(RECEIVER if terms.is_match else RECIPIENT)

    def _namespace(self, party: str) -> str:
        """Return the origin of a party's log, as its key in the contract has it."""
        return f"commonground://{self.contract.parties[party].identity.partition('+')[0]}"

    def _input(self, connection: Connection, party: str, root: bytes) -> Input:
        name, own = self.request.datasets[party], party == self.me
        asked = self.request.labels[party].name if party in self.request.labels else None
        if own:
            row = connection.execute(sa.select(DATASETS).where(DATASETS.c.name == name)).first()
            columns, sources = _declared(row.definition if row else "{}", asked)
        else:
            stated = self.contract.datasets[party][name]
            columns = tuple(Field(one, f"id.{one}") for one in stated.identifiers)
            columns += tuple(Field(label, "label") for label in stated.labels)
            sources = ()
        return Input(
            namespace=self._namespace(party),
            name=name,
            owner=self.contract.parties[party].organisation,
            columns=columns,
            labels=() if asked is None else (Field(asked, "label", sources),),
            version=root.hex() if own else None,
        )

    def _spends(self, connection: Connection) -> list[BudgetSpent]:
        rows = connection.execute(
            sa.select(LEDGER)
            .where(LEDGER.c.request == self.request.id, LEDGER.c.what != STOP)
            .order_by(LEDGER.c.id)
        )
        return [
            BudgetSpent(
                request=row.request,
                population=row.population,
                coalition=row.coalition,
                window=row.window_start,
                epsilon_nano=row.epsilon_nano,
                rho_nano=row.rho_nano,
                delta_e15=row.delta_e15,
                what="disclosure" if row.what == DISCLOSURE else "dp",
            )
            for row in rows
        ]

    def _proof(self, connection: Connection, entry: Entry) -> Proof:
        head = connection.execute(sa.select(LOG_HEAD)).one()
        receipt = prove(nodes_within(connection, head.size), entry.seq, head.checkpoint)
        return Proof(self.identity.log_origin, entry.kind, entry.seq, receipt.text())


def _declared(definition: str, asked: str | None) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """Return a dataset's columns as it declares them, and those that a label is made from."""
    from party.datasets import Definition

    document = json.loads(definition)
    if not document:
        return (), ()
    read = Definition.from_dict(document)
    columns = tuple(Field(column.name, column.kind) for column in read.columns)
    label = None if asked is None else read.labels.get(asked)
    return columns, () if label is None else label.columns
