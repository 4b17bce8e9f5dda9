"""Releases are charged before they are drawn, drawn once, and have the noise of their bound."""

import dp_top_bound
import pytest
from dp_record import MUTANTS, Tabulator, examine_order

RUNS = 10_000


@pytest.fixture(scope="module")
def tabulator(tmp_path_factory):
    made = Tabulator(tmp_path_factory.mktemp("record"))
    yield made
    made.close()


def test_a_release_keeps_its_promise_also_when_it_is_resumed(tabulator):
    assert tabulator.terms.tabulator_bound == 2
    assert not tabulator.examine(RUNS).convicted


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_fault_of_the_record_is_convicted(tabulator, mutant):
    assert tabulator.examine(RUNS, mutant).convicted


@pytest.mark.parametrize("late", [False, True])
def test_a_table_that_is_drawn_before_it_is_paid_for_is_convicted(tmp_path, tabulator, late):
    drawn, paid, found = examine_order(tmp_path, tabulator, RUNS, late=late)
    assert (drawn, paid, found.convicted) == (late, 0, late)


def test_a_top_bound_keeps_its_promise_and_half_its_noise_is_convicted():
    assert not dp_top_bound.examine(RUNS).convicted
    assert dp_top_bound.examine(RUNS, "noise halved").convicted
