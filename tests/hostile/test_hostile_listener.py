"""Whoever is dialled and lies gets a refusal, and an incident in the log of the party that dials.

Some of the lies; `make hostile` tells all of them.
"""

import pytest
from ambush import OF_A_LISTENER, Ambush
from changes import FORGER
from lies import faults

SOME = (
    "consent of tomorrow",
    "low-order point",
    "label numbers that are none",
    "wrong digest of a chunk",
    "more points than max_points",
    "a message above 4 MiB",
    "forged transcript",
    "another log of the size that was cosigned",
    "a longer log that branches off before",
    "log that was rolled back",
    "cosignature on another log, the last word",
)


@pytest.fixture(scope="module")
def ambush(tmp_path_factory):
    one = Ambush(tmp_path_factory.mktemp("ambush"))
    FORGER.liar = one.liar
    assert one.honest().status == "taken", "so that its log has been witnessed"
    yield one
    one.close()


@pytest.mark.parametrize(
    "lie", [one for one in OF_A_LISTENER if one.name in SOME], ids=lambda lie: lie.name
)
def test_a_lie_of_whoever_is_dialled_is_refused_and_logged(ambush, lie):
    told = ambush.told(lie)
    assert not faults(lie, told), told
