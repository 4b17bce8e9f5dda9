"""Which entries of the log speak of what, so that some of them are found without reading them all.

Each word - a kind, who acted, a request, a contract, a counterpart, a dataset - has a number, and
each entry the numbers of its own. It is for finding alone: what is shown is the entry itself, and
verifying the log holds the index against it (`Indexed`), so that nothing can be hidden by changing
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import DatasetErased, DatasetRegistered
from audit.entry import Entry
from party.schema import LOG_INDEX, LOG_WORDS

KIND, ACTOR, REQUEST, CONTRACT, PEER, DATASET = FIELDS = (
    "kind", "actor", "request", "contract", "peer", "dataset",
)  # fmt: skip
Words: TypeAlias = tuple[str | None, ...]
"""What an entry has in each of `FIELDS`."""
_AT_ONCE: Final = 500


def words_of(entry: Entry) -> Words:
    """Return what an entry speaks of."""
    body = entry.body
    request, peer = getattr(body, "request", None), getattr(body, "peer", None)
    if isinstance(body, DatasetRegistered | DatasetErased):
        dataset: str | None = body.name
    else:
        dataset = getattr(body, "dataset", None)
    return entry.kind, entry.actor, request, entry.contract, peer, dataset


def write_index(connection: Connection, entries: Sequence[tuple[int, Words]]) -> None:
    """Add entries, by their places, to the index; in the transaction that appends them.

    Two statements, however many words are new: an append to a log is what everything waits for.
    """
    pairs = {
        (field, word): {"field_": field, "word_": word}
        for _, words in entries
        for field, word in zip(FIELDS, words, strict=True)
        if word is not None
    }
    connection.execute(_NEW_WORD, [pairs[pair] for pair in sorted(pairs)])
    rows = [{"seq_": seq, **dict(zip(_BOUND, words, strict=True))} for seq, words in entries]
    connection.execute(_INDEXED, rows)


_BOUND: Final = tuple(f"{field}_" for field in FIELDS)
_KNOWN: Final = sa.select(LOG_WORDS.c.id).where(
    LOG_WORDS.c.field == sa.bindparam("field_"), LOG_WORDS.c.word == sa.bindparam("word_")
)
_NEW_WORD: Final = sa.insert(LOG_WORDS).from_select(
    ["field", "word"],
    sa.select(
        sa.bindparam("field_", type_=sa.String), sa.bindparam("word_", type_=sa.String)
    ).where(~_KNOWN.exists()),
    include_defaults=False,
)
"""Numbers a word that has no number yet."""


def _number(field: str) -> sa.ScalarSelect[int]:
    """Return the number of the word that is given for a field; null where none is."""
    of_field = LOG_WORDS.c.field == sa.literal_column(f"'{field}'")
    word = sa.bindparam(f"{field}_", type_=sa.String)
    return sa.select(LOG_WORDS.c.id).where(of_field, LOG_WORDS.c.word == word).scalar_subquery()


_INDEXED: Final = sa.insert(LOG_INDEX).values(
    seq=sa.bindparam("seq_"), **{field: _number(field) for field in FIELDS}
)


def known_words(connection: Connection, field: str) -> list[str]:
    """Return every word of a field that some entry has, in order."""
    query = sa.select(LOG_WORDS.c.word).where(LOG_WORDS.c.field == field)
    return sorted(connection.execute(query).scalars())


class Indexed:
    """What an index says of a log, entry by entry, as one digest."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def take(self, seq: int, words: Words) -> None:
        """Take in the next entry."""
        self._digest.update(f"{seq} {words}\n".encode())

    def digest(self) -> bytes:
        """Return the digest of all that was taken."""
        return self._digest.digest()


def stored_rows(connection: Connection, size: int) -> Iterator[tuple[int, Words]]:
    """Yield what the index says of each of the first `size` entries, in order."""
    known = {row.id: row.word for row in connection.execute(sa.select(LOG_WORDS))}
    query = sa.select(LOG_INDEX).where(LOG_INDEX.c.seq < size).order_by(LOG_INDEX.c.seq)
    for seq, *numbers in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield seq, tuple(None if one is None else known.get(one, "") for one in numbers)


def stored_index(connection: Connection, size: int) -> bytes:
    """Return the digest of what the index says of the first `size` entries."""
    indexed = Indexed()
    for seq, words in stored_rows(connection, size):
        indexed.take(seq, words)
    return indexed.digest()


def first_amiss(connection: Connection, entries: Iterable[Entry], size: int) -> int:
    """Return the place of the first of `size` entries that the index has otherwise."""
    expected = ((entry.seq, words_of(entry)) for entry in entries)
    pairs = zip_longest(stored_rows(connection, size), expected)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), size)
