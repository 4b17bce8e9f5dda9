"""Who was erased, and the log entries that are about one person: rows in the party's store.

Both name people by keyed tokens only, under two keys, so that the two tables say nothing of each
other, and neither says anything without the node key.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.datasets.erased import TOKEN_BYTES, Erased
from party.schema import ERASED, SALTS, SUBJECT_ENTRIES
from psi.sets import Buffer

if TYPE_CHECKING:
    from party.organisation import Organisation

SUBJECT: Final = "subject"
"""The context of commitments to people."""


def erased_of(party: Organisation, population: str) -> Erased:
    """Return the people of a population who take part in nothing any more."""
    query = sa.select(ERASED.c.token).where(ERASED.c.population.in_(("", population)))
    tokens = b"".join(row.token for row in party.store.rows(query))
    rows = np.frombuffer(tokens, dtype=np.uint8).reshape(-1, TOKEN_BYTES)
    return Erased(erasure_key(party), population, rows)


def erasure_key(party: Organisation) -> bytes:
    """Return the secret under which the tokens of erased people stand."""
    return _key(party, b"erased")


def enter_erased(
    connection: Connection, tokens: Iterable[bytes], population: str, *, now: int
) -> None:
    """Enter tokens of a person; `population` is empty for those of identifiers."""
    for token in dict.fromkeys(tokens):
        key = (ERASED.c.token == token, ERASED.c.population == population)
        if connection.execute(sa.select(ERASED.c.token).where(*key)).first() is None:
            connection.execute(
                sa.insert(ERASED).values(population=population, token=token, erased_at=now)
            )


def commit_to(
    party: Organisation, connection: Connection, subjects: Iterable[bytes], words: bytes
) -> str:
    """Return a salted commitment (hex) to what a person is known by, for an entry about them.

    Its salt is deleted when somebody of these subjects is erased.
    """
    commitment = party.journal.commit_to(connection, SUBJECT, words)
    for subject in dict.fromkeys(subjects):
        connection.execute(
            sa.insert(SUBJECT_ENTRIES).values(subject=subject, commitment=bytes.fromhex(commitment))
        )
    return commitment


def forget_salts(connection: Connection, subjects: Iterable[bytes]) -> None:
    """Delete the salts of all entries about people, so that nobody can tell whose they are."""
    mine = SUBJECT_ENTRIES.c.subject.in_(list(subjects))
    found = connection.execute(sa.select(SUBJECT_ENTRIES.c.commitment).where(mine)).scalars().all()
    connection.execute(sa.delete(SALTS).where(SALTS.c.commitment.in_(found)))
    connection.execute(sa.delete(SUBJECT_ENTRIES).where(SUBJECT_ENTRIES.c.commitment.in_(found)))


def subject_key(party: Organisation) -> bytes:
    """Return the secret under which log entries find the people whom they are about."""
    return _key(party, b"entries")


def rows_of(tokens: Buffer) -> list[bytes]:
    """Return the rows of (n, 16) tokens as byte strings."""
    return [token.tobytes() for token in tokens]


def _key(party: Organisation, what: bytes) -> bytes:
    return hmac.digest(party.identity.people_key, what, "sha256")
