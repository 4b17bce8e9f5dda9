"""Roles in a party, which entries each may write, and how an entry names who acted.

While a party has no members, whoever can open its folder is its operator, and entries say so
without a name. From the first member on each entry ends with the account and the role of who
wrote it: `alice/operator`, or, where a person has not done it with their own hands,
`session:alice/operator` (what it belongs to, then whose process it was). Accounts that the party
keeps itself, of its console and of programs, are named in any case: `carla~console/compliance`,
`nightly~token/analyst`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Role(Enum):
    """What an account may do for its party."""

    OPERATOR = "operator"
    """Everything: contracts, datasets, counterparts, members, and what the other two may."""
    ANALYST = "analyst"
    """Asks and reads: requests of the party's own, their sessions, results, lists, templates."""
    COMPLIANCE = "compliance"
    """Reads everything, runs and changes nothing."""


READING_KINDS: Final = (
    "audit.read",
    "access.refused",
    "subject.access",
    "document.made",
    "console.signed_in",
    "console.signed_out",
    "console.refused",
    "console.password",
)
"""What reading itself leaves in the log, documents of what was read included; every role writes
these. Whoever reads signs in, signs out, and has a password, which is asked for to change it."""
ASKING_KINDS: Final = (
    "request.made",
    "request.refused",
    "consent.snapshot",
    "session.started",
    "session.finished",
    "session.failed",
    "budget.spent",
    "report.released",
    "report.skipped",
    "bound.chosen",
    "list.disclosed",
    "list.suppressed",
    "export.made",
    "lookalike.made",
    "lineage.emitted",
    "retention.pruned",
    "dataset.erased",
)
"""What a request leaves in the log on its way, and what ends when its time has come."""
BY_HAND: Final = "operator"
"""How an entry names a person who acts, while the party has no members."""
NOBODY: Final = "none"
"""The role, in an entry, of an account that is not a member: it can only have been refused."""
STAFF: Final = "~"
"""What stands in the name of an account that is the party's own and not the machine's."""
ACCOUNT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}(?:~(?:console|token))?")
"""An account of the machine; with its end, one of the console (`alice~console`) or a token."""
_INCIDENT: Final = "incident."
_ACTOR: Final = re.compile(
    rf"(?:(?P<how>.{{1,200}}):)?(?P<account>{ACCOUNT.pattern})/(?P<role>[a-z]+)"
)


def may_write(role: Role, kind: str) -> bool:
    """Say whether what a role may do can leave an entry of this kind."""
    if role is Role.OPERATOR or kind in READING_KINDS:
        return True
    asking = kind in ASKING_KINDS or kind.startswith(_INCIDENT)
    return role is Role.ANALYST and asking


@dataclass(frozen=True)
class Signed:
    """Who an entry says has acted: an account, and the name of its role (`NOBODY` for none)."""

    account: str
    role: str

    def after(self, how: str | None) -> str:
        """Return the text of an entry's actor; `how` is what it belongs to, if not a person."""
        text = f"{self.account}/{self.role}"
        return text if how is None else f"{how}:{text}"

    @classmethod
    def parse(cls, actor: str) -> Signed | None:
        """Read the actor of an entry, None when no account is named."""
        found = _ACTOR.fullmatch(actor)
        return None if found is None else cls(found["account"], found["role"])
