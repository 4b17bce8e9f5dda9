"""Value, conversion, cost and return of a report: against pandas, and what is refused."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from client.costs import typed_costs
from privacy.session import SessionNoise, TableLaws
from psi.buckets import ValueBuckets
from reports import kinds
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.errors import UnsuitableCosts
from reports.own_values import OwnValues
from reports.rendering import SHAREABLE
from reports.table import ReleasedTable, ReleaseParameters

LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6))
PARAMETERS = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 10)
BOUNDS = ("refund", "0", "10", "20", "40")
WEIGHTS = np.array([0, 0, 10, 20, 40])
COLUMNS = tuple(f"{one} × {bound}" for one in ("new", "loyal") for bound in BOUNDS)
SETS = ("C8", "C8+C13", "C13")
NUMBERS = np.random.default_rng(2)
MATCHED = NUMBERS.integers(200, 900, (3, 10))
AUDIENCE = MATCHED.sum(axis=0) + 500
TAU = NUMBERS.integers(0, 2 * LAWS.dummies.n, (3, 10))
OWN = OwnValues([4.0] * 10, [100.0] * 10, [25.0] * 10, [2] * 10)


def estimates(kind="private", labels=SETS, columns=COLUMNS, own=OWN):
    """Return estimates whose values are exactly MATCHED; only their errors are of the noise."""
    width = len(columns)
    counts = MATCHED[:, :width] + (TAU[:, :width] if kind == "private" else LAWS.dummies.mean)
    added = 128 + LAWS.recipient_fillers.mean + 3 * LAWS.dummies.mean
    table = ReleasedTable(
        labels, columns, tuple(map(tuple, counts.tolist())), (9000,) * 3,
        tuple((AUDIENCE[:width] + added).tolist()), PARAMETERS,
    )  # fmt: skip
    if kind != "private":
        return ShareableEstimates(table, LAWS)
    return PrivateEstimates(table, LAWS, TAU[:, :width].tolist(), AUDIENCE[:width].tolist(), own)


def found_in(report):
    return {(row.metric, row.label, row.segment): row.estimate for row in report.rows()}


def frame():
    cells = product(enumerate(SETS), enumerate(COLUMNS))
    return pd.DataFrame(
        [
            {"set": name, "segment": column.split(" × ")[0], "value": WEIGHTS[at % 5],
             "bound": column.split(" × ")[1], "people": MATCHED[row, at]}
            for (row, name), (at, column) in cells
        ]
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["private", "shareable"])
def test_the_metrics_of_campaigns_equal_pandas(kind):
    found = found_in(kinds.build("reach", estimates(kind)))
    cells = frame()
    whole = pd.Series(AUDIENCE * np.tile(WEIGHTS, 2), index=COLUMNS)
    for campaign, segment in product(("C8", "C13", None), ("new", "loyal", None)):
        some = cells[cells["set"].str.split("+").map(lambda held, c=campaign: c in (None, *held))]
        every = cells
        if segment:
            some, every = (one[one["segment"] == segment] for one in (some, cells))
        people, value = some["people"].sum(), (some["people"] * some["value"]).sum()
        buyers = some[some["value"] > 0]["people"].sum()
        audience = whole[[segment is None or name.startswith(segment) for name in COLUMNS]].sum()
        expected = {
            "reach": people,
            "value": value,
            "average value": value / people,
            "share of value": value / audience,
            "with a value": buyers,
            "conversion rate": buyers / people,
            "average basket": value / buyers,
            "with a refund": some[some["bound"] == "refund"]["people"].sum(),
        }
        if campaign:
            expected["reach share"] = people / every["people"].sum()
            alone = every[every["set"] == campaign]
            expected["reached by it alone"] = alone["people"].sum()
        if segment:
            same = cells[cells["set"].isin(some["set"].unique())]
            expected["on-target share"] = people / same["people"].sum()
        for metric, number in expected.items():
            assert found[metric, campaign, segment].value == pytest.approx(number), metric
    both = cells[cells["set"] == "C8+C13"]
    assert found["reached by both", "C13 & C8", None].value == both["people"].sum()


@pytest.mark.parametrize("kind", ["private", "shareable"])
def test_costs_divide_people_and_value_and_their_errors(kind):
    costs = Costs.of_campaigns({"C8": "1000", "C13": "250.5"})
    found = found_in(kinds.build("reach", estimates(kind), costs))
    for name, cost in (("C8", 1000), ("C13", 250.5), (None, 1250.5)):
        people, buyers, value = (
            found[metric, name, None] for metric in ("reach", "with a value", "value")
        )
        assert found["cost", name, None].value == cost
        assert found["cost", name, None].half_width == 0
        divided = (("cost per person reached", people), ("cost per acquisition", buyers))
        for metric, count in divided:
            one = found[metric, name, None]
            assert one.value == pytest.approx(cost / count.value)
            assert one.standard_error / one.value == pytest.approx(
                count.standard_error / count.value
            )
        roas = found["ROAS", name, None]
        assert roas.value == pytest.approx(value.value / cost)
        assert (roas.low, roas.high) == pytest.approx((value.low / cost, value.high / cost))


def test_a_cost_of_everything_is_of_all_campaigns_alone():
    found = found_in(kinds.build("reach", estimates(), Costs.of_everything("99.5")))
    assert {label for metric, label, _ in found if metric == "cost"} == {None}


def test_a_cost_of_some_campaigns_says_nothing_of_all():
    found = found_in(kinds.build("reach", estimates(), Costs.of_campaigns({"C8": "5"})))
    assert {label for metric, label, _ in found if metric == "ROAS"} == {"C8"}


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("reach", ("1", "2", "3+")), ("funnel", ("a", "b", "c")), ("insights", ("a", "b", "c")),
     ("table", ("a", "b", "c")), ("overlap", ("a", "b", "c"))],
)  # fmt: skip
@pytest.mark.parametrize("columns", [COLUMNS, BOUNDS])
def test_every_report_says_the_same_value_of_everybody(kind, labels, columns):
    found = found_in(kinds.build(kind, estimates(labels=labels, columns=columns, own=None)))
    counts = MATCHED[:, : len(columns)].sum(axis=0)
    value = counts @ np.resize(WEIGHTS, len(columns))
    assert found["value", None, None].value == value
    assert found["conversion rate", None, None].value == pytest.approx(
        counts[np.resize(WEIGHTS, len(columns)) > 0].sum() / counts.sum()
    )


@pytest.mark.parametrize("kind", ["reach", "funnel", "insights", "overlap"])
def test_combined_labels_count_for_their_segment_but_in_the_table(kind):
    report = kinds.build(kind, estimates(labels=("1", "2", "3+")))
    assert {segment for _, _, segment in found_in(report)} == {"new", "loyal", None}
    cells = found_in(kinds.build("table", estimates()))
    assert ("matched", "C8", "new × 10") in cells


@pytest.mark.parametrize("kind", ["reach", "funnel", "insights", "overlap"])
def test_buckets_alone_are_no_segments_but_in_the_table(kind):
    report = kinds.build(kind, estimates(labels=("1", "2", "3+"), columns=BOUNDS, own=None))
    assert {segment for _, _, segment in found_in(report)} == {None}
    cells = found_in(kinds.build("table", estimates(columns=BOUNDS, own=None)))
    assert ("matched", "C8", BOUNDS[-1]) in cells


def test_without_buckets_and_costs_nothing_is_said_of_value():
    report = kinds.build("reach", estimates(columns=("a", "b", "c"), own=None))
    metrics = {metric for metric, _, _ in found_in(report)}
    assert not metrics & {"value", "ROAS", "cost", "conversion rate", "own value cut off"}
    assert not any("ROAS" in note or "bounds" in note for note in report.notes())


def test_what_the_owner_alone_knows_stays_private():
    private, shareable = (kinds.build("reach", estimates(kind)) for kind in ("private", "share"))
    own = {"own people above the top", "own value cut off"}
    assert own <= {row.metric for row in private.rows()}
    assert found_in(private)["own value cut off", None, None].value == pytest.approx(0.2)
    assert found_in(private)["own people above the top", None, "new"].value == 10
    assert not own & {row.metric for row in shareable.rows()}
    assert '"own ' not in shareable.to_json()
    assert shareable.kind == SHAREABLE


def test_own_values_change_no_byte_of_what_is_shared():
    others = OwnValues([9e9] * 10, [1.0] * 10, [7e5] * 10, [200] * 10)
    shared = []
    for own in (OWN, others):
        released = kinds.build("reach", estimates(own=own)).released()
        again = ReleasedTable.from_dict(released.to_dict())
        shared.append(kinds.build("reach", ShareableEstimates(again, LAWS)).to_json())
    assert shared[0] == shared[1]
    private = [kinds.build("reach", estimates(own=own)).to_dict() for own in (OWN, others)]
    assert private[0] != private[1]
    assert "9000000000" not in repr(kinds.build("reach", estimates(own=others)))


def test_costs_stand_in_the_evidence_as_exact_decimals():
    costs = Costs.of_table("campaign,cost\nC8,0.10\nall,3\n", "costs.csv")
    report = kinds.build("reach", estimates("shareable"), costs)
    assert report.to_dict()["costs"] == {"C8": "0.10", "all": "3"}
    assert "costs" not in kinds.build("reach", estimates("shareable")).to_dict()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line"),
        ("name,cost\nC8,1\n", "first line"),
        ("campaign,cost\n", "no cost"),
        ("campaign,cost\nC8\n", "line 2: expected"),
        ("campaign,cost\nC8,1\nC8,2\n", "line 3: .* repeat"),
        ("campaign,cost\n,1\n", "missing"),
        ("campaign,cost\nC8,much\n", "no number above 0"),
        ("campaign,cost\nC8,0\n", "no number above 0"),
        ("campaign,cost\nC8,-1\n", "no number above 0"),
        ("campaign,cost\nC8,NaN\n", "no number above 0"),
        ("campaign,cost\nC8,Infinity\n", "no number above 0"),
        ("campaign,cost\nC8,1e-400\n", "no number above 0"),
        ('campaign,cost\n"' + "C8," * 50_000, "costs.csv is no CSV file"),
    ],
)
def test_costs_that_cannot_be_read_are_refused(text, says):
    with pytest.raises(UnsuitableCosts, match=says):
        Costs.of_table(text, "costs.csv")


def test_lines_of_costs_end_as_any_program_ends_them():
    for end in ("\n", "\r\n", "\r"):
        costs = Costs.of_table(f"campaign,cost{end}C8,1{end}", "costs.csv")
        assert costs.to_dict() == {"C8": "1"}


def test_costs_are_typed_as_a_number_or_as_a_line_for_each_campaign():
    assert typed_costs(" 12.5 ").to_dict() == {"all": "12.5"}
    lines = "C8 = 5\r\n\na=b=0.5\r\nall=20\n"
    assert typed_costs(lines).to_dict() == {"C8": "5", "a=b": "0.5", "all": "20"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("much", "no number above 0"),
        ("C8=", "no number above 0"),
        ("C8=much", "the cost of 'C8'"),
        ("=5", "write a number, or a line"),
        ("C8=5\nC13", "'C13': write a number, or a line"),
        ("C8=5\nC8=6", "once each"),
    ],
)
def test_typed_costs_that_cannot_be_read_are_refused(text, says):
    with pytest.raises(UnsuitableCosts, match=says):
        typed_costs(text)


def test_costs_of_another_campaign_are_refused_before_there_is_a_table():
    costs = Costs.of_campaigns({"C9": "5"})
    with pytest.raises(UnsuitableCosts, match="'C9', which this report does not have; it has C13"):
        kinds.require_priced("reach", SETS, costs)
    with pytest.raises(UnsuitableCosts):
        kinds.build("reach", estimates(), costs)
    kinds.require_priced("reach", ("1", "2", "3+"), Costs.of_campaigns({"3+": "5"}))


def test_a_cost_of_people_who_may_be_nobody_is_withheld():
    table = ReleasedTable(("a",), ("x",), ((LAWS.dummies.mean,),), (900,), (900,), PARAMETERS)
    report = kinds.build("table", ShareableEstimates(table, LAWS), Costs.of_everything("5"))
    assert found_in(report)["cost per person reached", None, None].suppressed


def test_buckets_of_another_order_are_put_in_theirs():
    order = [2, 0, 4, 1, 3]
    assert ValueBuckets.find([BOUNDS[at] for at in order]) is None
