"""What a session of three leaves is stored and read again, each label under its own name.

The driver's own walk in memory, without the noise of the release, which the harness leaves out. The
dummies and fillers are real; what the third drew stays in its estimates, and nothing else does.
"""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from memory_links import run_session
from two_parties import NOW, THREE, contract_of_three, party_called, signed

from client.results import estimates_of
from party.contract_terms import OutputKind
from party.inputs import SessionInput
from party.request import Request
from party.request_parameters import Parameters
from party.results import Keeper
from party.terms import Terms
from reports.forms import Source

CONTRACT = signed(contract_of_three(OutputKind.TABLE))
REQUEST = Request.crosstab(
    CONTRACT,
    OutputKind.TABLE,
    requester="advertiser",
    now=NOW,
    labels={"advertiser": "segment", "channel": "frequency", "vendor": "income"},
    datasets={"channel": "receipts"},
    identifier="email",
    parameters=replace(Parameters(), epsilon_dummies_nano=5 * 10**9),
    **THREE,
).sign(party_called("advertiser"))
TERMS = Terms.of(REQUEST)


def people_of(labels, seed):
    numbers = np.random.default_rng(seed)
    return {
        f"p{name}": int(numbers.integers(labels))
        for name in numbers.choice(400, 250, replace=False).tolist()
    }


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """People of each party, the results that recipient and tabulator keep, and the drivers."""
    world = [people_of(len(names), seed) for seed, names in enumerate(TERMS.labels)]
    outcomes, drivers = run_session(
        TERMS, [list(one.items()) for one in world], tmp_path_factory.mktemp("three")
    )
    kept = {}
    for role, party in zip(TERMS.table.roles, TERMS.parties, strict=True):
        assert not isinstance(outcomes[role], Exception), outcomes[role]
        labels = np.array(list(world[TERMS.parties.index(party)].values()), dtype=np.int16)
        prepared = SimpleNamespace(steps=(), snapshot=b"", own_values=None)
        own = SessionInput(None, labels, b"", b"", b"", prepared)
        result = Keeper(CONTRACT, REQUEST, None, None).keep(outcomes[role], own)
        kept[role] = json.loads(json.dumps(result))
    return world, kept, drivers


def truth_of(world):
    """People by cell, `∅` last; plain sets."""
    shape = [len(names) + 1 for names in TERMS.labels]
    table = np.zeros(shape, dtype=np.int64)
    everybody = set().union(*world)
    for cell, number in Counter(
        tuple(one.get(name, -1) for one in world) for name in everybody
    ).items():
        table[cell] = number
    return table


def test_the_recipients_table_is_the_plain_crosstab_but_for_the_thirds_dummies(session):
    world, kept, drivers = session
    estimates = estimates_of(kept["recipient"], private=True)
    table = estimates.table
    assert (table.tabulator_labels, table.recipient_labels, table.third.labels) == TERMS.labels
    assert table.third.parties == ("channel", "advertiser", "vendor")
    off = np.zeros_like(estimates.presence)
    mean = TERMS.own_noise("vendor").n
    for cell, drawn in drivers["third"]._own.drawn_dummies.items():
        row, column, layer = (-1 if label is None else label for label in cell)
        off[row, column, layer] += drawn - mean
        off[row, column, -1] -= drawn - mean
    error = estimates.presence - truth_of(world) - off
    assert not error[:, :-1].any()
    assert not error[:-1, -1, :-1].any()
    assert [estimates.audience((at,)).value for at in estimates.all_columns] == [
        sum(label == at for label in world[1].values()) for at in estimates.all_columns
    ]
    most = TERMS.own_noise("channel").n + 1
    assert np.abs(error[:-1, -1, -1]).max() <= most  # fillers, which only their owner knows
    assert np.abs(error[-1, -1, :-1]).max() <= most


def test_the_tabulator_keeps_the_same_table_under_numbers(session):
    _, kept, _ = session
    theirs, ours = (estimates_of(kept[role], private=False) for role in ("tabulator", "recipient"))
    assert theirs.table.recipient_labels[0] == "label 1"
    assert theirs.table.third.labels == ("label 1", "label 2")
    assert theirs.table.tabulator_labels == ours.table.tabulator_labels
    assert sorted(theirs.presence.ravel().tolist()) == sorted(ours.presence.ravel().tolist())
    assert theirs.laws == ours.laws
    for source in Source:
        assert source.law(ours.laws) == source.law(TERMS.table_laws)
    assert "drawn" not in kept["tabulator"]
    assert "audience" not in kept["tabulator"]


def test_the_third_keeps_nothing(session):
    _, kept, _ = session
    assert kept["third"] == {"role": "third", "steps": [], "snapshot": ""}
