"""Persons from identifiers: what plain loops say, whatever the order, and never above the bound."""

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from party.datasets.connection import Connection
from party.datasets.graph import Sightings, partition

NAMES = ("email", "phone", "device", "cookie")


def bounds(most_sharing=2, most_identifiers=5):
    return Connection(NAMES, most_sharing, most_identifiers)


def sightings(rows, types=(0, 1, 2, 3), numbers=None):
    """Return rows of (type, name) cells, or None, as numbers; `numbers` shuffles the numbering."""
    cells = sorted({cell for row in rows for cell in row if cell})
    if numbers is not None:
        numbers.shuffle(cells)
    cells.sort(key=lambda cell: cell[0])
    number = {cell: index for index, cell in enumerate(cells)} | {None: -1}
    starts = [sum(cell[0] < type_ for cell in cells) for type_ in range(max(types) + 2)]
    columns = np.array([[number[cell] for cell in row] for row in rows], dtype=np.int32).T
    return Sightings(tuple(columns), tuple(types), tuple(starts)), cells


def people_of(rows, limits, types=(0, 1, 2, 3), numbers=None):
    """Return (the rows of each person, identifiers over-shared, identifiers withheld, broken)."""
    seen, cells = sightings(rows, types, numbers)
    found = partition(seen, limits)
    groups = [set() for _ in range(found.persons)]
    for row, person in enumerate(found.of_row.tolist()):
        if person >= 0:
            groups[person].add(row)
    firsts = [min(group) for group in groups]
    assert firsts == sorted(firsts)
    over = {cell for cell, flag in zip(cells, found.over_shared, strict=True) if flag}
    withheld = {cell for cell, flag in zip(cells, found.withheld, strict=True) if flag}
    broken = (found.broken, found.broken_rows)
    return {frozenset(group) for group in groups}, over, withheld, broken


def joined(rows, connecting):
    """Return components of row numbers, by merging sets until nothing changes."""
    groups = [({row}, connecting & set(cells)) for row, cells in rows.items()]
    merged = True
    while merged:
        merged = False
        for one in groups:
            other = next((g for g in groups if g is not one and g[1] & one[1]), None)
            if other:
                groups.remove(other)
                one[0].update(other[0])
                one[1].update(other[1])
                merged = True
                break
    return [rows_of for rows_of, _ in groups]


def pieces_of(rows, connecting):
    """Return the components of row numbers, rows of the very same identifiers being one."""
    alike = {}
    for row, cells in rows.items():
        alike.setdefault(frozenset(cells), set()).add(row)
    groups = joined(dict(enumerate(alike)), connecting)
    copies = list(alike.values())
    return [set().union(*(copies[number] for number in group)) for group in groups]


def expected(rows, limits, types=4):
    """Return what `people_of` must be, from the three sentences of the module's docstring."""
    rows = {number: {cell for cell in row if cell} for number, row in enumerate(rows)}
    every = set().union(*rows.values())
    over = set()
    for one in every:
        beside = set().union(*(cells for cells in rows.values() if one in cells)) - {one}
        of_type = [sum(cell[0] == type_ for cell in beside) for type_ in range(one[0])]
        if max(of_type, default=0) > limits.most_sharing or len(beside) >= limits.most_identifiers:
            over.add(one)

    def size(group):
        return len(set().union(*(rows[row] for row in group)) - over)

    components = joined(rows, every - over)
    broken = [group for group in components if size(group) > limits.most_identifiers]
    for kept in range(types - 1, -1, -1):
        connecting = {cell for cell in every - over if cell[0] < kept}
        components = [
            piece
            for group in components
            for piece in (
                [group]
                if size(group) <= limits.most_identifiers
                else pieces_of({row: rows[row] for row in group}, connecting)
            )
        ]
    owners = {one: [g for g in components if any(one in rows[row] for row in g)] for one in every}
    withheld = {one for one in every if one in over or len(owners[one]) > 1}
    people = {
        frozenset(group)
        for group in components
        if set().union(*(rows[row] for row in group)) - withheld
    }
    return people, over, withheld, (len(broken), sum(map(len, broken)))


def cell(type_, most=6):
    return st.one_of(st.none(), st.integers(0, most).map(lambda number: (type_, number)))


tables = st.lists(st.tuples(*(cell(type_) for type_ in range(4))), min_size=1, max_size=24)
sparse = st.lists(st.tuples(*(cell(type_, 40) for type_ in range(4))), min_size=1, max_size=40)
limits = st.builds(bounds, st.integers(1, 4), st.integers(4, 9))


@given(st.one_of(tables, sparse), limits)
@settings(max_examples=200, deadline=None)
def test_persons_are_what_plain_loops_say(rows, limits):
    assert people_of(rows, limits) == expected(rows, limits)


@given(tables, limits)
@settings(max_examples=80, deadline=None)
def test_two_columns_of_one_type_are_one_type(rows, limits):
    rows = [(a, (0, b[1]) if b else None, c, d) for a, b, c, d in rows]
    assert people_of(rows, limits, (0, 0, 2, 3)) == expected(rows, limits)


