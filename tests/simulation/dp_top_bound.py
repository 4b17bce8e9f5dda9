"""The outside audit of a top bound that is chosen by the data (party/top_bound.py).

Anybody may see the bound and the share above it. The two datasets differ in one person, whose value
is the largest; who is counted where is `test_top_bound`'s.
"""

import pytest
from dp_audit import Finding, audit

from party import top_bound
from party.top_bound import Question
from psi.buckets import ValueBuckets

EPSILON = 1.0
QUESTION = Question(
    "customers", "amount", ValueBuckets.of(["0", "10", "20", "40"]), 0.9, int(EPSILON * 10**9)
)
COUNTS = ([60, 30, 10, 0], [60, 30, 10, 1])
"""People by the smallest bound that holds their value, and above all bounds."""
MUTANTS = ("noise halved", "a person in two counts")


def examine(runs: int, mutant: str | None = None) -> Finding:
    """Audit it, with a fault of the product or without."""
    one, other = COUNTS
    if mutant == "a person in two counts":
        other = [*other[:2], other[2] + 1, other[3]]
    with pytest.MonkeyPatch.context() as patch:
        if mutant == "noise halved":
            noise = top_bound.discrete_laplace
            patch.setattr(
                top_bound, "discrete_laplace", lambda values, epsilon, bound: noise(
                    values, 2 * epsilon, bound
                ),
            )  # fmt: skip
        return audit(_sample, one, other, epsilon=EPSILON, delta=0, runs=runs)


def _sample(counts: list[int], runs: int) -> list[tuple[int, int]]:
    """Choose so often; what is seen is the bound and how many are above it, from four on alike."""
    noisy = top_bound.discrete_laplace(counts * runs, QUESTION.epsilon_nano, 1)
    tables = [noisy[start : start + len(counts)] for start in range(0, len(noisy), len(counts))]
    return [_seen(*top_bound._chosen(table, QUESTION), sum(table)) for table in tables]


def _seen(chosen: int, above: float, total: int) -> tuple[int, int]:
    return chosen, min(round(above * total), 4)
