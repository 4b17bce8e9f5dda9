"""The records of consent in a party's store: written with the log entry about them, and read.

A person is found by a keyed hash of the id that the datasets have; the id itself is never stored.
Every batch of events is one entry of the log, which carries the root of a Merkle tree over them:
`consent.recorded` for what people say to a notice, `consent.withdrawn` for what they take back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from languages import message
from party.consent.book import Book, Subject, event_of, tokens_of
from party.consent.events import MICROSECONDS, Act, By, Event, State, require_subject, said_badly
from party.consent.notice import Notice
from party.consent.standing import GIVEN, ORDER, SILENT, Question, ends_after, standing
from party.errors import ConsentError
from party.journal import Journal
from party.schema import CONSENT_BATCHES, CONSENT_EVENTS, CONSENT_NOTICES, CONSENT_SUBJECTS
from party.store import Store
from psi.sets import Buffer

_PAGE: Final = 50_000  # rows; what a query brings is held once


@dataclass(frozen=True)
class Person:
    """One person's records: who it is by commitment, and all that they have said, in order."""

    subject: Subject
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Latest:
    """What people say to one question.

    `tokens` (n, 32) finds each of them by `ConsentRecords.token_key`; `says` (n,) int8 is GIVEN,
    REFUSED or SILENT.
    """

    tokens: Buffer
    says: npt.NDArray[np.int8]


