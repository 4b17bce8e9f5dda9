"""The party's log in its store: entries are appended in the transaction they speak of.

Every transaction that appends ends with a checkpoint over the whole log, so a log without its
last entries does not verify; many entries in one transaction make a group, with one checkpoint.
Checkpoints of counterparts are witnessed here: looked up, checked and stored in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.checkpoint import (
    Checkpoint,
    CosignatureVerifier,
    open_checkpoint,
    verify_cosignature,
    with_cosignatures,
)
from audit.commitment import commit, new_salt
from audit.entry import Entry, format_time, parse_time
from audit.errors import RollbackError, StaleError, TreeError
from audit.merkle import CompactRange, consistency_proof, leaf_hash, verify_consistency
from audit.note import Verifier
from audit.shapes import Record
from audit.tlog_proof import LogProof, prove
from audit.witness import witness
from party.access import standing_of
from party.identity import Identity
from party.log_index import Words, words_of, write_index
from party.log_tree import nodes_within, tile_rows
from party.schema import (
    COSIGNATURES,
    LOG_ENTRIES,
    LOG_HEAD,
    LOG_NODES,
    OUTSIDE_WITNESSES,
    SALTS,
    WITNESSED,
)
from party.store import Store

Clock = Callable[[], float]
_COSIGNATURES: Final = 100
_HEAD: Final = sa.select(LOG_HEAD)
_LAST: Final = sa.select(LOG_ENTRIES.c.data).order_by(LOG_ENTRIES.c.seq.desc()).limit(1)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Head:
    """The log as it stands: its tree's frontier and the signed checkpoint."""

    tree: CompactRange
    checkpoint: str


class Group:
    """Entries that one transaction appends together, under one checkpoint (`Journal.group`)."""

    def __init__(self, connection: Connection, identity: Identity, clock: Clock) -> None:
        self._connection, self._identity, self._clock = connection, identity, clock
        self._first = self._tree = _read_head(connection).tree
        self._last = _last_moment(connection)
        self._standing = standing_of(connection)
        self._entries: list[dict[str, Any]] = []
        self._words: list[tuple[int, Words]] = []
        self._nodes: list[dict[str, Any]] = []

    def append(
        self,
        kind: str,
        body: Record,
        *,
        actor: str,
        session: str | None = None,
        contract: str | None = None,
        moment: datetime | None = None,
    ) -> int:
        """Take the next entry and return its place in the log; see `Journal.append`."""
        seq = self._tree.size
        self._last = moment or max(datetime.fromtimestamp(self._clock(), UTC), self._last)
        entry = Entry(
            seq=seq,
            time=format_time(self._last),
            kind=kind,
            party=self._identity.name,
            actor=self._standing.sign(kind, actor),
            body=body,
            session=session,
            contract=contract,
        )
        data = entry.encode()
        leaf = leaf_hash(data)
        self._tree, closed = self._tree.grow(leaf)
        self._entries.append({"seq": seq, "data": data, "leaf": leaf})
        self._words.append((seq, words_of(entry)))
        self._nodes += tile_rows(seq, closed)
        return seq

    def write(self) -> None:
        """Store what was taken, and sign the log with it."""
        if not self._entries:
            return
        self._connection.execute(sa.insert(LOG_ENTRIES), self._entries)
        if self._nodes:
            self._connection.execute(sa.insert(LOG_NODES), self._nodes)
        write_index(self._connection, self._words)
        tree = self._tree
        checkpoint = Checkpoint(self._identity.log_origin, tree.size, tree.root())
        values = {
            "size": tree.size,
            "frontier": tree.frontier(),
            "checkpoint": checkpoint.sign(self._identity.signer),
        }
        if self._first.size:
            self._connection.execute(sa.update(LOG_HEAD).values(values))
        else:
            self._connection.execute(sa.insert(LOG_HEAD).values(id=1, **values))


