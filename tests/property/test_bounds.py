"""Proposed bounds: the errors that are told for them, and what is refused."""

import math

import numpy as np
import pytest
from dataset_builder import describe

from client.bounds import propose_bounds
from client.guess import Guess
from client.sdk.datasets import Datasets
from party.errors import PartyError
from privacy.errors import PrivacyError
from privacy.session import SessionNoise, TableLaws
from psi.buckets import MILLION, ValueBuckets
from psi.errors import BucketError
from reports.cells import PrivateEstimates
from reports.sums import ValueTable
from reports.table import ReleasedTable, ReleaseParameters


@pytest.mark.parametrize(("ratio", "above"), [("1.5", 0.34), ("2", 0.15), ("4", 0.03)])
def test_noise_is_above_a_direct_sums_by_what_the_protocol_says(ratio, above):
    found = propose_bounds("1", "1000000", ratio)[0]
    assert found.above_direct == pytest.approx(above, abs=0.005)
    assert found.above_direct == pytest.approx(1 / math.sqrt(1 - float(ratio) ** -2) - 1, abs=1e-4)


@pytest.mark.parametrize("identifiers", [1, 3])
def test_the_noise_that_is_told_is_the_errors_of_a_report(identifiers):
    found = propose_bounds("10", "80", epsilon="0.5", identifiers=identifiers)[0]
    laws = TableLaws(SessionNoise(5 * 10**8, 10**9, 10**6), identifiers)
    width = len(found.labels)
    table = ReleasedTable(
        ("g",), found.labels, ((900,) * width,), (9000,), (2000,) * width,
        ReleaseParameters(5 * 10**8, 10**9, 10**6, 1, identifiers, 128, 10),
    )  # fmt: skip
    estimates = PrivateEstimates(table, laws, [[0] * width], [1000] * width)
    total = ValueTable.find(estimates).block((0,)).total()
    assert total.standard_error == pytest.approx(found.noise)


@pytest.mark.parametrize("ratio", ["1.5", "2", "4"])
def test_no_value_is_rounded_further_than_is_told(ratio):
    found = propose_bounds("10", "640", ratio, people=100)[0]
    buckets = ValueBuckets.of(found.labels)
    values = np.linspace(10, 640, 20_000)
    error = np.sqrt(buckets.rounding_variance((values * MILLION).astype(np.int64))) / values
    assert error.max() == pytest.approx(found.rounding * math.sqrt(100), rel=1e-3)


def test_what_is_proposed_serves_in_a_description(tmp_path):
    found = Datasets.buckets("5", "100", refunds=True)
    label = {"buckets_of": "amount", "bounds": list(found.bounds), "refunds": True}
    values = describe(tmp_path, labels={"spend": label}).label("spend").values
    assert values == ("refund", "0", "5", "10", "20", "40", "80", "160")
    assert 'bounds: ["0", "5", "10"' in str(found)
    assert "refunds: true" in str(found)
    assert list(found.to_pandas()["ratio"]) == ["2", "1.5", "3", "4"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("x", "5"), BucketError),
        (("10", "5"), BucketError),
        (("0", "5"), BucketError),
        (("1", "5", "1"), BucketError),
        (("1", "5", "nan"), BucketError),
        (("1", "1e12", "1.01"), BucketError),
    ],
)
def test_bounds_that_do_not_serve_are_refused(arguments, error):
    with pytest.raises(error):
        propose_bounds(*arguments)


@pytest.mark.parametrize("changes", [{"epsilon": "0"}, {"epsilon": "much"}, {"identifiers": 0}])
def test_parameters_of_the_noise_are_checked(changes):
    with pytest.raises(PrivacyError):
        propose_bounds("1", "5", **changes)


def test_a_sum_about_nobody_is_refused():
    with pytest.raises(BucketError):
        propose_bounds("1", "5", people=0)


def test_a_usual_ratio_that_does_not_serve_is_left_out_of_the_comparison():
    chosen, *others = propose_bounds("0.000001", "640", "4")
    assert chosen.ratio == "4"
    assert 0 < len(others) < 4
    with pytest.raises(BucketError, match="again"):
        propose_bounds("0.000001", "640", "1.3")


@pytest.mark.parametrize("people", [-1, 2**31 + 1, 10**30])
def test_a_quote_takes_no_more_people_than_a_set_may_have(people):
    with pytest.raises(PartyError, match="--their-people is"):
        Guess(their_people=people)
