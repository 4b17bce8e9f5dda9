"""Both protocols equal what plain Python sets say, for two parties and for three."""

import tempfile
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_links import SECONDS, NoiselessRecorder, make_terms, run_session

from party import driver
from party.artefacts import SessionFolder
from party.errors import Refusal, RefusalStatus
from psi.legs import CROSSTAB_OF_THREE, CROSSTAB_OF_TWO, MATCH, Order

NAMES = [f"p{i}" for i in range(40)]
LABELS = (("a", "b", "c"), ("x", "y"), ("u", "v"))


def worlds(parties):
    one = [
        st.dictionaries(st.sampled_from(NAMES), st.integers(0, len(LABELS[p]) - 1), max_size=30)
        for p in range(parties)
    ]
    return st.tuples(*one)


def plain_crosstab(world):
    """Count people by label, None where a party lacks them: no code shared with psi."""
    everybody = set().union(*world)
    return Counter(tuple(party.get(name) for party in world) for name in everybody)


def drawn_in(outcome_drivers, role):
    return outcome_drivers[role]._own.drawn_dummies


def agreed(terms, chooser):
    return terms.agreed_dummies(chooser)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(2))
def test_a_table_of_two_without_noise_is_the_plain_crosstab(world):
    terms = make_terms(CROSSTAB_OF_TWO, LABELS[:2])
    with tempfile.TemporaryDirectory() as folder:
        outcomes, _ = run_session(terms, [list(p.items()) for p in world], Path(folder))
        outcome = outcomes["recipient"]
        assert not isinstance(outcome, Exception), outcome
        cells = np.array(outcome.release.cells).reshape(outcome.release.shape)
    truth = plain_crosstab(world)
    for g in range(len(LABELS[0])):
        for b in range(len(LABELS[1])):
            got = cells[g, outcome.numbering[b]] - outcome.drawn[g, b]
            assert got == truth[g, b]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(3))
def test_a_table_of_three_without_noise_is_the_plain_crosstab(world):
    terms = make_terms(CROSSTAB_OF_THREE, LABELS)
    with tempfile.TemporaryDirectory() as folder:
        outcomes, drivers = run_session(terms, [list(p.items()) for p in world], Path(folder))
        outcome = outcomes["recipient"]
        assert not isinstance(outcome, Exception), outcome
        numbers = [drivers[role]._own.numbering for role in terms.table.roles]
        recipient_draws = drawn_in(drivers, "recipient")
        third_draws = drawn_in(drivers, "third")
    cells = np.array(outcome.release.cells).reshape(outcome.release.shape)
    assert outcome.third_names == tuple(LABELS[2][i] for i in np.argsort(numbers[2]))
    truth = plain_crosstab(world)
    d_r, d_v = agreed(terms, terms.parties[1]), agreed(terms, terms.parties[2])
    for g in range(3):
        for b in (None, 0, 1):
            for v in (None, 0, 1):
                if b is None and v is None:
                    continue
                at = (
                    g,
                    0 if b is None else numbers[1][b] + 1,
                    0 if v is None else numbers[2][v] + 1,
                )
                noise = 0
                if b is not None:  # R's dummies stand here, or what R left out of (g, b', v)
                    noise += recipient_draws[g, b, v]
                else:
                    noise += sum(d_r - recipient_draws[g, other, v] for other in (0, 1))
                if v is not None:
                    noise += third_draws[g, b, v]
                else:
                    noise += sum(d_v - third_draws[g, b, other] for other in (0, 1))
                assert cells[at] - noise == truth[g, b, v], (g, b, v)


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


def test_what_a_sender_raises_ahead_stays_with_it_until_the_minimum_holds(tmp_path, monkeypatch):
    raised, raise_set, records = threading.Event(), driver.raise_set, NoiselessRecorder()

    def watched(*arguments, order, **options):
        answer = raise_set(*arguments, order=order, **options)
        if order is Order.KEPT:
            raised.set()
        return answer

    def held(step, artefact):
        if step == 2:  # before the sender has the tags that the minimum is counted by
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
        tamper={"receiver": held},
        recorders={"sender": records},
    )
    assert len(outcomes["receiver"].matched_keys) == 200
    assert records.disclosed
