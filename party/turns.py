"""Whose turn it is between two parties: their steps of a leg table, in the table's order.

Both transports ask here before they send, take or serve anything, so that no order other than the
table's exists on any wire: a route key is never taken or served before the answers it follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from party.errors import Refusal, RefusalStatus
from party.terms import Terms
from psi.legs import LegTable, Step


@dataclass(frozen=True)
class Turns:
    """The steps between this side (`own` role) and its counterpart (`peer` role)."""

    table: LegTable
    own: str
    peer: str

    @classmethod
    def of(cls, terms: Terms, own: str, peer: str) -> Turns:
        """Return the turns of the parties named `own` and `peer`.

        Raises:
            Refusal: the session's request gives one of them no role.
        """
        for party in (own, peer):
            if party not in terms.parties:
                raise Refusal(
                    RefusalStatus.NOT_GRANTED, f"the request gives '{party}' no role in its session"
                )
        return cls(terms.table, terms.role_of(own), terms.role_of(peer))

    @property
    def steps(self) -> tuple[int, ...]:
        """The indices of the pair's steps, in order."""
        pair = {self.own, self.peer}
        return tuple(
            index
            for index, step in enumerate(self.table.steps)
            if {step.sender, step.receiver} == pair
        )

    def sends(self, index: int) -> bool:
        """Say whether this side sends the step."""
        return self.table.steps[index].sender == self.own

    def outgoing(self, index: int) -> Step:
        """Return a step that this side sends to its counterpart, or refuse."""
        if index not in self.steps or not self.sends(index):
            raise _no_turn(index, "is not one that goes to the party that asked for it")
        return self.table.steps[index]

    def incoming(self, index: int) -> Step:
        """Return a step that the counterpart sends to this side, or refuse."""
        if index not in self.steps or self.sends(index):
            raise _no_turn(index, "is not one that comes from the party that sent it")
        return self.table.steps[index]

    def before(self, index: int) -> tuple[int, ...]:
        """Return the pair's steps that must be done before `index`."""
        return tuple(step for step in self.steps if step < index)


def out_of_turn(what: str, missing: str) -> Refusal:
    """Return the refusal of something that came before its turn."""
    return Refusal(
        RefusalStatus.BAD_REQUEST,
        f"{what} came before its turn: {missing} must be done first; the session ends here",
    )


def _no_turn(index: int, why: str) -> Refusal:
    return Refusal(
        RefusalStatus.BAD_REQUEST,
        f"step {index} of the session {why}; both sides must follow the same table of legs",
    )
