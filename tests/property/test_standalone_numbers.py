"""verify.py computes every number of a report again: each against what `reports` says.

Of every kind of report, of two parties and of three, from tables by chance: what the product says
follows; what is changed in one field, left out or put in is found.
"""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit import standalone
from privacy.session import SessionNoise, TableLaws
from privacy.truncated import TruncatedLaplace
from psi.journey import list_journeys
from reports.cells import ShareableEstimates
from reports.kinds import build
from reports.laws import Term, spread
from reports.shapes import ratio_spread
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters, ThirdPart

EPSILON = st.sampled_from([10**9, 3 * 10**9])
NOISES = ((10**9, 10**9, 1, 1), (3 * 10**9, 10**9, 2, 3))
"""ε of the release and of dummies, records and keys of a person."""
BUCKETS = ("refund", "0", "10", "25.5")
SEGMENTS = ("gold", "silver")
ARMS = ("shown × saw", "shown × not", "held out × saw", "held out × not")
JOURNEYS = tuple(one.text for one in list_journeys(("A", "B", "C"), 3))
AGES = ("A × 0 h", "A × 24 h", "B × 0 h", "B × 24 h")
THIRD = ("n × y", "n × o", "s × y", "s × o")
KINDS = {
    "overlap": ("overlap", ("all",), SEGMENTS, None),
    "table": ("table", ("x", "y", "z"), SEGMENTS, None),
    "reach": ("reach", ("3+", "1", "2"), SEGMENTS, None),
    "reach by campaign": ("reach", ("A", "A+B", "B & C", "A+B & C"), SEGMENTS, None),
    "funnel": ("funnel", ("saw", "clicked", "liked"), ("came", "asked", "bought"), None),
    "insights": ("insights", THIRD, SEGMENTS, None),
    "lift": ("lift", ("shown", "held out"), SEGMENTS, None),
    "lift of the exposed": ("lift", ARMS, ("bought",), None),
    "lift in value": ("lift", ARMS, ("0", "10", "40"), None),
    "values": ("reach", ("1", "2+"), BUCKETS, None),
    "values by segment": (
        "insights", ("n", "s"), tuple(f"{one} × {at}" for one in SEGMENTS for at in BUCKETS), None,
    ),
    "attribution": ("attribution", JOURNEYS, SEGMENTS, None),
    "attribution of values": ("attribution", JOURNEYS, ("0", "10", "40"), None),
    "delay": ("delay", AGES, SEGMENTS, None),
    "overlap by attribute": ("overlap", ("all",), SEGMENTS, ("young", "old")),
    "reach by attribute": ("reach", ("1", "2+"), ("gold",), ("young", "old")),
    "lift by attribute": ("lift", ("shown", "held out"), ("bought",), ("young", "old")),
    "insights of a third": ("insights", ("x", "y"), SEGMENTS, THIRD),
    "cross-channel": ("cross-channel", ("1", "2+"), SEGMENTS, ("1", "2", "3+")),
}  # fmt: skip
LEFT = {"conversions, shapley", "conversions, markov", "value, shapley", "value, markov"}
"""What is estimated by drawing: the models that compare with people who did not convert."""


def laws_of(said, moments):
    noise = SessionNoise(said.epsilon_release_nano, said.epsilon_dummy_nano, said.delta_dummy_e15)
    records = said.records_per_person
    keys = None if moments is None else moments.most_keys
    people = 0 if moments is None else moments.epsilon_people_nano
    return TableLaws(
        noise, records * said.keys_per_person, records, keys, people, third_bound=records
    )


