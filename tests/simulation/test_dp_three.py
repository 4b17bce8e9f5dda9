"""A table of three keeps its promise to each party, also against two that pool their views.

A quick look; `make dp-audit` looks for longer.
"""

import numpy as np
import pytest
from dp_passed_on import OF_THREE, OfThree
from dp_three import CELL, ROLES, VIEWS, count, examine, new_seeds
from dp_totals import MUTANTS, TabulatorOfThree

from psi.crosstab import released_cells, totals_over_tabulator
from psi.legs import RECIPIENT, TABULATOR, THIRD

QUICK, MUTATED, PASSED_ON = 600, 4_000, 200


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_keeps_its_promise(view):
    assert not examine(view, QUICK).convicted


@pytest.mark.parametrize(
    ("view", "mutant"),
    [(view, mutant) for view in VIEWS for mutant in view.mutants],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_a_fault_of_the_product_is_convicted(view, mutant):
    assert examine(view, MUTATED, mutant).convicted


@pytest.mark.parametrize("whose", [RECIPIENT, THIRD])
def test_a_person_whom_dummies_protect_moves_one_key_between_two_cells(whose):
    """So one draw covers both: a key more here and less there is one dummy more put in."""
    seeds = new_seeds()
    without, with_person = (count(whose, present, 4, seeds).seen(()) for present in (False, True))
    left = [*CELL]
    left[ROLES.index(whose) - 1] = 0
    moved = np.zeros_like(without)
    moved[1:, *CELL], moved[1:, *left] = 1, -1
    assert np.array_equal(with_person - without, moved)


def test_a_person_of_the_tabulator_changes_one_released_cell_and_no_total():
    seeds = new_seeds()
    tables = [count(TABULATOR, present, 4, seeds).seen(()) for present in (False, True)]
    changed = np.subtract(*map(released_cells, reversed(tables)))
    assert changed[:, *CELL].tolist() == [1] * 4
    assert np.abs(changed).sum() == 4
    assert np.array_equal(*map(totals_over_tabulator, tables))


def test_dummies_that_another_party_leaves_out_protect_nobody():
    """Why it has to be assumed that they are put in: without them the tabulator counts exactly."""
    for hidden in (False, True):
        left_out_by = None if hidden else RECIPIENT
        table = count(THIRD, True, 40, new_seeds(), left_out_by).seen((TABULATOR, RECIPIENT))
        assert (len(set(table[1:, *CELL].tolist())) > 1) == hidden


@pytest.fixture(scope="module")
def tabulator(tmp_path_factory):
    made = TabulatorOfThree(tmp_path_factory.mktemp("totals"))
    yield made
    made.close()


@pytest.mark.parametrize("mutant", [None, *MUTANTS])
def test_totals_hide_a_person_of_the_third_from_a_recipient_that_left_its_dummies_out(
    tabulator, mutant
):
    assert tabulator.examine(MUTATED, mutant).convicted == (mutant is not None)


@pytest.mark.parametrize("kind", OF_THREE)
@pytest.mark.parametrize("private", [False, True])
def test_what_is_passed_on_of_a_report_of_three_keeps_the_dummies_promise(kind, private):
    """What the recipient keeps for itself does not: it says the exact count to whoever has e."""
    assert OfThree.of(kind).examine(PASSED_ON, private=private).convicted == private
