"""Both protocols equal what plain Python sets say, for two parties and for three."""

import tempfile
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_links import SECONDS, NoiselessRecorder, make_terms, run_session

from party import driver
from party.artefacts import SessionFolder
from party.errors import Refusal, RefusalStatus
from psi.legs import CROSSTAB_OF_THREE, CROSSTAB_OF_TWO, MATCH, Order
from psi.sets import LabelledSet

NAMES = [f"p{i}" for i in range(40)]
LABELS = (("a", "b", "c"), ("x", "y"), ("u", "v"))


def worlds(parties):
    one = [
        st.dictionaries(st.sampled_from(NAMES), st.integers(0, len(LABELS[p]) - 1), max_size=30)
        for p in range(parties)
    ]
    return st.tuples(*one)


def crosstab_of(world):
    """Join the parties' people with pandas and count them: index 0 of each axis is `∅`.

    No code is shared with psi.
    """
    people = [pd.Series(party, name=place, dtype=float) for place, party in enumerate(world)]
    joined = pd.concat(people, axis=1).fillna(-1)
    axes = [range(-1, len(names)) for names in LABELS[: len(world)]]
    cells = joined.value_counts().reindex(pd.MultiIndex.from_product(axes), fill_value=0)
    return cells.to_numpy().reshape([len(axis) for axis in axes])


def dummies_of(terms, drivers):
    """Return the dummies in each cell, as `crosstab_of` has them: the noise that is removed."""
    dummies = np.zeros([len(names) + 1 for names in terms.labels], dtype=np.int64)
    for chooser in terms.choosers:
        axis = terms.parties.index(chooser)
        for cell, drawn in drivers[terms.role_of(chooser)]._own.drawn_dummies.items():
            at = [0 if label is None else label + 1 for label in cell]
            dummies[tuple(at)] += drawn
            at[axis] = 0  # the chooser has not put these in
            dummies[tuple(at)] += terms.agreed_dummies(chooser) - drawn
    return dummies


def by_names(counts, numbers):
    """Return counts with each axis in the order of its names; `∅`, where it is there, is first."""
    for axis, of_names in enumerate(numbers):
        none = counts.shape[axis] - len(of_names)
        counts = np.take(counts, [*range(none), *(none + n for n in of_names)], axis)
    return counts


def hold_against_crosstab(world, table):
    """Run a session without release noise; what is left without dummies is the crosstab."""
    terms = make_terms(table, LABELS[: len(world)])
    with tempfile.TemporaryDirectory() as folder:
        outcomes, drivers = run_session(terms, [list(p.items()) for p in world], Path(folder))
    outcome = outcomes["recipient"]
    assert not isinstance(outcome, Exception), outcome
    numbers = [drivers[role]._own.numbering for role in table.roles]
    counts = crosstab_of(world) + dummies_of(terms, drivers)
    cells = np.array(outcome.release.cells).reshape(outcome.release.shape)
    rows = range(len(cells))  # those of the tabulator are in the order of its names
    return outcome, numbers, counts, by_names(cells, [rows, *numbers[1:]])


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(2))
def test_a_table_of_two_without_noise_is_the_pandas_crosstab(world):
    outcome, _, counts, cells = hold_against_crosstab(world, CROSSTAB_OF_TWO)
    assert np.array_equal(cells, counts[1:, 1:])
    assert outcome.release.totals == ()


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(3))
def test_a_table_of_three_without_noise_is_the_pandas_crosstab(world):
    outcome, numbers, counts, cells = hold_against_crosstab(world, CROSSTAB_OF_THREE)
    released = counts[1:].copy()
    released[:, 0, 0] = 0  # the tabulator's own
    assert np.array_equal(cells, released)
    totals = np.array(outcome.release.totals).reshape(len(LABELS[1]), len(LABELS[2]))
    assert np.array_equal(by_names(totals, numbers[1:]), counts[:, 1:, 1:].sum(axis=0))
    assert outcome.third_names == tuple(LABELS[2][name] for name in np.argsort(numbers[2]))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(2))
def test_a_match_is_the_plain_intersection(world):
    terms = make_terms(MATCH, (("all",), ("all",)), min_match=-1000)
    people = [[(name, 0) for name in party] for party in world]
    with tempfile.TemporaryDirectory() as folder:
        outcomes, _ = run_session(terms, people, Path(folder))
    outcome = outcomes["receiver"]
    assert not isinstance(outcome, Exception), outcome
    found = {people[0][i][0] for i in outcome.matched_keys}
    assert found == set(world[0]) & set(world[1])


@pytest.mark.parametrize(("common", "lets_out"), [(10, False), (200, True)])
def test_a_match_below_its_minimum_makes_no_list(tmp_path, common, lets_out):
    terms = make_terms(MATCH, (("all",), ("all",)), min_match=100)
    receiver = [(f"s{i}", 0) for i in range(common)] + [(f"r{i}", 0) for i in range(50)]
    sender = [(f"s{i}", 0) for i in range(common)] + [(f"t{i}", 0) for i in range(70)]
    outcomes, _ = run_session(terms, [receiver, sender], tmp_path)
    if lets_out:
        assert len(outcomes["receiver"].matched_keys) == common
    else:
        assert isinstance(outcomes["sender"], Refusal)
        assert outcomes["sender"].status is RefusalStatus.BELOW_MINIMUM
        assert isinstance(outcomes["receiver"], Exception)
        assert not (tmp_path / "sender" / "04.set").exists()


@pytest.mark.parametrize(
    ("role", "step"),
    [("sender", 1), ("receiver", 2)],
    ids=["while its own set travels", "while the receiver raises"],
)
def test_what_a_sender_raises_ahead_stays_with_it_until_the_minimum_holds(
    tmp_path, monkeypatch, role, step
):
    raised, raise_set, records = threading.Event(), driver.raise_set, NoiselessRecorder()

    def watched(*arguments, order, **options):
        answer = raise_set(*arguments, order=order, **options)
        if order is Order.KEPT:
            raised.set()
        return answer

    def held(index, artefact):
        if index == step:  # before the sender has the tags that the minimum is counted by
            assert raised.wait(SECONDS), "the sender waits for the receiver, and does nothing"
            assert SessionFolder(tmp_path / "sender").digest(4) is None
            assert not records.disclosed
        return artefact

    monkeypatch.setattr(driver, "raise_set", watched)
    people = [[(f"p{i}", 0) for i in range(200)]] * 2
    outcomes, _ = run_session(
        make_terms(MATCH, (("all",), ("all",)), min_match=100),
        people,
        tmp_path,
        tamper={role: held},
        recorders={"sender": records},
    )
    assert len(outcomes["receiver"].matched_keys) == 200
    assert records.disclosed


def test_a_set_that_was_sent_leaves_memory_while_the_next_one_is_waited_for(tmp_path):
    sent = []

    def copied(index, artefact):
        if index == 0:
            sent.append(weakref.ref(artefact))
            return LabelledSet(artefact.sizes, artefact.elements.copy())
        return artefact

    def held(index, artefact):
        if index == 1:  # the receiver waits for this one
            deadline = time.monotonic() + SECONDS / 2
            while sent[0]() is not None:
                assert time.monotonic() < deadline, "the set that went out is still held"
                time.sleep(0.01)
        return artefact

    people = [[(f"p{i}", 0) for i in range(20)]] * 2
    terms = make_terms(MATCH, (("all",), ("all",)), min_match=1)
    outcomes, _ = run_session(terms, people, tmp_path, tamper={"receiver": copied, "sender": held})
    assert len(outcomes["receiver"].matched_keys) == 20