class ConsentRecords:
    """One party's records of consent."""

    def __init__(
        self, store: Store, journal: Journal, token_key: bytes, clock: Callable[[], float]
    ) -> None:
        self._store, self._journal, self._clock = store, journal, clock
        self.token_key = token_key

    # -- notices --------------------------------------------------------------------------

    def notices(self) -> dict[str, Notice]:
        """Return the notices by digest, in the order in which they came."""
        query = sa.select(CONSENT_NOTICES).order_by(CONSENT_NOTICES.c.stored_at)
        return {row.digest: _read_notice(row) for row in self._store.rows(query)}

    def notice(self, name: str) -> Notice:
        """Return the latest notice of a name.

        Raises:
            ConsentError: there is none.
        """
        found = [notice for notice in self.notices().values() if notice.name == name]
        if not found:
            raise ConsentError(
                message(
                    "no notice {name} is known here: give its file, and it is from now on",
                    name=name,
                )
            )
        return found[-1]

    # -- writing --------------------------------------------------------------------------

    def record(self, notice: Notice, acts: Sequence[Act], *, actor: str) -> int:
        """Record what people say to a notice; return how many acts were not recorded before.

        What is recorded already, at the same time and about the same, is not recorded twice.

        Raises:
            ConsentError: an act does not serve; nothing is recorded.
        """
        now = self.now
        for place, act in enumerate(acts, start=1):
            problem = act.problem(notice, now)
            if problem is not None:
                raise ConsentError(
                    message(
                        "statement {place}: {problem}. Nothing was recorded",
                        place=place,
                        problem=problem,
                    )
                )

        def work(connection: Connection) -> int:
            book = Book(connection, self._journal, self.token_key)
            book.keep_notice(notice, now // MICROSECONDS)
            new = book.record(notice, acts)
            book.close(notice, actor=actor)
            return new

        return self._store.write(work)

    def withdraw(
        self,
        subject: str,
        *,
        purpose: str | None = None,
        recipient: str | None = None,
        by: By = By.SUBJECT,
        how: str = "request",
        actor: str,
    ) -> tuple[Subject, int]:
        """Take back what a person has consented to; return who it is, and the batch.

        Without `purpose` or `recipient` it is all of it. It counts from now on.

        Raises:
            ConsentError: nothing of that is given.
        """
        problem = said_badly(subject, how)
        if problem is not None:
            raise ConsentError(problem)
        notices = self.notices()

        def work(connection: Connection) -> tuple[Subject, int]:
            person = _read_person(
                lambda query: list(connection.execute(query)), self.token_key, subject
            )
            records = self._given(person, notices, purpose, recipient) if person else []
            if person is None or not records:
                raise ConsentError(
                    message(
                        "nothing of that stands as given for this id in the records "
                        "here: look at `commonground consent show ID`, and at how the id "
                        "is written. Consent in a column or table of a dataset is "
                        "changed there"
                    )
                )
            at = max([self.now, *(event.at for event in person.events)])
            book = Book(connection, self._journal, self.token_key)
            book.add(
                [
                    (
                        person.subject.number,
                        Event(
                            event.record, event.subject, event.notice, State.WITHDRAWN, at,
                            purpose, recipient, by, how,
                        ),
                    )
                    for event in records
                ]
            )  # fmt: skip
            closed = book.close(None, actor=actor)
            return person.subject, closed[State.WITHDRAWN]

        return self._store.write(work)

    @staticmethod
    def forget(connection: Connection, subject: Subject) -> None:
        """Delete what leads from an id to a person's records, in a transaction of the caller's.

        The log still verifies, and nobody can say any more whom these records are about.
        """
        connection.execute(
            sa.update(CONSENT_SUBJECTS)
            .where(CONSENT_SUBJECTS.c.id == subject.number)
            .values(token=None, salt=None)
        )
        connection.execute(
            sa.update(CONSENT_EVENTS)
            .where(CONSENT_EVENTS.c.subject == subject.number)
            .values(tc_string=None)
        )

    # -- reading --------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time in microseconds since 1970."""
        return int(self._clock() * MICROSECONDS)

    def find(self, subject: str) -> Person | None:
        """Return the records of the person with an id, None where there are none.

        Raises:
            ConsentError: one of them is not what was logged.
        """
        return _read_person(self._store.rows, self.token_key, subject)

    def standing(self, person: Person, question: Question) -> int:
        """Return what a person says now: GIVEN, REFUSED or SILENT."""
        return standing(person.events, self.notices(), question, self.now)

    def digest(self) -> bytes:
        """Return what names the records as they are: all batches, and how many can be found."""
        digest = hashlib.sha256(b"commonground/consent-records/v1")
        for row in self._store.rows(
            sa.select(CONSENT_BATCHES.c.root).order_by(CONSENT_BATCHES.c.id)
        ):
            digest.update(row.root)
        (found,) = self._store.rows(sa.select(sa.func.count(CONSENT_SUBJECTS.c.token)))
        digest.update(int(found[0]).to_bytes(8, "big"))
        return digest.digest()

    def latest(self, question: Question, until: float | None) -> Latest:
        """Return what everybody says to a question, by what was said until then (Unix seconds)."""
        now = self.now if until is None else int(until * MICROSECONDS)
        notices = {
            digest: notice
            for digest, notice in self.notices().items()
            if notice.covers(question.purpose, question.recipient)
        }
        lasting = {digest: ends_after(notice) for digest, notice in notices.items()}
        meaning: dict[tuple[str, str, str, bool], int | None] = {}
        people, times, saying = [], [], []
        for row in self._events(notices, question, now):
            key = (row.state, row.by, row.notice, row.recipient is not None)
            if key not in meaning:
                state, by, notice = State(row.state), By(row.by), notices[row.notice]
                meaning[key] = question.says(state, by, notice, names_recipient=key[3])
            says = meaning[key]
            if says is None:
                continue
            lasts = lasting[row.notice]
            if says == GIVEN and lasts is not None and row.at + lasts <= now:
                says = SILENT
            people.append(row.subject)
            times.append(row.at)
            saying.append(says)
        return self._with_tokens(*_last_of_each(people, times, saying))

    def _events(
        self, notices: Mapping[str, Notice], question: Question, now: int
    ) -> Iterator[sa.Row[Any]]:
        """Yield the events that speak of a question, a page at a time."""
        table = CONSENT_EVENTS
        query = sa.select(
            table.c.seq, table.c.subject, table.c.state, table.c.by, table.c.notice,
            table.c.recipient, table.c.at,
        ).where(
            table.c.notice.in_(list(notices)),
            table.c.at <= now,
            sa.or_(table.c.purpose.is_(None), table.c.purpose == question.purpose),
            sa.or_(table.c.recipient.is_(None), table.c.recipient == question.recipient),
        )  # fmt: skip
        yield from self._pages(query, table.c.seq)

    def _with_tokens(self, people: npt.NDArray[np.int64], says: npt.NDArray[np.int8]) -> Latest:
        """Return what people say who can be found; whom nothing leads to says nothing."""
        table = CONSENT_SUBJECTS
        query = sa.select(table.c.id, table.c.token).where(table.c.token.is_not(None))
        numbers, tokens = [], bytearray()
        for row in self._pages(query, table.c.id):
            numbers.append(row.id)
            tokens += row.token
        known = np.array(numbers, dtype=np.int64)
        found, place, of = np.intersect1d(known, people, return_indices=True)
        del found
        rows = np.frombuffer(bytes(tokens), dtype=np.uint8).reshape(-1, 32)
        return Latest(np.ascontiguousarray(rows[place]), says[of])

    def _pages(self, query: sa.Select[Any], number: sa.Column[int]) -> Iterator[sa.Row[Any]]:
        start = -1
        while True:
            page = self._store.rows(query.where(number > start).order_by(number).limit(_PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            start = page[-1][0]

    def _given(
        self,
        person: Person,
        notices: Mapping[str, Notice],
        purpose: str | None,
        recipient: str | None,
    ) -> list[Event]:
        """Return the last event of each record by which something that is asked about is given."""
        now = self.now
        shown = {event.notice: notices[event.notice] for event in person.events}
        given = [
            one
            for one in {grant for notice in shown.values() for grant in notice.grants}
            if purpose in (None, one[0])
            and recipient in (None, one[1])
            and standing(person.events, notices, Question(*one), now) == GIVEN
        ]
        last = {event.notice: event for event in person.events}
        return [
            event
            for event in last.values()
            if any(shown[event.notice].covers(*one) for one in given)
        ]


def _last_of_each(
    people: Sequence[int], times: Sequence[int], saying: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return each person once, and what their latest event says."""
    who = np.array(people, dtype=np.int64)
    says = np.array(saying, dtype=np.int8)
    weight = np.array([ORDER[SILENT], ORDER[0], ORDER[GIVEN]], dtype=np.int8)[says + 1]
    order = np.lexsort((weight, np.array(times, dtype=np.int64), who))
    who, says = who[order], says[order]
    last = np.ones(len(who), dtype=np.bool_)
    last[:-1] = who[1:] != who[:-1]
    return who[last], says[last]


def _read_person(
    rows: Callable[[sa.Select[Any]], list[sa.Row[Any]]], key: bytes, subject: str
) -> Person | None:
    (token,) = tokens_of(key, [subject])
    found = rows(sa.select(CONSENT_SUBJECTS).where(CONSENT_SUBJECTS.c.token == token))
    if not found:
        return None
    (row,) = found
    who = Subject(row.id, row.commitment, row.salt)
    require_subject(who.commitment, subject, who.salt)
    table = CONSENT_EVENTS
    query = sa.select(table).where(table.c.subject == who.number).order_by(table.c.seq)
    events = []
    for one in rows(query):
        event = event_of(one, who.commitment)
        if event.leaf() != one.leaf:
            raise ConsentError(
                message(
                    "a stored record of consent is not what was logged: it was "
                    "changed afterwards. Restore the store from a backup"
                )
            )
        events.append(event)
    return Person(who, tuple(events))


def _read_notice(row: sa.Row[Any]) -> Notice:
    notice = Notice.of_document(json.loads(row.body), f"the stored notice {row.name}")
    if notice.digest != row.digest:
        raise ConsentError(
            message(
                "the stored notice {name} is not what people were shown: it was "
                "changed afterwards. Restore the store from a backup",
                name=row.name,
            )
        )
    return notice
