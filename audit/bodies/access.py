"""Who may do what in a party, who was turned away, and who read what was logged.

An account is an account of the operating system (`alice`, or `uid-1001` where a name does not
serve), or one that the party's console keeps: `alice~console` for a person, `nightly~token` for a
program. It is never a person's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from audit import roles
from audit.roles import Role
from audit.shapes import Matching, OneOf, Record, Token

ACCOUNT: Final = Matching(
    roles.ACCOUNT,
    "an account: a letter or _, then at most 31 letters, digits and _ . -, and perhaps ~console "
    "or ~token",
)
Account = Annotated[str, ACCOUNT]
RoleName = Annotated[str, OneOf(tuple(role.value for role in Role))]


@dataclass(frozen=True)
class AccessGranted(Record):
    """`access.granted`: an account may act for the party from here on, in this role alone."""

    account: Account
    role: RoleName


@dataclass(frozen=True)
class AccessRemoved(Record):
    """`access.removed`: an account may act for the party no longer."""

    account: Account
    role: RoleName


@dataclass(frozen=True)
class AccessRefused(Record):
    """`access.refused`: the actor was turned away before anything was done.

    Args:
        what: what it would have done, as a word of the program ("contract.sign").
    """

    what: Token


@dataclass(frozen=True)
class SignedIn(Record):
    """`console.signed_in`: the actor signed in to the console.

    Args:
        by: `password`, or `provider` where an OpenID Connect provider vouched for it.
    """

    by: Annotated[str, OneOf(("password", "provider"))]


@dataclass(frozen=True)
class SignedOut(Record):
    """`console.signed_out`: the actor's session in the console was ended by its own hand."""


@dataclass(frozen=True)
class SignInRefused(Record):
    """`console.refused`: somebody was not let into the console; what was typed is not said.

    Args:
        account: for which account it was tried; absent where there is none such.
        by: `password` or `provider`.
    """

    by: Annotated[str, OneOf(("password", "provider"))]
    account: Account | None = None


@dataclass(frozen=True)
class PasswordSet(Record):
    """`console.password`: an account got another password, and its sessions ended.

    Args:
        account: whose password it is.
    """

    account: Account


@dataclass(frozen=True)
class AuditRead(Record):
    """`audit.read`: the actor was shown what is kept for audit.

    Args:
        what: what was read, as a word of the program ("audit.show").
        subject: the id of the request or the name of the dataset that it was about.
    """

    what: Token
    subject: Token | None = None
