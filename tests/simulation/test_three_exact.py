"""With the noise switched off in the harness, reports with a third equal a plain pandas join."""

import numpy as np
import pandas as pd
import pytest
from counted_session import SilentLaws
from counted_three import PARTIES, CountedThree

from privacy.session import SessionNoise, TableLaws
from reports.errors import UnsuitableLabels
from reports.kinds import build, require_suitable

SEGMENTS = ("north", "south")
AGES = ("young", "old")
UNKNOWN = f"not known to {PARTIES[2]}"
LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6))


def sides(labels, attributes, seed=3):
    """Three tables of people with one label each, joined on all who are in any of them."""
    numbers = np.random.default_rng(seed)
    frames = []
    for column, values, size in (("g", labels, 900), ("b", SEGMENTS, 800), ("v", attributes, 700)):
        frame = pd.DataFrame({"id": numbers.choice(1500, size, replace=False)})
        frame[column] = numbers.choice(values, size)
        frames.append(frame)
    return frames[0].merge(frames[1], how="outer", on="id").merge(frames[2], how="outer", on="id")


def people_of(joined, labels, attributes):
    axes = (labels, SEGMENTS, attributes)
    people = np.zeros([len(names) + 1 for names in axes], dtype=np.int64)
    for cell, number in joined.fillna("∅").groupby(["g", "b", "v"]).size().items():
        people[
            tuple(
                names.index(one) if one in names else len(names)
                for one, names in zip(cell, axes, strict=True)
            )
        ] = number
    return people


def report_of(kind, rendering, labels, attributes):
    joined = sides(labels, attributes)
    people = people_of(joined, labels, attributes)
    session = CountedThree(people, SilentLaws(), (labels, SEGMENTS, attributes))
    return joined, build(kind, getattr(session.run(), rendering))


def rows_of(report):
    return {
        (row.metric, row.label, row.segment, row.attribute): row.estimate for row in report.rows()
    }


@pytest.fixture(params=["private", "shareable"])
def rendering(request):
    return request.param


def parts(joined, attributes):
    """Yield what a row's attribute stands for: (name, those people)."""
    yield None, joined
    yield UNKNOWN, joined[joined["v"].isna()]
    for name in attributes:
        yield name, joined[joined["v"] == name]


def test_reach_by_attribute_equals_the_join(rendering):
    labels = ("1", "2", "3+")
    joined, report = report_of("reach", rendering, labels, AGES)
    rows = rows_of(report)
    for attribute, part in parts(joined, AGES):
        for segment in (*SEGMENTS, None):
            inside = part["b"].notna() if segment is None else part["b"].eq(segment)
            audience = part[inside]
            times = audience["g"].dropna().str.rstrip("+").astype(int)
            where = segment, attribute
            assert rows["reach", None, *where].value == len(times)
            for k in (1, 2, 3):
                assert rows["reach at least", f"{k}+", *where].value == (times >= k).sum()
            assert rows["average frequency", None, *where].value == pytest.approx(times.mean())
            assert rows["audience", None, *where].value == len(audience)
            share = len(times) / len(audience)
            assert rows["share reached", None, *where].value == pytest.approx(share)
    assert all(one.half_width == 0 for one in rows.values())


def test_overlap_and_table_by_attribute_equal_the_join(rendering):
    joined, report = report_of("overlap", rendering, ("all",), AGES)
    rows = rows_of(report)
    for attribute, part in parts(joined, AGES):
        both = part[part["g"].notna() & part["b"].notna()]
        assert rows["matched", None, None, attribute].value == len(both)
        rate = len(both) / part["b"].notna().sum()
        assert rows["match rate", None, None, attribute].value == pytest.approx(rate)
        assert rows["offered", None, None, attribute].value == part["g"].notna().sum()
    joined, report = report_of("table", rendering, ("x", "y"), AGES)
    for (metric, label, segment, attribute), one in rows_of(report).items():
        part = dict(parts(joined, AGES))[attribute]
        if metric != "offered":
            part = part[part["b"].notna() if segment is None else part["b"].eq(segment)]
        if metric != "audience":
            part = part[part["g"].notna() if label is None else part["g"].eq(label)]
        assert one.value == len(part), (metric, label, segment, attribute)


