"""Whatever bytes a parser gets, it returns or refuses; the short form of `make fuzz`."""

from pathlib import Path

import pytest
from regressions import FOUND
from target import mutants
from targets import TARGETS
from wire_targets import MODULES, READERS, messages_of

EACH = 60
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_accepts_what_is_well_formed_and_refuses_the_rest_as_it_says(name):
    target = TARGETS[name]
    seeds = target.seeds()
    formed = [target.examine(seed) for seed in seeds]
    assert any(formed), "no seed is well formed"
    accepted = [target.examine(data) for data in mutants(seeds, EACH, seed=8)]
    assert len(accepted) == EACH


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_once_is_refused_now(name, data, capfd):
    assert not TARGETS[name].examine(data)
    assert capfd.readouterr() == ("", "")


def test_every_message_that_carries_something_is_among_them():
    """A new call is fuzzed from its first day."""
    stated = {path.stem for path in (ROOT / "proto" / "commonground" / "v1").glob("*.proto")}
    assert {Path(module.DESCRIPTOR.name).stem for module in MODULES} == stated
    silent = {
        kind.DESCRIPTOR.name
        for module in MODULES
        for kind in messages_of(module)
        if kind.DESCRIPTOR.name not in READERS
    }
    assert silent == {
        "AcknowledgeResponse", "AttendResponse", "RefuseResponse", "DecideRequestResponse",
        "AcknowledgeRunResponse", "AcknowledgeParcelResponse", "ExamineRequest", "CarryResponse",
    }  # fmt: skip
