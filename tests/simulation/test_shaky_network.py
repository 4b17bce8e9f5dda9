"""Sessions over a network that loses, doubles, reorders and delays: `make soak` runs more seeds."""

import pytest
from organisations import make_pair
from shaky_network import FAULTS, hurry, play

SEEDS = (0, 1, 2, 5, 7)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ready")
    parties, _ = make_pair(folder)
    for party in parties.values():
        party.close()
    return folder


@pytest.fixture(scope="module")
def plays():
    return []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_over_a_shaky_network_keeps_its_promises(
    seed, ready, plays, tmp_path, monkeypatch
):
    hurry(monkeypatch)
    plays.append(play(seed, ready, tmp_path, monkeypatch))


def test_the_seeds_of_the_suite_meet_faults_and_come_to_results(plays):
    assert len(plays) == len(SEEDS)
    met = {fault for one in plays for fault in one.faults}
    assert len(met) >= len(FAULTS) - 4
    assert {one.kind for one in plays if one.ended == "finished"} >= {"reach"}
