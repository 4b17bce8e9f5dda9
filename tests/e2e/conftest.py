"""Two parties for the tests with processes: made once by typing, copied for each test."""

import pytest
from slow_road import Road
from two_processes import copy_pair, make_pair


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    road = Road()
    yield make_pair(tmp_path_factory.mktemp("made"), road)
    road.close()


@pytest.fixture
def fresh(made, tmp_path):
    """A pair of one's own; nobody listens yet."""
    pair = copy_pair(made, tmp_path / "pair")
    yield pair
    pair.end()
