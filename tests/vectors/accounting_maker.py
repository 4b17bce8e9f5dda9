"""Makes accounting.json: what sessions cost by dp-accounting's privacy loss distributions.

dp-accounting pins an attrs that the rest does not have, so it lives in an environment of its own
(`make accounting`), and this script imports nothing of commonground: it writes the laws of
docs/protocol.md down once more, from their definitions. `--check` computes everything again and
compares it with the file.

`low` and `high` are the optimistic and the pessimistic ε at δ of 1, 2, 3 … sessions: the true one
lies between them, but for what is cut off the tails, which is less than 1e-15 a composition.
"""

import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

from dp_accounting.pld import privacy_loss_distribution as pld

FILE = Path(__file__).parent / "accounting.json"
INTERVAL = 1e-4
DELTA = 1e-6
TOLERANCE = 1e-6

RELEASE, SIZES = "release", "sizes"


def release(epsilon, bound=1):
    return {"law": RELEASE, "epsilon": epsilon, "bound": bound}


def sizes(epsilon, delta="1e-9", bound=1):
    return {"law": SIZES, "epsilon": epsilon, "delta": delta, "bound": bound}


REPEATED = {
    "a table at the tabulator, ε 1 and 1": ([release("1"), sizes("1")], 24),
    "a table at the tabulator, ε 0.5 and 0.5": ([release("0.5"), sizes("0.5")], 60),
    "a table at the tabulator, ε 0.1 and 0.1": ([release("0.1"), sizes("0.1")], 240),
    "three identifiers a person, ε 0.6 and 0.3": (
        [release("0.6", 3), sizes("0.3", bound=3)],
        60,
    ),
    "a table at the recipient, ε 0.5": ([sizes("0.5")], 120),
    "a table at the recipient, ε 0.5 and a large δ": ([sizes("0.5", "1e-8")], 90),
}
"""Sessions of one kind, and how many of them are composed."""

MIXED = {
    "many kinds": [
        [release("1"), sizes("1")],
        [release("0.2"), sizes("0.1")],
        [release("0.2"), sizes("0.1")],
        [sizes("0.5", "1e-8")],
        [release("0.6", 3), sizes("0.3", bound=3)],
        [sizes("2", bound=2)],
    ],
    "small after large": [[release("2"), sizes("1")], *[[release("0.1"), sizes("0.1")]] * 20],
}
"""Sessions of several kinds, one after the other."""


def truncated_reach(epsilon, delta, bound):
    """Return n: the smallest at which a shift by `bound` leaves no more than δ uncovered."""
    a = math.exp(-epsilon / bound)
    n = bound
    while a ** (n - bound + 1) * (1 - a**bound) / (1 + a - 2 * a ** (n + 1)) > delta:
        n += 1
    return n


def loss_of(part, *, pessimistic):
    """Return the privacy loss distribution of one part of a session, for its worst event."""
    epsilon, bound = float(part["epsilon"]), part["bound"]
    options = {"pessimistic_estimate": pessimistic, "value_discretization_interval": INTERVAL}
    if part["law"] == RELEASE:
        return pld.from_discrete_laplace_mechanism(epsilon / bound, bound, **options)
    n = truncated_reach(epsilon, float(part["delta"]), bound)
    weights = [-epsilon / bound * abs(x - n) for x in range(2 * n + 1)]
    total = math.log(math.fsum(math.exp(weight) for weight in weights))
    law = {x: weight - total for x, weight in enumerate(weights)}
    shifted = {x + bound: value for x, value in law.items()}
    return pld.from_two_probability_mass_functions(law, shifted, **options)


def epsilons(sessions, *, pessimistic):
    """Return the ε at DELTA after each of these sessions."""
    kinds, found, so_far = {}, [], None
    for parts in sessions:
        key = json.dumps(parts)
        if key not in kinds:
            first, *others = (loss_of(part, pessimistic=pessimistic) for part in parts)
            for other in others:
                first = first.compose(other)
            kinds[key] = first
        so_far = kinds[key] if so_far is None else so_far.compose(kinds[key])
        found.append(round(so_far.get_epsilon_for_delta(DELTA), 9))
    return found


def made():
    sequences = {name: [parts] * times for name, (parts, times) in REPEATED.items()} | MIXED
    return {
        "made_by": f"accounting_maker.py, dp-accounting {version('dp-accounting')}",
        "interval": INTERVAL,
        "delta": "1e-6",
        "sequences": {
            name: {
                "repeated": REPEATED[name][0] if name in REPEATED else None,
                "sessions": None if name in REPEATED else sessions,
                "low": epsilons(sessions, pessimistic=False),
                "high": epsilons(sessions, pessimistic=True),
            }
            for name, sessions in sequences.items()
        },
    }


def differences(now, then):
    """Return what is not as the file says."""
    for name, sequence in now["sequences"].items():
        recorded = then["sequences"].get(name)
        if recorded is None or len(recorded["high"]) != len(sequence["high"]):
            yield f"{name}: not recorded"
            continue
        for bound in ("low", "high"):
            pairs = zip(sequence[bound], recorded[bound], strict=True)
            worst = max(abs(one - other) for one, other in pairs)
            if worst > TOLERANCE:
                yield f"{name}: {bound} differs by {worst}"


if __name__ == "__main__":
    computed = made()
    if "--check" in sys.argv[1:]:
        found = list(differences(computed, json.loads(FILE.read_text(encoding="utf-8"))))
        print(*(found or [f"{FILE.name} is what {computed['made_by']} computes"]), sep="\n")
        sys.exit(bool(found))
    FILE.write_text(json.dumps(computed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{FILE.name} is written")
