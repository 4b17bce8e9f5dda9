"""Accounts that the party keeps itself, each in one role, with a password, a provider or a token.

Each grant, change of role and removal is in the log (`access.granted`, `access.removed`), as of
members of the machine. A token is told once; the store has its SHA-256. An account that has ended,
lost its role or was removed acts no more from the next step on (`party.access`).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import AccessGranted, AccessRemoved, PasswordSet
from audit.roles import BY_HAND, Role
from languages import message
from party.errors import AccessError
from party.schema import STAFF_ACCOUNTS, STAFF_SESSIONS
from party.staff.passwords import hash_of

if TYPE_CHECKING:
    from party.organisation import Organisation

CONSOLE: Final = "~console"
TOKEN: Final = "~token"  # noqa: S105 - how an account's name ends
TOKEN_PREFIX: Final = "cgt_"  # noqa: S105 - by which scanners of repositories know one
PROVIDER: Final = "provider"
"""Who has granted a role that an OpenID Connect provider's groups gave, as the log has it."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_LONGEST_TOKEN_DAYS: Final = 366
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class StaffAccount:
    """One account: `account` as the log has it; times in Unix seconds, `ends_at` of a token."""

    account: str
    role: Role
    since: int
    issuer: str | None = None
    ends_at: int | None = None

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self.account.partition("~")[0]

    @property
    def is_token(self) -> bool:
        """Whether it is a program's."""
        return self.account.endswith(TOKEN)


class Staff:
    """The accounts of one party; whoever changes them is an operator (`Access.require`)."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def people(self) -> list[StaffAccount]:
        """Return the accounts of the console, by name."""
        return [one for one in self._all() if not one.is_token]

    def tokens(self) -> list[StaffAccount]:
        """Return the tokens, by name, those that have ended included."""
        return [one for one in self._all() if one.is_token]

    def find(self, account: str) -> StaffAccount | None:
        """Return the account of this name in the log, None where there is none or it has ended."""
        row = self._party.store.row(_called(account))
        return None if row is None else self._current(_account(row))

    def by_token(self, token: str) -> StaffAccount | None:
        """Return whose token this is, None where it is nobody's or has ended."""
        row = self._party.store.row(_select().where(STAFF_ACCOUNTS.c.token == _digest(token)))
        return None if row is None else self._current(_account(row))

    def by_subject(self, issuer: str, subject: str) -> StaffAccount | None:
        """Return the account of whom a provider calls by this subject."""
        row = self._party.store.row(_vouched_for(issuer, subject))
        return None if row is None else _account(row)

    def password_of(self, account: str) -> str | None:
        """Return the hash of an account's password, None where it has none."""
        query = sa.select(STAFF_ACCOUNTS.c.password).where(STAFF_ACCOUNTS.c.account == account)
        row = self._party.store.row(query)
        return None if row is None else row.password

    # -- changing them ----------------------------------------------------------------------

    def add(self, name: str, role: Role, password: str) -> StaffAccount:
        """Add somebody who signs in with a password.

        Raises:
            AccessError: the name or the password does not serve, or the name is taken.
        """
        self._party.access.require(Role.OPERATOR, "console.users")
        account = _named(name, CONSOLE)
        hashed = hash_of(password, account)
        return self._grant(account, role, {"password": hashed})

    def add_token(self, name: str, role: Role, days: int) -> tuple[StaffAccount, str]:
        """Add a token that ends after some days; return it, and what is told this once.

        Raises:
            AccessError: the name or the time does not serve, or the name is taken.
        """
        self._party.access.require(Role.OPERATOR, "console.tokens")
        if not 1 <= days <= _LONGEST_TOKEN_DAYS:
            raise AccessError(
                message(
                    "a token lasts from 1 to {longest_token_days} days",
                    longest_token_days=_LONGEST_TOKEN_DAYS,
                )
            )
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        ends_at = self._party.now + days * _DAY_SECONDS
        values = {"token": _digest(token), "ends_at": ends_at}
        return self._grant(_named(name, TOKEN), role, values), token

    def add_subject(self, name: str, role: Role, issuer: str, subject: str) -> StaffAccount:
        """Add whom a provider vouches for, by the name that it says, or that and a number.

        Whoever was added meanwhile, by another browser of theirs, is returned as they are.

        Raises:
            AccessError: too many have this name.
        """
        wanted = _spelled(name)

        def work(connection: Connection) -> StaffAccount:
            row = connection.execute(_vouched_for(issuer, subject)).first()
            if row is not None:
                return _account(row)
            for number in range(1, 1000):
                account = f"{wanted}{'' if number == 1 else f'-{number}'}{CONSOLE}"
                if connection.execute(_called(account)).first() is None:
                    values = {"issuer": issuer, "subject": subject}
                    return self._enter(connection, account, role, values, actor=PROVIDER)
            raise AccessError(
                message(
                    "too many accounts are called {wanted}",
                    wanted=wanted,
                )
            )

        return self._party.store.write(work)

    def set_role(self, account: str, role: Role, *, actor: str = BY_HAND) -> StaffAccount:
        """Change the role of somebody, whose sessions end.

        Raises:
            AccessError: there is no such account.
        """
        if actor == BY_HAND:
            self._party.access.require(Role.OPERATOR, "console.users")

        def work(connection: Connection) -> StaffAccount:
            found = _found(connection, account)
            body = AccessGranted(found.account, role.value)
            self._party.journal.append(connection, "access.granted", body, actor=actor)
            _update(connection, account, {"role": role.value, "since": self._party.now})
            _end_sessions(connection, account)
            return StaffAccount(account, role, self._party.now, found.issuer, found.ends_at)

        return self._party.store.write(work)

    def set_password(self, account: str, password: str) -> None:
        """Give an account another password, also somebody theirs; its sessions end.

        Raises:
            AccessError: there is no such account, a provider vouches for it, or the password does
                not serve.
        """
        access = self._party.access
        if access.standing().account != account:
            access.require(Role.OPERATOR, "console.users")
        hashed = hash_of(password, account)

        def work(connection: Connection) -> None:
            if (found := _found(connection, account)).is_token or found.issuer is not None:
                raise AccessError(
                    message(
                        "{name} has no password here",
                        name=found.name,
                    )
                )
            body = PasswordSet(account)
            self._party.journal.append(connection, "console.password", body, actor=BY_HAND)
            _update(connection, account, {"password": hashed})
            _end_sessions(connection, account)

        self._party.store.record(work)  # a role that changes nothing else has a password too

    def remove(self, account: str, *, actor: str = BY_HAND) -> StaffAccount:
        """Let an account act no longer, and end its sessions.

        Raises:
            AccessError: there is no such account.
        """
        if actor == BY_HAND:
            self._party.access.require(Role.OPERATOR, "console.users")

        def work(connection: Connection) -> StaffAccount:
            found = _found(connection, account)
            body = AccessRemoved(found.account, found.role.value)
            self._party.journal.append(connection, "access.removed", body, actor=actor)
            _end_sessions(connection, account)
            theirs = STAFF_ACCOUNTS.c.account == account
            connection.execute(sa.delete(STAFF_ACCOUNTS).where(theirs))
            return found

        return self._party.store.write(work)

    def _grant(self, account: str, role: Role, values: dict[str, Any]) -> StaffAccount:
        def work(connection: Connection) -> StaffAccount:
            if connection.execute(_called(account)).first() is not None:
                raise AccessError(
                    message(
                        "there is an account {account} already",
                        account=account.partition("~")[0],
                    )
                )
            return self._enter(connection, account, role, values, actor=BY_HAND)

        return self._party.store.write(work)

    def _enter(
        self,
        connection: Connection,
        account: str,
        role: Role,
        values: dict[str, Any],
        *,
        actor: str,
    ) -> StaffAccount:
        now = self._party.now
        body = AccessGranted(account, role.value)
        self._party.journal.append(connection, "access.granted", body, actor=actor)
        row = {"account": account, "role": role.value, "since": now, **values}
        connection.execute(sa.insert(STAFF_ACCOUNTS).values(row))
        return StaffAccount(account, role, now, values.get("issuer"), values.get("ends_at"))

    def _all(self) -> list[StaffAccount]:
        query = _select().order_by(STAFF_ACCOUNTS.c.account)
        return [_account(row) for row in self._party.store.rows(query)]

    def _current(self, found: StaffAccount) -> StaffAccount | None:
        ended = found.ends_at is not None and self._party.now >= found.ends_at
        return None if ended else found


