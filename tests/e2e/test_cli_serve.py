"""One party serves in a process of its own, the other types commands: who waits for whom.

The channel listens; the advertiser only dials. Covers requests in both directions, approval from
another process, and a stop. Kills in each phase are in other files.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from command_line import (
    ask,
    error_of,
    init,
    log_size,
    propose,
    run,
    sign,
    write_csv,
    write_description,
)
from command_line import rows as people
from ports import free_port

from psi.curve import engine

STOP_SECONDS = 40
STEPS = ("DNS", "TCP", "TLS", "pin", "clock", "profile", "contract", "log", "throughput")
LABELS = """labels:
  group: {column: group, values: ['1', 2+]}
"""


class Served:
    """`commonground serve` in a process."""

    def __init__(self, party, log):
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "commonground", "serve", "--json", "--log-format", "json",
             "--party", party],
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        text = ""
        while not text.endswith("}\n") or text.count("{") != text.count("}"):
            line = self.process.stdout.readline()
            assert line, log.read_text()
            text += line
        self.said = json.loads(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def make_channel_data(folder):
    folder.mkdir()
    rows = [[*row[:3], "1" if i % 3 else "2+", "yes"] for i, row in enumerate(people(60))]
    write_csv(folder / "people.csv", rows)
    description = write_description(folder)
    head = description.read_text().partition("labels:")[0]
    description.write_text(head + LABELS)
    return description


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    init(folder, "advertiser")
    init(folder, "channel", "--listen", f"127.0.0.1:{free_port()}")
    write_csv(folder / "people.csv", people(60)[10:])
    run("dataset", "add", write_description(folder), "--party", folder / "advertiser")
    run("dataset", "add", make_channel_data(folder / "data"), "--party", folder / "channel")
    file = sign(propose(folder), folder)
    for name in ("advertiser", "channel"):
        run("contract", "import", file, "--party", folder / name)
    listener = Served(folder / "channel", folder / "serve.log")
    yield folder, listener
    if listener.process.poll() is None:
        listener.process.kill()
        listener.process.wait()


def test_serve_says_where_it_listens_and_under_which_contracts(served):
    _, listener = served
    assert listener.said["fingerprint"].startswith("sha256:")
    assert listener.said["contracts"] == [
        {"contract": "deal", "with": ["advertiser"], "state": "in force"}
    ]


def test_doctor_walks_the_whole_way_to_a_counterpart_that_serves(served):
    folder, listener = served
    found = ask("doctor", "--peer", "channel", "--party", folder / "advertiser")
    walked = {check["name"]: check for check in found["checks"][-len(STEPS) :]}
    assert list(walked) == [f"channel: {step}" for step in STEPS]
    assert {check["state"] for check in walked.values()} == {"ok"}
    assert found["failed"] is None
    assert listener.said["fingerprint"] in walked["channel: pin"]["detail"]
    assert "in force at both: deal" in walked["channel: contract"]["detail"]


def test_a_report_that_the_rule_grants_runs_at_once(served):
    folder, _ = served
    party = folder / "advertiser"
    found = ask("report", "reach", "--segment", "group", "--party", party)
    assert (found["state"], found["result"]["kind"]) == ("finished", "shareable")
    again = ask("report", "show", found["id"], "--party", party)["result"]
    assert again == found["result"]
    private = ask("report", "show", found["id"], "--private", "--party", party)["result"]
    assert private["kind"].startswith("private")
    theirs = ask("report", "show", found["id"], "--party", folder / "channel")["result"]["table"]
    ours = found["result"]["table"]
    assert theirs["recipient_labels"] == ["label 1", "label 2"]  # names stay with the recipient
    assert theirs["tabulator_labels"] == ours["tabulator_labels"]
    assert sorted(zip(*theirs["counts"], strict=True)) == sorted(zip(*ours["counts"], strict=True))
    assert "only the recipient" in error_of(
        "report", "show", found["id"], "--private", "--party", folder / "channel", expect=6
    )


@pytest.mark.parametrize("kind", ["insights", "funnel", "lift", "table"])
def test_insights_and_tables_run_as_reach_does(served, kind):
    party = served[0] / "advertiser"
    few = ("--epsilon", "0.25", "--epsilon-dummies", "0.5")
    words = ("report", kind, "--segment", "group", "--by", "group", *few)
    found = ask(*words, "--party", party)
    assert (found["state"], found["result"]["report"]) == ("finished", kind)
    private = ask("report", "show", found["id"], "--private", "--party", party)["result"]
    assert (private["report"], private["kind"][:7]) == (kind, "private")
    assert kind.capitalize() in run("report", "show", found["id"], "--party", party).stdout


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_an_export_is_shareable_unless_insisted_and_says_what_it_is(served, suffix, tmp_path):
    party = served[0] / "advertiser"
    filed = ask("requests", "list", "--party", party)["requests"]
    name = next(one["id"] for one in filed if one["kind"] == "reach")
    for option, word in ((), b"shareable"), (("--private",), b"not to be passed on"):
        out = tmp_path / f"report{suffix}"
        run("report", "show", name, *option, "--out", out, "--party", party)
        assert word in out.read_bytes()


def test_a_match_by_hand_waits_is_approved_elsewhere_and_goes_on(served, tmp_path):
    folder, _ = served
    party, other = folder / "advertiser", folder / "channel"
    waiting = ask("match", "--receiver", "channel", "--party", party, expect=4)["error"]
    name = waiting["request"][:8]
    assert f"commonground requests approve {name}" in waiting["message"]
    assert ask("requests", "show", name, "--party", other)["state"] == "pending"
    ask("requests", "resume", name, "--party", party, expect=4)
    ask("requests", "approve", name, "--party", other)
    assert ask("requests", "resume", name, "--party", party)["result"] == {"role": "sender"}
    listed = ask("report", "show", name, "--out", tmp_path / "list.csv", "--party", other)
    assert listed["result"]["people"] == 50
    references = (tmp_path / "list.csv").read_text().splitlines()
    assert references[0] == '"reference","matched_by"'
    assert {line.split(",")[0] for line in references[1:]} == {f'"r{i}"' for i in range(10, 60)}


def test_what_the_listener_asks_is_fetched_refused_and_carried_out(served):
    folder, _ = served
    party, other = folder / "advertiser", folder / "channel"
    names = [ask("match", "--party", other, expect=4)["error"]["request"] for _ in range(2)]
    found = ask("requests", "list", "--from", "channel", "--party", party)["requests"]
    assert {one["id"] for one in found if one["state"] == "pending"} == set(names)
    ask("requests", "refuse", names[0], "--reason", "not before Friday", "--party", party)
    refused = ask("requests", "resume", names[0], "--party", other, expect=3)["error"]
    assert refused["message"] == "DECLINED: not before Friday"
    done = ask("requests", "approve", names[1], "--party", party)
    assert (done["state"], done["result"]) == ("finished", {"role": "sender"})
    assert ask("requests", "resume", names[1], "--party", other)["result"]["people"] == 50


def test_status_says_what_listens_waits_is_left_and_is_kept(served):
    folder, listener = served
    party, other = folder / "advertiser", folder / "channel"
    name = ask("match", "--receiver", "channel", "--party", party, expect=4)["error"]["request"]
    found = ask("status", "--party", other)
    assert found["listens_at"] == listener.said["address"]
    assert [one["state"] for one in found["contracts"]] == ["in force"]
    assert [one["request"] for one in found["waiting_here"]] == [name]
    assert (found["waiting_there"], found["sessions"]) == ([], [])
    assert len(found["lists"]) == 2
    assert found["log"]["cosigned"]["by"] == "audit.test/advertiser"
    assert found["log"]["cosigned"]["size"] <= found["log"]["size"]
    assert [one["left"]["epsilon"] for one in found["budgets"]] == ["3"]
    shown = run("status", "--party", other).stdout
    for part in (
        listener.said["address"],
        f"requests approve {name[:8]}, or refuse",
        engine().name,
    ):
        assert part in " ".join(shown.split())
    assert len(shown.splitlines()) <= 24, "one screen"
    theirs = ask("status", "--party", party)
    assert theirs["listens_at"] is None
    assert [one["request"] for one in theirs["waiting_there"]] == [name]
    before = log_size(other)
    ask("status", "--party", other)
    assert log_size(other) == before
    ask("requests", "refuse", name, "--party", other)


def test_a_second_listener_for_the_same_party_is_refused(served):
    folder, listener = served
    words = ("serve", "--listen", "127.0.0.1:0", "--party", folder / "channel")
    said = error_of(*words, expect=6)
    assert listener.said["address"] in said
    checks = ask("doctor", "--peer", "channel", "--party", folder / "advertiser")["checks"]
    assert checks[-1]["state"] == "ok"


def test_both_logs_tell_the_same(served):
    folder, _ = served
    words = ("audit", "verify", "--with", folder / "channel", "--party", folder / "advertiser")
    found = ask(*words)
    assert found["verified"] is True
    assert len(found["shared"]) == 7
    assert found["only_ours"] == found["only_theirs"] == []
    assert found["checkpoints"] > 0


def test_a_stop_is_graceful_and_the_log_names_nobody(served):
    _, listener = served
    assert listener.stop() == 0
    said = Path(listener.log).read_text()
    assert "reach begins" in said
    assert "Stopping" in said
    assert "Traceback" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    events = {line["event"] for line in lines}
    assert events >= {"listening", "request.taken", "session.begun", "session.finished", "stopping"}
    assert all(line["peer"] == "advertiser" for line in lines if line["event"] != "listening"
               and line["event"] != "stopping")  # fmt: skip
    assert not re.search(r"person\d|@example|\b555\d{4}\b|\b(50|60) (people|points)", said)


def test_a_stop_is_heard_where_the_signal_comes_to_another_thread(served):
    folder, listener = served
    assert listener.process.poll() == 0
    again = Served(folder / "channel", folder / "again.log")
    pid = again.process.pid
    try:
        deadline = time.monotonic() + STOP_SECONDS
        while "Listening" not in again.log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        others = (int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
        kill = ctypes.CDLL(None).tgkill
        assert any(kill(pid, one, signal.SIGTERM) == 0 for one in others if hears(pid, one))
        assert again.process.wait(STOP_SECONDS) == 0
    finally:
        again.process.kill()
        again.process.wait()


def hears(pid, thread):
    """Say whether a thread that is not the main one takes SIGTERM."""
    with suppress(OSError):  # it has just ended
        status = Path(f"/proc/{pid}/task/{thread}/status").read_text()
        blocked = int(re.search(r"SigBlk:\s+(\w+)", status).group(1), 16)
        return thread != pid and not blocked >> (signal.SIGTERM - 1) & 1
    return False
