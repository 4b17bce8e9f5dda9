"""Who may act for a party: accounts of this machine, each in one role."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from audit.roles import Role
from party.errors import AccessError
from party.organisation import Organisation

if TYPE_CHECKING:
    from party.access import Member


class Access:
    """`commonground access`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def add(self, account: str, *, role: Role | str) -> Member:
        """Let an account act for the party as operator, analyst or compliance, or change its role.

        The first member is whoever adds it, as operator.

        Raises:
            AccessError: there is no such account or role, or no operator would be left.
            NotEntitled: you are no operator.
        """
        return self._party.access.add(account, role_named(role))

    def remove(self, account: str) -> Member:
        """Let an account act for the party no longer, and return what it was.

        Raises:
            AccessError: it is no member, or the last operator beside others.
            NotEntitled: you are no operator.
        """
        return self._party.access.remove(account)

    def list(self) -> builtins.list[Member]:
        """Return the members by account; nobody means that whoever opens the folder may act."""
        return self._party.access.members()


def role_named(role: Role | str) -> Role:
    """Return a role by its name.

    Raises:
        AccessError: there is none such.
    """
    try:
        return Role(role)
    except ValueError:
        raise AccessError(f"a role is {', '.join(one.value for one in Role)}") from None
