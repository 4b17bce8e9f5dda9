"""Value buckets: what a list of them is, and that placing a value keeps its expectation."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psi.buckets import MILLION, MOST, RoundingKey, ValueBuckets, draws_of, parse_value, write_bound
from psi.errors import BucketError

PLAIN = ValueBuckets.of(["0", "10", "20", "40"])
WITH_REFUND = ValueBuckets.of(["refund", "0", "0.5", "2"])
KEY = RoundingKey(bytes(range(32)))


def millionths(*values):
    """Return decimals as values are held."""
    return np.array([parse_value(value) for value in values], dtype=np.int64)


@pytest.mark.parametrize(
    "texts",
    [
        (),
        ("0",),
        ("refund", "0"),
        ("10", "20"),
        ("0", "20", "10"),
        ("0", "10", "10"),
        ("0", "10.0"),
        ("0", "010"),
        ("0", "+10"),
        ("0", "1e1"),
        ("0", "-10"),
        ("0", "0.0000001"),
        ("0", "10", "refund"),
        ("0", "10", "20+"),
        ("0", "1000000000001"),
        ("0", "\u0661"),
        ("gold", "silver"),
    ],
)
def test_other_lists_are_no_buckets(texts):
    assert ValueBuckets.find(texts) is None
    with pytest.raises(BucketError):
        ValueBuckets.of(texts)


def test_a_list_of_bounds_is_buckets_and_says_what_a_person_adds():
    assert PLAIN.weights == (0, 10 * MILLION, 20 * MILLION, 40 * MILLION)
    assert WITH_REFUND.refunds
    assert WITH_REFUND.weights == (0, 0, MILLION // 2, 2 * MILLION)


@pytest.mark.parametrize(
    ("lowest", "highest", "ratio", "labels"),
    [
        ("10", "80", "2", ("0", "10", "20", "40", "80")),
        ("10", "81", "2", ("0", "10", "20", "40", "80", "160")),
        ("10", "30", "1.5", ("0", "10", "15", "22.5", "33.75")),
        ("5", "5", "4", ("0", "5")),
        ("0.01", "0.1", "3.3", ("0", "0.01", "0.033", "0.1089")),
    ],
)
def test_geometric_bounds_are_exact_decimals_up_to_the_highest(lowest, highest, ratio, labels):
    found = ValueBuckets.geometric(Decimal(lowest), Decimal(highest), Decimal(ratio))
    assert found.labels == labels


@pytest.mark.parametrize(
    ("lowest", "highest", "ratio"),
    [("0", "10", "2"), ("20", "10", "2"), ("1", "10", "1"), ("1", str(MOST), "1.01"),
     ("NaN", "10", "2") , ("1", "2e12", "2"), ("1", "10", "1e999999"), ("1e-7", "10", "2")],
)  # fmt: skip
def test_bounds_that_are_crossed_or_endless_are_refused(lowest, highest, ratio):
    with pytest.raises(BucketError):
        ValueBuckets.geometric(Decimal(lowest), Decimal(highest), Decimal(ratio))


def test_bounds_that_six_decimals_cannot_tell_apart_are_refused_by_that_reason():
    with pytest.raises(BucketError, match=r"a bound above 0\.000001 by this ratio is 0\.000001 ag"):
        ValueBuckets.geometric(Decimal("0.000001"), Decimal(640), Decimal("1.3"))


@pytest.mark.parametrize(
    ("buckets", "value", "label"),
    [
        (PLAIN, "0", "0"),
        (PLAIN, "10", "10"),
        (PLAIN, "39.999999", "20"),
        (PLAIN, "40", "40"),
        (PLAIN, "40.000001", "40"),
        (PLAIN, "1000000000000", "40"),
        (PLAIN, "-0.000001", "0"),
        (WITH_REFUND, "-0.000001", "refund"),
        (WITH_REFUND, "0", "0"),
        (WITH_REFUND, "0.499999", "0"),
    ],
)
def test_before_rounding_a_value_has_the_bound_at_or_below_it(buckets, value, label):
    assert buckets.labels[buckets.below(millionths(value))[0]] == label


@pytest.mark.parametrize("buckets", [PLAIN, WITH_REFUND])
@pytest.mark.parametrize("value", ["-3", "0", "0.5", "10", "20", "40", "40.5", "1000"])
def test_only_what_lies_between_two_bounds_is_rounded(buckets, value):
    held = millionths(value)
    if held[0] in buckets.bounds or held[0] < 0 or held[0] > buckets.bounds[-1]:
        assert not buckets.goes_up(held, np.zeros(1))[0]
        assert buckets.rounding_variance(held)[0] == 0


@given(st.integers(0, 40 * MILLION), st.integers(0, (1 << 53) - 1))
def test_a_value_goes_up_exactly_when_its_draw_is_below_its_share_of_the_way(value, word):
    held, low = np.array([value]), PLAIN.bounds[PLAIN.below(np.array([value]))[0]]
    high = min((bound for bound in PLAIN.bounds if bound > value), default=low)
    share = Fraction(value - low, high - low) if high > low else Fraction(0)
    draw = Fraction(word, 1 << 53)
    if abs(draw - share) > Fraction(1, 1 << 51):  # nearer than that, floats may round either way
        assert PLAIN.goes_up(held, np.array([float(draw)]))[0] == (draw < share)
    variance = share * (1 - share) * (high - low) ** 2 / MILLION**2
    assert PLAIN.rounding_variance(held)[0] == pytest.approx(float(variance))


def test_the_expectation_is_the_value():
    values = millionths("3", "12.5", "39", "20", "999", "0")
    steps = (np.arange(10_000) + 0.5) / 10_000
    ups = np.array([PLAIN.goes_up(values, np.full(len(values), draw)) for draw in steps])
    weights = np.array(PLAIN.weights)
    mean = (weights[PLAIN.below(values) + ups].mean(axis=0)) / MILLION
    assert mean == pytest.approx([3, 12.5, 39, 20, 40, 0])


def test_draws_are_uniform_and_hang_on_key_and_reference_alone():
    texts = pa.array([f"p{number}" for number in range(20_000)], pa.large_string())
    draws = draws_of(KEY, texts)
    assert draws_of(KEY, texts[500:600]).tolist() == draws[500:600].tolist()
    assert abs(np.histogram(draws, bins=10, range=(0, 1))[0] - 2000).max() < 250
    other = draws_of(RoundingKey(bytes(32)), texts)
    assert abs(np.corrcoef(draws, other)[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.34", 12_340_000), ("-1", -MILLION), ("1e3", 1000 * MILLION), ("0.0000005", 0),
     ("1000000000001", None), ("1e301501503", None), ("-9e3184467440616", None),
     ("1e-301501503", 0), ("NaN", None), ("-Infinity", None), ("", None), ("12 EUR", None)],
)  # fmt: skip
def test_values_are_read_to_a_millionth(text, value):
    assert parse_value(text) == value


def test_bounds_are_written_without_needless_zeros():
    assert [write_bound(Decimal(text)) for text in ("10.0", "1e3", "0.500", "100")] == [
        "10", "1000", "0.5", "100",
    ]  # fmt: skip
