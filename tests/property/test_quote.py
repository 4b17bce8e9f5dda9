"""A quote follows from public parameters, and is what the session then costs."""

import json
from dataclasses import replace

import pytest

from privacy.session import SessionNoise, TableLaws
from reports.errors import MalformedTable
from reports.estimate import cell_count
from reports.laws import Term, spread
from reports.quote import Plan, quote
from reports.rendering import PRIVATE

NOISE = SessionNoise(10**9, 10**9, 10**6)
LAWS = TableLaws(NOISE, tabulator_bound=2)
PLAN = Plan((1000, 500), (3000, 60, 0), 128, 10, 0.5, 1000.0, 4000.0)
CHARGES = {
    "tabulator": NOISE.spend(LAWS.tabulator_bound, releases=True),
    "recipient": NOISE.spend(LAWS.recipient_bound, releases=False),
}


@pytest.fixture
def quoted():
    return quote(PLAN, LAWS, CHARGES)


def test_the_errors_are_those_of_the_cells_to_come(quoted):
    private, shareable = [Term(1, LAWS.release)], [Term(1, LAWS.release), Term(1, LAWS.dummies)]
    for error, terms in ((quoted.private, private), (quoted.shareable, shareable)):
        assert (error.standard_error, error.half_width) == spread(terms)
        floor = error.suppressed_below
        assert not cell_count(floor, spread(terms), 10).suppressed
        assert cell_count(floor - 0.01, spread(terms), 10).suppressed


def test_cells_likely_to_be_suppressed_follow_from_the_stated_assumptions(quoted):
    assert quoted.expected_cell_counts == (750, 15, 0)
    assert quoted.cells == 6
    assert (quoted.suppressed_private, quoted.suppressed_shareable) == (2, 2)
    thin = quote(replace(PLAN, match_rate=0.25), LAWS, CHARGES)
    assert (thin.suppressed_private, thin.suppressed_shareable) == (4, 4)
    assert any("25%" in assumption for assumption in thin.assumptions)


def test_points_and_bytes_are_those_of_the_protocols_legs(quoted):
    n, own, kept = LAWS.dummies.n, 128 + LAWS.tabulator_fillers.n, 128 + LAWS.recipient_fillers.n
    tabulator = 1500 + 6 * 2 * n + 2 * own
    recipient = 3060 + 6 * n + 3 * kept
    assert [(leg.points, leg.wire_bytes) for leg in quoted.legs] == [
        (tabulator, 32 * tabulator),
        (tabulator, 16 * tabulator),
        (recipient, 32 * recipient),
        (6, 48),
    ]
    assert quoted.wire_bytes == 48 * tabulator + 32 * recipient + 48
    assert (quoted.dummies_tabulator, quoted.dummies_recipient) == (12 * n, 6 * n)
    assert quoted.seconds == pytest.approx((tabulator + recipient) * (1 / 1000 + 1 / 4000))


def test_each_party_is_told_its_charge(quoted):
    told = {one.role: (one.epsilon_nano, one.delta_e15) for one in quoted.charges}
    assert told == {"tabulator": (2 * 10**9, 10**6), "recipient": (10**9, 10**6)}


def test_a_quote_holds_the_askers_sizes_and_says_so(quoted):
    stored = json.loads(json.dumps(quoted.to_dict()))
    assert stored["kind"] == PRIVATE
    assert stored["wire_bytes"] == quoted.wire_bytes
    assert list(quoted.frame()["points"]) == [leg.points for leg in quoted.legs]


@pytest.mark.parametrize(
    "change",
    [
        {"tabulator_sizes": ()},
        {"recipient_sizes": ()},
        {"tabulator_sizes": (-1,)},
        {"recipient_sizes": (5, -1)},
        {"known_answers": -1},
        {"match_rate": 1.1},
        {"match_rate": -0.1},
        {"hashes_per_second": 0},
        {"raises_per_second": 0},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change):
    with pytest.raises(MalformedTable):
        replace(PLAN, **change)
