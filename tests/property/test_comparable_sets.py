"""Who could compare which sets, enumerated from the tables of legs themselves.

A coalition strips its own scalars from every set that it saw. What is left tells which sets it
can lay side by side: those under the same scalars of others. Whatever anybody hashes alone is
under none. So a set that is comparable with nothing says nothing about who is in it.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import pytest

from psi.legs import (
    CROSSTAB_OF_THREE,
    CROSSTAB_OF_TWO,
    RECIPIENT,
    TABULATOR,
    THIRD,
    Form,
    Leg,
    Order,
)

TABLES = pytest.mark.parametrize(
    "table", [CROSSTAB_OF_TWO, CROSSTAB_OF_THREE], ids=["two", "three"]
)
GUESSES = None  # the owner of what a coalition hashes itself: its own people, or anybody


@dataclass(frozen=True)
class Seen:
    """A set as it was seen: whose it is, and whose scalars are on it."""

    owner: str | None
    scalars: frozenset[str]


def seen_by(table, coalition, *, also=()):
    """Return every set that a member sent, received, or (`also`, by steps) carried in the clear."""
    seen = {Seen(GUESSES, frozenset())}
    for step in table.steps:
        if isinstance(step, Leg) and ({step.sender, step.receiver} & coalition or step in also):
            scalars = {step.owner, *table.raisers(step.owner)[: step.hop]}
            seen.add(Seen(step.owner, frozenset(scalars)))
    return seen


def comparable(table, coalition, **options):
    """Return the pairs of sets that a coalition can lay side by side to learn of an outsider."""
    return {
        frozenset((one, other))
        for one, other in combinations(seen_by(table, coalition, **options), 2)
        if one.scalars - coalition == other.scalars - coalition
        and one.owner != other.owner
        and {one.owner, other.owner} - coalition - {GUESSES}
    }


def coalitions(table, *, without=frozenset()):
    roles = [role for role in table.roles if role not in without]
    return [
        frozenset(members)
        for size in range(1, min(len(table.roles), len(roles) + 1))
        for members in combinations(roles, size)
    ]


@TABLES
def test_nobody_without_the_tabulator_ever_holds_two_comparable_sets(table):
    found = coalitions(table, without={TABULATOR})
    assert len(found) == {2: 1, 3: 3}[len(table.roles)]
    for coalition in found:
        assert comparable(table, coalition) == set(), coalition


@TABLES
def test_nobody_at_all_ever_holds_an_outsiders_set_without_the_outsiders_scalar(table):
    """So nobody looks a guess up in it, not even the tabulator with another party."""
    for coalition in coalitions(table):
        assert not any(
            seen.owner not in coalition and seen.owner is not GUESSES and seen.scalars <= coalition
            for seen in seen_by(table, coalition)
        )


@TABLES
def test_the_tabulator_compares_all_sets_and_has_none_of_them_in_an_order_that_it_knows(table):
    held = {role: table.legs_of(role)[-1] for role in table.roles}
    assert all(leg.receiver == TABULATOR and leg.order is Order.SORTED for leg in held.values())
    sets = {frozenset(pair) for pair in combinations(table.roles, 2)}
    found = comparable(table, frozenset({TABULATOR}))
    assert {frozenset(seen.owner for seen in pair) for pair in found} == sets


def test_a_hub_that_could_read_what_it_carries_would_hold_comparable_sets():
    """Why the legs between the other two are sealed: its own set, raised, is beside the third's."""
    hub = frozenset({RECIPIENT})
    carried = [
        step
        for step in CROSSTAB_OF_THREE.steps
        if isinstance(step, Leg) and RECIPIENT not in (step.sender, step.receiver)
    ]
    own, tabulators = carried
    assert (own.owner, own.hop, tabulators.owner, tabulators.hop) == (RECIPIENT, 1, TABULATOR, 2)
    pair = {Seen(RECIPIENT, hub | {THIRD}), Seen(THIRD, frozenset({THIRD}))}
    assert frozenset(pair) in comparable(CROSSTAB_OF_THREE, hub, also=[own])
    assert comparable(CROSSTAB_OF_THREE, hub, also=[tabulators]) == set()


def test_a_tabulator_that_passed_on_what_it_raised_would_give_the_next_one_comparable_sets():
    """Why it raises others' sets only last, and keeps them."""
    steps = (
        *(step for step in CROSSTAB_OF_THREE.steps if getattr(step, "owner", None) != RECIPIENT),
        Leg(RECIPIENT, RECIPIENT, TABULATOR, 0),
        Leg(RECIPIENT, TABULATOR, THIRD, 1),
        Leg(RECIPIENT, THIRD, TABULATOR, 2, Form.TAGS),
    )
    detour = replace(CROSSTAB_OF_THREE, steps=steps)
    assert comparable(detour, frozenset({THIRD}))
