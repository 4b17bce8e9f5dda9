"""Whether withdrawals reached the lists that were out, in the time that the contract gives them.

The log does not say who withdrew, or whose list they were on. So under a contract with a deadline
each list of the party's people that is out has a run after every withdrawal or erasure, whether or
not its people are in it: a run names 1,024 points, of which nobody can tell how many are people's.
A list that ends before the deadline owes nothing. What is late is no tampering, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.bodies import (
    ConsentWithdrawn,
    ContractSigned,
    ListDisclosed,
    ListSuppressed,
    SubjectErasure,
)
from audit.entry import Entry


@dataclass(frozen=True)
class Overdue:
    """A list that owes a run, or had none in time: by when it is or was due (POSIX seconds)."""

    request: str
    recipient: str
    due_at: int


class Deadlines:
    """What each list owes since which withdrawal, from the entries of a party's log in order."""

    def __init__(self) -> None:
        self._allowed: dict[str, int] = {}
        self._out: dict[str, tuple[str, int, int]] = {}
        self._due: dict[str, int] = {}
        self._late: list[Overdue] = []
        self._last: Entry | None = None

    def admit(self, entry: Entry) -> None:
        """Take in the next entry, which the other rules have admitted."""
        self._last = entry
        match entry.body:
            case ContractSigned(suppression_seconds=allowed) if allowed is not None:
                self._allowed[entry.contract or ""] = allowed
            case ListDisclosed(request=request, recipient=recipient, expires_at=ends):
                allowed = self._allowed.get(entry.contract or "")
                if allowed is not None and recipient != entry.party:
                    self._out[request] = (recipient, ends, allowed)
            case ConsentWithdrawn() | SubjectErasure():
                now = int(entry.seconds)
                for request, (_, ends, allowed) in self._out.items():
                    if now + allowed < ends:
                        self._due.setdefault(request, now + allowed)
            case ListSuppressed(request=request) if request in self._due:
                due = self._due.pop(request)
                if int(entry.seconds) > due:
                    self._late.append(self._overdue(request, due))

    def overdue(self) -> tuple[Overdue, ...]:
        """Return what was late, and what was by the last entry, in order of its deadline."""
        now = 0 if self._last is None else int(self._last.seconds)
        missing = [self._overdue(*owed) for owed in self._due.items() if now > owed[1]]
        return tuple(sorted([*self._late, *missing], key=lambda one: one.due_at))

    def owed(self, now: int) -> tuple[Overdue, ...]:
        """Return the lists that owe a run and are out at `now` (POSIX seconds), soonest first."""
        out = [self._overdue(*owed) for owed in self._due.items() if now < self._out[owed[0]][1]]
        return tuple(sorted(out, key=lambda one: one.due_at))

    def _overdue(self, request: str, due: int) -> Overdue:
        return Overdue(request, self._out[request][0], due)
