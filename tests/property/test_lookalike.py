"""Weights of a lookalike: naive Bayes as far as noise allows; its lift, and what noise leaves."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.session import SessionNoise, TableLaws
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.errors import NotShareable, UnsuitableLabels
from reports.lookalike import Lookalike
from reports.lookalike_lift import DECILES, lifts, part_shares
from reports.table import ReleasedTable, ReleaseParameters

LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6), tabulator_bound=2)
REGIONS, AGES = ("north", "south", "west"), ("young", "old")
LABELS = tuple(f"{region} × {age}" for region in REGIONS for age in AGES)
KNOWN, MIN_CELL = 128, 10


def table(matched, base, labels=LABELS):
    """Return a table with these unbiased readings: (labels, segments) and keys by label."""
    matched = np.array(matched).reshape(len(labels), -1)
    segments, mean = matched.shape[1], LAWS.dummies.mean
    sizes = np.array(base) + 2 * mean * segments + KNOWN + LAWS.tabulator_fillers.mean
    parameters = ReleaseParameters(10**9, 10**9, 10**6, 1, 2, KNOWN, MIN_CELL)
    names = tuple(f"b{number}" for number in range(segments))
    counts = tuple(map(tuple, (matched + mean).tolist()))
    return ReleasedTable(
        labels, names, counts, tuple(sizes.tolist()), (10**6,) * segments, parameters
    )


def lookalike(matched, base, labels=LABELS):
    return Lookalike(ShareableEstimates(table(matched, base, labels), LAWS))


def plain_weight(matched, base, rows, segments=1):
    """Compute one weight as docs/reports.md states it, in plain Python."""
    people, keys = sum(matched), sum(base)
    counted, offered = sum(matched[row] for row in rows), sum(base[row] for row in rows)
    cell = segments * (LAWS.release.variance + LAWS.dummies.variance)
    filler = LAWS.tabulator_fillers.variance
    every, own = len(matched), len(rows)
    if people <= 3 * math.sqrt(every * cell):
        return 0.0
    p, b = max(counted, 0) / people, offered / keys
    noise_p = cell * (own * (1 - p) ** 2 + (every - own) * p**2) / people**2
    noise_b = filler * (own * (1 - b) ** 2 + (every - own) * b**2) / keys**2
    chance = max(p, 1 / people)
    variance = noise_p + max(chance * (1 - chance), 0) / people
    if b <= 3 * math.sqrt(noise_b):
        return 0.0
    ratio = p / b
    half = 1.959963984540054 * math.sqrt((variance + ratio**2 * noise_b) / b**2)
    low, high = max(ratio - half, 0), ratio + half
    floor = max(MIN_CELL, 3 * math.sqrt(cell))
    if own == segments == 1 and counted < floor:
        low, high = 0, (floor + 1.959963984540054 * math.sqrt(cell)) / people / b
    return math.log(min(max(1, low), high))


counts = st.lists(st.integers(-20, 3000), min_size=6, max_size=6)
bases = st.lists(st.integers(50, 50_000), min_size=6, max_size=6)


@settings(max_examples=40, deadline=None)
@given(counts, bases)
def test_weights_are_those_of_the_formula(matched, base):
    found = {one.name: one.weight for one in lookalike(matched, base).weights}
    expected = {
        f"{region} × any": plain_weight(matched, base, [2 * at, 2 * at + 1])
        for at, region in enumerate(REGIONS)
    }
    expected |= {
        f"any × {age}": plain_weight(matched, base, range(at, 6, 2)) for at, age in enumerate(AGES)
    }
    assert found == pytest.approx(expected, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-20, 60), min_size=3, max_size=3), bases)
def test_a_suppressed_count_weighs_as_its_floor_and_not_as_what_it_is(matched, base):
    matched, base = [*matched, 900], [*base[:3], 40_000]
    one = lookalike(matched, base, ("a", "b", "c", "d"))
    expected = [plain_weight(matched, base, [row]) for row in range(4)]
    assert [w.weight for w in one.weights] == pytest.approx(expected, abs=1e-9)
    for weight in one.weights:
        if weight.index.suppressed:
            assert weight.weight <= 0


def test_suppressed_counts_of_any_size_give_one_score():
    found = [
        lookalike([hidden, 500 - hidden], [900, 1000], ("a", "b")).weights[0].weight
        for hidden in (-8, 0, 5)
    ]
    assert found[0] == found[1] == found[2] < 0


def test_the_middle_of_an_interval_is_the_index_also_where_the_error_is_above_it():
    one = lookalike([90, 180, 1, 1, 40, 50], [9000, 9000, 300, 300, 9000, 9000])
    low, high = one.tables.intervals(one.matched, one.base)
    assert (low < 0).any()
    index = [weight.index.value / 100 for weight in one.weights]
    assert ((low + high) / 2).tolist() == pytest.approx(index)


def test_without_error_the_weight_is_the_naive_bayes_log_ratio():
    big = 10**9
    base = np.array([6, 2, 5, 3, 1, 3]) * big
    matched = np.array([5, 1, 1, 1, 0, 2]) * big
    found = {one.name: one.weight for one in lookalike(matched, base).weights}
    assert found["north × any"] == pytest.approx(math.log((6 / 10) / (8 / 20)), abs=1e-3)
    assert found["any × young"] == pytest.approx(math.log((6 / 10) / (12 / 20)), abs=1e-3)
    one = lookalike(matched, base)
    assert one.scores[0] == pytest.approx(found["north × any"] + found["any × young"])


def test_a_score_is_the_sum_over_attributes_and_one_attribute_has_its_own():
    one = lookalike([900, 100, 50], [1000, 1000, 1000], ("a", "b", "c"))
    assert one.scores.tolist() == [weight.weight for weight in one.weights]
    assert one.scores[0] > 0 > one.scores[2]


def drawn(source, rates, base):
    """Return a noisy reading of a world, by the laws of the session."""
    matched = source.binomial(base, rates).astype(float)
    noisy = [matched, base.astype(float)]
    for at, law in ((0, LAWS.release), (0, LAWS.dummies), (1, LAWS.tabulator_fillers)):
        offset, chances = law.pmf()
        values = np.arange(len(chances)) + offset - law.mean
        noisy[at] = noisy[at] + source.choice(values, size=len(base), p=chances / chances.sum())
    return lookalike(*(part.astype(int) for part in noisy))


BASE = np.array([4000, 3000, 2500, 3500, 1500, 1000])


def test_a_planted_ranking_is_recovered():
    source = np.random.default_rng(5)
    rates = np.array([0.20, 0.08, 0.10, 0.04, 0.05, 0.02])
    for _ in range(20):
        one = drawn(source, rates, BASE)
        assert np.argsort(-one.scores).tolist() == np.argsort(-rates).tolist()


def test_a_world_of_noise_gives_nearly_equal_scores():
    source = np.random.default_rng(6)
    worlds = [drawn(source, np.full(6, 0.03), BASE) for _ in range(100)]
    spread = [np.ptp(one.scores) for one in worlds]
    assert np.median(spread) == 0
    assert np.mean(spread) < 0.02
    assert max(spread) < 0.35
    assert any(one.tells for one in worlds), "one value of twenty stands out by chance"


def test_a_base_whose_matched_do_not_rise_above_the_noise_tells_nothing():
    one = lookalike([4, -3, 6, 2, 0, 1], BASE)
    assert not one.tells
    assert one.scores.tolist() == [0] * 6
    assert one.growth_needed is None


def test_what_is_missing_until_something_can_be_told_is_said():
    one = lookalike([130, 90, 75, 105, 45, 30], BASE)
    assert not one.tells
    assert one.growth_needed > 1
    assert lookalike([900, 90, 75, 105, 45, 30], BASE).growth_needed is None


def true_lifts(shares, rates):
    found = shares @ (BASE * rates) / (BASE * rates).sum()
    return found / (shares @ BASE / BASE.sum())


@pytest.mark.parametrize("rates", [[0.03] * 6, [0.05, 0.03, 0.04, 0.02, 0.02, 0.02]])
def test_the_lift_is_not_flattered_by_its_own_ranking_and_its_interval_holds(rates):
    source, covered, off = np.random.default_rng(7), [], []
    for _ in range(40):
        one = drawn(source, np.array(rates), BASE)
        truth = true_lifts(part_shares(one.scores, BASE, DECILES), np.array(rates))
        found = lifts(one, BASE, DECILES)
        covered.append(
            [
                lift.estimate.low - 1e-9 <= true <= lift.estimate.high + 1e-9
                for lift, true in zip(found, truth, strict=True)
            ]
        )
        off.append(found[0].estimate.value - truth[0])
    assert 0.93 <= np.mean(covered) <= 1
    assert abs(np.mean(off)) < 0.05


def test_deciles_share_out_all_people_and_equal_scores_evenly():
    people = np.array([30, 0, 50, 20])
    shares = part_shares(np.array([0.5, 2.0, 0.5, -1.0]), people, DECILES)
    assert (shares @ people).tolist() == pytest.approx([10] * 10)
    assert shares.sum(axis=0)[people > 0].tolist() == pytest.approx([1, 1, 1])
    assert shares[:, 0].tolist() == pytest.approx(shares[:, 2].tolist())
    assert shares[0, 0] == pytest.approx(1 / 8)


def test_lifts_where_nothing_is_told_are_one_and_where_too_few_were_matched_withheld():
    flat = lookalike([120, 90, 75, 105, 45, 30], BASE)
    assert {(lift.estimate.value, lift.tells) for lift in lifts(flat, BASE, DECILES)} == {
        (1, False)
    }
    one = lookalike([900, 3, 2, 1, 0, 1], BASE)
    elsewhere = lifts(one, np.array([0, 10, 10, 10, 0, 0]), DECILES)
    assert all(lift.estimate.suppressed and not lift.tells for lift in elsewhere)
    assert elsewhere[0].to_dict()["value"] is None


def test_the_lift_of_people_whom_the_requests_base_has_not_is_withheld():
    one = lookalike([900, 300, 75, 0, 0, 0], [4000, 3000, 2500, 0, 0, 0])
    elsewhere = np.array([100, 100, 100, 0, 0, 700])
    found = lifts(one, elsewhere, DECILES)
    assert any(lift.estimate.suppressed for lift in found)
    assert any(not lift.estimate.suppressed for lift in found)
    for lift in found:
        json.dumps(lift.to_dict(), allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(counts, bases, st.lists(st.integers(0, 5000), min_size=6, max_size=6).filter(any))
def test_whatever_a_base_has_its_lifts_are_numbers_or_withheld(matched, base, people):
    found = lifts(lookalike(matched, base), np.array(people), [(0.0, 0.3), *DECILES])
    for lift in found:
        assert lift.estimate.suppressed or np.isfinite(lift.estimate.high)
        json.dumps(lift.to_dict(), allow_nan=False)


def test_equal_tables_give_equal_lifts():
    readings = [
        [
            lift.to_dict()
            for lift in lifts(lookalike([900, 90, 75, 105, 45, 30], BASE), BASE, DECILES)
        ]
        for _ in range(2)
    ]
    assert readings[0] == readings[1]


def test_private_estimates_and_labels_without_attributes_are_refused():
    private = PrivateEstimates(table([900, 90, 75, 105, 45, 30], BASE), LAWS, [[0]] * 6, [10**6])
    with pytest.raises(NotShareable):
        Lookalike(private)
    with pytest.raises(UnsuitableLabels):
        _ = lookalike([5, 5], [9, 9], ("a × b", "c")).weights
