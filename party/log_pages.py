"""Pages of the log, newest first: so many entries before or after one, of those that are wanted.

A page is found by the log's index and costs the same however long the log is. Where several things
are asked for, the rarest leads: the index is walked by it, and the others are looked at on the way.
What costs more is to find nothing where each of several things is frequent and no entry has all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import ConsentSnapshot
from audit.entry import Entry
from languages import message
from party.errors import PartyError
from party.log_index import ACTOR, CONTRACT, KIND, PEER, REQUEST
from party.schema import LOG_ENTRIES, LOG_INDEX, LOG_WORDS, SESSIONS
from party.selection import Selection, names_in
from party.store import Store, begins_with

MOST: Final = 50
MOST_REQUESTS: Final = 20
"""Requests whose ids begin alike, at most, of which a page is made."""
_FREQUENT: Final = 5_000
"""From so many entries on a word is as frequent as any other."""
_AT_ONCE: Final = 500
_SNAPSHOTS: Final = 16
_DATA: Final = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == sa.bindparam("place"))
_Places: TypeAlias = tuple[sa.Column[Any], int]
_Terms: TypeAlias = list[_Places]
"""What an entry must have, any of these: a column of the index, and a word's number."""


@dataclass(frozen=True)
class LogPage:
    """Entries of a log of `size`, newest first.

    `older` and `newer` say whether there are more that are wanted, before and after these.
    """

    entries: tuple[Entry, ...]
    size: int
    older: bool
    newer: bool


def page_of(
    store: Store,
    wanted: Selection,
    *,
    before: int | None = None,
    after: int | None = None,
    most: int = MOST,
) -> LogPage:
    """Return the newest entries that are wanted, or those next `before` or `after` a place.

    Raises:
        PartyError: too many requests begin as is wanted.
        AuditError: an entry is malformed.
    """
    return store.read(lambda connection: _page(connection, wanted, before, after, most))


def _page(
    connection: Connection, wanted: Selection, before: int | None, after: int | None, most: int
) -> LogPage:
    size = _size(connection)
    first, end = _bounds(connection, wanted, size)
    terms = _terms(connection, wanted)
    upward = after is not None and before is None
    start = first if after is None else max(first, after + 1)
    stop = end if before is None else min(end, before)
    places = _places(connection, terms, start, stop, most + 1, upward=upward)
    more, places = len(places) > most, places[:most]
    shown = sorted(places, reverse=True)
    at = (shown[-1], shown[0]) if shown else (stop, start - 1)
    older = more if not upward else _any(connection, terms, first, at[0])
    newer = more if upward else _any(connection, terms, at[1] + 1, end)
    found = reversed(entries_at(connection, shown[::-1]))
    entries = tuple(one for one in found if wanted.admits(one))
    return LogPage(entries, size, older, newer)


def entry_at(store: Store, place: int) -> Entry | None:
    """Return the entry at a place in the log, or None."""
    query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == place)
    row = store.row(query)
    return None if row is None else Entry.parse(row.data)


def entries_of(
    connection: Connection,
    *,
    kinds: Sequence[str] = (),
    start: int = 0,
    before: int | None = None,
    oldest: int | None = None,
    newest: int | None = None,
    **words: str,
) -> list[Entry]:
    """Return the entries that have each word in its field of the index, oldest first.

    They are of any of the `kinds` or families of kinds, and their places are from `start` on and
    `before` another; of all these the `oldest` so many, or the `newest`. The first of the words
    leads.
    """
    stop, upward = _size(connection) if before is None else before, newest is None
    terms = _named(connection, kinds, words)
    places = _places(connection, terms, start, stop, oldest or newest, upward=upward)
    return entries_at(connection, places if upward else places[::-1])


def snapshot_before(connection: Connection, sequence: int, before: int) -> Entry | None:
    """Return the snapshot of consent of a number, which was taken not long before a place."""
    kinds = ["consent.snapshot"]
    while some := entries_of(connection, kinds=kinds, before=before, newest=_SNAPSHOTS):
        for entry in reversed(some):
            if isinstance(entry.body, ConsentSnapshot) and entry.body.sequence <= sequence:
                return entry if entry.body.sequence == sequence else None
        before = some[0].seq
    return None


def entries_at(connection: Connection, places: Sequence[int]) -> list[Entry]:
    """Return the entries at some places, which are in order."""
    found: list[Entry] = []
    for start in range(0, len(places), _AT_ONCE):
        some = LOG_ENTRIES.c.seq.in_(places[start : start + _AT_ONCE])
        query = sa.select(LOG_ENTRIES.c.data).where(some).order_by(LOG_ENTRIES.c.seq)
        found += map(Entry.parse, connection.execute(query).scalars())
    return found


def count_of(connection: Connection, *, kinds: Sequence[str], **words: str) -> int:
    """Return how many entries of such kinds have each word in its field of the index."""
    terms = _named(connection, kinds, words)
    if not all(terms):
        return 0
    conditions = (sa.or_(*(column == number for column, number in term)) for term in terms)
    query = sa.select(sa.func.count()).select_from(LOG_INDEX).where(*conditions)
    return connection.execute(query).scalar_one()


def _named(connection: Connection, kinds: Sequence[str], words: Mapping[str, str]) -> list[_Terms]:
    terms = [_of(connection, field, LOG_WORDS.c.word == word) for field, word in words.items()]
    return [*terms, _of(connection, KIND, _any_kind(kinds))] if kinds else terms


# -- what is asked for, as numbers of the index ---------------------------------------------------