@st.composite
def reported(draw, name):
    """Return a report that may be passed on, and the bundle that verify.py reads it in."""
    kind, labels, segments, attributes = KINDS[name]
    release, dummies, records, keys = draw(st.sampled_from(NOISES))
    said = ReleaseParameters(release, dummies, 10**6, records, 1 if attributes else keys, 128, 10)
    most = draw(st.sampled_from([20, 90, 900]))
    numbers = draw(st.randoms(use_true_random=False))

    def some(how_many, least=-20, most=most):
        return tuple(numbers.randint(least, most) for _ in range(how_many))

    size = 4000 + 30 * most
    of_a_row = (len(segments) + 1) * (len(attributes) + 1) if attributes else len(segments)
    timed = kind in ("attribution", "delay")
    coalitions = 7 if kind == "attribution" else 0
    moments = (
        MomentsTable(0, 3600, 24, 24, 64, 10**8 * bool(coalitions), some(coalitions, 500, 9000))
        if timed
        else None
    )
    third = None if attributes is None else ThirdPart(
        ("channel", "advertiser", "vendor"),
        attributes,
        some(len(attributes), size, 2 * size),
        tuple(some(len(attributes), 0, 2 * most) for _ in segments),
    )  # fmt: skip
    table = ReleasedTable(
        labels, segments, tuple(some(of_a_row) for _ in labels),
        some(len(labels), size, 2 * size), some(len(segments), size, 2 * size),
        said, moments, third,
    )  # fmt: skip
    report = build(kind, ShareableEstimates(table, laws_of(said, moments))).to_dict()
    return json.loads(json.dumps(report)), bundle_for(table, kind)


def bundle_for(table, kind):
    said = table.parameters
    bundle = standalone.Bundle({}, {}, standalone.Key("log.test/a", bytes(32)))
    bundle.contract = {"min_cell": said.min_cell}
    roles = {"tabulator": "channel", "recipient": "advertiser"}
    labels = {"channel": table.tabulator_labels, "advertiser": table.recipient_labels}
    if table.third is not None:
        roles["third"], labels["vendor"] = "vendor", table.third.labels
    bundle.request = {
        "kind": kind,
        "roles": roles,
        "labels": {party: {"values": list(own)} for party, own in labels.items()},
        "parameters": {
            "epsilon_release_nano": said.epsilon_release_nano,
            "epsilon_dummies_nano": said.epsilon_dummy_nano,
            "delta_dummies_e15": said.delta_dummy_e15,
            "known_answers": said.known_answers,
            "records_per_person": said.records_per_person,
            "most_identifiers": {"channel": said.keys_per_person, "advertiser": 9, "vendor": 9},
        },
    }
    if table.moments is not None:
        names = ("start", "slot_seconds", "slots", "lookback", "most_keys")
        timing = {name: getattr(table.moments, name) for name in names}
        bundle.request["parameters"]["timing"] = timing
    return bundle


@pytest.mark.parametrize("name", KINDS)
def test_every_number_follows_from_its_table_and_no_other_does(name):
    @settings(max_examples=2, deadline=None)
    @given(reported(name), st.data())
    def hold(made, data):
        report, bundle = made
        left = {row["metric"] for row in report["rows"]} & LEFT
        standalone.check_numbers(bundle, report)
        assert bundle.open == (
            [f"numbers that were not computed again: {'; '.join(sorted(left))}"] if left else []
        )
        rows = [row for row in report["rows"] if row["metric"] not in LEFT]
        assert f"numbers: {len(rows)} of {len(report['rows'])} follow" in bundle.said[-1]
        told = standalone.numbers_of(bundle, report)
        for field in FIELDS:
            row = data.draw(st.sampled_from(rows))
            number = told[tuple(row[name] for name in standalone.NAMES)]
            standalone.require_number(row, number)
            with pytest.raises(standalone.Refused, match="does not follow from the table"):
                standalone.require_number(changed(row, field), number)

    hold()


FIELDS = ("value", "standard_error", "low", "high", "suppressed", "fitted", "inconsistent")


def changed(row, field):
    """Return a row in which one field says something else."""
    if field == "suppressed":
        hidden = not row["suppressed"]
        return {**row, field: hidden, "value": None if hidden else 20.0}
    if field == "inconsistent" and row["fitted"] is not None:
        return {**row, field: not row[field]}
    if field == "inconsistent":  # without a fitted number there is nothing that it speaks of
        return {**row, "value": 1e9}
    if row[field] is None:
        return {**row, field: 12.5}
    error = row["standard_error"] or 0.0
    return {**row, field: row[field] + 0.05 * error + 1e-2 * abs(row[field]) + 0.01}


