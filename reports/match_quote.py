"""What a match will cost before it runs: bytes, time, and what each side is charged.

A list is a disclosure and not a noisy number, so there is no error to expect; what noise there is
hides sizes and guards the minimum (docs/protocol.md, match).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from languages import message
from psi.legs import Form
from reports.errors import MalformedTable
from reports.laws import NoiseLaw
from reports.quote import Charge, Leg, PartyCharge
from reports.rendering import PRIVATE


@dataclass(frozen=True)
class MatchPlan:
    """A match that is thought of.

    Attributes:
        receiver_keys: identifiers of all the receiver's people, or a guess of them.
        sender_keys: the same of the sender's.
        known_answers: F, in either set.
        most_identifiers: the most identifiers that the sender sends for one person.
        minimum: people below whom there is no list.
        reserve: unused points in the sender's set, for suppression runs.
        hashes_per_second: keys that one party hashes to the curve and raises.
        raises_per_second: points that one party raises.
    """

    receiver_keys: int
    sender_keys: int
    known_answers: int
    most_identifiers: int
    minimum: int
    reserve: int
    hashes_per_second: float
    raises_per_second: float

    def __post_init__(self) -> None:
        sizes = (self.receiver_keys, self.sender_keys, self.known_answers, self.reserve)
        if min(*sizes, self.minimum) < 0:
            raise MalformedTable("a size is below 0")
        if self.most_identifiers < 1:
            raise MalformedTable("a person has at least one identifier")
        if min(self.hashes_per_second, self.raises_per_second) <= 0:
            raise MalformedTable("a speed is not above 0")


@dataclass(frozen=True)
class MatchQuote:
    """The cost of one match.

    Attributes:
        legs: what goes over the wire, in order; sizes are expectations.
        seconds: time that hashing and raising take, one party after the other.
        charges: what each party is charged, by role; the sender's list is a disclosure besides.
        sufficient_common: common identifiers with which the list is let out for certain. With
            fewer the sender's noisy count may stop it, though the minimum is met.
        assumptions: what the figures rest on.
    """

    legs: tuple[Leg, ...]
    seconds: float
    charges: tuple[PartyCharge, ...]
    sufficient_common: int
    assumptions: tuple[str, ...]

    @property
    def wire_bytes(self) -> int:
        """All bytes of all legs."""
        return sum(leg.wire_bytes for leg in self.legs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"kind": PRIVATE, **asdict(self), "wire_bytes": self.wire_bytes}


def quote_match(
    plan: MatchPlan, receiver_law: NoiseLaw, sender_law: NoiseLaw, charges: Mapping[str, Charge]
) -> MatchQuote:
    """Compute the quote; laws are those of each side's dummies and fillers, charges by role."""
    agreed = 2 * receiver_law.mean  # the receiver puts in about half of them
    receiver = plan.receiver_keys + plan.known_answers + 2 * receiver_law.mean
    sender = plan.sender_keys + plan.known_answers + sender_law.mean + agreed + plan.reserve
    points = receiver + sender
    return MatchQuote(
        legs=(
            Leg("receiver's points", receiver, receiver * Form.POINTS.value),
            Leg("sender's points", sender, sender * Form.POINTS.value),
            Leg("sender's tags, returned", sender, sender * Form.TAGS.value),
            Leg("receiver's tags, returned", receiver, receiver * Form.TAGS.value),
        ),
        seconds=points / plan.hashes_per_second + points / plan.raises_per_second,
        charges=tuple(
            PartyCharge(role, charge.epsilon_nano, charge.delta_e15)
            for role, charge in charges.items()
        ),
        sufficient_common=plan.minimum * plan.most_identifiers + agreed,
        assumptions=(message("each party computes alone, one after the other"),),
    )
