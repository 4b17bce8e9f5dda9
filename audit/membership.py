"""Who was a member of a party when, as its log establishes it, and what each entry may say by that.

The rules: an entry names an account that was a member in that role before it; the role may write
its kind; and as long as there are members, one of them is an operator. An account that the party
keeps itself (`audit.roles.STAFF`) is held to its role whether or not accounts of the machine are
members, and does not count as the operator: who keeps it can do without it.
"""

from __future__ import annotations

from audit.bodies import AccessGranted, AccessRemoved
from audit.entry import Entry
from audit.errors import RuleError
from audit.roles import NOBODY, STAFF, Role, Signed, may_write


class Members:
    """The members after the entries admitted so far."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}
        self._staff: dict[str, Role] = {}

    def admit(self, entry: Entry) -> None:
        """Hold the next entry against the members before it, and take in what it changes.

        Raises:
            RuleError: its actor was not entitled to it, or nobody could change the members again.
        """
        signed = Signed.parse(entry.actor)
        if self._roles or (signed is not None and STAFF in signed.account):
            self._require_entitled(entry, signed)
        match entry.body:
            case AccessGranted(account=account, role=role):
                self._kept(account)[account] = Role(role)
                self._require_operator()
            case AccessRemoved(account=account, role=role):
                kept = self._kept(account)
                if account not in kept or kept.pop(account).value != role:
                    raise RuleError("it removes an account that was no member in this role")
                self._require_operator()

    def _kept(self, account: str) -> dict[str, Role]:
        return self._staff if STAFF in account else self._roles

    def _require_entitled(self, entry: Entry, signed: Signed | None) -> None:
        if signed is None:
            raise RuleError("it names no account, and the party has members")
        role = self._kept(signed.account).get(signed.account)
        if signed.role != (role.value if role else NOBODY):
            raise RuleError("its actor was no member in this role")
        if role is None and entry.kind != "access.refused":
            raise RuleError("its actor was no member, and so could only be refused")
        if role is not None and not may_write(role, entry.kind):
            raise RuleError(f"its actor is {role.value}, who may not do what {entry.kind} says")

    def _require_operator(self) -> None:
        if self._roles and Role.OPERATOR not in self._roles.values():
            raise RuleError("without an operator nobody could change the members again")
