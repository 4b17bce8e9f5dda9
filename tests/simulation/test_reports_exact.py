"""With the noise switched off in the harness, reports equal a plain pandas join."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from counted_session import CountedSession, People, SilentLaws

from privacy.session import SessionNoise, TableLaws
from reports import campaigns, crosstab, funnel, insights, overlap, reach
from reports.cells import ShareableEstimates
from reports.errors import UnsuitableLabels

SEGMENTS = ("north", "south", "west")


def two_sides(labels, seed=1):
    """Two tables of people with one label each, some of them on both sides."""
    numbers = np.random.default_rng(seed)
    holder = pd.DataFrame({"id": numbers.choice(5000, 3000, replace=False)})
    holder["g"] = numbers.choice(labels, len(holder))
    asker = pd.DataFrame({"id": numbers.choice(5000, 2000, replace=False)})
    asker["b"] = numbers.choice(SEGMENTS, len(asker))
    return holder, asker


def people_of(holder, asker, labels):
    both = holder.merge(asker, on="id")
    matched = pd.crosstab(both["g"], both["b"]).reindex(
        index=labels, columns=SEGMENTS, fill_value=0
    )
    offered = holder["g"].value_counts().reindex(labels, fill_value=0)
    audience = asker["b"].value_counts().reindex(SEGMENTS, fill_value=0)
    return People(
        matched.to_numpy(),
        offered.to_numpy() - matched.sum(axis=1).to_numpy(),
        audience.to_numpy() - matched.sum(axis=0).to_numpy(),
    )


def silent(labels):
    holder, asker = two_sides(labels)
    people = people_of(holder, asker, labels)
    session = CountedSession(people, SilentLaws(), labels=labels, segments=SEGMENTS)
    return holder, asker, holder.merge(asker, on="id"), session.run()


@pytest.fixture(params=["private", "shareable"])
def kind(request):
    return request.param


def test_overlap_equals_the_join(kind):
    holder, asker, both, outcome = silent(("one",))
    numbers = overlap.build(getattr(outcome, kind)).numbers
    for segment in numbers.segments:
        matched = int((both["b"] == segment.segment).sum())
        audience = int((asker["b"] == segment.segment).sum())
        assert (segment.matched.value, segment.matched.half_width) == (matched, 0)
        assert segment.audience.value == audience
        assert segment.match_rate.value == matched / audience
    assert numbers.total.matched.value == len(both)
    assert numbers.total.match_rate.value == len(both) / len(asker)
    assert numbers.offered.value == len(holder)


@pytest.mark.parametrize("labels", [("1", "2", "3", "4+"), ("2", "4+", "1", "3")])
def test_reach_equals_the_join(kind, labels):
    _, asker, both, outcome = silent(labels)
    times = both["g"].str.rstrip("+").astype(int)
    numbers = reach.build(getattr(outcome, kind)).numbers
    for part in (*numbers.segments, numbers.total):
        inside = both["b"].eq(part.segment) if part.segment else both["b"].notna()
        audience = int(asker["b"].eq(part.segment).sum()) if part.segment else len(asker)
        met = times[inside]
        assert part.reach.value == len(met)
        assert [n.estimate.value for n in part.at_least] == [(met >= k).sum() for k in range(1, 5)]
        assert [n.estimate.value for n in part.exactly] == [(met == k).sum() for k in range(1, 5)]
        for number in (*part.at_least, *part.exactly):
            assert number.fitted == pytest.approx(number.estimate.value, abs=1e-6)
            assert not number.inconsistent
        assert part.average_frequency.value == pytest.approx(met.mean())
        assert part.impressions.value == met.sum()
        assert part.share_reached.value == len(met) / audience


def test_reach_by_campaign_equals_the_join(kind):
    labels = ("C8", "C8+C13", "C13+C26", "C26")
    _, asker, both, outcome = silent(labels)
    report = campaigns.build(getattr(outcome, kind))
    assert {one.campaign for one in report.numbers.reaches} == {None, "C8", "C13", "C26"}
    for one in report.numbers.reaches:
        inside = both["b"].eq(one.segment) if one.segment else both["b"].notna()
        names = both["g"].str.split("+")
        met = names.map(lambda held, name=one.campaign: name is None or name in held)
        audience = int(asker["b"].eq(one.segment).sum()) if one.segment else len(asker)
        assert one.reach.value == (inside & met).sum()
        assert one.share_reached.value == (inside & met).sum() / audience


@pytest.mark.parametrize("labels", [("a",), ("a", "b", "never")])
def test_a_table_equals_the_join(kind, labels):
    holder, asker, both, outcome = silent(labels)
    numbers = crosstab.build(getattr(outcome, kind)).numbers
    assert len(numbers.cells) == (len(labels) + 1) * (len(SEGMENTS) + 1)
    for cell in numbers.cells:
        inside = both["g"].notna() if cell.label is None else both["g"].eq(cell.label)
        inside &= both["b"].notna() if cell.segment is None else both["b"].eq(cell.segment)
        assert (cell.matched.value, cell.matched.half_width) == (inside.sum(), 0)
        alone = None not in (cell.label, cell.segment)
        assert cell.matched.suppressed == (alone and inside.sum() < 10)
    for segment, audience in numbers.audience:
        assert audience.value == (asker["b"].eq(segment).sum() if segment else len(asker))
    for label, offered in numbers.offered:
        assert offered.value == (holder["g"].eq(label).sum() if label else len(holder))


@pytest.mark.parametrize(
    "attributes",
    [(("x", "y"),), (("x", "y"), ("1", "2", "3")), (("x", "y"), ("1", "2"), ("m", "f"))],
)
def test_insights_equal_the_join(kind, attributes):
    labels = tuple(" × ".join(parts) for parts in product(*attributes))
    holder, _, both, outcome = silent(labels)
    numbers = insights.build(getattr(outcome, kind)).numbers
    assert len(numbers.groups) == np.prod([len(values) + 1 for values in attributes]) - 1

    def within(frame, group):
        parts = frame["g"].str.split(" × ")
        wanted = group.split(" × ")
        return parts.map(
            lambda own: all(want in ("any", has) for want, has in zip(wanted, own, strict=True))
        )

    bases = {group.name: group for group in numbers.groups}
    for one in numbers.profiles:
        inside = both["b"].eq(one.segment) if one.segment else both["b"].notna()
        met, matched = (inside & within(both, one.group)).sum(), inside.sum()
        base = within(holder, one.group).mean()
        assert one.matched.value == met
        assert one.share.value == pytest.approx(met / matched)
        assert bases[one.group].offered.value == within(holder, one.group).sum()
        assert bases[one.group].base_share.value == pytest.approx(base)
        assert one.index.value == pytest.approx(100 * met / matched / base)
        assert (one.share.half_width, one.index.half_width) == (0, 0)
    for segment, total in numbers.totals:
        assert total.value == (both["b"].eq(segment).sum() if segment else len(both))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (("x × 1", "y"), "same 1 to 4"),
        (("a × b × c × d × e",), "same 1 to 4"),
        (("x × 1", "y × 2"), "missing"),
        (("x × any", "y × any"), "names marginals"),
        ((" × 1",), "without a value"),
    ],
)
def test_insights_refuse_labels_that_are_not_all_combinations(kind, labels, says):
    *_, outcome = silent(labels)
    with pytest.raises(UnsuitableLabels, match=says):
        insights.build(getattr(outcome, kind))


def test_insights_withhold_what_a_small_cell_or_an_empty_base_would_tell(kind):
    people = People(np.array([[3], [500]]), np.array([0, 900]), np.array([10]))
    outcome = CountedSession(people, SilentLaws(), labels=("x", "y")).run()
    rows = insights.build(getattr(outcome, kind)).to_dict()["rows"]
    small = [row for row in rows if row["label"] == "x" and row["unit"] in ("people", "index")]
    assert small
    assert all(row["suppressed"] and row["value"] is None for row in small)
    base = next(row for row in rows if row["label"] == "x" and row["metric"] == "base")
    assert base["value"] == 3


def test_a_funnel_equals_the_join(kind):
    stages = ("saw", "clicked", "asked")
    *_, both, outcome = silent(stages)
    numbers = funnel.build(getattr(outcome, kind)).numbers
    ours, theirs = both["g"].map(stages.index), both["b"].map(SEGMENTS.index)
    for flow in numbers.flows:
        inside = both["g"].notna() if flow.label is None else both["g"].eq(flow.label)
        inside &= both["b"].notna() if flow.segment is None else both["b"].eq(flow.segment)
        assert flow.matched.value == inside.sum()
    assert len(numbers.arrivals) == 6
    for one in numbers.arrivals:
        row = theirs[ours == stages.index(one.label)]
        assert one.share.value == pytest.approx((row >= SEGMENTS.index(one.segment)).mean())
    sides = ((numbers.tabulator_stages, stages, ours), (numbers.recipient_stages, SEGMENTS, theirs))
    for found, names, furthest in sides:
        assert [stage.name for stage in found] == list(names)
        for at, stage in enumerate(found):
            reached = int((furthest >= at).sum())
            assert stage.reached.value == reached
            if at + 1 == len(names):
                assert stage.step_conversion is None
            else:
                went_on = (furthest > at).sum() / reached
                assert stage.step_conversion.value == pytest.approx(went_on)


def test_a_funnel_of_one_stage_is_refused(kind):
    *_, outcome = silent(("all",))
    with pytest.raises(UnsuitableLabels, match="two stages"):
        funnel.build(getattr(outcome, kind))


def test_frames_and_dictionaries_say_the_same(kind):
    *_, outcome = silent(("1", "2+"))
    report = reach.build(getattr(outcome, kind))
    frame, rows = report.frame(), report.to_dict()["rows"]
    assert len(frame) == len(rows) > 20
    for at, row in enumerate(rows):
        assert frame.iloc[at]["metric"] == row["metric"]
        assert frame.iloc[at]["shown"] == row["shown"]
        assert frame.iloc[at]["value"] == row["value"]


def test_totals_include_suppressed_cells(kind):
    people = People(np.array([[3, 500], [4, 2]]), np.zeros(2, dtype=int), np.array([10, 10]))
    outcome = CountedSession(people, SilentLaws(), labels=("1", "2+")).run()
    numbers = reach.build(getattr(outcome, kind)).numbers
    first = numbers.segments[0]
    assert all(number.estimate.suppressed for number in first.exactly)
    assert first.at_least[1].estimate.suppressed
    assert (first.reach.value, first.reach.suppressed) == (7, False)
    assert numbers.total.reach.value == 509


def test_a_suppressed_cell_hides_every_number_that_is_the_cell(kind):
    people = People(np.array([[3]]), np.zeros(1, dtype=int), np.array([100]))
    outcome = CountedSession(people, SilentLaws(), labels=("1+",)).run()
    part = reach.build(getattr(outcome, kind)).numbers.total
    numbers = (part.reach, part.impressions, part.average_frequency, part.share_reached)
    assert all(number.suppressed for number in numbers)
    for row in reach.build(getattr(outcome, kind)).to_dict()["rows"]:
        assert row["metric"] == "audience" or (row["value"], row["fitted"]) == (None, None)


def test_an_empty_audience_has_no_rate(kind):
    people = People(np.array([[0, 400]]), np.array([5]), np.array([0, 100]))
    outcome = CountedSession(people, SilentLaws(), labels=("one",)).run()
    empty = overlap.build(getattr(outcome, kind)).numbers.segments[0]
    assert empty.match_rate.suppressed
    assert empty.match_rate.to_dict()["value"] is None


@pytest.mark.parametrize(
    "labels", [("1", "3+"), ("0", "1+"), ("1", "2"), ("a",), ("1", "2+", "3+")]
)
def test_reach_refuses_labels_that_are_no_frequencies(kind, labels):
    *_, outcome = silent(labels)
    with pytest.raises(UnsuitableLabels, match="frequency"):
        reach.build(getattr(outcome, kind))


@pytest.mark.parametrize("labels", [("C1+",), ("C1+C1",), ("C1+C2", "C2+C1"), ("",)])
def test_reach_by_campaign_refuses_labels_that_are_no_sets(kind, labels):
    *_, outcome = silent(labels)
    with pytest.raises(UnsuitableLabels):
        campaigns.build(getattr(outcome, kind))


def test_a_count_that_noise_does_not_explain_is_marked():
    people = People(np.full((3, 4), 50), np.zeros(3, dtype=int), np.zeros(4, dtype=int))
    laws, labels = TableLaws(SessionNoise(10**9, 10**9, 10**6)), ("1", "2", "3+")
    honest = CountedSession(people, laws, labels=labels, seed=4).run().shareable
    assert not any(row.inconsistent for row in reach.build(honest).rows())
    counts = honest.table.counts
    forged = replace(honest.table, counts=((-200, *counts[0][1:]), *counts[1:]))
    report = reach.build(ShareableEstimates(forged, laws))
    marked = [row for row in report.rows() if row.inconsistent]
    assert ("reach exactly", "1", "b0") in {(row.metric, row.label, row.segment) for row in marked}
