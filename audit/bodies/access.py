"""Who may do what in a party, who was turned away, and who read what was logged.

An account is an account of the operating system (`alice`, or `uid-1001` where a name does not
serve), never a person's address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from audit.roles import Role
from audit.shapes import Matching, OneOf, Record, Token

ACCOUNT: Final = Matching(
    re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}"),
    "an account: a letter or _, then at most 31 letters, digits and _ . -",
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
class AuditRead(Record):
    """`audit.read`: the actor was shown what is kept for audit.

    Args:
        what: what was read, as a word of the program ("audit.show").
        subject: the id of the request or the name of the dataset that it was about.
    """

    what: Token
    subject: Token | None = None
