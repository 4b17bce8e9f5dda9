"""A party that answers falsely is caught, whatever leg of either protocol it lies on."""

from dataclasses import replace

import numpy as np
import pytest
from memory_links import NoiselessRecorder, make_terms, run_session

from party.errors import Refusal
from party.messages import KeyArtefact, NumberingArtefact, SizesArtefact
from psi import answers
from psi.curve import Scalar, public_point, raise_points
from psi.errors import InvalidPoint, WrongAnswer
from psi.legs import CROSSTAB_OF_THREE, CROSSTAB_OF_TWO, MATCH, Leg
from psi.seed import Seed
from psi.sets import LabelledSet

LABELS = (("a", "b"), ("x", "y"), ("u", "v"))
OTHER = Scalar.from_bytes(b"\x05" * 32)


def people(offset):
    return [(f"p{i}", i % 2) for i in range(offset, offset + 30)]


def lie_at(step, how):
    return lambda index, artefact: how(artefact) if index == step else artefact


def with_elements(labelled, change):
    elements = np.array(labelled.elements)
    change(elements)
    return LabelledSet(labelled.sizes, elements)


def half_under_another_scalar(labelled):
    def change(elements):
        seen = np.random.default_rng(7).permutation(len(elements))[: len(elements) // 2]
        elements[seen] = np.random.default_rng(8).integers(
            0, 256, (len(seen), elements.shape[1]), dtype=np.uint8
        )
        elements[seen, -1] &= 0x7F

    return with_elements(labelled, change)


def labels_swapped(labelled):
    """Give each label the other's elements, as far as the sizes that must come back allow."""
    n = min(labelled.sizes)
    first, second = slice(0, n), slice(labelled.sizes[0], labelled.sizes[0] + n)

    def change(elements):
        elements[first], elements[second] = elements[second].copy(), elements[first].copy()

    return with_elements(labelled, change)


def one_dropped(labelled):
    return LabelledSet((labelled.sizes[0] - 1, *labelled.sizes[1:]), labelled.elements[1:])


def one_repeated(labelled):
    return with_elements(labelled, lambda e: e.__setitem__(1, e[0]))


def one_repeated_across_labels(labelled):
    return with_elements(labelled, lambda e: e.__setitem__(-1, e[0]))


def one_of_low_order(labelled):
    return with_elements(labelled, lambda e: e.__setitem__(0, 0))


def one_not_canonical(labelled):
    return with_elements(labelled, lambda e: e.__setitem__(0, 255))


def turned_round(labelled):
    return LabelledSet(labelled.sizes, np.ascontiguousarray(labelled.elements[::-1]))


def another_key(_):
    return KeyArtefact(public_point(OTHER))


def low_order_key(_):
    return KeyArtefact(bytes(32))


def one_point_less(stated):
    return SizesArtefact((stated.sizes[0] - 1, *stated.sizes[1:]))


def a_label_less(stated):
    return SizesArtefact(stated.sizes[1:])


def one_name_twice(numbering):
    return NumberingArtefact((numbering.names[0],) * len(numbering.names))


def a_name_of_its_own(numbering):
    return NumberingArtefact((*numbering.names[1:], "w"))


def without_totals(release):
    return replace(release, totals=())


def one_number_for_all(release):
    return replace(release, numbering=(release.numbering[0],) * len(release.numbering))


TWO = [
    ("recipient", 1, half_under_another_scalar, "tabulator", WrongAnswer),
    ("recipient", 1, labels_swapped, "tabulator", WrongAnswer),
    ("recipient", 1, one_dropped, "tabulator", WrongAnswer),
    ("recipient", 1, one_repeated, "tabulator", InvalidPoint),
    ("recipient", 2, one_repeated, "tabulator", InvalidPoint),
    ("recipient", 2, one_repeated_across_labels, "tabulator", InvalidPoint),
    ("recipient", 2, one_of_low_order, "tabulator", InvalidPoint),
    ("recipient", 2, one_not_canonical, "tabulator", InvalidPoint),
    ("recipient", 3, another_key, "tabulator", WrongAnswer),
    ("recipient", 3, low_order_key, "tabulator", InvalidPoint),
    ("tabulator", 0, one_repeated, "recipient", InvalidPoint),
    ("tabulator", 0, one_repeated_across_labels, "recipient", InvalidPoint),
    ("tabulator", 0, one_of_low_order, "recipient", InvalidPoint),
    ("tabulator", 0, one_not_canonical, "recipient", InvalidPoint),
]

LIST = [
    ("receiver", 0, one_of_low_order, "sender", InvalidPoint),
    ("sender", 1, one_repeated, "receiver", InvalidPoint),
    ("receiver", 2, half_under_another_scalar, "sender", WrongAnswer),
    ("receiver", 2, one_repeated, "sender", InvalidPoint),
    ("receiver", 3, another_key, "sender", WrongAnswer),
    ("sender", 4, turned_round, "receiver", WrongAnswer),
    ("sender", 4, half_under_another_scalar, "receiver", WrongAnswer),
    ("sender", 5, another_key, "receiver", WrongAnswer),
]

THREE = [
    ("third", 3, half_under_another_scalar, "tabulator", WrongAnswer),  # R's set
    ("third", 3, labels_swapped, "tabulator", WrongAnswer),
    ("third", 3, one_dropped, "tabulator", WrongAnswer),
    ("recipient", 4, half_under_another_scalar, "tabulator", WrongAnswer),  # V's set
    ("recipient", 5, half_under_another_scalar, "tabulator", WrongAnswer),  # T's set
    ("third", 6, half_under_another_scalar, "tabulator", WrongAnswer),
    ("third", 6, labels_swapped, "tabulator", WrongAnswer),
    ("third", 7, another_key, "tabulator", WrongAnswer),
    ("recipient", 9, another_key, "tabulator", WrongAnswer),
    ("third", 10, another_key, "tabulator", WrongAnswer),
    ("recipient", 0, one_repeated, "third", InvalidPoint),
    ("third", 1, one_of_low_order, "recipient", InvalidPoint),
    ("tabulator", 2, one_repeated_across_labels, "recipient", InvalidPoint),
    ("third", 3, one_repeated, "tabulator", InvalidPoint),
    ("recipient", 4, one_dropped, "tabulator", WrongAnswer),
    ("recipient", 4, one_not_canonical, "tabulator", InvalidPoint),
    ("recipient", 5, one_repeated, "third", InvalidPoint),
    ("recipient", 5, labels_swapped, "tabulator", WrongAnswer),
    ("third", 6, one_dropped, "tabulator", WrongAnswer),
    ("third", 7, low_order_key, "recipient", InvalidPoint),
    ("recipient", 8, another_key, "tabulator", WrongAnswer),
    ("recipient", 8, low_order_key, "third", InvalidPoint),
    ("recipient", 9, low_order_key, "third", InvalidPoint),
    ("third", 10, low_order_key, "tabulator", InvalidPoint),
    ("recipient", 11, one_point_less, "tabulator", WrongAnswer),
    ("recipient", 11, a_label_less, "tabulator", WrongAnswer),
    ("recipient", 12, half_under_another_scalar, "tabulator", WrongAnswer),
    ("recipient", 12, one_dropped, "tabulator", Refusal),
    ("third", 13, one_point_less, "tabulator", WrongAnswer),
    ("third", 14, half_under_another_scalar, "tabulator", WrongAnswer),
    ("third", 14, one_dropped, "tabulator", Refusal),
    ("third", 15, one_name_twice, "recipient", Refusal),
    ("third", 15, a_name_of_its_own, "recipient", Refusal),
    ("tabulator", 16, without_totals, "recipient", Refusal),
    ("tabulator", 16, one_number_for_all, "recipient", Refusal),
]


def names(case):
    return "-".join(getattr(part, "__name__", str(part)) for part in case)


def lie(table, labels, case, folder, **terms):
    liar, step, how, catcher, error = case
    parties = [people(5 * place) for place in range(len(table.roles))]
    if table is MATCH:
        parties = [[(name, 0) for name, _ in party] for party in parties]
    recorders = {role: NoiselessRecorder() for role in table.roles}
    outcomes, _ = run_session(
        make_terms(table, labels, known=32, **terms),
        parties,
        folder,
        tamper={liar: lie_at(step, how)},
        recorders=recorders,
    )
    assert isinstance(outcomes[catcher], error), outcomes[catcher]
    return recorders


@pytest.mark.parametrize("case", TWO, ids=names)
def test_a_lie_in_a_table_of_two_ends_it(tmp_path, case):
    recorders = lie(CROSSTAB_OF_TWO, LABELS[:2], case, tmp_path)
    assert 4 not in recorders["tabulator"].steps, "nothing may be released"


@pytest.mark.parametrize("case", LIST, ids=names)
def test_a_lie_in_a_match_ends_it(tmp_path, case):
    lie(MATCH, (("all",), ("all",)), case, tmp_path, min_match=-1000)


@pytest.mark.parametrize("case", THREE, ids=names)
def test_a_lie_in_a_table_of_three_ends_it(tmp_path, case):
    recorders = lie(CROSSTAB_OF_THREE, LABELS, case, tmp_path)
    last = len(CROSSTAB_OF_THREE.steps) - 1
    catcher = case[3]
    assert last not in recorders[catcher].steps, "nothing may be released, and no table taken"


def test_a_lie_is_told_at_every_step_of_a_table_of_three():
    assert {step for _, step, *_ in THREE} == set(range(len(CROSSTAB_OF_THREE.steps)))


def test_a_sender_that_leaves_agreed_dummies_out_is_caught(tmp_path, monkeypatch):
    """Without them the sender would count the receiver's people exactly."""
    from party import own_side

    honest = own_side.OwnSide.dummies

    def without(self):
        piles = honest(self)
        return [pile.slice(0, 0) for pile in piles] if self.role == "sender" else piles

    monkeypatch.setattr(own_side.OwnSide, "dummies", without)
    outcomes, _ = run_session(
        make_terms(MATCH, (("all",), ("all",)), min_match=-1000),
        [[(name, 0) for name, _ in people(0)], [(name, 0) for name, _ in people(5)]],
        tmp_path,
    )
    assert isinstance(outcomes["receiver"], WrongAnswer)


def test_false_answers_pass_at_the_stated_rate():
    """(1 - f)^F: with one known answer, a share f of false answers passes 1 - f of the time."""
    from psi.answers import require_known_tags

    rng = np.random.default_rng(11)
    trials, points, share, known = 4000, 40, 0.05, 16
    passed = 0
    for _ in range(trials):
        tags = rng.integers(0, 256, (points, 16), dtype=np.uint8)
        answered = tags.copy()
        false = rng.random(points) < share
        answered[false] ^= 1
        expected = np.pad(tags[:known], ((0, 0), (0, 16)))
        try:
            require_known_tags(LabelledSet((points,), answered), [expected])
        except WrongAnswer:
            continue
        passed += 1
    rate = (1 - share) ** known
    assert abs(passed / trials - rate) < 4 * (rate * (1 - rate) / trials) ** 0.5


TALL, KNOWN, FALSE_SHARE = 300, 4, 0.2
ROUTES = [
    (CROSSTAB_OF_TWO, "tabulator", 1, "recipient"),
    (CROSSTAB_OF_THREE, "recipient", 3, "third"),
    (CROSSTAB_OF_THREE, "third", 4, "recipient"),
    (CROSSTAB_OF_THREE, "tabulator", 5, "recipient"),
    (CROSSTAB_OF_THREE, "tabulator", 6, "third"),
]


def test_the_routes_are_all_that_the_tables_have():
    """Every hop on which somebody raises what is not its own, and passes it on."""
    assert {(table, leg) for table, _, leg, _ in ROUTES} == {
        (table, index)
        for table in (CROSSTAB_OF_TWO, CROSSTAB_OF_THREE)
        for index, step in enumerate(table.steps)
        if isinstance(step, Leg) and step.hop > 0
    }


@pytest.mark.parametrize(
    ("table", "owner", "step", "liar"),
    ROUTES,
    ids=[f"{len(table.roles)} parties, step {step}" for table, _, step, _ in ROUTES],
)
def test_false_raising_passes_at_the_stated_rate_on_every_hop(
    tmp_path, monkeypatch, table, owner, step, liar
):
    """Each label of a tall set is a trial: it passes with (1 - f)^F, by the check of the session.

    Here the check only counts what it would have refused.
    """
    check, passed = answers.require_known_tags, []

    def passes(answer, points):
        try:
            check(LabelledSet((len(answer),), answer), [points])
        except WrongAnswer:
            return False
        return True

    def count(answer, expected):
        if len(expected) == TALL:
            passed.extend(passes(answer.label(n), points) for n, points in enumerate(expected))
        else:
            check(answer, expected)

    def raise_a_share_falsely(labelled):
        false = np.random.default_rng(step).random(len(labelled)) < FALSE_SHARE
        some = np.zeros((len(labelled), 32), dtype=np.uint8)
        some[:, : labelled.elements.shape[1]] = labelled.elements
        some[:, -1] &= 0x7F
        other = raise_points(np.ascontiguousarray(some[false]), OTHER)
        return with_elements(labelled, lambda e: e.__setitem__(false, other[:, : e.shape[1]]))

    monkeypatch.setattr(answers, "require_known_tags", count)
    labels = [tuple(map(str, range(TALL))) if role == owner else ("all",) for role in table.roles]
    outcomes, _ = run_session(
        make_terms(table, labels, known=KNOWN),
        [[(f"p{i}", 0) for i in range(30)]] * len(table.roles),
        tmp_path,
        seeds={role: Seed(bytes([place] * 32)) for place, role in enumerate(table.roles)},
        tamper={liar: lie_at(step, raise_a_share_falsely)},
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes.values()), outcomes
    rate = (1 - FALSE_SHARE) ** KNOWN
    assert len(passed) == TALL
    assert abs(sum(passed) / TALL - rate) < 4 * (rate * (1 - rate) / TALL) ** 0.5


def test_route_keys_compose_along_a_route():
    """K raised by each raiser in turn is what a filler's base became."""
    a, b, s = (Scalar.from_bytes(bytes([i]) * 32) for i in (1, 2, 3))
    key = raise_points(np.frombuffer(public_point(a), np.uint8).reshape(1, 32), b)
    base = np.frombuffer(public_point(s), np.uint8).reshape(1, 32)
    assert np.array_equal(raise_points(raise_points(base, a), b), raise_points(key, s))
