"""Who is signed in: a session is a row here and a secret in one browser, which ends by itself.

It ends when nothing was asked for 30 minutes, 12 hours after it began in any case, when its owner
signs out, and when the account loses its role, its password or itself. The store has the secret's
SHA-256, so that whoever reads the store cannot use it.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import SignedIn, SignedOut
from audit.roles import BY_HAND
from party import accounts
from party.schema import STAFF_SESSIONS
from party.staff.accounts import Staff, StaffAccount

if TYPE_CHECKING:
    from party.organisation import Organisation

IDLE_SECONDS: Final = 30 * 60
LONGEST_SECONDS: Final = 12 * 3600
_SEEN_SECONDS: Final = 60
"""How exactly it is kept when a session was seen last: not every page writes."""


class Sessions:
    """The sessions of one party's console."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def begin(self, account: StaffAccount, by: str) -> str:
        """Sign somebody in, and return the secret of the new session; `by` as the log has it."""
        secret, now = secrets.token_urlsafe(32), self._party.now
        row = {"id": _digest(secret), "account": account.account, "began_at": now, "seen_at": now}

        def work(connection: Connection) -> None:
            connection.execute(sa.delete(STAFF_SESSIONS).where(_ended(now)))
            connection.execute(sa.insert(STAFF_SESSIONS).values(row))
            body = SignedIn(by)
            self._party.journal.append(connection, "console.signed_in", body, actor=BY_HAND)

        with accounts.acting_as(account.account):
            self._party.store.record(work)
        return secret

    def find(self, secret: str) -> StaffAccount | None:
        """Return who holds the secret of a session that goes on, and take note that it is used."""
        now, theirs = self._party.now, STAFF_SESSIONS.c.id == _digest(secret)
        table = STAFF_SESSIONS.c
        query = sa.select(table.account, table.seen_at).where(theirs, ~_ended(now))
        row = self._party.store.row(query)
        if row is None:
            return None
        if now - row.seen_at >= _SEEN_SECONDS:
            seen = sa.update(STAFF_SESSIONS).where(theirs).values(seen_at=now)
            self._party.store.record(lambda connection: connection.execute(seen))
        return Staff(self._party).find(row.account)

    def end(self, secret: str) -> None:
        """Sign out whoever holds the secret; it is worth nothing from now on."""
        theirs = STAFF_SESSIONS.c.id == _digest(secret)
        row = self._party.store.row(sa.select(STAFF_SESSIONS.c.account).where(theirs))
        if row is None:
            return

        def work(connection: Connection) -> None:
            if connection.execute(sa.delete(STAFF_SESSIONS).where(theirs)).rowcount:
                body = SignedOut()
                self._party.journal.append(connection, "console.signed_out", body, actor=BY_HAND)

        with accounts.acting_as(row.account):
            self._party.store.record(work)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _ended(now: int) -> sa.ColumnElement[bool]:
    table = STAFF_SESSIONS.c
    return (table.seen_at <= now - IDLE_SECONDS) | (table.began_at <= now - LONGEST_SECONDS)
