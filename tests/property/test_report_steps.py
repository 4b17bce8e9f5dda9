"""A reach in parts is drawn as steps: each part begins where the one before it ends."""

from types import SimpleNamespace

import pytest

from client.page.figures import PARTS, STEPS, figures_of, png_of
from languages import language
from reports.estimate import Estimate
from reports.rendering import Row

ONE, OTHER, BOTH = "channel only", "vendor only", "both"


def part(label, people, fitted, segment=None, *, suppressed=False):
    estimate = Estimate(people, 5, 10, suppressed=suppressed)
    return Row(PARTS, "people", estimate, label, segment, fitted)


def rendering(*rows):
    return SimpleNamespace(
        rows=lambda: list(rows), title=lambda: "cross-channel reach", kind="shareable"
    )


WHOLE = [part(ONE, 400, 398.0), part(OTHER, -3, 0.0), part(BOTH, 250, 252.0)]
GOLD = [part(ONE, 90, 90.0, "gold"), part(OTHER, 60, 60.0, "gold"), part(BOTH, 30, 30.0, "gold")]
SILVER = [part(ONE, 300, 300.0, "silver"), part(OTHER, 2, 2.0, "silver", suppressed=True),
          part(BOTH, 80, 80.0, "silver")]  # fmt: skip


NEW = [part(ONE, 7, 7.0, "new"), part(OTHER, 60, 60.0, "new"), part(BOTH, 30, 30.0, "new")]


def steps_of(*rows):
    return next((one for one in figures_of(rendering(*rows)) if one.metric == STEPS), None)


def test_steps_lead_from_nothing_to_the_whole_reach_as_it_was_fitted():
    places = [(one["low"], one["high"]) for one in steps_of(*WHOLE).bars()]
    assert places == [(0.0, 398.0), (398.0, 650.0), (650.0, 650.0)]
    assert [one["said"] for one in steps_of(*WHOLE).bars()][2] == "0 (noise)"


def test_whom_both_met_lie_between_so_that_a_channels_reach_is_in_one_piece():
    assert [one["bar"] for one in steps_of(*WHOLE).bars()] == [ONE, BOTH, OTHER]


def test_each_segment_has_steps_of_its_own():
    bars = steps_of(*GOLD, *NEW, *WHOLE).bars()
    assert [one["low"] for one in bars if one["panel"] == "gold"] == [0.0, 90.0, 120.0]
    assert [one["low"] for one in bars if one["panel"] == "all"] == [0.0, 398.0, 650.0]


def test_a_segment_with_a_suppressed_part_has_none_which_would_tell_it():
    drawn = steps_of(*SILVER, *WHOLE)
    assert {row.segment for row in drawn.rows} == {None}
    assert steps_of(*SILVER) is None


@pytest.mark.parametrize("name", ["en", "zh"])
def test_they_are_drawn_with_names_and_numbers_and_said_in_words(name):
    spoken = language(name)
    figure = next(
        one for one in figures_of(rendering(*GOLD, *NEW, *WHOLE), spoken) if one.metric == STEPS
    )
    text = figure.svg()
    for label in (ONE, OTHER, BOTH):
        assert spoken.own(label) in figure.alternative
    for one in figure.bars():
        assert str(one["said"]) in text
    assert "stroke-dasharray" in text


def test_they_are_in_the_picture_too():
    assert png_of(rendering(*WHOLE))[:4] == b"\x89PNG"
