"""A table of three over a network that loses and reorders; `make soak-network` has more."""

import pytest
from shaky_network import FAULTS, hurry
from three_plays import carry_to_the_end, make_ready, play_of_three

from party.decision import FINISHED


@pytest.fixture
def ready(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"))


def test_a_table_of_three_over_a_shaky_network_is_finished_by_all(ready, tmp_path, monkeypatch):
    hurry(monkeypatch)
    with play_of_three(ready, tmp_path, monkeypatch, seed=2, calm=False) as play:
        assert carry_to_the_end(play) == FINISHED
        play.require_finished()
        assert set(play.network.faults) <= set(FAULTS)
        assert len(set(play.network.faults)) >= 4