class Journal:
    """Appends to one party's log and witnesses others'."""

    def __init__(self, store: Store, identity: Identity, clock: Clock) -> None:
        self._store, self._identity, self._clock = store, identity, clock

    def moment(self, connection: Connection, now: float) -> datetime:
        """Return the time of an entry that is written at `now`: never before the last entry's.

        What depends on the time of an entry is decided by this, also when the clock was set back.
        """
        return max(datetime.fromtimestamp(now, UTC), _last_moment(connection))

    @contextmanager
    def group(self, connection: Connection) -> Iterator[Group]:
        """Append many entries inside a transaction: rows in bulk, and one checkpoint at the end.

        Until the block ends nothing else may append in this transaction; if it raises, nothing is
        written.
        """
        group = Group(connection, self._identity, self._clock)
        yield group
        group.write()

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
    ) -> int:
        """Append an entry inside a transaction; if it cannot be written, nothing is.

        `actor` is who or what has done it; where the party has members, the entry says besides
        whose process it was, and in which role. `moment` is its time where this transaction has
        asked for it before, to decide by it.

        Returns:
            The entry's place in the log, from 0.

        Raises:
            NotEntitled: the role of whoever is at work does not write entries of this kind.
        """
        with self.group(connection) as group:
            return group.append(
                kind, body, actor=actor, session=session, contract=contract, moment=moment
            )

    def commit_to(
        self, connection: Connection, context: str, value: bytes, *, request: str | None = None
    ) -> str:
        """Return a salted commitment (hex) to `value`.

        Salt and value stay in the store; those of a request as long as its session's artefacts.
        """
        salt = new_salt()
        commitment = commit(context, value, salt)
        row = {"commitment": commitment, "salt": salt, "value": value, "request": request}
        connection.execute(sa.insert(SALTS).values(row))
        return commitment.hex()

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the log as it stands."""
        row = self._store.row(sa.select(LOG_HEAD.c.checkpoint))
        return "" if row is None else str(row.checkpoint)

    @property
    def size(self) -> int:
        """The number of entries."""
        row = self._store.row(sa.select(LOG_HEAD.c.size))
        return 0 if row is None else int(row.size)

    def offer(self, seen_size: int) -> tuple[str, tuple[bytes, ...]]:
        """Return the log's checkpoint, and the proof that it extends what another saw of it.

        Raises:
            TreeError: the other one saw more than there is.
        """

        def work(connection: Connection) -> tuple[str, tuple[bytes, ...]]:
            head = _read_head(connection)
            size = head.tree.size
            proof = consistency_proof(nodes_within(connection, size), seen_size, size)
            return head.checkpoint, proof

        return self._store.read(work)

    def receipt(self, seq: int) -> LogProof:
        """Return the offline receipt of an entry, with the entry in it.

        Its checkpoint is the one that most witnesses have cosigned, of the latest that cover the
        entry, and of several such the newest; while nobody has, it is the log's own.

        Raises:
            TreeError: the log has no such entry.
        """

        def work(connection: Connection) -> LogProof:
            head = _read_head(connection)
            query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == seq)
            data = connection.execute(query).scalar_one_or_none()
            if data is None:
                raise TreeError(f"the log has {head.tree.size} entries and no entry {seq}")
            note = _vouched(connection, seq) or head.checkpoint
            return prove(nodes_within(connection, head.tree.size), seq, note, data)

        return self._store.read(work)

    def cosigned_size(self, cosigner: str) -> int:
        """Return the size of this log that a witness cosigned last, 0 for none."""
        largest = sa.select(sa.func.max(COSIGNATURES.c.size).label("size"))
        row = self._store.row(largest.where(COSIGNATURES.c.cosigner == cosigner))
        return int(row.size) if row is not None and row.size is not None else 0

    def seen_size(self, origin: str) -> int:
        """Return the size of a counterpart's log that was witnessed last, 0 for none."""
        row = self._store.row(
            sa.select(sa.func.max(WITNESSED.c.size).label("size")).where(
                WITNESSED.c.origin == origin
            )
        )
        return int(row.size) if row is not None and row.size is not None else 0

    def seen_checkpoint(self, origin: str) -> str:
        """Return the checkpoint of a counterpart's log that was witnessed last, "" for none."""
        newest = sa.select(WITNESSED.c.checkpoint).where(WITNESSED.c.origin == origin)
        row = self._store.row(newest.order_by(WITNESSED.c.size.desc()))
        return "" if row is None else str(row.checkpoint)

    def require_extends(self, note: str) -> int:
        """Require that the log still holds all that a checkpoint of its own covers.

        Returns the checkpoint's size.

        Raises:
            RollbackError: it covers more entries than the log has.
            audit.errors.AuditError: this log has not signed it, or says something else now.
        """
        seen = open_checkpoint(note, self._identity.verifier)

        def work(connection: Connection) -> None:
            tree = _read_head(connection).tree
            if seen.size > tree.size:
                raise RollbackError(
                    f"{seen.size} entries of this log were seen, and it has {tree.size}",
                    seen_size=seen.size,
                )
            proof = consistency_proof(nodes_within(connection, tree.size), seen.size, tree.size)
            verify_consistency(seen.size, seen.root, tree.size, tree.root(), proof)

        self._store.read(work)
        return seen.size

    def witness(self, note: str, log: Verifier, proof: Sequence[bytes], base: int) -> str:
        """Check a log's checkpoint against the last one seen, store it, and return our cosignature.

        Looking up, checking and storing are one transaction, so that of two calls at once none
        rolls the other back. `base` is the size from which the proof leads.

        Raises:
            StaleError: another size was seen last; nothing is stored or attested.
            audit.errors.AuditError: it is not signed, smaller, or does not extend what was seen.
        """

        def work(connection: Connection) -> str:
            row = connection.execute(
                sa.select(WITNESSED.c.checkpoint)
                .where(WITNESSED.c.origin == log.name)
                .order_by(WITNESSED.c.size.desc())
                .limit(1)
            ).first()
            last = None if row is None else open_checkpoint(row.checkpoint, log)
            seen_size = 0 if last is None else last.size
            if seen_size != base:
                raise StaleError(
                    f"{log.name} proves from {base} entries, and {seen_size} were seen last",
                    seen_size=seen_size,
                )
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

    def attested(self, note: str, origin: str) -> str:
        """Return the cosignature that was given on exactly this checkpoint of a log, "" for none.

        It can be given again at any time, since it attests nothing new.
        """
        row = self._store.row(
            sa.select(WITNESSED.c.line).where(
                WITNESSED.c.origin == origin, WITNESSED.c.checkpoint == note
            )
        )
        return "" if row is None else str(row.line)

    def keep_cosignature(
        self,
        checkpoint: str,
        line: str,
        cosigner: CosignatureVerifier,
        *,
        outside: bool = False,
    ) -> None:
        """Verify a cosignature on our checkpoint and store it; "" is none.

        The key of a witness `outside` the contracts is stored with it, so that whoever verifies
        the log finds it, also when the settings name the witness no longer.

        Raises:
            audit.errors.AuditError: it is not its signature on this checkpoint.
        """
        if not line:
            return
        own = open_checkpoint(checkpoint, self._identity.verifier)
        verify_cosignature(own, line, [cosigner])

        def work(connection: Connection) -> None:
            if outside:
                _remember(connection, cosigner.vkey, int(self._clock()))
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


