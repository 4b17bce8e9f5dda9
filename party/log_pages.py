"""Pages of the log, newest first: so many entries before or after one, of those that are wanted.

A page is found by the log's index and costs the same however long the log is. Where several things
are asked for, the rarest leads: the index is walked by it, and the others are looked at on the way.
What costs more is to find nothing where each of several things is frequent and no entry has all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.entry import Entry
from languages import message
from party.errors import PartyError
from party.log_index import ACTOR, CONTRACT, KIND, PEER, REQUEST
from party.schema import LOG_ENTRIES, LOG_INDEX, LOG_WORDS, SESSIONS
from party.selection import Selection, names_in
from party.store import Store

MOST: Final = 50
MOST_REQUESTS: Final = 20
"""Requests whose ids begin alike, at most, of which a page is made."""
_FREQUENT: Final = 5_000
"""From so many entries on a word is as frequent as any other."""
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
    entries = tuple(one for one in _read(connection, shown) if wanted.admits(one))
    return LogPage(entries, size, older, newer)


def entry_at(store: Store, place: int) -> Entry | None:
    """Return the entry at a place in the log, or None."""
    query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == place)
    row = store.row(query)
    return None if row is None else Entry.parse(row.data)


def entries_of(connection: Connection, field: str, word: str) -> list[Entry]:
    """Return the entries that have a word in a field of the index, oldest first."""
    column = LOG_INDEX.c[field]
    number = sa.select(LOG_WORDS.c.id).where(LOG_WORDS.c.field == field, LOG_WORDS.c.word == word)
    query = (
        sa.select(LOG_ENTRIES.c.data)
        .join(LOG_INDEX, LOG_INDEX.c.seq == LOG_ENTRIES.c.seq)
        .where(column == number.scalar_subquery())
        .order_by(LOG_ENTRIES.c.seq)
    )
    return [Entry.parse(data) for data in connection.execute(query).scalars()]


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
        kinds = (
            sa.or_(word == kind, word.startswith(f"{kind}.", autoescape=True))
            for kind in wanted.kinds
        )
        found.append(_of(connection, KIND, sa.or_(*kinds)))
    if wanted.actor is not None:
        rows = connection.execute(sa.select(LOG_WORDS).where(LOG_WORDS.c.field == ACTOR))
        ids = [row.id for row in rows if wanted.actor in names_in(row.word)]
        found.append([(LOG_INDEX.c.actor, one) for one in ids])
    if wanted.contract is not None:
        found.append(_of(connection, CONTRACT, word == wanted.contract))
    if len(found) > 1:
        found.sort(key=lambda term: _frequency(connection, term))
    return found


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
    begins = LOG_WORDS.c.word.startswith(digits, autoescape=True)
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
    first = 0 if wanted.since is None else _first_from(connection, wanted.since, size)
    end = size if wanted.until is None else _first_from(connection, wanted.until, size)
    return first, end


def _first_from(connection: Connection, moment: str, size: int) -> int:
    """Return the place of the first entry from a time on, `size` for none."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq == middle)
        data = connection.execute(query).scalar_one_or_none()
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
    most: int,
    *,
    upward: bool,
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
    return bool(_places(connection, terms, start, stop, 1, upward=False))


def _read(connection: Connection, places: Sequence[int]) -> list[Entry]:
    query = sa.select(LOG_ENTRIES.c.data).where(LOG_ENTRIES.c.seq.in_(places))
    return [Entry.parse(data) for data in
            connection.execute(query.order_by(LOG_ENTRIES.c.seq.desc())).scalars()]  # fmt: skip


def _size(connection: Connection) -> int:
    """Return how many entries there are, whatever the checkpoint says."""
    last = connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
    return 0 if last is None else int(last) + 1
