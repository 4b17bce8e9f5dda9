"""The record of what one person changes is counted on what leaves, and noise is held against it.

Covers: a bound that is skipped, applied too late, or not recorded, each planted as a fault; that
nothing is spent then. Does not cover: bounds that protocol and types give, such as one label of a
list of labels in a key.
"""

import re
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from organisations import Wire, make_pair, run_both
from test_session import ask, reach

import party.inputs
from client.output import as_text
from client.page.source import source_of
from client.render_request import steps_shown
from client.sdk.requests import Requests
from party.datasets.bounds import measure, require_covered
from party.datasets.offers import LabelledKeys, Offers, at_most, to_keys
from party.datasets.steps import BoundStep
from party.desk import Desk
from party.errors import DatasetError
from party.ledger import rows
from psi.columns import ColumnSpec, read_column


def offers_of(held):
    """Return the offers of e-mails: `held` names, for each person, who their identifiers are."""
    pairs = sorted({(person, name) for person, names in enumerate(held) for name in names})
    texts = [f"{name}@example.com" for _, name in pairs]
    column = pa.array(texts, pa.large_string()).dictionary_encode()
    digests = read_column(ColumnSpec.parse("email"), column).digests
    person = np.array([person for person, _ in pairs], dtype=np.int64)
    return Offers.gather("email", 32, [(person, digests)])


HELD = st.lists(st.sets(st.integers(0, 6), max_size=4), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(HELD, st.integers(1, 3), st.booleans())
def test_the_record_is_what_a_naive_count_finds(held, most, bounded):
    if not any(held):
        return
    offers = offers_of(held)
    label_of = np.arange(len(held)).astype(np.int16) % 2
    limited = at_most([offers], most) if bounded else [offers]
    keys = LabelledKeys.concat([to_keys(part, label_of) for part in limited])
    found = measure(keys, most)
    counts = Counter(keys.owners[:, 1].tolist())
    assert found.before == len(counts)
    assert found.after == sum(count <= most for count in counts.values())
    assert found.most == max(counts.values(), default=0)
    assert not bounded or found.before == found.after


def test_a_person_under_two_labels_is_counted_as_beyond_the_bound():
    keys = to_keys(offers_of([{0, 1}]), np.zeros(1, np.int16))
    two = replace(keys, labels=np.array([0, 1], np.int16))
    assert measure(keys, 2).after == 1
    assert measure(two, 2).after == 0


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [BoundStep("identifiers, at most 1 of a person", 5, 3)],
        [BoundStep("counted", 5, 5, most=3)],
        [BoundStep("counted", 5, 4, most=2)],
        [BoundStep("counted", 5, 5, most=2), BoundStep("counted", 5, 5, most=3)],
    ],
)
def test_noise_that_the_record_does_not_bear_out_is_refused(steps):
    with pytest.raises(DatasetError, match="noise of this request covers 2 keys of a person"):
        require_covered(steps, 2)


PREPARING = sys.modules["party.datasets.prepare"]  # the package has a function of this name


def no_bound(offers, most):
    return list(offers)


def a_label_a_key(offers, label_of):
    keys = to_keys(offers, label_of)
    return replace(keys, labels=(np.arange(len(keys.labels)) % 2).astype(np.int16))


def unrecorded(*arguments):
    return BoundStep("identifiers", 1, 1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    parties, contract = make_pair(tmp_path_factory.mktemp("bounds"))
    yield parties, contract
    for one in parties.values():
        one.close()


@pytest.mark.parametrize(
    ("name", "fault"),
    [("at_most", no_bound), ("to_keys", a_label_a_key), ("measure", unrecorded)],
)
def test_a_session_whose_bound_is_not_applied_spends_nothing(pair, monkeypatch, name, fault):
    parties, contract = pair
    monkeypatch.setattr(PREPARING, name, fault)
    request = ask(parties, reach(contract))
    ended = run_both(parties, request, Wire())
    faults = [str(error) for error in ended.values() if isinstance(error, DatasetError)]
    assert faults
    assert all("the noise of this request covers" in fault for fault in faults)
    for one in parties.values():
        assert one.store.write(rows) == []


def test_both_sides_keep_what_was_counted_and_can_look_at_it(pair):
    parties, contract = pair
    request = ask(parties, reach(contract))
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    for name, one in parties.items():
        steps = Desk(one).steps(request.id)
        assert [step.most for step in steps if step.most is not None] == [
            {"channel": 2, "advertiser": 1}[name]
        ]
        shown = as_text(*steps_shown(steps))
        assert re.search(r"people who consent\W+\d+\W+\d+", shown)
        frame = Requests(one, None).steps_to_pandas(request.id)
        assert frame["after"].tolist() == [step.after for step in steps]
        assert source_of(one, Desk(one).find(request.id)).steps == steps
    assert steps_shown(()) == []


def test_without_the_guard_the_fault_would_have_spent(pair, monkeypatch):
    """What the tests above look at is a session that runs when nobody looks at the record."""
    parties, contract = pair
    monkeypatch.setattr(PREPARING, "at_most", no_bound)
    monkeypatch.setattr(party.inputs, "require_covered", lambda steps, bound: None)
    assert run_both(parties, ask(parties, reach(contract)), Wire()) == dict.fromkeys(parties)
