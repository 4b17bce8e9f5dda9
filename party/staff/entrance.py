"""Who may come in: a password is tried, slower each time that it fails, and told by the log.

Failures count against the account and against the address they come from, in the store, so that a
start of the program forgets none. The first few are free; from then on whoever tries waits, twice
as long each time, up to a quarter of an hour. What is tried meanwhile is not looked at. An account
that does not exist is answered in the same time, with the same words and the same waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import SignInRefused
from party.schema import STAFF_DELAYS
from party.staff.accounts import Staff, StaffAccount, account_of
from party.staff.passwords import fits

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR: Final = "console"
"""How an entry names the console where it acts for nobody."""
LONGEST_SECONDS: Final = 15 * 60
FREE_OF_ACCOUNT: Final = 4
FREE_OF_ADDRESS: Final = 20
FORGOTTEN_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class Tried:
    """How it ended; `waits` where nothing was looked at, since it is too soon."""

    account: StaffAccount | None
    wait_seconds: int = 0
    waits: bool = False


class Entrance:
    """The door of one party's console."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def by_password(self, name: str, password: str, address: str) -> Tried:
        """Try a password for the account of a name, from a network address."""
        account, store = account_of(name), self._party.store
        counted = {
            _key("account", account): FREE_OF_ACCOUNT,
            _key("from", address): FREE_OF_ADDRESS,
        }
        wait = store.record(lambda connection: self._count(connection, counted))
        if wait > 0:
            return Tried(None, wait, waits=True)
        staff = Staff(self._party)
        right = fits(staff.password_of(account), password)
        found = staff.find(account) if right else None
        if found is not None:
            store.record(lambda connection: _forget(connection, *counted))
            return Tried(found)
        body = SignInRefused("password", account if staff.find(account) else None)
        self.note_refused(body)
        return Tried(None, store.read(lambda connection: self._wait(connection, counted)))

    def note_refused(self, body: SignInRefused) -> None:
        """Log that somebody was not let in."""
        journal = self._party.journal
        self._party.store.record(lambda c: journal.append(c, "console.refused", body, actor=ACTOR))

    def count_address(self, address: str) -> int:
        """Return how many seconds an address is to wait; where none, count a failure of it."""
        counted = {_key("from", address): FREE_OF_ADDRESS}
        return self._party.store.record(lambda connection: self._count(connection, counted))

    def forget_address(self, address: str) -> None:
        """Take back one failure of an address, from which somebody was let in."""
        key = _key("from", address)
        self._party.store.record(lambda connection: _fewer(connection, key))

    def _count(self, connection: Connection, counted: dict[bytes, int]) -> int:
        """Return how many seconds are to be waited still; where none, count a failure.

        It is counted before the password is looked at, so that many that come at once are too.
        """
        table, now = STAFF_DELAYS.c, self._party.now
        old = table.failed_at < now - FORGOTTEN_SECONDS
        connection.execute(sa.delete(STAFF_DELAYS).where(old))
        if (wait := self._wait(connection, counted)) > 0:
            return wait
        for key in counted:
            mine = table.id == key
            values = {"failures": table.failures + 1, "failed_at": now}
            if not connection.execute(sa.update(STAFF_DELAYS).where(mine).values(values)).rowcount:
                first = sa.insert(STAFF_DELAYS).values(id=key, failures=1, failed_at=now)
                connection.execute(first)
        return 0

    def _wait(self, connection: Connection, counted: dict[bytes, int]) -> int:
        """Return how many seconds are to be waited before the next try."""
        table, now = STAFF_DELAYS.c, self._party.now
        rows = connection.execute(sa.select(STAFF_DELAYS).where(table.id.in_(counted)))
        pauses = ((row.failed_at, _pause(row.failures, counted[row.id])) for row in rows)
        # a clock that was set back makes nobody wait longer than the pause
        return max((min(pause, max(0, at + pause - now)) for at, pause in pauses), default=0)


def _forget(connection: Connection, account: bytes, address: bytes) -> None:
    """Take back what was counted before a password that was right; of an account, all."""
    table = STAFF_DELAYS.c
    connection.execute(sa.delete(STAFF_DELAYS).where(table.id == account))
    _fewer(connection, address)


def _fewer(connection: Connection, address: bytes) -> None:
    table = STAFF_DELAYS.c
    fewer = sa.update(STAFF_DELAYS).where(table.id == address, table.failures > 0)
    connection.execute(fewer.values(failures=table.failures - 1))


def _pause(failures: int, free: int) -> int:
    beyond = failures - free
    return 0 if beyond <= 0 else min(LONGEST_SECONDS, 2 ** min(beyond, 30))


def _key(what: str, text: str) -> bytes:
    return sha256(f"{what} {text}".encode()).digest()
