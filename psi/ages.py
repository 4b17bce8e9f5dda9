"""Ages: how long ago the last touch was, and whose it was, as a label.

Beside journeys, in which no time stands, this is the label for time to conversion. A text is the
last campaign and the lower bound of its age's class in hours, such as `C8 × 24 h`: at least 24
hours ago, and less than the next bound of the list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from psi.errors import JourneyError
from psi.journey import require_campaign

MOST_HOURS: Final = 24 * 366
_TEXT: Final = re.compile(r"(.+) × (0|[1-9][0-9]{0,5}) h")


@dataclass(frozen=True)
class Ages:
    """Every campaign with every class of age; `hours` are the classes' lower bounds, from 0."""

    campaigns: tuple[str, ...]
    hours: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in self.campaigns:
            require_campaign(name)
        if self.hours[:1] != (0,) or any(low >= high for low, high in pairwise(self.hours)):
            raise JourneyError("classes of age rise from 0 hours")
        if self.hours[-1] > MOST_HOURS:
            raise JourneyError(f"the last class of age begins at {MOST_HOURS} hours at most")

    @property
    def texts(self) -> tuple[str, ...]:
        """The label list: a campaign's classes together, the youngest first."""
        return tuple(f"{name} × {hours} h" for name in self.campaigns for hours in self.hours)


def read_ages(texts: Sequence[str]) -> Ages:
    """Return the ages that a label list is; JourneyError unless it is every one in order."""
    found = [_TEXT.fullmatch(text) for text in texts]
    named = [match.groups() for match in found if match]
    campaigns = tuple(dict.fromkeys(name for name, _ in named))
    hours = tuple(dict.fromkeys(int(bound) for _, bound in named))
    ages = Ages(campaigns, hours)
    if ages.texts != tuple(texts):
        raise JourneyError(
            "ages are every campaign with every class, such as 'C8 × 0 h', 'C8 × 24 h'"
        )
    return ages
