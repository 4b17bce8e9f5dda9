"""Who was a member of a party when, as its log establishes it, and what each entry may say by that.

The rules: an entry names an account that was a member in that role before it; the role may write
its kind; and as long as there are members, one of them is an operator.
"""

from __future__ import annotations

from audit.bodies import AccessGranted, AccessRemoved
from audit.entry import Entry
from audit.errors import RuleError
from audit.roles import NOBODY, Role, Signed, may_write


class Members:
    """The members after the entries admitted so far."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}

    def admit(self, entry: Entry) -> None:
        """Hold the next entry against the members before it, and take in what it changes.

        Raises:
            RuleError: its actor was not entitled to it, or nobody could change the members again.
        """
        if self._roles:
            self._require_entitled(entry)
        match entry.body:
            case AccessGranted(account=account, role=role):
                self._roles[account] = Role(role)
                self._require_operator()
            case AccessRemoved(account=account, role=role):
                if account not in self._roles or self._roles.pop(account).value != role:
                    raise RuleError("it removes an account that was no member in this role")
                self._require_operator()

    def _require_entitled(self, entry: Entry) -> None:
        signed = Signed.parse(entry.actor)
        if signed is None:
            raise RuleError("it names no account, and the party has members")
        role = self._roles.get(signed.account)
        if signed.role != (role.value if role else NOBODY):
            raise RuleError("its actor was no member in this role")
        if role is None and entry.kind != "access.refused":
            raise RuleError("its actor was no member, and so could only be refused")
        if role is not None and not may_write(role, entry.kind):
            raise RuleError(f"its actor is {role.value}, who may not do what {entry.kind} says")

    def _require_operator(self) -> None:
        if self._roles and Role.OPERATOR not in self._roles.values():
            raise RuleError("without an operator nobody could change the members again")
