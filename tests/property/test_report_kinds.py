"""Private and shareable are two types, and nothing private reaches what can be shared."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.session import SessionNoise, TableLaws
from reports import (
    attribution,
    campaigns,
    cross_channel,
    crosstab,
    delay,
    funnel,
    insights,
    lift,
    overlap,
    reach,
    third_insights,
)
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.errors import MalformedTable, NotShareable
from reports.overlap import Overlap
from reports.rendering import PRIVATE, SHAREABLE
from reports.report import ShareableReport
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters, ThirdPart

LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6), epsilon_people_nano=10**9)
MOST = 2 * LAWS.dummies.n
PARAMETERS = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 10)
BUILDERS = {
    "cells": (("x", "y"), lambda estimates: estimates),
    "table": (("x", "y"), crosstab.build),
    "funnel": (("x", "y"), funnel.build),
    "insights": (("x × 1", "y × 1"), insights.build),
    "lift": (("x", "y"), lift.build),
    "overlap": (("x", "y"), overlap.build),
    "reach": (("1", "2+"), reach.build),
    "campaigns": (("C1+C2", "C1"), campaigns.build),
    "attribution": (("C1 (C1)", "… > C1 (C1)"), attribution.build),
    "delay": (("C1 × 0 h", "C1 × 24 h"), delay.build),
}
MOMENTS = MomentsTable(0, 3600, 24, 24, 64, 10**9, (700,))
OF_MOMENTS = [BUILDERS[name][0] for name in ("attribution", "delay")]
cells = st.tuples(*[st.tuples(*[st.integers(-50, 3000)] * 2)] * 2)
dummies = st.tuples(*[st.tuples(*[st.integers(0, MOST)] * 2)] * 2)
audiences = st.tuples(*[st.integers(1, 5000)] * 2)


def table_of(counts, labels=("x", "y")):
    moments = MOMENTS if labels in OF_MOMENTS else None
    sizes = (5000, 4000), (3000, 2500)
    return ReleasedTable(labels, ("a", "b"), counts, *sizes, PARAMETERS, moments)


@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=25, deadline=None)
@given(cells, dummies, dummies, audiences, audiences)
def test_the_recipients_secrets_change_no_byte_of_what_it_shares(
    name, counts, tau, other_tau, audience, other_audience
):
    labels, build = BUILDERS[name]
    table = table_of(counts, labels)
    shared = []
    for secrets in ((tau, audience), (other_tau, other_audience)):
        private = build(PrivateEstimates(table, LAWS, *secrets))
        again = ReleasedTable.from_dict(private.released().to_dict())
        shared.append(build(ShareableEstimates(again, LAWS)))
    one, other = shared
    assert one.to_json() == other.to_json()
    assert one.to_csv() == other.to_csv()
    assert one.to_parquet() == other.to_parquet()
    assert one.to_dict() == other.to_dict()


@pytest.mark.parametrize("name", BUILDERS)
def test_the_dummies_do_change_what_the_owner_sees(name):
    labels, build = BUILDERS[name]
    table = table_of(((900, 900), (900, 900)), labels)
    none = build(PrivateEstimates(table, LAWS, ((0, 0), (0, 0)), (2000, 2000)))
    all_of_them = build(PrivateEstimates(table, LAWS, ((MOST,) * 2,) * 2, (2000, 2000)))
    assert none.to_dict() != all_of_them.to_dict()


@pytest.mark.parametrize("name", BUILDERS)
def test_only_what_is_shareable_has_exports(name):
    labels, build = BUILDERS[name]
    table = table_of(((900, 900), (900, 900)), labels)
    private = build(PrivateEstimates(table, LAWS, ((20, 20), (20, 20)), (2000, 2000)))
    shareable = build(ShareableEstimates(table, LAWS))
    for export in ("to_csv", "to_json", "to_parquet"):
        assert not hasattr(private, export)
        assert hasattr(shareable, export)
    assert not isinstance(private, type(shareable))
    assert private.to_dict()["kind"] == PRIVATE == "private: not to be passed on"
    assert shareable.to_dict()["kind"] == SHAREABLE
    assert set(private.frame()["kind"]) == {PRIVATE} == {private.frame().attrs["kind"]}
    assert set(shareable.frame()["kind"]) == {SHAREABLE}


OF_THREE = {
    "cells": (("x", "y"), ("u", "w"), lambda estimates: estimates),
    "reach": (("1", "2+"), ("u", "w"), reach.build),
    "lift": (("x", "y"), ("u", "w"), lift.build),
    "table": (("x", "y"), ("u", "w"), crosstab.build),
    "insights": (("x", "y"), ("u", "w"), third_insights.build),
    "cross-channel": (("1", "2+"), ("1", "2+"), cross_channel.build),
}
_DRAWS = np.ones((3, 2, 3), dtype=np.int64)
_DRAWS[-1, :, -1] = 0  # where both others are ∅ there is none
drawn_of_three = arrays(np.int64, _DRAWS.shape, elements=st.integers(0, MOST)).map(_DRAWS.__mul__)


@pytest.mark.parametrize("name", OF_THREE)
@settings(max_examples=10, deadline=None)
@given(
    arrays(np.int64, (2, 9), elements=st.integers(-50, 3000)),
    drawn_of_three,
    drawn_of_three,
    audiences,
    audiences,
)
def test_the_recipients_secrets_change_no_byte_of_a_table_of_three(
    name, counts, tau, other_tau, audience, other_audience
):
    labels, attributes, build = OF_THREE[name]
    third = ThirdPart(("t", "r", "v"), attributes, (4000, 3000), ((900, 800), (700, 600)))
    counts = tuple(map(tuple, counts.tolist()))
    sizes = (5000, 4000), (3000, 2500)
    table = ReleasedTable(labels, ("a", "b"), counts, *sizes, PARAMETERS, third=third)
    shared, own = [], []
    for drawn, known in ((tau, audience), (other_tau, other_audience)):
        private = build(PrivateEstimates(table, LAWS, drawn.tolist(), known))
        own.append([row.estimate.value for row in private.rows()])
        again = ReleasedTable.from_dict(private.released().to_dict())
        shared.append(build(ShareableEstimates(again, LAWS)).to_json())
    assert shared[0] == shared[1]
    if not (tau == other_tau).all():
        assert own[0] != own[1]


def test_a_shareable_report_refuses_private_estimates():
    private = PrivateEstimates(table_of(((1, 2), (3, 4))), LAWS, ((20, 20), (20, 20)), (9, 9))
    with pytest.raises(NotShareable):
        ShareableReport(private, Overlap)


def test_shareable_estimates_are_made_of_table_and_laws_alone():
    public = ["table", "laws", "layers"]  # layers: which of the third's labels are counted
    assert list(inspect.signature(ShareableEstimates).parameters) == public
    with pytest.raises(AttributeError):
        ShareableEstimates(table_of(((1, 2), (3, 4))), LAWS).table = None


def test_secrets_hide_in_repr():
    private = PrivateEstimates(
        table_of(((1, 2), (3, 4))), LAWS, ((19, 19), (19, 19)), (91919, 91919)
    )
    assert "19" not in repr(private)


@pytest.mark.parametrize(
    ("tau", "audience"),
    [
        (((1, 2),), (9, 9)),
        (((1, 2), (3, 4)), (9,)),
        (((-1, 2), (3, 4)), (9, 9)),
        (((1, 2), (3, MOST + 1)), (9, 9)),
        (((1, 2), (3, 4.5)), (9, 9)),
        (((1, 2), (3, 4)), (9, -1)),
    ],
)
def test_impossible_secrets_are_refused(tau, audience):
    with pytest.raises(MalformedTable):
        PrivateEstimates(table_of(((1, 2), (3, 4))), LAWS, tau, audience)
