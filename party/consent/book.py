"""Rows of consent records, written inside one transaction: people, events, batches, log entries."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import ConsentRecorded, ConsentWithdrawn
from audit.commitment import new_salt
from audit.merkle import root
from audit.shapes import Record
from party.consent.events import Act, By, Event, State, commit_to_subject
from party.consent.notice import Notice
from party.journal import Journal
from party.schema import CONSENT_BATCHES, CONSENT_EVENTS, CONSENT_NOTICES, CONSENT_SUBJECTS
from psi.arrow import texts
from psi.row_hashes import mac_texts

COUNT: Final = "consent statements"
"""The context of commitments to how many statements a batch has."""
_CHUNK: Final = 5_000  # people looked up together; SQLite takes 32,766 variables in a query


@dataclass(frozen=True)
class Subject:
    """A person of the records: the row's number, the commitment, and the salt that opens it."""

    number: int
    commitment: bytes
    salt: bytes


class Book:
    """What one transaction writes: `statements` and `withdrawals` become a batch each."""

    def __init__(self, connection: Connection, journal: Journal, key: bytes) -> None:
        self._connection, self._journal, self._key = connection, journal, key
        self._seq = _next(connection, CONSENT_EVENTS.c.seq)
        self._batches: dict[bool, int] = {}
        self._leaves: dict[bool, list[bytes]] = {True: [], False: []}

    def keep_notice(self, notice: Notice, now: int) -> None:
        """Store a notice, unless it is there."""
        known = sa.select(CONSENT_NOTICES.c.digest).where(CONSENT_NOTICES.c.digest == notice.digest)
        if self._connection.execute(known).first() is None:
            self._connection.execute(
                sa.insert(CONSENT_NOTICES).values(
                    digest=notice.digest, name=notice.name, body=notice.text, stored_at=now
                )
            )

    def record(self, notice: Notice, acts: Sequence[Act]) -> int:
        """Write down what people say to a notice; return how many acts were not known before."""
        new = 0
        for start in range(0, len(acts), _CHUNK):
            chunk = acts[start : start + _CHUNK]
            subjects, known = self._subjects([act.subject for act in chunk])
            threads = self._threads(known, notice)
            events = []
            for act in chunk:
                subject = subjects[act.subject]
                event = threads.setdefault(subject.number, _Thread()).next(act, subject, notice)
                if event is not None:
                    events.append((subject.number, event))
            self.add(events)
            new += len(events)
        return new

    def add(self, events: Sequence[tuple[int, Event]]) -> None:
        """Write events of people by number, in order."""
        rows = []
        for number, event in events:
            takes_back = event.state is State.WITHDRAWN
            leaf = event.leaf()
            self._leaves[takes_back].append(leaf)
            rows.append(
                {
                    "seq": self._seq,
                    "batch": self._batch(takes_back),
                    "record": event.record,
                    "subject": number,
                    "notice": event.notice,
                    "state": str(event.state),
                    "at": event.at,
                    "purpose": event.purpose,
                    "recipient": event.recipient,
                    "by": str(event.by),
                    "how": event.how,
                    "supersedes": event.supersedes,
                    "tc_string": event.tc_string,
                    "leaf": leaf,
                }
            )
            self._seq += 1
        if rows:
            self._connection.execute(sa.insert(CONSENT_EVENTS), rows)

    def close(self, notice: Notice | None, *, actor: str) -> dict[State, int]:
        """Log what was written, and return the batch of withdrawals and that of the others."""
        closed = {}
        for takes_back, batch in self._batches.items():
            leaves = self._leaves[takes_back]
            top = root(leaves)
            count = self._journal.commit_to(self._connection, COUNT, len(leaves).to_bytes(8, "big"))
            body: Record
            if takes_back:
                kind, body = "consent.withdrawn", ConsentWithdrawn(top.hex(), count)
            else:
                assert notice is not None  # only what is taken back may be of several notices
                kind, body = "consent.recorded", ConsentRecorded(notice.digest, top.hex(), count)
            entry = self._journal.append(self._connection, kind, body, actor=actor)
            self._connection.execute(
                sa.update(CONSENT_BATCHES)
                .where(CONSENT_BATCHES.c.id == batch)
                .values(entry=entry, root=top)
            )
            closed[State.WITHDRAWN if takes_back else State.GIVEN] = batch
        return closed

    def _batch(self, takes_back: bool) -> int:
        """Return the batch that an event belongs to; its entry and root are known at the end."""
        if takes_back not in self._batches:
            batch = _next(self._connection, CONSENT_BATCHES.c.id)
            self._connection.execute(
                sa.insert(CONSENT_BATCHES).values(id=batch, entry=0, root=bytes(32))
            )
            self._batches[takes_back] = batch
        return self._batches[takes_back]

    def _subjects(self, ids: Sequence[str]) -> tuple[Mapping[str, Subject], set[int]]:
        """Return the people of ids, and the numbers of those who were known before."""
        distinct = list(dict.fromkeys(ids))
        tokens = dict(zip(distinct, tokens_of(self._key, distinct), strict=True))
        query = sa.select(CONSENT_SUBJECTS).where(CONSENT_SUBJECTS.c.token.in_(tokens.values()))
        known = {bytes(row.token): row for row in self._connection.execute(query)}
        found, new = {}, []
        number = _next(self._connection, CONSENT_SUBJECTS.c.id)
        for subject, token in tokens.items():
            row = known.get(token)
            if row is not None:
                found[subject] = Subject(row.id, row.commitment, row.salt)
                continue
            salt = new_salt()
            made = Subject(number, commit_to_subject(subject, salt), salt)
            new.append({"id": number, "token": token, "commitment": made.commitment, "salt": salt})
            found[subject] = made
            number += 1
        if new:
            self._connection.execute(sa.insert(CONSENT_SUBJECTS), new)
        return found, {row.id for row in known.values()}

    def _threads(self, numbers: set[int], notice: Notice) -> dict[int, _Thread]:
        """Return what people have said to a notice so far."""
        if not numbers:
            return {}
        table = CONSENT_EVENTS
        query = (
            sa.select(table)
            .where(table.c.subject.in_(numbers), table.c.notice == notice.digest)
            .order_by(table.c.seq)
        )
        threads: dict[int, _Thread] = {}
        for row in self._connection.execute(query):
            threads.setdefault(row.subject, _Thread()).note(
                row.record, (row.state, row.at, row.purpose, row.recipient)
            )
        return threads


