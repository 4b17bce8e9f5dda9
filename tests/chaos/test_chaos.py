"""Sessions that are killed, stopped, cut, starved and started again, and come to their end.

The short form of `make chaos`, with its own programs: a match and a table of two, with a fault in
each of their phases. One command is killed and never typed again: `serve` goes on with what it
left. Restarts of a database, and three parties, are in the long form alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "e2e"))

from places import can_be_entered  # noqa: E402
from verdict import BROKEN  # noqa: E402

REQUIRE = "COMMONGROUND_REQUIRE_CHAOS"
SEED = "short"


@pytest.mark.timeout(900)
def test_sessions_go_on_after_every_fault_and_no_promise_is_broken(tmp_path):
    if not can_be_entered():
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("CHAOS IS NOT TESTED: it takes root, iproute2, PostgreSQL and a C compiler")
    words = ("--seed", SEED, "--short", "--jobs", "1", "--build", tmp_path)
    program = [sys.executable, HERE / "chaos.py", *words]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["sessions"] == summary["resumed"] + summary["ended_alike"] == 2
    assert summary["faults"] >= 8, "faults came too late for their phases"
    plays = json.loads((tmp_path / "plays.json").read_text(encoding="utf-8"))["plays"]
    said = {(blow["fault"], blow["said"]) for play in plays for blow in play["faults"]}
    assert ("kill", "then served") in said, "no session was left to `serve` to go on with"
    assert {name: summary[name] for name in BROKEN} == dict.fromkeys(BROKEN, 0)
