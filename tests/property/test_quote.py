"""A quote follows from public parameters, and is what the session then costs."""

import json
from dataclasses import replace

import pytest

from privacy.session import SessionNoise, TableLaws
from psi.dummies import Dealing
from psi.legs import CROSSTAB_OF_THREE, Leg
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


# Three parties

THIRD_SIZES = (900, 300)
OF_THREE = replace(PLAN, third_sizes=THIRD_SIZES)
CHARGES_OF_THREE = {**CHARGES, "third": NOISE.spend(1, releases=False)}


@pytest.fixture
def of_three():
    return quote(OF_THREE, LAWS, CHARGES_OF_THREE)


def test_the_legs_of_three_are_those_of_the_leg_table(of_three):
    n = {
        "tabulator": LAWS.tabulator_fillers.n,
        "recipient": LAWS.dummies.n,
        "third": LAWS.dummies.n,
    }
    labels = {"tabulator": 2, "recipient": 3, "third": 2}
    people = {"tabulator": 1500, "recipient": 3060, "third": 1200}
    dealing = Dealing(tuple(labels), tuple(tuple(map(str, range(k))) for k in labels.values()))
    sizes = {}
    for place, role in enumerate(labels):
        dummies = 0
        for chooser in ("recipient", "third"):
            cells = [cell for cell in dealing.cells_of(chooser) if cell[place] is not None]
            dummies += len(cells) * LAWS.dummies.n * (1 if chooser == role else 2)
        sizes[role] = people[role] + dummies + labels[role] * (128 + n[role])
        assert dummies == getattr(of_three, f"dummies_{role}")
    *legs, table = of_three.legs
    hops = [step for step in CROSSTAB_OF_THREE.steps if isinstance(step, Leg)]
    assert [leg.points for leg in legs] == [sizes[hop.owner] for hop in hops]
    for leg, hop in zip(legs, hops, strict=True):
        carried = 1 if "recipient" in (hop.sender, hop.receiver) else 2
        assert leg.wire_bytes == leg.points * hop.form.value * carried
    assert table.points == 2 * 4 * 3 + 3 * 2
    raised = 2 * sum(sizes.values())  # by both others
    assert of_three.seconds == pytest.approx(sum(sizes.values()) / 1000 + raised / 4000)


def test_a_quote_of_three_has_the_same_table_of_two_beside_it(of_three, quoted):
    assert of_three.without_third == quoted
    assert quoted.without_third is None
    stored = json.loads(json.dumps(of_three.to_dict()))
    assert stored["without_third"] == json.loads(json.dumps(quoted.to_dict()))
    told = {one.role: (one.epsilon_nano, one.delta_e15) for one in of_three.charges}
    assert told["third"] == (10**9, 10**6)


def test_a_cell_of_three_has_the_thirds_dummies_as_noise(of_three):
    noise = [Term(1, LAWS.release), Term(1, LAWS.third_dummies)]
    for error, terms in (
        (of_three.private, noise),
        (of_three.shareable, [*noise, Term(1, LAWS.dummies)]),
    ):
        assert (error.standard_error, error.half_width) == spread(terms)
    assert of_three.cells == 2 * 3 * 3
    # 0.5 are found, and half of these by the third: 3000 / 4 over two rows and two labels.
    assert of_three.expected_cell_counts == (187.5, 3.75, 0)
    # Of each row's three cells the second and third segment's are small: with a label of the third
    # twice, and without.
    assert of_three.suppressed_private == 2 * (2 * 2 + 2)


def test_the_third_may_not_be_without_labels():
    with pytest.raises(MalformedTable, match="at least one label"):
        replace(PLAN, third_sizes=())
