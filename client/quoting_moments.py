"""What a quote says of tables whose records are moments: how many keys touches become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from party.contract_terms import OutputKind
from party.datasets.touch_labels import HALF_LIFE_SECONDS
from party.request import Request
from psi.ages import read_ages
from psi.journey import campaigns_of, read_journeys
from psi.legs import TABULATOR
from psi.time_keys import cover
from psi.touches import Stretches, Touches, age_stretches, journey_stretches
from psi.windows import Timing

USUAL_TOUCHES: Final = 3
_PEOPLE: Final = 1_000
_HOUR: Final = 3_600


@dataclass(frozen=True)
class Touching:
    """What the tabulator sends, about: touched people, touches of each, and keys of each."""

    people: int
    touches: int
    keys_a_person: float
    most_keys: int

    @property
    def keys(self) -> int:
        """All keys."""
        return round(self.people * self.keys_a_person)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "touches_a_person": self.touches,
            "keys_a_touched_person": round(self.keys_a_person, 1),
            "most_keys_a_person": self.most_keys,
        }


def touching_of(
    request: Request, quality: Mapping[str, Any] | None, people: int, identifiers: float
) -> Touching | None:
    """Return it for a request of attribution or delay, else None.

    `quality` is the report on the label where this party is the tabulator; `people` are those who
    consent, who have so many `identifiers` each.
    """
    timing = request.parameters.timing
    if timing is None:
        return None
    touches = USUAL_TOUCHES
    if quality is not None:
        everyone = quality["touched"] + quality["without"]
        people = round(people * quality["touched"] / max(everyone, 1))
        touches = max(1, round(quality["touches"] / max(quality["touched"], 1)))
    each = identifiers * request.parameters.records_per_person
    keys = min(intervals_a_person(request, timing, touches) * each, timing.most_keys)
    return Touching(people, touches, keys, timing.most_keys)


def intervals_a_person(request: Request, timing: Timing, touches: int) -> float:
    """Return how many intervals so many touches become on average, spread evenly over the window.

    Found by doing it for a thousand people, drawn with a fixed seed.
    """
    draw = np.random.default_rng(1)
    window, size = timing.window, _PEOPLE * touches
    values = request.labels[request.roles[TABULATOR]].values
    person = np.repeat(np.arange(_PEOPLE), touches)
    time = draw.integers(window.start, window.stop, size) * 1_000_000
    stretches: Stretches
    if request.kind is OutputKind.DELAY:
        ages = read_ages(values)
        campaign = draw.integers(0, len(ages.campaigns), size)
        bounds = [hours * _HOUR // window.slot_seconds for hours in ages.hours]
        made = Touches.ordered(person, time, campaign)
        stretches = age_stretches(made, window, timing.lookback, bounds)
    else:
        journeys = read_journeys(values)
        campaigns = campaigns_of(journeys)
        campaign = draw.integers(0, len(campaigns), size)
        stretches = journey_stretches(
            Touches.ordered(person, time, campaign),
            window,
            timing.lookback,
            journeys,
            campaigns,
            half_life_seconds=HALF_LIFE_SECONDS,
            uniforms=draw.uniform(1e-9, 1, size),
        )
    return len(cover(stretches.start, stretches.stop, window)) / _PEOPLE