def _terms(connection: Connection, wanted: Selection) -> list[_Terms]:
    """Return what all must hold, the rarest first."""
    found: list[_Terms] = []
    word = LOG_WORDS.c.word
    if wanted.session is not None:
        found.append(_of(connection, REQUEST, _begins(connection, wanted.session)))
        if len(found[0]) > MOST_REQUESTS:
            raise PartyError(
                message(
                    "more than {most_requests} requests or sessions start with "
                    "{session}: give more of its digits",
                    most_requests=MOST_REQUESTS,
                    session=wanted.session,
                )
            )
    if wanted.peer is not None:
        found.append(
            _of(connection, PEER, word == wanted.peer)
            + _of(connection, CONTRACT, word.in_(wanted.contracts_with))
        )
    if wanted.kinds:
        found.append(_of(connection, KIND, _any_kind(wanted.kinds)))
    if wanted.actor is not None:
        rows = connection.execute(sa.select(LOG_WORDS).where(LOG_WORDS.c.field == ACTOR))
        ids = [row.id for row in rows if wanted.actor in names_in(row.word)]
        found.append([(LOG_INDEX.c.actor, one) for one in ids])
    if wanted.contract is not None:
        found.append(_of(connection, CONTRACT, word == wanted.contract))
    if len(found) > 1:
        found.sort(key=lambda term: _frequency(connection, term))
    return found


def _any_kind(kinds: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition on a word that it is one of these kinds, or of one of these families."""
    word = LOG_WORDS.c.word
    return sa.or_(
        *(sa.or_(word == one, word.startswith(f"{one}.", autoescape=True)) for one in kinds)
    )


def _frequency(connection: Connection, term: _Terms) -> int:
    """Return how many entries a term has, counted as far as it matters."""
    found = 0
    for column, number in term:
        some = sa.select(LOG_INDEX.c.seq).where(column == number).limit(_FREQUENT - found)
        found += connection.execute(
            sa.select(sa.func.count()).select_from(some.subquery())
        ).scalar_one()
        if found >= _FREQUENT:
            break
    return found


def _of(connection: Connection, field: str, condition: sa.ColumnElement[bool]) -> _Terms:
    query = sa.select(LOG_WORDS.c.id).where(LOG_WORDS.c.field == field, condition)
    ids = connection.execute(query.limit(MOST_REQUESTS + 1 if field == REQUEST else None)).scalars()
    return [(LOG_INDEX.c[field], one) for one in ids]


def _begins(connection: Connection, digits: str) -> sa.ColumnElement[bool]:
    """Return the condition on a word that it is a request of this beginning, or of such a session.

    A session's id is looked for by whole bytes; digits that are none are of no session.
    """
    begins = begins_with(LOG_WORDS.c.word, digits)
    try:
        start = bytes.fromhex(digits[: len(digits) // 2 * 2])
    except ValueError:
        return begins
    if not start:
        return begins
    query = sa.select(SESSIONS.c.request, SESSIONS.c.session_id).where(
        SESSIONS.c.session_id >= start, SESSIONS.c.session_id <= start + b"\xff" * 32
    )
    rows = connection.execute(query.limit(MOST_REQUESTS + 1))
    named = [row.request for row in rows if row.session_id.hex().startswith(digits)]
    return sa.or_(begins, LOG_WORDS.c.word.in_(named))


# -- time, as places: it never goes back in a log ------------------------------------------------


def _bounds(connection: Connection, wanted: Selection, size: int) -> tuple[int, int]:
    first = 0 if wanted.since is None else first_from(connection, wanted.since, size)
    end = size if wanted.until is None else first_from(connection, wanted.until, size)
    return first, end


def first_from(connection: Connection, moment: str, size: int | None = None) -> int:
    """Return the place of the first entry from a time on, as entries have it; for none the size."""
    low, high = 0, _size(connection) if size is None else size
    while low < high:
        middle = (low + high) // 2
        data = connection.execute(_DATA, {"place": middle}).scalar_one_or_none()
        if Entry.parse(data or b"").time < moment:
            low = middle + 1
        else:
            high = middle
    return low


# -- finding --------------------------------------------------------------------------------------


def _places(
    connection: Connection,
    terms: Sequence[_Terms],
    start: int,
    stop: int,
    most: int | None,
    *,
    upward: bool = False,
) -> list[int]:
    """Return the first `most` places from `start` to before `stop` that meet all terms, in order.

    Of the term that leads, each word has its own walk, in the order of the log, and all are merged.
    """
    seq = LOG_INDEX.c.seq
    order: Callable[[Any], Any] = sa.asc if upward else sa.desc
    if start >= stop or not all(terms):
        return []
    within = sa.select(seq).where(seq >= start, seq < stop)
    if not terms:
        return list(connection.execute(within.order_by(order(seq)).limit(most)).scalars())
    leading, *others = terms
    for term in others:
        within = within.where(sa.or_(*(_unled(column) == number for column, number in term)))
    walks = [
        sa.select(within.where(column == number).order_by(order(seq)).limit(most).subquery().c.seq)
        for column, number in leading
    ]
    merged = sa.union(*walks).subquery()
    query = sa.select(merged.c.seq).order_by(order(merged.c.seq)).limit(most)
    return list(connection.execute(query).scalars())


def _unled(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a column's value by an expression that no index is for: another one leads."""
    return column + 0


def _any(connection: Connection, terms: Sequence[_Terms], start: int, stop: int) -> bool:
    return bool(_places(connection, terms, start, stop, 1))


def _size(connection: Connection) -> int:
    """Return how many entries there are, whatever the checkpoint says."""
    last = connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
    return 0 if last is None else int(last) + 1
