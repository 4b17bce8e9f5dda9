"""Who may act for a party: members by account, each in one role, asked anew at every step.

One place for the command line and for programs. Opening a party, every change of its store and
every entry of its log pass through here: an account that is no member opens nothing, a member who
only reads changes nothing, and no entry is written whose kind its author's role may not write
(`audit.roles`; `audit.membership` holds the log against the same rules). Verbs that a role may not
use ask first (`require`), so that nothing is begun. Whoever is turned away is in the log.

Without members the party is as open as its folder, and so it is for whoever can read its keys: the
operating system's permissions are what holds (docs/operations.md). Who has signed in to the console
acts in the role of that account (`party.staff`), whether or not there are members.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import AccessGranted, AccessRefused, AccessRemoved, AuditRead
from audit.errors import EntryError
from audit.roles import BY_HAND, NOBODY, STAFF, Role, Signed, may_write
from audit.shapes import TOKEN
from languages import message
from party import accounts
from party.errors import AccessError, NotEntitled, StoreError
from party.schema import MEMBERS, STAFF_ACCOUNTS

if TYPE_CHECKING:
    from party.organisation import Organisation

_RANK: Final = {Role.COMPLIANCE: 0, Role.ANALYST: 1, Role.OPERATOR: 2}
_MAY: Final = {
    Role.COMPLIANCE: "reads, and runs and changes nothing",
    Role.ANALYST: "asks for lists and reports, and reads",
    Role.OPERATOR: "may do everything",
}


@dataclass(frozen=True)
class Member:
    """An account that may act for the party.

    `since` (Unix seconds) is when it got its role.
    """

    account: str
    role: Role
    since: int


@dataclass(frozen=True)
class Standing:
    """How an account stands with a party: whether there are members, and in which role it is."""

    account: str
    has_members: bool
    role: Role | None

    def sign(self, kind: str, how: str) -> str:
        """Return the actor of an entry of this kind; `how` is `BY_HAND`, or what it belongs to.

        Raises:
            NotEntitled: the account may not write such an entry.
        """
        if not self.has_members:
            names = kind.startswith("access.")
            named = Signed(self.account, Role.OPERATOR.value)
            return named.after(None if how == BY_HAND else how) if names else how
        if kind != "access.refused" and (self.role is None or not may_write(self.role, kind)):
            raise NotEntitled(self.described, kind)
        role = NOBODY if self.role is None else self.role.value
        return Signed(self.account, role).after(None if how == BY_HAND else how)

    @property
    def described(self) -> str:
        """Say who this is, and what the role may do."""
        if self.role is None:
            return f"the account {self.account} is not a member of this party"
        return f"the account {self.account} is {self.role.value}, which {_MAY[self.role]}"


def standing_of(connection: Connection) -> Standing:
    """Return how the account that runs this program stands, within a transaction."""
    account = accounts.current()
    if STAFF in account:
        return Standing(account, True, _role_of_staff(connection, account))
    roles = {row.account: Role(row.role) for row in connection.execute(sa.select(MEMBERS))}
    return Standing(account, bool(roles), roles.get(account))


def _role_of_staff(connection: Connection, account: str) -> Role | None:
    query = sa.select(STAFF_ACCOUNTS.c.role).where(STAFF_ACCOUNTS.c.account == account)
    role = connection.execute(query).scalar_one_or_none()
    return None if role is None else Role(role)


class Access:
    """The members of one party, and what is theirs to do."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    # -- asked at every step ----------------------------------------------------------------

    def standing(self) -> Standing:
        """Return how the account that runs this program stands now."""
        return self._party.store.read(standing_of)

    def allows(self, role: Role) -> bool:
        """Say whether the account may do what this role may do."""
        found = self.standing()
        return not found.has_members or (
            found.role is not None and _RANK[found.role] >= _RANK[role]
        )

    def require(self, role: Role, what: str) -> None:
        """Refuse the account, and log it, unless it may do what this role may do.

        `what` is a word for it, as the log has it ("contract.sign").

        Raises:
            NotEntitled: it may not; nothing was begun.
        """
        if not self.allows(role):
            raise self._turned_away(NotEntitled(self.standing().described, what))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold a change of the store against the role of whoever makes it.

        Raises:
            NotEntitled: the account may change nothing, or may not write one of the entries.
        """
        self.require(Role.ANALYST, "store.change")
        try:
            yield
        except NotEntitled as error:
            raise self._turned_away(error) from None

    def _turned_away(self, error: NotEntitled) -> NotEntitled:
        """Log that the account was refused, and return the error that says so."""
        missing = self._log("access.refused", AccessRefused(error.what))
        said = "" if missing is None else f" (this is not in the log: {missing})"
        text = f"{error.message}: {error.what} is refused; ask an operator of the party{said}"
        return NotEntitled(text, error.what)

    # -- what is kept for audit ---------------------------------------------------------------

    def note_reading(self, what: str, subject: str | None = None) -> str | None:
        """Log that what is kept for audit is read, before it is shown.

        Returns why it could not be logged (the folder is read-only), None when it was.
        """
        named = subject if subject is not None and _is_token(subject) else None
        return self._log("audit.read", AuditRead(what, named))

    def _log(self, kind: str, body: AccessRefused | AuditRead) -> str | None:
        party = self._party
        try:
            party.store.record(lambda c: party.journal.append(c, kind, body, actor=BY_HAND))
        except StoreError as error:
            return str(error)
        return None

    # -- members --------------------------------------------------------------------------------

    def members(self) -> list[Member]:
        """Return the members by account; nobody means that whoever opens the folder may act."""
        rows = self._party.store.rows(sa.select(MEMBERS).order_by(MEMBERS.c.account))
        return [Member(row.account, Role(row.role), row.since) for row in rows]

    def add(self, account: str, role: Role) -> Member:
        """Let an account of this machine act for the party in a role, or change its role.

        Raises:
            AccessError: there is no such account, or nobody could change the members again.
        """
        self.require(Role.OPERATOR, "access.add")
        name, now = accounts.known(account), self._party.now

        def work(connection: Connection) -> None:
            found = standing_of(connection)
            if not found.has_members and (name, role) != (found.account, Role.OPERATOR):
                raise AccessError(
                    message(
                        "the first member is whoever adds it, as operator, so that "
                        "somebody can change the members again: `commonground access add "
                        "{account} --role operator`",
                        account=found.account,
                    )
                )
            body = AccessGranted(name, role.value)
            self._party.journal.append(connection, "access.granted", body, actor=BY_HAND)
            connection.execute(sa.delete(MEMBERS).where(MEMBERS.c.account == name))
            connection.execute(sa.insert(MEMBERS).values(account=name, role=role.value, since=now))
            _require_operator(connection)

        self._party.store.write(work)
        return Member(name, role, now)

    def remove(self, account: str) -> Member:
        """Let an account act for the party no longer; the last one of all opens it to everybody.

        Raises:
            AccessError: it is not a member, or the last operator beside others.
        """
        self.require(Role.OPERATOR, "access.remove")

        def work(connection: Connection) -> Member:
            row = connection.execute(sa.select(MEMBERS).where(MEMBERS.c.account == account)).first()
            if row is None:
                raise AccessError(
                    message(
                        "{account} is not a member of this party",
                        account=account[:48],
                    )
                )
            body = AccessRemoved(row.account, row.role)
            self._party.journal.append(connection, "access.removed", body, actor=BY_HAND)
            connection.execute(sa.delete(MEMBERS).where(MEMBERS.c.account == account))
            _require_operator(connection)
            return Member(row.account, Role(row.role), row.since)

        return self._party.store.write(work)


def _require_operator(connection: Connection) -> None:
    roles = set(connection.execute(sa.select(MEMBERS.c.role)).scalars())
    if roles and Role.OPERATOR.value not in roles:
        raise AccessError(
            message(
                "without an operator nobody could change the members again: name "
                "another operator first"
            )
        )


def _is_token(text: str) -> bool:
    try:
        TOKEN.check(text, "subject")
    except EntryError:
        return False
    return True
