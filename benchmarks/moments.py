"""Time keys: how many a touched person has, and what making them costs.

People have so many touches each, of four campaigns, spread evenly over 30 days of hourly slots; one
identifier, one conversion a person that counts. Measured is the tabulator's side, from touches to
keys, on one core by CPU time, beside joining the same keys' bytes and nothing else.

    python -m benchmarks.moments [--rounds 3] [--people 100000]

prints a table and writes build/bench/moments.json.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks.command import part_parser
from benchmarks.load import Load, Watch
from benchmarks.moments_table import moments_table
from benchmarks.output import part_file, write_figures
from benchmarks.timing import median_ratio, microseconds
from psi.journey import list_journeys
from psi.keys import Keys
from psi.time_keys import Intervals, cover, time_keys
from psi.touches import Touches, journey_stretches
from psi.windows import Window

PART = "moments"
TOUCHES: Final = (1, 3, 5)
LOOKBACK_DAYS: Final = (7, 30)
_CAMPAIGNS: Final = ("C1", "C2", "C3", "C4")
_WINDOW: Final = Window(0, 3_600, 720)
_HALF_LIFE_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True)
class Case:
    """So many touches a person: keys of each, microseconds a key, and times the bare join's."""

    touches: int
    lookback_days: int
    keys_a_person: float
    key_us: float
    ratio: float


@dataclass(frozen=True)
class Result:
    """All cases."""

    people: int
    rounds: int
    cases: tuple[Case, ...]
    load: Load

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def measure(rounds: int, people: int) -> Result:
    """Make the keys of every case, on the first core that may be used."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    watch = Watch()
    cases = tuple(
        _case(touches, days, rounds, people) for days in LOOKBACK_DAYS for touches in TOUCHES
    )
    load = watch.stop()
    os.sched_setaffinity(0, cores)
    return Result(people, rounds, cases, load)


def _case(touches: int, days: int, rounds: int, people: int) -> Case:
    source = np.random.default_rng(touches)
    digests = source.integers(0, 256, (people, 32), dtype=np.uint8)
    keys = Keys.from_digests("email", digests)
    size = people * touches
    person = np.repeat(np.arange(people), touches)
    time = source.integers(0, _WINDOW.stop, size) * 1_000_000
    campaign = source.integers(0, len(_CAMPAIGNS), size)
    uniforms = source.uniform(1e-9, 1, size)
    journeys = list_journeys(_CAMPAIGNS, 2)

    def intervals() -> tuple[Intervals, np.ndarray]:
        stretches = journey_stretches(
            Touches.ordered(person, time, campaign), _WINDOW, days * 24, journeys, _CAMPAIGNS,
            half_life_seconds=_HALF_LIFE_SECONDS, uniforms=uniforms,
        )  # fmt: skip
        found = cover(stretches.start, stretches.stop, _WINDOW)
        return found, stretches.person[found.owner]

    found, owner = intervals()
    product, bare = [], []
    for _ in range(rounds):
        product.append(microseconds(lambda: _keys(keys, *intervals()), len(found)))
        bare.append(microseconds(lambda: _keys(keys, found, owner), len(found)))
    each = len(found) / people
    return Case(touches, days, each, median(product), median_ratio(product, bare))


def _keys(keys: Keys, intervals: Intervals, owner: np.ndarray) -> Keys:
    return time_keys(keys, owner, 1, intervals)


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.moments", __doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=100_000)
    arguments = parser.parse_args()
    figures = measure(arguments.rounds, arguments.people).to_json()
    print(moments_table(figures))
    write_figures(part_file(PART), figures)


if __name__ == "__main__":
    main()
