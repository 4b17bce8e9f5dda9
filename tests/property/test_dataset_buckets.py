"""Labels of value buckets: against plain Python with exact decimals, and what is refused."""

from collections import defaultdict
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dataset_builder import describe, prepared, row, steps_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.buckets import BucketLabel
from party.datasets.coded import CodedColumn
from party.datasets.definition import Definition
from party.errors import DatasetError
from psi.buckets import MILLION, RoundingKey, ValueBuckets

KEY = RoundingKey(bytes(range(32)))
PEOPLE = 5
BOUNDS = ["0", "10", "20", "40"]
SPEND = {"buckets_of": "amount", "bounds": BOUNDS}
REFUNDS = {"buckets_of": "amount", "bounds": [*BOUNDS], "refunds": True}
LABELS = {
    "segment": {"column": "segment", "values": ["gold", "new"]},
    "spend": SPEND,
    "net": REFUNDS,
    "both": {"all_of": ["segment", "spend"]},
}
AMOUNTS = st.sampled_from(
    ["0", "10", "-5", " 7.5", "0.1", "0.2", "12.345", "40", "1e3", "-1e3", "?", "1e13", "", None]
)
MANY = [
    row(f"p{i}", f"p{i}@example.com", amount=i % 50, segment="gold" if i % 3 else "new")
    for i in range(400)
]
ROWS = st.lists(st.tuples(st.integers(-1, PEOPLE - 1), AMOUNTS), max_size=20)


def asked(definition, label="spend", **changes):
    """Prepare for a request with this label."""
    arguments = {
        "label": label,
        "values": definition.label(label).values,
        "identifiers": ["email"],
        "offer": "one",
        "most_identifiers": 1,
        "rounding": KEY,
    }
    return prepared(definition, **arguments | changes)


@pytest.mark.parametrize("refunds", [False, True])
@given(ROWS)
def test_a_persons_label_is_the_bound_below_the_exact_sum_of_rows(refunds, rows):
    label = BucketLabel("amount", ValueBuckets.of(["refund", *BOUNDS] if refunds else BOUNDS))
    column = pa.array([text for _, text in rows], pa.large_string()).dictionary_encode()
    person = np.array([who for who, _ in rows], dtype=np.int64)
    found = label.assign({"amount": CodedColumn.of(column)}, person, PEOPLE)
    texts = defaultdict(list)
    for who, text in rows:
        if who >= 0 and text:
            texts[who].append(text.strip())
    for who in range(PEOPLE):
        own = texts[who]
        if not own or "?" in own or "1e13" in own:
            assert found.positions[who] == -1
            assert found.outside[who] == bool(own)
            continue
        total = sum(map(Decimal, own))
        assert found.amounts[who] == total * MILLION
        below = [bound for bound in BOUNDS if Decimal(bound) <= total]
        expected = below[-1] if below else ("refund" if refunds else "0")
        assert label.values[found.positions[who]] == expected


class TestInASession:
    def test_between_two_bounds_people_take_either_and_the_sum_is_kept(self, tmp_path):
        result = asked(write(tmp_path, MANY, labels=LABELS))
        values = np.array([int(name[1:]) % 50 for name in result.person_refs.to_pylist()])
        bounds = np.array([0, 10, 20, 40])
        got = bounds[result.labels[np.argsort(result.persons)]]
        inside = values < 40
        low = bounds[np.searchsorted(bounds, values, side="right") - 1]
        high = np.array([0, 10, 20, 40, 40])[np.searchsorted(bounds, values, side="right")]
        assert (((got == low) | (got == high)) & inside | (got == 40) & ~inside).all()
        assert set(got[values == 15]) == {10, 20}
        variance = sum(result.own_values.rounding)
        assert abs(got.sum() - np.minimum(values, 40).sum()) < 4 * variance**0.5
        assert sum(result.own_values.amount) == np.minimum(values, 40).sum()
        assert sum(result.own_values.cut) == (values - 40).clip(0).sum()
        assert sum(result.own_values.above) == (values > 40).sum()
        assert variance == ((values - low) * (high - values))[inside].sum()

    def test_the_label_stays_whatever_else_changes(self, tmp_path):
        """Another salt, another time, other people and another order of rows."""

        def labelled(result):
            owners = result.person_refs.take(pa.array(result.persons)).to_pylist()
            return dict(zip(owners, result.labels.tolist(), strict=True))

        first = labelled(asked(write(tmp_path / "1", MANY, labels=LABELS)))
        fewer = write(tmp_path / "2", MANY[200:][::-1], labels=LABELS)
        again = labelled(asked(fewer, salt=bytes(32), now=1_800_000_999.0))
        assert again == {name: first[name] for name in again}
        other = labelled(asked(fewer, rounding=RoundingKey(bytes(32))))
        assert other != again

    def test_a_combination_rounds_within_its_segment(self, tmp_path):
        definition = write(tmp_path, MANY, labels=LABELS)
        plain, both = asked(definition), asked(definition, "both")
        names = [definition.label("both").values[at] for at in both.labels]
        assert [name.rpartition(" × ")[2] for name in names] == [BOUNDS[at] for at in plain.labels]
        assert sum(both.own_values.rounding) == sum(plain.own_values.rounding)
        assert len(both.own_values) == 8

    def test_the_steps_say_how_rows_became_one_value(self, tmp_path):
        rows = [*MANY, row("p7", "p7@example.com", amount=50, segment="new"),
                row("neg", "n@example.com", amount=-1), row("bad", "b@example.com", amount="?"),
                row("none", "x@example.com", amount=None)]  # fmt: skip
        steps = steps_of(asked(write(tmp_path, rows, labels=LABELS)))
        assert steps["people whose value is in a range"] == (403, 402)
        assert steps["people with a requested label"] == (402, 401)
        assert steps["values, added up for each person"] == (402, 401)
        cut = sum(i % 50 > 40 for i in range(400)) + 2
        assert steps["values within the bounds, others cut"] == (401, 401 - cut)
        steps = steps_of(asked(write(tmp_path, rows, labels=LABELS), "net"))
        assert steps["values within the bounds, others cut"] == (401, 402 - cut)

    def test_without_the_partys_secret_nothing_is_placed(self, tmp_path):
        with pytest.raises(DatasetError, match="secret"):
            asked(write(tmp_path, MANY, labels=LABELS), rounding=None)

    @pytest.mark.parametrize("values", [["0", "10", "20"], ["10", "0", "20", "40"]])
    def test_bounds_are_asked_for_all_together(self, tmp_path, values):
        with pytest.raises(DatasetError, match="with all their bounds"):
            asked(write(tmp_path, MANY, labels=LABELS), values=values)


