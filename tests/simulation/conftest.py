"""Pairs of whole parties, made once for the tests of a file: they work on copies."""

import pytest
from organisations import make_pair
from serving_pair import ServingPair, make_ready


@pytest.fixture(scope="module")
def ready(tmp_path_factory, stores):
    """Return the folder of a pair; making one takes longer than a session."""
    folder = tmp_path_factory.mktemp("ready")
    parties, _ = make_pair(folder, stores)
    for party in parties.values():
        party.close()
    return folder


@pytest.fixture(scope="module")
def ready_to_serve(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"))


@pytest.fixture
def pair(ready_to_serve, tmp_path):
    """Yield a pair of which one may listen."""
    made = ServingPair(ready_to_serve, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ready_to_serve_anywhere(tmp_path_factory, stores):
    return make_ready(tmp_path_factory.mktemp("ready"), stores)


@pytest.fixture
def anywhere(ready_to_serve_anywhere, tmp_path, stores):
    """Yield such a pair with its stores in SQLite, and one with them on PostgreSQL."""
    made = ServingPair(ready_to_serve_anywhere, tmp_path, stores)
    yield made
    made.close()
