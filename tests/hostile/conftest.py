"""A served party and a hostile counterpart, made once for all lies."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))

from peer import Attack


@pytest.fixture(scope="session")
def attack(tmp_path_factory):
    with Attack(tmp_path_factory.mktemp("hostile")) as one:
        yield one
