"""Journeys: the campaigns that had reached a person, as a label (docs/protocol.md, Moments).

A journey is what the touches of one person had produced by some slot: the campaigns in order, runs
of one campaign collapsed, and one of them drawn with its time-decay credit. Its text is the label
that stands in contracts and tables: `C8 > C13 > C18 (C13)`, and `C8 > … > C18 (C8)` where `…`
stands for whatever was between, which may be nothing. `… > C18 (C8)` says the last campaign only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from psi.errors import JourneyError

MOST_CAMPAIGNS: Final = 4
"""The most campaigns that one journey names: the first, and the last three."""
GAP: Final = "…"
_THEN: Final = " > "
_DRAWN: Final = " ("


@dataclass(frozen=True)
class Journey:
    """Campaigns in order, whether there is a gap after the first, and the drawn winner.

    With one campaign a gap stands before it: the journey ended there, and began anywhere. Raises
    JourneyError where the text would not say the same thing again.
    """

    campaigns: tuple[str, ...]
    gap: bool
    winner: str

    def __post_init__(self) -> None:
        for name in (*self.campaigns, self.winner):
            require_campaign(name)
        if not 1 <= len(self.campaigns) <= MOST_CAMPAIGNS:
            raise JourneyError(f"a journey has 1 to {MOST_CAMPAIGNS} campaigns")
        if not self.gap and self.winner not in self.campaigns:
            raise JourneyError("the winner of a journey without a gap is one of its campaigns")
        neighbours = list(pairwise(self.campaigns))
        if any(one == other for one, other in neighbours[1 if self.gap else 0 :]):
            raise JourneyError("neighbours in a journey are one run, which stands once")

    @classmethod
    def parse(cls, text: str) -> Journey:
        """Read a journey's text; JourneyError unless it is exactly one."""
        path, drawn, winner = text.rpartition(_DRAWN)
        if not drawn or not winner.endswith(")"):
            raise JourneyError("a journey ends with its drawn campaign, such as A > B (A)")
        parts = path.split(_THEN)
        gap = GAP in parts
        journey = cls(tuple(part for part in parts if part != GAP), gap, winner[:-1])
        if journey.text != text:
            raise JourneyError("a gap stands once, after the first campaign or before the only one")
        return journey

    @property
    def text(self) -> str:
        """The label."""
        return f"{self.path}{_DRAWN}{self.winner})"

    @property
    def path(self) -> str:
        """The label without the drawn campaign."""
        parts = list(self.campaigns)
        if self.gap:
            parts.insert(min(1, len(parts) - 1), GAP)
        return _THEN.join(parts)

    @property
    def last(self) -> str:
        """The last campaign."""
        return self.campaigns[-1]

    @property
    def coalition(self) -> frozenset[str]:
        """Every campaign that the label names, the drawn one among them."""
        return frozenset((*self.campaigns, self.winner))


def require_campaign(name: str) -> None:
    """Raise JourneyError unless a campaign of this name can stand in a journey."""
    if not name or name == GAP or _THEN in name or _DRAWN in name or name != name.strip():
        raise JourneyError(
            f"the campaign '{name[:64]}' cannot stand in a journey: a name is not empty or"
            f" '{GAP}', and has neither '{_THEN}' nor '{_DRAWN}' in it"
        )


def list_journeys(campaigns: Sequence[str], in_full: int) -> tuple[Journey, ...]:
    """Return the public list of journeys of these campaigns.

    Journeys of up to `in_full` (0 to 4) campaigns as they are, with each winner they can have;
    then, where there are longer ones, both ends with any winner; then every pair of last campaign
    and winner, so that no journey is off the list.
    """
    whole = (
        Journey(path, False, winner)
        for runs in range(1, in_full + 1)
        for path in _paths(campaigns, runs)
        for winner in campaigns
        if winner in path
    )
    ends = (
        Journey((first, last), True, winner)
        for first, last, winner in product(campaigns, repeat=3)
        if in_full > 0
    )
    return (*whole, *ends, *lasts(campaigns))


def lasts(campaigns: Sequence[str]) -> tuple[Journey, ...]:
    """Return every pair of last campaign and winner, which each list of journeys must have."""
    return tuple(Journey((last,), True, winner) for last, winner in product(campaigns, repeat=2))


def read_journeys(texts: Sequence[str]) -> tuple[Journey, ...]:
    """Return a label list as journeys.

    Raises:
        JourneyError: a text is no journey, or a journey of its campaigns could be off the list.
    """
    journeys = tuple(Journey.parse(text) for text in texts)
    listed = set(journeys)
    for needed in lasts(campaigns_of(journeys)):
        if needed not in listed:
            raise JourneyError(
                f"the list lacks '{needed.text[:80]}'; it needs every pair of last campaign and "
                "drawn one, since a journey that is not listed becomes its last campaign"
            )
    return journeys


def campaigns_of(journeys: Sequence[Journey]) -> tuple[str, ...]:
    """Return every campaign in journeys, each once, in the order in which they first appear."""
    return tuple(dict.fromkeys(name for one in journeys for name in (*one.campaigns, one.winner)))


def coalitions_of(journeys: Sequence[Journey]) -> tuple[tuple[str, ...], ...]:
    """Return every set of campaigns that a listed journey names: the public list of coalitions.

    Each in the order in which campaigns first appear in the list; small ones first.
    """
    order = {name: place for place, name in enumerate(campaigns_of(journeys))}
    found = {tuple(sorted(one.coalition, key=order.__getitem__)) for one in journeys}
    return tuple(sorted(found, key=lambda names: (len(names), [order[name] for name in names])))


def _paths(campaigns: Sequence[str], runs: int) -> Iterator[tuple[str, ...]]:
    for path in product(campaigns, repeat=runs):
        if all(one != other for one, other in pairwise(path)):
            yield path
