"""What a tabulator sees of a recipient's people is DP, through the session's own code.

The view is the recipient's one cell and its set's size, with dummies and fillers as
`party.own_side` derives them from seeds. `test_dp_audit` audits the laws; this audits that the
session uses them, each draw once and with the sensitivity that the terms give.
"""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from dp_audit import audit
from memory_links import SESSION_ID, make_terms

from party import own_side
from party.own_side import Own, OwnSide
from party.terms import Terms
from privacy.session import SessionNoise
from privacy.truncated import TruncatedLaplace
from psi.keys import Keys
from psi.legs import CROSSTAB_OF_TWO
from psi.seed import Seed

EPSILON, DELTA = 1.0, 1e-3
NOISE = SessionNoise(10**9, 10**9, 10**12)
TERMS = make_terms(CROSSTAB_OF_TWO, (("t",), ("r",)), known=1, noise=NOISE)
RUNS = 8_000
NOBODY = Keys.empty()
SEEDS = itertools.count(1)


def new_side(terms=TERMS):
    """Return a recipient of a session of its own: no two have a seed in common."""
    seed = Seed(next(SEEDS).to_bytes(32, "big"))
    own = Own(terms.parties[1], seed, NOBODY, np.empty(0, np.int16))
    return OwnSide(terms, own, SESSION_ID)


def seen_of(side, people):
    """Return the tabulator's view of `people` in the one cell: its count, and the set's size."""
    drawn = side.drawn_dummies[0, 0]
    fillers = len(next(side.fillers()).secrets)
    return people + drawn, people + drawn + fillers


def view(people, terms=TERMS):
    return seen_of(new_side(terms), people)


@pytest.fixture(autouse=True)
def quick_fillers(monkeypatch):
    """Count fillers without deriving them: only their number is in the view."""

    def count_only(seed, session_id, label, count):
        del seed, session_id, label
        return SimpleNamespace(secrets=range(count))

    monkeypatch.setattr(own_side, "derive_fillers", count_only)


def sample(project, terms=TERMS):
    return lambda people, runs: [project(*view(people, terms)) for _ in range(runs)]


def count_in_cell(count, size):
    del size
    return count


def size_beside_count(count, size):
    """Fillers alone: what the size says beyond the cell."""
    return size - count


def finding(project, one=3, other=4, terms=TERMS):
    return audit(sample(project, terms), one, other, epsilon=EPSILON, delta=DELTA, runs=RUNS)


def test_a_cell_as_the_tabulator_sees_it_keeps_the_promise():
    assert not finding(count_in_cell).convicted


def test_the_size_hides_a_person_whom_no_dummies_hide():
    """Somebody outside the tabulator's set is in no cell: only the size could tell."""

    def sizes(people, runs):
        return [people + size_beside_count(*view(0)) for _ in range(runs)]

    assert not audit(sizes, 3, 4, epsilon=EPSILON, delta=DELTA, runs=RUNS).convicted


def test_half_the_noise_is_convicted(monkeypatch):
    half = TruncatedLaplace(2 * NOISE.epsilon_dummies_nano, NOISE.delta_dummies_e15, 1)
    monkeypatch.setattr(Terms, "own_noise", lambda self, party: half)
    assert finding(count_in_cell).convicted


def test_no_dummies_are_convicted(monkeypatch):
    monkeypatch.setattr(OwnSide, "drawn_dummies", {(0, 0): 5})
    assert finding(count_in_cell).convicted


@pytest.mark.parametrize("draws_again", [True, False])
def test_another_draw_on_resume_is_convicted_and_the_same_draw_is_not(draws_again):
    """Two independent draws over one count: the smaller one tells twice as much."""

    def smaller(people, runs):
        sides = [(new_side(), new_side()) for _ in range(runs)]
        pairs = [(first, second if draws_again else first) for first, second in sides]
        return [min(seen_of(side, people)[0] for side in pair) for pair in pairs]

    found = audit(smaller, 3, 4, epsilon=EPSILON, delta=DELTA, runs=RUNS // 2)
    assert found.convicted == draws_again


def test_a_resumed_party_draws_the_same_again():
    own = Own(TERMS.parties[1], Seed.generate(), NOBODY, np.empty(0, np.int16))
    first, again = (OwnSide(TERMS, own, SESSION_ID) for _ in range(2))
    assert first.drawn_dummies == again.drawn_dummies
    assert first.numbering == again.numbering
    assert len(next(first.fillers()).secrets) == len(next(again.fillers()).secrets)


def test_the_draw_differs_between_sessions_and_seeds():
    own = Own(TERMS.parties[1], Seed.generate(), NOBODY, np.empty(0, np.int16))
    sessions = (OwnSide(TERMS, own, number.to_bytes(32, "big")) for number in range(200))
    assert len({seen_of(side, 0) for side in sessions}) > 20
    assert len({view(0) for _ in range(200)}) > 20


def test_a_person_with_two_keys_gets_noise_for_two():
    two = replace(TERMS, most_keys=(1, 2))
    assert two.own_noise(two.parties[1]).sensitivity == 2
    assert finding(count_in_cell, 3, 5).convicted, "the noise for one key does not hide two"
    assert not finding(count_in_cell, 3, 5, terms=two).convicted
