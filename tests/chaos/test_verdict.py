"""The verdict on a play can fail: each promise, broken in what the parties have, is named.

And a plan brings every fault to every phase, the same for the same seed.
"""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "e2e"))

from chaos import shortfalls, tally
from faults import ENDS, FAULTS
from phases import DONE, PHASES, TABLES, phase_of
from plan import KINDS, plan
from verdict import BROKEN, Look, judge

FINISHED = Look("finished", None, ("session",), 1, True, 0, True, ())
FAILED = replace(FINISHED, state="failed", status="CONSENT_STALE", result=False)
TWO = {"advertiser": FINISHED, "channel": FINISHED}


def changed(**values):
    return {**TWO, "channel": replace(FINISHED, **values)}


def test_a_session_that_is_finished_everywhere_has_gone_on():
    assert judge("crosstab", TWO) == ("resumed", {})


def test_a_session_that_ended_alike_for_a_listed_reason_is_no_broken_promise():
    ended = {"advertiser": FAILED, "channel": FAILED}
    assert judge("crosstab", ended, ENDS["clock"]) == ("ended_alike", {})
    at_the_door = replace(FAILED, state="unknown", status=None, charges=(), left=False, spent=0)
    assert judge("crosstab", {**ended, "channel": at_the_door}, ENDS["clock"])[0] == "ended_alike"
    end, broken = judge("crosstab", ended)
    assert end == "diverged", "nothing was done that may end it"
    assert set(broken) == {"diverged"}


@pytest.mark.parametrize(
    ("looks", "name"),
    [
        (changed(state="failed", status="EXPIRED", result=False), "diverged"),
        ({"advertiser": FAILED, "channel": replace(FAILED, status="EXPIRED")}, "diverged"),
        (changed(state="approved", result=False), "diverged"),
        (changed(state="unknown", status=None, result=False), "diverged"),
        (changed(charges=("session", "session")), "double_charged"),
        (changed(spent=2), "double_charged"),
        (changed(released=2), "double_charged"),
        (changed(charges=()), "uncharged_release"),
        (changed(charges=("disclosure", "session")), "uncharged_release"),
        (changed(result=False), "partial_output"),
        (changed(problem="the list is not the one that the truth gives"), "partial_output"),
        (changed(files=("1.new",)), "partial_output"),
        (changed(state="approved", files=("1.parquet",)), "partial_output"),
    ],
)
def test_a_broken_promise_is_named(looks, name):
    assert name in judge("crosstab", looks, ENDS["clock"])[1]


def test_a_match_is_charged_for_the_list_at_its_sender():
    sender = replace(FINISHED, charges=("disclosure", "session"), spent=2)
    assert judge("match", {"advertiser": FINISHED, "channel": sender}) == ("resumed", {})
    assert "uncharged_release" in judge("match", TWO)[1]


def told(end="resumed", faults=("kill",), fell=(), **broken):
    blows = [{"phase": "sets", "fault": fault} for fault in faults]
    return {"number": 1, "end": end, "faults": blows, "fell": list(fell), "broken": broken}


def test_what_a_run_has_not_kept_is_said():
    assert shortfalls([told()] * 20) == []
    assert tally([told(), told("ended_alike", ("clock",))])["ended_alike"] == 1
    for name in BROKEN:
        assert shortfalls([told(**{name: "why"})] + [told()] * 20) == [f"{name}: 1"]
    assert "fell" not in tally([told()])
    assert shortfalls([told(fell=["serve ended with 1"])])
    some = [told("diverged")] * 2 + [told()] * 20
    assert "only 20 of 22" in shortfalls(some)[0]


def test_a_plan_brings_every_fault_to_every_phase_of_every_kind_and_repeats_by_its_seed():
    plays = plan("1", 2, list(FAULTS))
    cells = Counter((one.kind, blow.phase, blow.fault) for one in plays for blow in one.blows)
    assert len(cells) == len(KINDS) * len(PHASES) * len(FAULTS)
    assert set(cells.values()) == {2}
    assert sum(cells.values()) >= 300
    assert plays == plan("1", 2, list(FAULTS))
    assert plays != plan("2", 2, list(FAULTS))


def test_a_clock_comes_last_and_a_database_has_its_store():
    for play in plan("1", 1, list(FAULTS)):
        names = [blow.fault for blow in play.blows]
        assert "clock" not in names[:-1]
        assert [blow.phase for blow in play.blows] == sorted(blow.phase for blow in play.blows)
        assert (play.store == "postgresql") == ("database" in names)


def test_phases_are_found_in_the_order_of_a_session(tmp_path):
    folders = {"advertiser": tmp_path / "advertiser", "channel": tmp_path / "channel"}

    def phase():
        return phase_of("crosstab", "advertiser", ("channel",), folders)

    def put(party, *names):
        folders[party].mkdir(exist_ok=True)
        for name in names:
            (folders[party] / name).touch()
        return phase()

    assert phase() == 0
    assert put("advertiser", "said-channel-hello") == 0
    assert put("advertiser", "heard-channel-hello") == 1
    assert put("advertiser", "heard-channel-nonce", "00.part-header") == 2
    assert put("channel", "01.part-header") == 3
    every = [f"{index:02d}.digest" for index in range(len(TABLES["crosstab"].steps))]
    assert put("channel", *every) == 4
    assert put("advertiser", "heard-channel-cosignature") == DONE
