"""The plot of simulated releases: a truth without the product, noise with it, and its name."""

import sys

import numpy as np
import pytest

from examples.demo import coverage

HOUSEHOLDS, RUNS = 1500, 30


@pytest.fixture(scope="module")
def intervals():
    return coverage.simulate(HOUSEHOLDS, RUNS)


def test_the_truth_is_that_of_the_exact_table(intervals):
    true = {one.number: one.truth for one in intervals}
    segments = ("bronze", "silver", "gold")
    whole = true["reach", None, None]
    assert whole == sum(true["reach", None, segment] for segment in segments)
    exactly = [true["reach exactly", label, None] for label in ("1", "2", "3", "4", "5+")]
    assert whole == sum(exactly)
    mean = sum(times * count for times, count in enumerate(exactly, start=1)) / whole
    assert true["average frequency", None, None] == pytest.approx(mean)


def test_intervals_hold_about_as_often_as_they_say_and_each_run_draws_its_own(intervals):
    totals = [one for one in intervals if one.number[0] == "reach"]
    assert len(totals) == 4 * RUNS
    assert np.mean([one.holds for one in totals]) > 0.8
    whole = [one for one in totals if one.number == ("reach", None, None)]
    assert len({one.low for one in whole}) > RUNS / 2
    assert {one.run for one in whole} == set(range(1, RUNS + 1))


def test_an_interval_that_misses_is_counted_as_one():
    def one(low, high, run):
        return coverage.Interval(run, ("reach", None, None), low, high, 10.0)

    found = coverage.coverage([one(5, 15, 1), one(11, 12, 2), one(8, 9, 3), one(10, 12, 4)])
    assert found["covered"].tolist() == [0.5]
    assert found["shown"].tolist() == [4]


def test_what_is_drawn_and_printed_says_that_it_is_simulated(tmp_path, monkeypatch, capsys):
    words = ["--households", "600", "--runs", "8", "--build", str(tmp_path / "demo")]
    monkeypatch.setattr(sys, "argv", ["demo-coverage", *words])
    coverage.main()
    drawn = (tmp_path / "demo" / "coverage.svg").read_text(encoding="utf-8")
    assert "8 simulated releases of the demo" in drawn
    assert "no sessions were run" in drawn
    assert (tmp_path / "demo" / "coverage.png").read_bytes().startswith(b"\x89PNG")
    assert "simulated releases" in capsys.readouterr().out