def test_the_quality_report_says_what_the_bounds_do_to_the_values(tmp_path):
    rows = [row(f"p{i}", f"p{i}@example.com", amount=value)
            for i, value in enumerate([0, 3, 10, 35, 40, 60, -2, "?", None])]  # fmt: skip
    report = {one.name: one for one in inspect(write(tmp_path, rows, labels=LABELS)).labels}
    spend, net = report["spend"], report["net"]
    assert spend.people == {"0": 3, "10": 1, "20": 1, "40": 2}
    assert net.people == {"refund": 1, "0": 2, "10": 1, "20": 1, "40": 2}
    assert (spend.without, spend.outside) == (2, 1)
    assert (spend.sums.above, spend.sums.negative, spend.sums.below_lowest) == (1, 1, 1)
    assert spend.sums.cut_share == pytest.approx(20 / 148)
    assert report["both"].sums == spend.sums
    assert report["segment"].to_dict()["sums"] is None


def test_a_description_is_stored_as_it_was_read(tmp_path):
    definition = describe(tmp_path, labels=LABELS)
    assert Definition.from_dict(definition.to_dict()) == definition
    assert definition.label("both").values[:5] == (
        "gold × 0", "gold × 10", "gold × 20", "gold × 40", "new × 0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ({"buckets_of": "amount"}, "bounds"),
        (SPEND | {"bounds": ["10", "20"]}, "first bound is 0"),
        (SPEND | {"bounds": ["0", "20", "10"]}, "increase"),
        (SPEND | {"bounds": ["0", "10.0"]}, "no bound"),
        (SPEND | {"bounds": ["0"]}, "2 to"),
        (SPEND | {"bounds": ["refund", "0", "10"]}, "'refund' is no bound"),
        (SPEND | {"bounds": [0, 10]}, "quotes"),
        (SPEND | {"refunds": "yes"}, "refunds"),
        (SPEND | {"up_to": 3}, "up_to"),
        (SPEND | {"column": "amount"}, "exactly one"),
        ({"column": "segment", "values": ["gold"], "refunds": True}, "refunds"),
    ],
)
def test_bounds_that_do_not_serve_are_refused(tmp_path, label, says):
    with pytest.raises(DatasetError, match=says):
        describe(tmp_path, labels={"spend": label})


def test_buckets_stand_last_in_a_combination(tmp_path):
    labels = LABELS | {"both": {"all_of": ["spend", "segment"]}}
    with pytest.raises(DatasetError, match="stand last"):
        describe(tmp_path, labels=labels)


def test_a_column_of_buckets_may_be_declared_as_a_value(tmp_path):
    columns = {"email": "id.email", "opt_in": "consent", "amount": "value"}
    frame = pd.DataFrame([row("p", "p@example.com", amount=10)])
    assert asked(write(tmp_path, frame, columns=columns, labels=LABELS)).labels.tolist() == [1]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["1000000000000", "-1000000000000"]), min_size=1, max_size=40))
def test_sums_of_the_largest_values_do_not_overflow(texts):
    label = BucketLabel("amount", ValueBuckets.of(["refund", *BOUNDS]))
    column = pa.array(texts * 10, pa.large_string()).dictionary_encode()
    found = label.assign(
        {"amount": CodedColumn.of(column)}, np.zeros(len(texts) * 10, dtype=np.int64), 1
    )
    total = sum(map(int, texts)) * 10
    expected = "refund" if total < 0 else "40" if total > 0 else "0"
    assert label.values[found.positions[0]] == expected