class _Thread:
    """What one person has said to one notice: the latest record, and every act of theirs."""

    def __init__(self) -> None:
        self._record: str | None = None
        self._known: set[tuple[str, int, str | None, str | None]] = set()

    def note(self, record: str, act: tuple[str, int, str | None, str | None]) -> None:
        self._record = record
        self._known.add(act)

    def next(self, act: Act, subject: Subject, notice: Notice) -> Event | None:
        """Return the event that an act is, None where it stands there already.

        A consent begins a record, which supersedes the one before it; what follows belongs to it.
        """
        key = (str(act.state), act.at, act.purpose, act.recipient)
        if key in self._known:
            return None
        before = self._record
        begins = before is None or act.state is State.GIVEN
        record = secrets.token_hex(16) if begins or before is None else before
        self.note(record, key)
        return Event(
            record=record,
            subject=subject.commitment,
            notice=notice.digest,
            state=act.state,
            at=act.at,
            purpose=act.purpose,
            recipient=act.recipient,
            by=act.by,
            how=act.how,
            supersedes=before if begins else None,
            tc_string=act.tc_string,
        )


def tokens_of(key: bytes, ids: Sequence[str]) -> Iterator[bytes]:
    """Yield what the store finds each person by."""
    for row in mac_texts(key, texts(ids)):
        yield row.tobytes()


def event_of(row: sa.Row[Any], commitment: bytes) -> Event:
    """Return the event in a row of the store, of the person with this commitment."""
    return Event(
        record=row.record,
        subject=commitment,
        notice=row.notice,
        state=State(row.state),
        at=row.at,
        purpose=row.purpose,
        recipient=row.recipient,
        by=By(row.by),
        how=row.how,
        supersedes=row.supersedes,
        tc_string=row.tc_string,
    )


def _next(connection: Connection, column: sa.Column[int]) -> int:
    """Return one more than the highest number of a column."""
    highest = connection.execute(sa.select(sa.func.max(column))).scalar_one()
    return 1 + (highest or 0)