def test_insights_of_a_third_equal_the_join(rendering):
    attributes = ("n × y", "n × o", "s × y", "s × o")
    joined, report = report_of("insights", rendering, ("all",), attributes)
    rows = rows_of(report)
    assert {label for _, label, *_ in rows} == {None}
    matched, known = joined[joined["g"].notna() & joined["b"].notna()], joined["v"].notna()

    def among(frame, group):
        """Say who of a frame is in a group."""
        where = frame["v"].fillna("∅ × ∅").str.split(" × ")
        wanted = group.split(" × ")
        return where.map(lambda has: all(w in ("any", h) for w, h in zip(wanted, has, strict=True)))

    base = joined[known]
    for group in ("n × any", "any × o", *attributes):
        of_base = among(base, group).mean()
        assert rows["base", None, None, group].value == among(base, group).sum()
        assert rows["share of base", None, None, group].value == pytest.approx(of_base)
        for segment in (*SEGMENTS, None):
            inside = matched if segment is None else matched[matched["b"] == segment]
            here = inside[inside["v"].notna()]
            share = among(here, group).mean()
            assert rows["matched with", None, segment, group].value == among(here, group).sum()
            assert rows["share of matched", None, segment, group].value == pytest.approx(share)
            index = rows["index", None, segment, group].value
            assert index == pytest.approx(100 * share / of_base)
            of = joined["b"].notna() if segment is None else joined["b"].eq(segment)
            audience = among(joined[of & known], group).mean()
            index = rows["index to audience", None, segment, group].value
            assert index == pytest.approx(100 * share / audience)
            assert rows["matched and known", None, segment, None].value == len(here)
            unknown = rows["matched and not known", None, segment, None].value
            assert unknown == len(inside) - len(here)
            assert rows["share known", None, segment, None].value == len(here) / len(inside)


def test_insights_of_a_third_are_by_the_tabulators_label_too(rendering):
    joined, report = report_of("insights", rendering, ("1", "2+"), AGES)
    rows = rows_of(report)
    once = joined[joined["g"].eq("1") & joined["b"].notna()]
    assert rows["matched", "1", None, None].value == len(once)
    known = once[once["v"].notna()]
    share = known["v"].eq("old").mean()
    assert rows["share of matched", "1", None, "old"].value == pytest.approx(share)
    assert rows["matched with", "1", None, "old"].value == known["v"].eq("old").sum()


@pytest.mark.parametrize(
    ("labels", "other"),
    [(("1", "2", "3+"), ("1", "2+")), (("2+", "1"), ("1", "2", "3", "4+")), (("met",), ("all",))],
)
def test_reach_across_channels_equals_the_join(rendering, labels, other):
    joined, report = report_of("cross-channel", rendering, labels, other)
    rows = rows_of(report)
    one, two, either = PARTIES[0], PARTIES[2], None

    def times(column, names):
        if len(names) == 1:
            return column.notna().astype(int)
        return column.fillna("0").str.rstrip("+").astype(int)

    most = min(len(labels), len(other))
    for segment in (*SEGMENTS, None):
        inside = joined["b"].notna() if segment is None else joined["b"].eq(segment)
        people = joined[inside]
        a, b = times(people["g"], labels), times(people["v"], other)
        counted = {
            ("reach", one): a > 0,
            ("reach", two): b > 0,
            ("reach", either): (a > 0) | (b > 0),
            ("reached by", f"{one} only"): (a > 0) & (b == 0),
            ("reached by", f"{two} only"): (a == 0) & (b > 0),
            ("reached by", "both"): (a > 0) & (b > 0),
            **{("reach at least", f"{k}+"): a + b >= k for k in range(1, most + 1)},
            ("reached exactly", f"{one} only: {_last(labels)}"): (a == len(labels)) & (b == 0),
            ("reached exactly", f"both: {max(most, 2) if most > 1 else most}+"): (
                (a > 0) & (b > 0) & (a + b >= most)
            ),
        }
        for (metric, label), who in counted.items():
            estimate = rows[metric, label, segment, None]
            assert estimate.value == who.sum(), (metric, label, segment)
        met = (a > 0) | (b > 0)
        shares = {
            ("share reached", either): met.mean(),
            ("share reached", one): (a > 0).mean(),
            ("share of reach", f"{two} only"): ((a == 0) & (b > 0)).sum() / met.sum(),
            ("average frequency", either): (a + b).sum() / met.sum(),
            ("average frequency", two): b.sum() / (b > 0).sum(),
            ("impressions", either): (a + b).sum(),
        }
        for (metric, label), expected in shares.items():
            assert rows[metric, label, segment, None].value == pytest.approx(expected)
        assert rows["audience", None, segment, None].value == len(people)
    exact = [row for row in report.rows() if row.metric == "reached exactly" and not row.segment]
    assert sum(row.estimate.value for row in exact) == rows["reach", either, None, None].value
    assert all(
        row.fitted == pytest.approx(row.estimate.value, abs=1e-6)
        for row in report.rows()
        if row.fitted is not None
    )