@given(st.one_of(tables, sparse), limits, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_neither_the_order_of_rows_nor_of_identifiers_makes_another_person(rows, limits, chance):
    people, *rest = people_of(rows, limits)
    order = list(range(len(rows)))
    chance.shuffle(order)
    found, *others = people_of([rows[row] for row in order], limits, numbers=chance)
    assert {frozenset(order[row] for row in group) for group in found} == people
    assert others == rest


@given(tables, limits)
@example(
    [(None, None, (2, 0), (3, 0)), (None, None, (2, 0), (3, 1)),
     (None, (1, 0), (2, 1), None), ((0, 0), (1, 0), (2, 0), None)],
    bounds(1, 5),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_repeated_rows_make_no_other_person(rows, limits):
    people, over, withheld, (broken, _) = people_of(rows, limits)
    again, *others, (still_broken, _) = people_of(rows * 3, limits)
    size = len(rows)
    assert {frozenset(row % size for row in group) for group in again} == people
    assert (*others, still_broken) == (over, withheld, broken)


@given(st.one_of(tables, sparse), limits)
@settings(max_examples=100, deadline=None)
def test_nobody_has_more_than_the_bound_and_each_identifier_has_one_owner(rows, limits):
    people, _, withheld, _ = people_of(rows, limits)
    owned = [{cell for row in group for cell in rows[row] if cell} - withheld for group in people]
    assert all(1 <= len(own) <= limits.most_identifiers for own in owned)
    assert sum(map(len, owned)) == len(set().union(*owned))


def row(email=None, phone=None, device=None, cookie=None):
    names = (email, phone, device, cookie)
    return tuple(None if name is None else (type_, name) for type_, name in enumerate(names))


class TestOverShared:
    def test_a_familys_tablet_makes_no_family_one_person(self):
        rows = [row(email=name, device=0) for name in range(3)] + [row(device=0)]
        people, over, withheld, _ = people_of(rows, bounds(most_sharing=2))
        assert people == {frozenset({0}), frozenset({1}), frozenset({2})}
        assert over == withheld == {(2, 0)}

    def test_what_as_many_share_as_is_allowed_still_connects(self):
        rows = [row(email=name, device=0) for name in range(2)]
        assert people_of(rows, bounds(most_sharing=2))[0] == {frozenset({0, 1})}

    def test_many_rows_of_one_person_share_nothing(self):
        rows = [row(email=0, cookie=0)] * 5_000 + [row(cookie=0)] * 5_000
        assert people_of(rows, bounds(1, 4))[0] == {frozenset(range(10_000))}

    def test_many_weak_identifiers_of_a_strong_one_are_no_sharing(self):
        rows = [row(email=0, cookie=number) for number in range(4)]
        assert people_of(rows, bounds(1, 5))[0] == {frozenset(range(4))}

    def test_several_identifiers_of_its_own_type_are_no_sharing(self):
        rows = [((0, 0), (0, number), None, None) for number in range(1, 4)]
        people, over, *_ = people_of(rows, bounds(1, 9), (0, 0, 2, 3))
        assert (people, over) == ({frozenset({0, 1, 2})}, set())

    def test_an_address_that_testers_type_connects_none_of_them(self):
        rows = [row(email=0, phone=number, cookie=number) for number in range(6)]
        rows += [row(phone=number, device=number) for number in range(6)]
        people, over, _, _ = people_of(rows, bounds(2, 9))
        assert people == {frozenset({number, number + 6}) for number in range(6)}
        assert over == {(0, 0)}


class TestAboveTheBound:
    CHAIN = tuple(row(email=n // 2, cookie=(n + 1) // 2) for n in range(20))

    def test_a_chain_is_broken_into_its_strongest_identifiers(self):
        people, over, withheld, broken = people_of(self.CHAIN, bounds(2, 5))
        assert people == {frozenset({2 * n, 2 * n + 1}) for n in range(10)}
        assert broken == (1, 20)
        assert not over
        assert withheld == {(3, number) for number in range(1, 10)}

    def test_a_chain_within_the_bound_is_one_person(self):
        people, _, withheld, broken = people_of(self.CHAIN, bounds(2, 21))
        assert people == {frozenset(range(20))}
        assert (withheld, broken) == (set(), (0, 0))

    def test_only_as_many_types_let_go_as_must(self):
        rows = [row(email=n, phone=n, cookie=n // 2) for n in range(4)]
        rows += [row(phone=n, cookie=(n + 1) // 2) for n in range(4)]
        people, *_ = people_of(rows, bounds(2, 4))
        assert people == {frozenset({n, n + 4}) for n in range(4)}

    def test_where_even_the_strongest_type_chains_rows_stand_alone(self):
        cells = [((0, n), (0, n + 1), None, None) for n in range(9)]
        people, _, withheld, broken = people_of(cells, bounds(2, 4), (0, 0, 2, 3))
        assert broken == (1, 9)
        assert withheld == {(0, n) for n in range(1, 9)}
        assert people == {frozenset({0}), frozenset({8})}

    def test_others_are_not_touched(self):
        rows = [*self.CHAIN, row(email=50, cookie=50), row(cookie=50, device=50)]
        assert frozenset({20, 21}) in people_of(rows, bounds(2, 5))[0]


@pytest.mark.parametrize("times", [2, 255, 256, 257, 512])
def test_what_is_seen_together_often_is_together(times):
    rows = [row(email=0, phone=0)] * times + [row(email=0), row(phone=0)]
    assert people_of(rows, bounds())[0] == {frozenset(range(times + 2))}


def test_rows_without_an_identifier_are_nobodys():
    assert people_of([row(), row(), row(email=1)], bounds())[0] == {frozenset({2})}
    assert people_of([row()], bounds()) == (set(), set(), set(), (0, 0))


def test_a_large_table_in_another_order_gives_the_same_persons():
    chance = random.Random(7)
    rows = [
        row(*(chance.randrange(3_000) if chance.random() < 0.4 else None for _ in range(4)))
        for _ in range(4_000)
    ]
    people, *rest = people_of(rows, bounds(2, 30))
    order = chance.sample(range(len(rows)), len(rows))
    found, *others = people_of([rows[place] for place in order], bounds(2, 30), numbers=chance)
    assert {frozenset(order[place] for place in group) for group in found} == people
    assert others == rest
    assert max(map(len, people)) > 2
