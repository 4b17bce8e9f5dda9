"""Two parties for the tests with processes: made once by typing, copied for each test."""

import pytest
from console_staff import consoles, walked, walking  # noqa: F401 - fixtures
from slow_road import Road
from two_processes import copy_pair, make_pair


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    road = Road()
    yield make_pair(tmp_path_factory.mktemp("template"), road)
    road.close()


@pytest.fixture
def fresh(template, tmp_path):
    """A pair of one's own; nobody listens yet."""
    pair = copy_pair(template, tmp_path / "pair")
    yield pair
    pair.end()