def account_of(name: str, kind: str = CONSOLE) -> str:
    """Return the account that somebody calls by a name, as the log has it; never an error."""
    return name if name.endswith(kind) else f"{name}{kind}"


def _named(name: str, kind: str) -> str:
    if not _NAME.fullmatch(name):
        raise AccessError(
            message(
                "a name begins with a letter or _, and has at most 32 letters, digits and _ . -"
            )
        )
    return f"{name}{kind}"


def _spelled(name: str) -> str:
    """Return a name of ours that is like what a provider says, without what makes it an address."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "_", name.partition("@")[0])[:28]
    return text if _NAME.fullmatch(text) else f"_{text}"


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _select() -> sa.Select[Any]:
    table = STAFF_ACCOUNTS.c
    return sa.select(table.account, table.role, table.since, table.issuer, table.ends_at)


def _called(account: str) -> sa.Select[Any]:
    return _select().where(STAFF_ACCOUNTS.c.account == account)


def _vouched_for(issuer: str, subject: str) -> sa.Select[Any]:
    theirs = (STAFF_ACCOUNTS.c.issuer == issuer) & (STAFF_ACCOUNTS.c.subject == subject)
    return _select().where(theirs)


def _account(row: sa.Row[Any]) -> StaffAccount:
    return StaffAccount(row.account, Role(row.role), row.since, row.issuer, row.ends_at)


def _found(connection: Connection, account: str) -> StaffAccount:
    row = connection.execute(_called(account)).first()
    if row is None:
        raise AccessError(
            message(
                "there is no account {account}",
                account=account.partition("~")[0][:48],
            )
        )
    return _account(row)


def _update(connection: Connection, account: str, values: dict[str, Any]) -> None:
    theirs = STAFF_ACCOUNTS.c.account == account
    connection.execute(sa.update(STAFF_ACCOUNTS).where(theirs).values(values))


def _end_sessions(connection: Connection, account: str) -> None:
    connection.execute(sa.delete(STAFF_SESSIONS).where(STAFF_SESSIONS.c.account == account))
