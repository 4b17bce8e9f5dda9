"""Fillers and laws: a peer chooses how many and which, so few of either are in memory at once."""

import gc
import weakref

import numpy as np

from privacy.session import SessionNoise
from psi.answers import derive_fillers
from psi.keys import Keys
from psi.own import blind_points
from psi.seed import Seed

SESSION, SEED = bytes(32), Seed(b"\x01" * 32)
LABELS, EACH = 5, 3


def test_the_secrets_of_one_label_go_before_those_after_the_next_come():
    alive = []

    def piles():
        for number in range(LABELS):
            gc.collect()
            assert sum(pile() is not None for pile in alive) <= 1
            pile = derive_fillers(SEED, SESSION, number, EACH)
            alive.append(weakref.ref(pile))
            yield pile
            del pile

    def blinded(fillers):
        none, scalar = Keys.empty(), SEED.scalar(SESSION)
        return blind_points(none, none, fillers, LABELS * EACH, scalar=scalar, session_id=SESSION)

    whole = [derive_fillers(SEED, SESSION, number, EACH) for number in range(LABELS)]
    assert np.array_equal(blinded(piles()), blinded(whole))
    assert len(alive) == LABELS


def test_laws_that_a_peer_has_chosen_are_not_kept_for_ever():
    first = weakref.ref(SessionNoise(10**9, 10**9, 1).sizes(1))
    for delta in range(2, 40):
        SessionNoise(10**9, 10**9, delta).sizes(1)
    gc.collect()
    assert first() is None
