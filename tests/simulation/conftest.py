"""A pair of whole parties at rest, made once for the tests of a file: they work on copies."""

import pytest
from organisations import make_pair


@pytest.fixture(scope="module")
def ready(tmp_path_factory, stores):
    """Return the folder of a pair; making one takes longer than a session."""
    folder = tmp_path_factory.mktemp("ready")
    parties, _ = make_pair(folder, stores)
    for party in parties.values():
        party.close()
    return folder
