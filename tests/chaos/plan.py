"""Which fault meets which phase of which play: every cell equally often, the rest by the seed."""

from dataclasses import dataclass
from random import Random

from cast import ASKER, LISTENERS
from phases import PHASES

KINDS = ("match", "crosstab", "three")


@dataclass(frozen=True)
class Blow:
    """A fault that is to come in a phase, `delay` seconds after it has begun."""

    phase: int
    fault: str
    victim: str
    delay: float


@dataclass(frozen=True)
class Play:
    """One session and what is to happen to it."""

    number: int
    seed: str
    kind: str
    blows: tuple[Blow, ...]

    @property
    def clocked(self):
        return any(blow.fault == "clock" for blow in self.blows)

    @property
    def store(self):
        return "postgresql" if any(one.fault == "database" for one in self.blows) else "sqlite"


def plan(seed, rounds, faults, kinds=KINDS):
    """Return the plays of a seed: in each round every fault meets every phase of every kind once.

    A clock that has jumped may end its session, so it comes last in its play.
    """
    random, plays = Random(seed), []
    for number in range(rounds):
        for kind in kinds:
            for shift in range(len(faults)):
                row = [(p, faults[(p + shift) % len(faults)]) for p in range(len(PHASES))]
                for part in _parts(row):
                    plays.append((number, kind, part))
    random.shuffle(plays)
    plays.sort(key=lambda one: one[0])
    return [make(seed, i, kind, part, random) for i, (_, kind, part) in enumerate(plays)]


def make(seed, number, kind, row, random):
    """Return a play of (phase, fault); victims and instants by `random`."""
    blows = tuple(
        Blow(phase, fault, random.choice((ASKER, *LISTENERS[kind])), random.uniform(0, 0.3))
        for phase, fault in row
    )
    return Play(number, f"{seed}/{number}", kind, blows)


def _parts(row):
    """Cut a row behind its clock."""
    at = next((i for i, (_, fault) in enumerate(row) if fault == "clock"), len(row) - 1)
    return [part for part in (row[: at + 1], row[at + 1 :]) if part]
