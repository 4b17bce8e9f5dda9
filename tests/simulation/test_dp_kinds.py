"""Every kind of report keeps its promise to both sides, and every fault of the product shows.

A quick look: faults of noise and bounds are those of one mechanism, and are shown at one kind; what
is passed on is each kind's own. `make dp-audit` looks at all of them, for longer.
"""

import pytest
from dp_kinds import AUDITED, VIEWS, examine

from party.contract_terms import OutputKind
from psi.legs import RECIPIENT, TABULATOR

QUICK, MUTATED = 600, 8_000
KINDS = pytest.mark.parametrize("row", AUDITED, ids=lambda row: row.name)


def test_every_kind_of_table_is_audited():
    """A kind of two parties joins the contract together with its row in `AUDITED`."""
    tables = {kind.value for kind in OutputKind if kind.roles == (TABULATOR, RECIPIENT)}
    assert {row.kind for row in AUDITED} == tables


@KINDS
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.what} at the {view.against}")
def test_a_report_keeps_its_promise(row, view):
    assert not examine(row, view, QUICK).convicted


@pytest.mark.parametrize(
    ("view", "mutant"),
    [(view, mutant) for view in VIEWS for mutant in view.mutants],
    ids=lambda one: one if isinstance(one, str) else f"{one.what} at the {one.against}",
)
def test_a_fault_of_the_product_is_convicted(view, mutant):
    assert examine(AUDITED[0], view, MUTATED, mutant).convicted


def test_keys_of_moments_beyond_the_bound_are_convicted():
    """A person of moments is bounded twice, by identifiers and by keys; the fault is of both."""
    moments = next(row for row in AUDITED if row.touches)
    cell = next(view for view in VIEWS if (view.against, view.what) == (RECIPIENT, "cell"))
    assert examine(moments, cell, MUTATED, "bound not applied").convicted


@KINDS
def test_dummies_subtracted_in_what_is_passed_on_are_convicted_in_every_kind(row):
    passed_on = next(view for view in VIEWS if view.mutants == ("τ subtracted",))
    assert examine(row, passed_on, 200, "τ subtracted").convicted
