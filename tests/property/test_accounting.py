"""Spends are exact integers, and the filters never admit more than they promise."""

import math
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accounting import BasicFilter, Spend, ZcdpFilter, zcdp_epsilon
from privacy.errors import BudgetExhausted, InvalidParameter
from privacy.session import SessionNoise, TableLaws
from privacy.units import format_delta, format_epsilon, parse_delta, parse_epsilon

spends = st.builds(Spend, *[st.integers(0, 10**10)] * 3)


@pytest.mark.parametrize(
    ("text", "nano"), [("1", 10**9), ("0.1", 10**8), ("1e-9", 1), ("2.50", 2_500_000_000)]
)
def test_epsilon_is_read_exactly(text, nano):
    assert parse_epsilon(text) == nano
    assert parse_epsilon(format_epsilon(nano)) == nano


@pytest.mark.parametrize(("text", "e15"), [("1e-9", 10**6), ("1E-15", 1), ("0.000001", 10**9)])
def test_delta_is_read_exactly(text, e15):
    assert parse_delta(text) == e15
    assert parse_delta(format_delta(e15)) == e15


@pytest.mark.parametrize(
    "text", ["", "-1", "1e-10", " 1", "1/3", "inf", "nan", "0x1", "1_0", "１", 1, 1.0, True, None]
)
def test_anything_else_is_not_an_epsilon(text):
    with pytest.raises(InvalidParameter):
        parse_epsilon(text)


def test_a_delta_finer_than_its_unit_is_refused():
    with pytest.raises(InvalidParameter, match="fifteen"):
        parse_delta("1e-16")


def test_rho_is_rounded_up():
    assert Spend.pure(1) == Spend(1, 1, 0)
    assert Spend.pure(10**9) == Spend(10**9, 5 * 10**8, 0)
    assert Spend.truncated(10**5 + 1, 7) == Spend(10**5 + 1, 6, 7)


@given(spends, spends)
def test_sums_lose_nothing(one, other):
    total = one + other
    assert total.epsilon_nano - one.epsilon_nano == other.epsilon_nano
    assert total.rho_nano - one.rho_nano == other.rho_nano
    assert total.delta_e15 - one.delta_e15 == other.delta_e15


def test_a_negative_spend_is_refused():
    with pytest.raises(InvalidParameter):
        Spend(-1, 0, 0)


@given(spends, spends)
def test_basic_admits_exactly_what_fits(spent, new):
    budget = BasicFilter(10**10, 10**10)
    total = spent + new
    if total.epsilon_nano <= 10**10 and total.delta_e15 <= 10**10:
        assert budget.admit(spent, new) == total
    else:
        with pytest.raises(BudgetExhausted):
            budget.admit(spent, new)


@pytest.mark.parametrize("make", [BasicFilter, ZcdpFilter])
def test_what_is_left_can_be_spent_and_no_more(make):
    budget = make(8 * 10**9, 10**10)
    spent = Spend.truncated(10**9, 10**6) + Spend.pure(10**9)
    with pytest.raises(BudgetExhausted, match="left epsilon") as refusal:
        budget.admit(spent, Spend.pure(8 * 10**9))
    left = refusal.value.epsilon_left_nano
    assert left > 0
    budget.admit(spent, Spend.pure(left))
    with pytest.raises(BudgetExhausted):
        budget.admit(spent, Spend.pure(left + 1))


def test_zcdp_reserves_delta_in_advance():
    budget = ZcdpFilter(10**12, 10**6)
    with pytest.raises(BudgetExhausted):
        budget.admit(Spend(), Spend.truncated(10**6, 10**6))
    budget.admit(Spend(), Spend.truncated(10**6, 10**6 - 1))


def test_zcdp_admits_many_small_spends_where_basic_does_not():
    small, delta = Spend.pure(10**8), 10**9
    zcdp, basic = ZcdpFilter(5 * 10**9, delta), BasicFilter(5 * 10**9, delta)
    spent = Spend()
    for _ in range(50):
        spent = basic.admit(spent, small)
    with pytest.raises(BudgetExhausted):
        basic.admit(spent, small)
    for _ in range(30):
        spent = zcdp.admit(spent, small)


def gaussian_delta(rho, epsilon):
    """The exact δ of the Gaussian mechanism of that ρ: zCDP's conversion can only be above."""
    mu = math.sqrt(2 * rho)

    def below(x):
        return math.erfc(-x / math.sqrt(2)) / 2

    return below(mu / 2 - epsilon / mu) - math.exp(epsilon) * below(-mu / 2 - epsilon / mu)


@settings(deadline=None)
@given(st.integers(10**4, 2 * 10**9), st.integers(2, 14))
def test_zcdp_epsilon_is_an_upper_bound_and_near_the_infimum(rho_nano, digits):
    delta_e15 = 10**digits
    rho, delta = rho_nano / 1e9, delta_e15 / 1e15
    epsilon = zcdp_epsilon(rho_nano, delta_e15) / 1e9
    assert gaussian_delta(rho, epsilon) <= delta
    grid = [1 + 10 ** (step / 200) for step in range(-800, 1600)]
    best = min(a * rho - math.log(a * delta) / (a - 1) + math.log1p(-1 / a) for a in grid)
    assert max(0, best) - 1e-3 <= epsilon <= max(0, best) + 2e-9
    assert epsilon <= rho + 2 * math.sqrt(rho * math.log(1 / delta))


def test_zcdp_epsilon_is_rounded_up():
    assert zcdp_epsilon(0, 10**6) == 0
    assert zcdp_epsilon(5 * 10**8, 10**9) == 5_221_534_445


@pytest.mark.parametrize(("rho_nano", "delta_e15"), [(-1, 1), (1, 0), (1, 10**15)])
def test_zcdp_refuses_what_has_no_meaning(rho_nano, delta_e15):
    with pytest.raises(InvalidParameter):
        zcdp_epsilon(rho_nano, delta_e15)


NOISE = SessionNoise(10**9, 5 * 10**8, 10**6)


def test_whoever_releases_pays_for_table_and_sizes():
    expected = Spend.pure(10**9) + Spend.truncated(5 * 10**8, 10**6)
    assert NOISE.spend(6, releases=True) == expected


@pytest.mark.parametrize("bound", [1, 2, 6])
def test_everyone_else_pays_for_sizes(bound):
    assert NOISE.spend(bound, releases=False) == Spend.truncated(5 * 10**8, 10**6)


def test_the_release_and_the_fillers_cover_every_identifier_of_every_record():
    laws = TableLaws(NOISE, tabulator_bound=6, recipient_bound=2)
    assert laws.release.scale == 6
    assert laws.tabulator_fillers.sensitivity == 6
    assert laws.dummies.sensitivity == laws.recipient_fillers.sensitivity == 2


@pytest.mark.parametrize("ask", [NOISE.release, NOISE.sizes, partial(NOISE.spend, releases=True)])
def test_a_person_with_no_record_is_refused(ask):
    with pytest.raises(InvalidParameter):
        ask(0)


@pytest.mark.parametrize("noise", [SessionNoise(0, 0, 10**6), SessionNoise(10**9, 10**9, 0)])
def test_noise_without_an_epsilon_or_a_delta_is_refused(noise):
    with pytest.raises(InvalidParameter):
        noise.spend(1, releases=True)
