"""What is said of a number: suppression, domination by noise, and how it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.estimate import cell_count, exact_number, grown, noisy_number, withheld
from reports.laws import Spread

ERROR = Spread(5.0, 10.0)


@given(st.integers(-100, 100), st.floats(0, 20), st.integers(0, 40))
def test_a_cell_is_suppressed_exactly_below_its_floor(value, error, min_cell):
    cell = cell_count(value, Spread(error, 2 * error), min_cell)
    assert cell.suppressed == (value < max(min_cell, 3 * error))


@given(st.integers(-100, 100))
def test_a_suppressed_cell_shows_nothing_of_its_value(value):
    cell = cell_count(value, ERROR, 101)
    shown = cell.to_dict()
    assert shown == cell_count(-value, ERROR, 101).to_dict()
    assert (shown["value"], shown["low"], shown["high"]) == (None, None, None)
    assert shown["suppressed"] is True
    assert cell.shown("people") == "suppressed"


def test_a_suppressed_cell_says_how_much_more_epsilon_its_kind_would_need():
    assert cell_count(3, ERROR, 10).epsilon_factor == pytest.approx(1.5)
    assert cell_count(3, ERROR, 20).epsilon_factor is None
    assert cell_count(3, ERROR, 0).epsilon_factor is None


def test_a_total_is_shown_whatever_its_size():
    assert not noisy_number(1, ERROR).suppressed


def test_a_negative_number_stays_in_the_data_and_is_shown_as_noise():
    number = noisy_number(-4, ERROR)
    assert number.to_dict()["value"] == -4
    assert (number.low, number.high) == (-14, 6)
    assert number.shown("people") == "0 (noise)"


@pytest.mark.parametrize(
    ("value", "dominated", "factor"), [(4, True, 2.5), (10, False, None), (-4, True, None)]
)
def test_domination_by_noise_says_how_much_more_epsilon_is_needed(value, dominated, factor):
    number = noisy_number(value, ERROR)
    assert number.noise_dominated is dominated
    assert number.epsilon_factor == factor


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (12345, ERROR, "people", "12,345 ± 10"),
        (0.1234, Spread(0.005, 0.01), "share", "12.3% ± 1.0%"),
        (2.345, Spread(0.05, 0.1), "times", "2.35 ± 0.10"),
    ],
)
def test_a_number_is_shown_with_its_error(value, error, unit, text):
    assert noisy_number(value, error).shown(unit) == text


def test_an_exact_number_has_no_error():
    assert exact_number(7).to_dict()["standard_error"] == 0
    assert not exact_number(0).noise_dominated


def test_a_ratio_without_denominator_is_withheld():
    assert withheld().to_dict()["standard_error"] is None
    assert withheld().shown("share") == "suppressed"


@given(st.floats(1.0001, 1000))
def test_a_growth_is_said_so_that_it_is_enough(factor):
    assert factor <= float(grown(factor)) < factor + 0.1 + 1e-6


def test_a_growth_that_is_exact_is_said_as_it_is():
    assert grown(1.5) == "1.5"
    assert grown(1.02) == "1.1"


def test_money_is_whole_where_its_cents_say_nothing():
    assert noisy_number(999.5, Spread(1.0, 2.0)).shown("value") == "999.50 ± 2.00"
    assert noisy_number(2_114_100.0, Spread(1.0, 689_881.38)).shown("value") == (
        "2,114,100 ± 689,881"
    )
    assert noisy_number(2853.2, Spread(1.0, 323.47)).shown("value") == "2,853 ± 323"
    assert noisy_number(8.67, Spread(1.0, 36_099.2)).interval("value") == "0 to 36,108"
