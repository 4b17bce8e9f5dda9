"""The ledger's rows and filters against OpenDP's maps and dp-accounting's loss distributions.

What dp-accounting computes is recorded in accounting.json (`make accounting` computes it again).
"""

import json
from itertools import accumulate
from pathlib import Path

import opendp.prelude as dp
import pytest

from privacy.accounting import BasicFilter, Spend, ZcdpFilter, zcdp_epsilon
from privacy.errors import BudgetExhausted
from privacy.session import SessionNoise
from privacy.units import E15, NANO, parse_delta, parse_epsilon

RECORDED = json.loads((Path(__file__).parent / "accounting.json").read_text(encoding="utf-8"))
DELTA_E15 = parse_delta(RECORDED["delta"])
SEQUENCES = RECORDED["sequences"]
FILTERS = {"basic": BasicFilter, "zcdp": ZcdpFilter}
CUT_OFF = 1e-8
"""What rounding nine decimals and cutting tails off may have taken from a recorded ε."""


def spend_of(parts):
    """Return what a session of these parts is charged, as sessions are."""
    by_law = {part["law"]: part for part in parts}
    sizes, release = by_law["sizes"], by_law.get("release")
    noise = SessionNoise(
        0 if release is None else parse_epsilon(release["epsilon"]),
        parse_epsilon(sizes["epsilon"]),
        parse_delta(sizes["delta"]),
    )
    return noise.spend(sizes["bound"], releases=release is not None)


def sessions_of(sequence):
    return sequence["sessions"] or [sequence["repeated"]] * len(sequence["high"])


def totals_of(name):
    """Return the ledger's sum after each session of a sequence."""
    spends = [spend_of(parts) for parts in sessions_of(SEQUENCES[name])]
    return list(accumulate(spends))


def epsilon_by(rule, total):
    """Return the least ε_B, in 1e-9, at which a filter admits a sum; None at no ε."""
    if total.delta_e15 >= DELTA_E15:
        return None
    found = total.epsilon_nano
    if rule == "zcdp":
        found = zcdp_epsilon(total.rho_nano, DELTA_E15 - total.delta_e15)
    assert FILTERS[rule](found, DELTA_E15).holds(total)
    assert not FILTERS[rule](found - 1, DELTA_E15).holds(total)
    return found


@pytest.mark.parametrize("rule", FILTERS)
@pytest.mark.parametrize("name", SEQUENCES)
def test_no_filter_admits_what_loses_more_than_the_budget(name, rule):
    checked = 0
    for total, true in zip(totals_of(name), SEQUENCES[name]["low"], strict=True):
        needed = epsilon_by(rule, total)
        if needed is not None:
            assert needed / NANO >= true - CUT_OFF
            checked += 1
    assert checked > 2


def admitted(rule, epsilon, totals):
    budget = FILTERS[rule](parse_epsilon(epsilon), DELTA_E15)
    return sum(budget.holds(total) for total in totals)


def best(epsilon, sequence):
    """Return how many sessions a filter by the true loss could admit at most."""
    return sum(low <= float(epsilon) for low in sequence["low"])


@pytest.mark.parametrize(
    ("name", "epsilon", "basic", "zcdp", "at_most"),
    [
        ("a table at the tabulator, ε 1 and 1", "10", 5, 1, 5),
        ("a table at the tabulator, ε 0.5 and 0.5", "10", 10, 6, 10),
        ("a table at the tabulator, ε 0.5 and 0.5", "30", 30, 35, 43),
        ("a table at the tabulator, ε 0.1 and 0.1", "10", 50, 152, 171),
        ("three identifiers a person, ε 0.6 and 0.3", "30", 33, 39, 54),
        ("a table at the recipient, ε 0.5", "10", 20, 12, 20),
        ("a table at the recipient, ε 0.5", "30", 60, 71, 86),
        ("a table at the recipient, ε 0.5 and a large δ", "30", 60, 68, 84),
    ],
)
def test_what_a_filter_gives_away_is_what_the_decision_states(name, epsilon, basic, zcdp, at_most):
    sequence, totals = SEQUENCES[name], totals_of(name)
    assert best(epsilon, sequence) == at_most
    assert admitted("basic", epsilon, totals) == basic
    assert admitted("zcdp", epsilon, totals) == zcdp


@pytest.mark.parametrize("epsilon", ["0.1", "0.5", "1", "3"])
def test_the_row_of_a_release_is_what_opendp_says(epsilon):
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    for bound in (1, 3):
        measurement = dp.m.make_laplace(*space, scale=bound / float(epsilon))
        row = Spend.pure(parse_epsilon(epsilon))
        assert row.epsilon_nano / NANO == pytest.approx(measurement.map(bound), rel=1e-12)
        rho = dp.c.make_pureDP_to_zCDP(measurement).map(bound)
        assert row.rho_nano / NANO == pytest.approx(rho, rel=1e-12)


@pytest.mark.parametrize("delta", ["1e-6", "1e-9", "1e-12"])
@pytest.mark.parametrize("times", [1, 4, 40])
def test_zcdp_converts_as_opendp_does(times, delta):
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    one = dp.c.make_pureDP_to_zCDP(dp.m.make_laplace(*space, scale=2.0))
    all_of_them = dp.c.make_zCDP_to_approxDP(dp.c.make_composition([one] * times))
    theirs = all_of_them.map(1).epsilon(float(delta))
    ours = zcdp_epsilon(times * Spend.pure(NANO // 2).rho_nano, parse_delta(delta)) / NANO
    assert theirs == pytest.approx(ours, abs=2e-9)
    assert ours >= theirs - 1e-12


@pytest.mark.parametrize("times", [1, 7])
def test_pure_spends_add_up_as_opendp_composes_them(times):
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    composed = dp.c.make_composition([dp.m.make_laplace(*space, scale=4.0)] * times)
    total = sum([Spend.pure(NANO // 4)] * times, Spend())
    assert total.epsilon_nano / NANO == pytest.approx(composed.map(1), rel=1e-12)


def test_a_filter_that_counted_half_of_each_row_would_be_caught():
    """The sequences can tell: they are not so loose that anything passes."""
    name = "a table at the tabulator, ε 1 and 1"
    halves = [Spend(t.epsilon_nano // 2, t.rho_nano // 4, t.delta_e15) for t in totals_of(name)]
    for rule in FILTERS:
        pairs = zip(halves, SEQUENCES[name]["low"], strict=True)
        assert any(epsilon_by(rule, total) / NANO < true - CUT_OFF for total, true in pairs)


def test_delta_is_never_admitted_beyond_the_budget():
    for kind in FILTERS.values():
        with pytest.raises(BudgetExhausted):
            kind(1000 * NANO, E15 // 10**9).admit(Spend(), Spend.truncated(1, 2 * E15 // 10**9))
