"""The party's log in its store: entries are appended in the transaction they speak of.

Every transaction that appends ends with a checkpoint over the whole log, so a log without its
last entries does not verify. Checkpoints of counterparts are witnessed here: looked up,
checked and stored in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.checkpoint import (
    Checkpoint,
    CosignatureVerifier,
    open_checkpoint,
    verify_cosignature,
)
from audit.commitment import commit, new_salt
from audit.entry import Entry, format_time, parse_time
from audit.merkle import CompactRange, StoredLeaves, consistency_proof, leaf_hash
from audit.note import Verifier
from audit.shapes import Record
from audit.witness import witness
from party.identity import Identity
from party.schema import COSIGNATURES, LOG_ENTRIES, LOG_HEAD, SALTS, WITNESSED
from party.store import Store

Clock = Callable[[], float]
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Head:
    """The log as it stands: its tree's frontier and the signed checkpoint."""

    tree: CompactRange
    checkpoint: str


class Journal:
    """Appends to one party's log and witnesses others'."""

    def __init__(self, store: Store, identity: Identity, clock: Clock) -> None:
        self._store, self._identity, self._clock = store, identity, clock

    def moment(self, connection: Connection, now: float) -> datetime:
        """Return the time of an entry that is written at `now`: never before the last entry's.

        What depends on the time of an entry is decided by this, also when the clock was set back.
        """
        return max(datetime.fromtimestamp(now, UTC), _last_moment(connection))

    def append(
        self,
        connection: Connection,
        kind: str,
        body: Record,
        *,
        actor: str,
        session: str | None = None,
        contract: str | None = None,
        moment: datetime | None = None,
    ) -> None:
        """Append an entry inside a transaction; if it cannot be written, nothing is.

        `moment` is its time where this transaction has asked for it before, to decide by it.
        """
        head = _read_head(connection)
        entry = Entry(
            seq=head.tree.size,
            time=format_time(moment or self.moment(connection, self._clock())),
            kind=kind,
            party=self._identity.name,
            actor=actor,
            body=body,
            session=session,
            contract=contract,
        )
        data = entry.encode()
        leaf = leaf_hash(data)
        tree = head.tree.append(leaf)
        checkpoint = Checkpoint(self._identity.log_origin, tree.size, tree.root())
        connection.execute(sa.insert(LOG_ENTRIES).values(seq=head.tree.size, data=data, leaf=leaf))
        values = {
            "size": tree.size,
            "frontier": tree.frontier(),
            "checkpoint": checkpoint.sign(self._identity.signer),
        }
        if head.tree.size == 0:
            connection.execute(sa.insert(LOG_HEAD).values(id=1, **values))
        else:
            connection.execute(sa.update(LOG_HEAD).values(values))

    def commit_to(self, connection: Connection, context: str, value: bytes) -> str:
        """Return a salted commitment (hex) to `value`; its salt stays in the store."""
        salt = new_salt()
        commitment = commit(context, value, salt)
        connection.execute(sa.insert(SALTS).values(commitment=commitment, salt=salt, value=value))
        return commitment.hex()

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the log as it stands."""
        row = self._store.row(sa.select(LOG_HEAD.c.checkpoint))
        return "" if row is None else str(row.checkpoint)

    def consistency_from(self, seen_size: int) -> tuple[bytes, ...]:
        """Return the proof that the log extends what a counterpart saw of it."""
        row = self._store.row(sa.select(LOG_HEAD.c.size))
        size = 0 if row is None else int(row.size)
        if seen_size in (0, size):
            return ()
        return consistency_proof(StoredLeaves(self._leaves), seen_size, size)

    def seen_size(self, origin: str) -> int:
        """Return the size of a counterpart's log that was witnessed last, 0 for none."""
        row = self._store.row(
            sa.select(sa.func.max(WITNESSED.c.size).label("size")).where(
                WITNESSED.c.origin == origin
            )
        )
        return int(row.size) if row is not None and row.size is not None else 0

    def witness(self, note: str, log: Verifier, proof: Sequence[bytes], base: int) -> str:
        """Check a counterpart's checkpoint against the last one, store it, cosign it.

        `base` is the size that the counterpart was told we saw last. When another session
        has witnessed a newer checkpoint meanwhile, the proof does not reach it: nothing is
        stored or attested, and the line is empty.

        Raises:
            audit.errors.AuditError: it is not signed, smaller, or does not extend what was seen.
        """

        def work(connection: Connection) -> str:
            row = connection.execute(
                sa.select(WITNESSED.c.checkpoint)
                .where(WITNESSED.c.origin == log.name)
                .order_by(WITNESSED.c.size.desc())
            ).first()
            last = None if row is None else open_checkpoint(row.checkpoint, log)
            if last is not None and last.size != base:
                return ""
            seen = witness(
                note,
                log=log,
                last=last,
                proof=proof,
                cosigner=self._identity.cosigner,
                time=int(self._clock()),
            )
            if last is None or seen.checkpoint.size > last.size:
                connection.execute(
                    sa.insert(WITNESSED).values(
                        origin=log.name,
                        size=seen.checkpoint.size,
                        checkpoint=note,
                        line=seen.line,
                    )
                )
            return seen.line

        return self._store.write(work)

    def keep_cosignature(self, checkpoint: str, line: str, cosigner: CosignatureVerifier) -> None:
        """Verify a counterpart's cosignature on our checkpoint and store it; "" is none.

        Raises:
            audit.errors.AuditError: it is not its signature on this checkpoint.
        """
        if not line:
            return
        own = open_checkpoint(checkpoint, self._identity.verifier)
        verify_cosignature(own, line, [cosigner])

        def work(connection: Connection) -> None:
            known = sa.select(COSIGNATURES.c.size).where(
                COSIGNATURES.c.size == own.size, COSIGNATURES.c.cosigner == cosigner.name
            )
            if connection.execute(known).first() is None:
                connection.execute(
                    sa.insert(COSIGNATURES).values(
                        size=own.size, cosigner=cosigner.name, checkpoint=checkpoint, line=line
                    )
                )

        self._store.write(work)

    def _leaves(self, start: int, stop: int) -> list[bytes]:
        rows = self._store.rows(
            sa.select(LOG_ENTRIES.c.leaf)
            .where(LOG_ENTRIES.c.seq >= start, LOG_ENTRIES.c.seq < stop)
            .order_by(LOG_ENTRIES.c.seq)
        )
        return [row.leaf for row in rows]


def _read_head(connection: Connection) -> Head:
    row = connection.execute(sa.select(LOG_HEAD)).first()
    if row is None:
        return Head(CompactRange(), "")
    return Head(CompactRange.from_bytes(row.size, row.frontier), row.checkpoint)


def _last_moment(connection: Connection) -> datetime:
    query = sa.select(LOG_ENTRIES.c.data).order_by(LOG_ENTRIES.c.seq.desc()).limit(1)
    data = connection.execute(query).scalar_one_or_none()
    return _BEFORE_ALL if data is None else parse_time(Entry.parse(data).time)