def _read_head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).first()
    if row is None:
        return Head(CompactRange(), "")
    return Head(CompactRange.from_bytes(row.size, row.frontier), row.checkpoint)


def _vouched(connection: Connection, seq: int) -> str | None:
    """Return the checkpoint over an entry that most witnesses have cosigned, with their lines.

    Of a long log the latest are looked at.
    """
    size = COSIGNATURES.c.size
    query = sa.select(COSIGNATURES).where(size > seq).order_by(size.desc()).limit(_COSIGNATURES)
    lines: dict[tuple[int, str], list[str]] = {}
    for row in connection.execute(query):
        lines.setdefault((row.size, row.checkpoint), []).append(row.line)
    if not lines:
        return None
    _, note = best = max(lines, key=lambda one: (len(lines[one]), one[0]))
    return with_cosignatures(note, lines[best])


def _remember(connection: Connection, vkey: str, now: int) -> None:
    key = OUTSIDE_WITNESSES.c.vkey
    if connection.execute(sa.select(key).where(key == vkey)).first() is None:
        connection.execute(sa.insert(OUTSIDE_WITNESSES).values(vkey=vkey, since=now))


def _last_moment(connection: Connection) -> datetime:
    data = connection.execute(_LAST).scalar_one_or_none()
    return _BEFORE_ALL if data is None else parse_time(Entry.parse(data).time)