def _last(labels):
    return f"{len(labels)}+"


def test_fitted_reach_across_channels_adds_up(rendering):
    people = np.random.default_rng(5).integers(0, 8, (4, 3, 3))
    people[-1, -1, -1] = 0
    labels = (("1", "2", "3+"), SEGMENTS, ("1", "2+"))
    moved = 0
    for seed in range(8):
        outcome = CountedThree(people, LAWS, labels, seed=seed).run()
        report = build("cross-channel", getattr(outcome, rendering))
        fitted = {
            (r.metric, r.label, r.segment): r.fitted for r in report.rows() if r.fitted is not None
        }
        assert min(fitted.values()) >= 0
        for segment in (*SEGMENTS, None):
            reach = {
                label: fitted["reach", label, segment] for label in (None, PARTIES[0], PARTIES[2])
            }
            apart = sum(
                one
                for (metric, _, where), one in fitted.items()
                if (metric, where) == ("reached by", segment)
            )
            assert reach[None] == pytest.approx(apart, abs=1e-6)
            assert fitted["reach at least", "2+", segment] <= reach[None] + 1e-9
        for what in ("reach", "reached by"):
            whole = sum(
                one
                for (metric, _, where), one in fitted.items()
                if metric == what and where is None
            )
            of_segments = sum(
                one
                for (metric, _, where), one in fitted.items()
                if metric == what and where is not None
            )
            assert whole == pytest.approx(of_segments, abs=1e-4)
        moved += any(
            abs(row.fitted - row.estimate.value) > 1
            for row in report.rows()
            if row.fitted is not None
        )
    assert moved


def test_a_small_cell_is_suppressed_in_its_layer_and_counted_in_the_whole(rendering):
    people = np.full((2, 2, 3), 400)
    people[-1, -1, -1] = 0
    people[0, 0, 0] = 3
    labels = (("all",), ("gold",), AGES)
    outcome = CountedThree(people, SilentLaws(), labels).run()
    rows = rows_of(build("overlap", getattr(outcome, rendering)))
    assert rows["matched", None, None, "young"].suppressed
    assert rows["match rate", None, None, "young"].suppressed
    assert rows["matched", None, None, None].value == 803


def test_a_suppressed_cell_hides_every_number_that_is_the_cell(rendering):
    people = np.full((2, 2, 2), 400)
    people[-1, -1, -1] = 0
    people[0, 0] = 3, 4  # met by both, and by the tabulator alone
    outcome = CountedThree(people, SilentLaws(), (("met",), ("gold",), ("met",))).run()
    estimates = getattr(outcome, rendering)
    for row in build("cross-channel", estimates).rows():
        if row.label in ("both", "both: 1+", f"{PARTIES[0]} only", f"{PARTIES[0]} only: 1+"):
            assert row.estimate.suppressed, row
        elif row.label is None:
            assert not row.estimate.suppressed, row
    rows = rows_of(build("insights", estimates))
    assert rows["matched and known", None, None, None].suppressed
    assert rows["share known", None, None, None].suppressed
    assert rows["share of matched", None, None, "met"].suppressed


@pytest.mark.parametrize(
    ("kind", "labels", "third", "says"),
    [
        ("cross-channel", ("1", "3+"), ("1", "2+"), "frequency"),
        ("cross-channel", ("1", "2+"), ("young", "old"), "frequency"),
        ("insights", ("all",), ("n × y", "s × o"), "missing"),
        ("lift", ("a", "b", "c"), ("young", "old"), "two arms"),
    ],
)
def test_labels_that_a_kind_cannot_use_are_refused_before_a_session(kind, labels, third, says):
    with pytest.raises(UnsuitableLabels, match=says):
        require_suitable(kind, labels, third)


def test_the_note_says_who_the_unknown_are():
    _, report = report_of("reach", "shareable", ("1", "2+"), AGES)
    assert any(UNKNOWN in note for note in report.notes())
    assert '"attribute": "young"' in report.to_json()
    assert ",attribute," in report.to_csv().splitlines()[0]
    assert len(report.to_parquet()) > 1000
