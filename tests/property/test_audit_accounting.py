"""The auditor's sums and the ledger's, written apart, never disagree by more than 1e-9 of ε.

What the ledger admits the auditor accepts: it is never the stricter one.
"""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from audit.accounting import Spent, require_within, zcdp_epsilon
from audit.bodies import FILTERS, Budget
from audit.errors import RuleError
from privacy import accounting as ledger

E15 = 10**15
HALF_A_PERCENT = 5 * 10**12
rhos = st.integers(0, 10**13)
deltas = st.one_of(st.integers(1, 10**7), st.integers(1, HALF_A_PERCENT))


def accepts(rule, spent, epsilon_nano, delta_e15):
    try:
        require_within(Budget(epsilon_nano, delta_e15, 30), rule, spent)
    except RuleError:
        return False
    return True


def admits(rule, spent, epsilon_nano, delta_e15):
    kind = {"basic": ledger.BasicFilter, "zcdp": ledger.ZcdpFilter}[rule]
    total = ledger.Spend(spent.epsilon_nano, spent.rho_nano, spent.delta_e15)
    return kind(epsilon_nano, delta_e15).holds(total)


def loss(alpha, rho, delta):
    """The bound that a single α gives."""
    return alpha * rho - math.log(alpha * delta) / (alpha - 1) + math.log1p(-1 / alpha)


@given(rhos, deltas)
@example(1, 1)
@example(10**13, HALF_A_PERCENT)
@example(1, HALF_A_PERCENT)
def test_the_auditors_epsilon_is_the_ledgers_rounded_the_other_way(rho_nano, delta_e15):
    audited = zcdp_epsilon(rho_nano, delta_e15)
    assert audited <= ledger.zcdp_epsilon(rho_nano, delta_e15) <= audited + 1


@given(rhos, deltas)
@example(0, 1)
@example(10**13, HALF_A_PERCENT)
def test_what_is_accepted_by_the_plain_bound_is_within_the_exact_one(rho_nano, left):
    plain = rho_nano / 1e9 + 2 * math.sqrt(rho_nano / 1e9 * math.log(E15 / left))
    epsilon_nano = int(plain * 1e9)
    assert accepts("zcdp", Spent(0, rho_nano, 0), epsilon_nano + 1, left)
    assert zcdp_epsilon(rho_nano, left) <= epsilon_nano + 1


@given(rhos, deltas, deltas, st.integers(-3, 3))
def test_at_the_edge_of_a_zcdp_budget_the_two_part_by_a_nano_at_most(rho, spent, left, offset):
    epsilon_nano = ledger.zcdp_epsilon(rho, left) + offset
    assume(epsilon_nano >= 0)
    total, budget = Spent(0, rho, spent), spent + left
    if admits("zcdp", total, epsilon_nano, budget):
        assert accepts("zcdp", total, epsilon_nano, budget)
    if accepts("zcdp", total, epsilon_nano, budget):
        assert admits("zcdp", total, epsilon_nano + 1, budget)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_basic_budget_is_the_same_for_both(epsilon, delta, budget_epsilon, budget_delta):
    spent = Spent(epsilon, 10**12, delta)
    budget = budget_epsilon, budget_delta
    assert accepts("basic", spent, *budget) == admits("basic", spent, *budget)


@given(
    st.lists(st.tuples(st.integers(1, 3 * 10**9), st.integers(0, 10**6)), max_size=12),
    st.integers(10**9, 10**10),
    st.integers(0, 10**7),
    st.sampled_from(FILTERS),
)
def test_whatever_a_ledger_admits_one_after_the_other_is_accepted(charges, epsilon, delta, rule):
    kind = {"basic": ledger.BasicFilter, "zcdp": ledger.ZcdpFilter}[rule]
    budget, admitted = kind(epsilon, delta), ledger.Spend()
    for epsilon_nano, delta_e15 in charges:
        total = admitted + ledger.Spend.truncated(epsilon_nano, delta_e15)
        if budget.holds(total):
            admitted = total
            assert accepts(rule, Spent(**vars(total)), epsilon, delta)


@given(st.integers(10**3, 10**12), deltas)
def test_no_other_order_gives_less(rho_nano, delta_e15):
    rho, delta = rho_nano / 1e9, delta_e15 / 1e15
    least = min(loss(1 + 10 ** (step / 20), rho, delta) for step in range(-80, 140))
    assert zcdp_epsilon(rho_nano, delta_e15) <= max(0.0, least) * 1e9 + 1


def test_a_known_epsilon():
    assert zcdp_epsilon(0, 10**6) == 0
    assert zcdp_epsilon(5 * 10**8, 10**9) == 5_221_534_444


@pytest.mark.parametrize("delta_spent", [10**6, 10**6 + 1])
def test_zcdp_without_a_delta_left_is_refused(delta_spent):
    assert accepts("zcdp", Spent(0, 0, 10**6 - 1), 10**12, 10**6)
    assert not accepts("zcdp", Spent(0, 0, delta_spent), 10**12, 10**6)


def test_a_budget_that_no_contract_can_have_is_refused_like_any_other():
    assert not accepts("zcdp", Spent(1, 1, 0), 10**12, E15)
    assert not accepts("zcdp", Spent(2**60, 2**60, 0), 10**12, 1)


@pytest.mark.parametrize(
    ("rule", "spent", "says"),
    [
        ("basic", Spent(11, 0, 0), "epsilon_nano 11 is spent .* the contract allows 10$"),
        ("basic", Spent(0, 0, 11), "delta_e15 11 is spent .* the contract allows 10$"),
        ("zcdp", Spent(0, 10**9, 3), "rho_nano 1000000000 and delta_e15 3 .* epsilon_nano 10 "),
    ],
)
def test_a_refusal_says_what_is_spent_and_what_is_allowed(rule, spent, says):
    with pytest.raises(RuleError, match=says):
        require_within(Budget(10, 10, 30), rule, spent)


def test_sums_and_what_came_since_are_exact():
    one, other = Spent(1, 2, 3), Spent(10, 20, 30)
    assert one.plus(other) == Spent(11, 22, 33)
    assert one.plus(other).since(one) == other
