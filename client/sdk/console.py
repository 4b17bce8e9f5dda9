"""The console from a Python program: answer browsers, and say who may sign in."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit.roles import Role
from client.sdk.access import role_named
from client.sdk.calls import Calls
from party.organisation import Organisation

if TYPE_CHECKING:
    from party.staff.accounts import StaffAccount


class Users:
    """`commonground console users`: who may sign in, each in one role."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def add(self, name: str, *, role: Role | str, password: str) -> StaffAccount:
        """Let somebody sign in with a password, as operator, analyst or compliance.

        Raises:
            AccessError: the name, the role or the password does not serve, or the name is taken.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import Staff

        return Staff(self._party).add(name, role_named(role), password)

    def list(self) -> builtins.list[StaffAccount]:
        """Return who may sign in, by name."""
        from party.staff.accounts import Staff

        return Staff(self._party).people()

    def remove(self, name: str) -> StaffAccount:
        """Let somebody sign in no longer, and return what they were.

        Raises:
            AccessError: there is no such account.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import Staff, account_of

        return Staff(self._party).remove(account_of(name))

    def password(self, name: str, password: str) -> None:
        """Give somebody another password; they are signed out everywhere.

        Raises:
            AccessError: there is no such account, it has no password here, or the new one does not
                serve.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import Staff, account_of

        Staff(self._party).set_password(account_of(name), password)

    def role(self, name: str, role: Role | str) -> StaffAccount:
        """Change the role of somebody, who is signed out everywhere.

        Raises:
            AccessError: there is no such account or role.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import Staff, account_of

        return Staff(self._party).set_role(account_of(name), role_named(role))


class Tokens:
    """`commonground console tokens`: what programs call the API with."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def add(self, name: str, *, role: Role | str, days: int = 90) -> str:
        """Make a token that ends after some days, and return it, this once.

        Raises:
            AccessError: the name, the role or the time does not serve, or the name is taken.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import Staff

        return Staff(self._party).add_token(name, role_named(role), days)[1]

    def list(self) -> builtins.list[StaffAccount]:
        """Return the tokens, by name, without themselves."""
        from party.staff.accounts import Staff

        return Staff(self._party).tokens()

    def revoke(self, name: str) -> StaffAccount:
        """Let a token serve no longer.

        Raises:
            AccessError: there is no such token.
            NotEntitled: you are no operator.
        """
        from party.staff.accounts import TOKEN, Staff, account_of

        return Staff(self._party).remove(account_of(name, TOKEN))


class ConsoleVerbs:
    """`commonground console`."""

    _party: Organisation
    _calls: Calls

    @property
    def users(self) -> Users:
        """`commonground console users`."""
        return Users(self._party)

    @property
    def tokens(self) -> Tokens:
        """`commonground console tokens`."""
        return Tokens(self._party)

    @contextmanager
    def console(
        self, http: str = "127.0.0.1:7490", *, names: Sequence[str] = (), plain: bool = False
    ) -> Iterator[str]:
        """Answer browsers in threads of this process, while the block runs; yield the URL.

        `http` is host:port, port 0 a free one; `names` are those by which browsers may reach it
        beside that host; `plain` is without TLS, on loopback only.

        Raises:
            PartyError: the address cannot be listened on, or the extra is not installed.
            NotEntitled: you are no operator.
        """
        from client.console.hosting import hosting

        with self._calls.listening(hosting(self._party, http, names=names, plain=plain)) as url:
            yield url