PARAMETERS = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 10)


def plain(kind="table", labels=("x", "y")):
    table = ReleasedTable(labels, ("s",), ((100,), (90,)), (900, 900), (900,), PARAMETERS)
    report = build(kind, ShareableEstimates(table, laws_of(PARAMETERS, None))).to_dict()
    return json.loads(json.dumps(report)), bundle_for(table, kind)


def test_a_number_that_is_left_out_or_stands_twice_is_found():
    report, bundle = plain()
    rows = report["rows"]
    for left in rows:
        fewer = [row for row in rows if row is not left]
        with pytest.raises(standalone.Refused, match="a number is missing"):
            standalone.check_numbers(bundle, {**report, "rows": fewer})
    with pytest.raises(standalone.Refused, match="stands twice"):
        standalone.check_numbers(bundle, {**report, "rows": [*rows, rows[0]]})


def test_a_number_of_something_else_beside_them_is_left_and_named():
    report, bundle = plain("reach", ("A", "B"))
    report["rows"].append({"metric": "value", "label": "A or B", "segment": None})
    standalone.check_numbers(bundle, report)
    assert bundle.open == ["numbers that were not computed again: value"]


def test_a_report_that_calls_itself_another_is_found():
    report, bundle = plain()
    with pytest.raises(standalone.Refused, match="another report than was asked for"):
        standalone.check_numbers(bundle, {**report, "report": "another"})


def test_a_report_of_a_kind_that_is_not_known_is_left_and_its_numbers_are_named():
    report, bundle = plain()
    bundle.request["kind"] = "another"
    standalone.check_numbers(bundle, {**report, "report": "another"})
    assert bundle.open == ["numbers that were not computed again: audience; matched; offered"]


@pytest.mark.parametrize(
    "name", ["epsilon_release_nano", "known_answers", "min_cell", "keys_per_person"]
)
def test_a_report_with_other_parameters_than_were_signed_is_found(name):
    report, bundle = plain()
    report["table"]["parameters"][name] += 1
    with pytest.raises(standalone.Refused, match=f"{name} is not what request and contract have"):
        standalone.check_numbers(bundle, report)


@settings(max_examples=25, deadline=None)
@given(EPSILON, st.integers(1, 10**9), st.integers(1, 6))
def test_the_range_of_dummies_is_that_of_the_sessions(epsilon_nano, delta_e15, most):
    law = TruncatedLaplace(epsilon_nano, delta_e15, most)
    found = standalone.truncated(epsilon_nano, delta_e15, most)
    assert found.mean == law.n
    assert found.variance == pytest.approx(law.variance)


def test_a_law_that_no_request_may_ask_for_is_refused_at_once():
    for bad in ((0, 10**6, 1), (1, 10**6, 10**9)):
        with pytest.raises(standalone.Refused, match="outside of what a request may ask for"):
            standalone.half_range(*bad)
    for delta in (0, 10**15):
        with pytest.raises(standalone.Refused, match="its δ is none"):
            standalone.half_range(10**9, delta, 1)


TERMS = st.lists(
    st.tuples(
        st.floats(-3, 3).filter(lambda factor: abs(factor) > 1e-3),
        EPSILON,
        st.integers(1, 3),
        st.booleans(),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(TERMS)
@example([(0.2, 3 * 10**9, 1, False, 10)])  # just as many draws as make the law a normal one
def test_intervals_are_those_of_the_exact_law(drawn):
    theirs, own = [], []
    for factor, epsilon, most, is_release, draws in drawn:
        noise = SessionNoise(epsilon, epsilon, 10**6)
        law = noise.release(most) if is_release else noise.sizes(most)
        again = (
            standalone.released(epsilon, most)
            if is_release
            else standalone.truncated(epsilon, 10**6, most)
        )
        theirs.append(Term(factor, law, draws))
        own.append((factor, again, draws))
    for here, there in ((standalone.spread, spread), (standalone.ratio_spread, ratio_spread)):
        error, half_width = there(theirs)
        assert here(own) == pytest.approx((error, half_width), abs=error / 60)
