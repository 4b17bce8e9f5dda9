"""The two protocols as tables of legs (docs/protocol.md, Legs).

A leg moves one party's set one hop: its owner blinds it, every further sender raises it.
Whoever runs a session walks the table from top to bottom and does the steps that name its
role; there is no other description of the order of messages, and none for a number of
parties. What may be enumerated from a table (who ever holds which set under which scalars)
is enumerated in the tests.

Two orders here answer attacks. A party's route keys follow *all* of its answers, since a key
known early lets the other side plant points that look raised. The tabulator raises others'
sets only last and keeps them, so that no other party holds two comparable sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

RECEIVER: Final = "receiver"
SENDER: Final = "sender"
TABULATOR: Final = "tabulator"
RECIPIENT: Final = "recipient"
THIRD: Final = "third"


class Form(Enum):
    """What a leg carries; the value is the bytes of one element."""

    POINTS = 32
    TAGS = 16


class Order(Enum):
    """How a raised set leaves: shuffled by sorting within each label, or as it came."""

    SORTED = "sorted"
    KEPT = "kept"


@dataclass(frozen=True)
class Leg:
    """One hop of the set of `owner`, raised `hop` times by others before it leaves `sender`."""

    owner: str
    sender: str
    receiver: str
    hop: int
    form: Form = Form.POINTS
    order: Order = Order.SORTED


@dataclass(frozen=True)
class RouteKey:
    """The base point raised by everyone who raised the set of `owner` so far."""

    owner: str
    sender: str
    receiver: str
    hop: int


@dataclass(frozen=True)
class Sizes:
    """How many points `sender` sent under each of its numbers, so that none can be dropped."""

    sender: str
    receiver: str


@dataclass(frozen=True)
class Answers:
    """The known answers of `sender`, for a tabulator that checks on its behalf."""

    sender: str
    receiver: str


@dataclass(frozen=True)
class Numbering:
    """The label names behind the numbers of `sender`, which the tabulator never learns."""

    sender: str
    receiver: str


@dataclass(frozen=True)
class Release:
    """The noisy table."""

    sender: str
    receiver: str


Step = Leg | RouteKey | Sizes | Answers | Numbering | Release


@dataclass(frozen=True)
class LegTable:
    """The steps of one protocol in the one order in which they may happen."""

    roles: tuple[str, ...]
    steps: tuple[Step, ...]

    def legs_of(self, owner: str) -> tuple[Leg, ...]:
        """Return the hops of one set, in order."""
        return tuple(s for s in self.steps if isinstance(s, Leg) and s.owner == owner)

    def raisers(self, owner: str) -> tuple[str, ...]:
        """Return the roles that raise the set of `owner` and send it on, in order."""
        return tuple(leg.sender for leg in self.legs_of(owner) if leg.hop > 0)

    def holder(self, owner: str) -> str:
        """Return the role that holds the set of `owner` in the end."""
        return self.legs_of(owner)[-1].receiver


MATCH: Final = LegTable(
    roles=(RECEIVER, SENDER),
    steps=(
        Leg(RECEIVER, RECEIVER, SENDER, 0),
        Leg(SENDER, SENDER, RECEIVER, 0),
        Leg(SENDER, RECEIVER, SENDER, 1, Form.TAGS),
        RouteKey(SENDER, RECEIVER, SENDER, 1),
        Leg(RECEIVER, SENDER, RECEIVER, 1, Form.TAGS, Order.KEPT),
        RouteKey(RECEIVER, SENDER, RECEIVER, 1),
    ),
)

CROSSTAB_OF_TWO: Final = LegTable(
    roles=(TABULATOR, RECIPIENT),
    steps=(
        Leg(TABULATOR, TABULATOR, RECIPIENT, 0),
        Leg(TABULATOR, RECIPIENT, TABULATOR, 1, Form.TAGS),
        Leg(RECIPIENT, RECIPIENT, TABULATOR, 0),
        RouteKey(TABULATOR, RECIPIENT, TABULATOR, 1),
        Release(TABULATOR, RECIPIENT),
    ),
)

CROSSTAB_OF_THREE: Final = LegTable(
    roles=(TABULATOR, RECIPIENT, THIRD),
    steps=(
        Leg(RECIPIENT, RECIPIENT, THIRD, 0),
        Leg(THIRD, THIRD, RECIPIENT, 0),
        Leg(TABULATOR, TABULATOR, RECIPIENT, 0),
        Leg(RECIPIENT, THIRD, TABULATOR, 1),
        Leg(THIRD, RECIPIENT, TABULATOR, 1),
        Leg(TABULATOR, RECIPIENT, THIRD, 1),
        Leg(TABULATOR, THIRD, TABULATOR, 2, Form.TAGS),
        RouteKey(RECIPIENT, THIRD, RECIPIENT, 1),
        RouteKey(THIRD, RECIPIENT, THIRD, 1),
        RouteKey(TABULATOR, RECIPIENT, THIRD, 1),
        RouteKey(TABULATOR, THIRD, TABULATOR, 2),
        Sizes(RECIPIENT, TABULATOR),
        Answers(RECIPIENT, TABULATOR),
        Sizes(THIRD, TABULATOR),
        Answers(THIRD, TABULATOR),
        Numbering(THIRD, RECIPIENT),
        Release(TABULATOR, RECIPIENT),
    ),
)

CROSSTABS: Final = {2: CROSSTAB_OF_TWO, 3: CROSSTAB_OF_THREE}
