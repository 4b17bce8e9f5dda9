"""Either process is killed in each phase of a session, starts again, and nobody could tell.

A phase is found from outside, by the files in the parties' session folders; a slow road makes it
long enough to be hit. After each kill: what was on disk is there unchanged. At the end: one
charge a side, one end, the same transcript in both logs, the right result, and no process left.
Covers kills of whole processes, Ctrl-C, SIGTERM and silence; a stop at every call of the driver is
in tests/simulation/test_session, every chunk boundary in tests/simulation/test_transport.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import pyarrow.parquet as pq
import pytest
from known_people import reference, traces
from two_processes import true_match, true_reach, wait_until

MANY = ("--dataset", "many", "--their-dataset", "many")
MATCH = ("match", "--receiver", "channel", *MANY)
REACH = ("report", "reach", "--by", "frequency", "--segment", "segment", "--epsilon", "20", *MANY)
COMMANDS = {"match": MATCH, "reach": REACH}
OWN_STEP = {"channel": 0, "advertiser": 1}
STEPS = {"match": 6, "reach": 5}
STRAY = 2
SLOW = {"latency_seconds": 0.04, "bytes_per_second": 300_000}


class Watched:
    """The one session folder of a party, seen from outside."""

    def __init__(self, party, peer):
        self.party, self.peer = party, peer

    @property
    def path(self):
        found = sorted((self.party.folder / "sessions").glob("*"))
        return found[0] if found else self.party.folder / "sessions" / "none"

    def has(self, name):
        return (self.path / name).exists()

    def said(self, kind):
        return self.has(f"said-{self.peer}-{kind}")

    def heard(self, kind):
        return self.has(f"heard-{self.peer}-{kind}")

    def begun(self, step):
        """Say whether a set is on its way in, and not here yet."""
        return self.has(f"{step:02d}.part-header") and not self.whole(step)

    def whole(self, step):
        return self.has(f"{step:02d}.digest")

    def digests(self):
        return {path.name: path.read_bytes() for path in self.path.glob("*.digest")}

    def age(self, name):
        return time.time() - (self.path / name).stat().st_mtime


@dataclass(frozen=True)
class Phase:
    """A moment of a session: it has come, and it has passed."""

    name: str
    comes: Callable[[], bool]
    passed: Callable[[], bool]


def phases(kind, victim, watched):
    """Return the phases in which a party is killed, in the order in which they come."""
    advertiser, channel, mine = watched["advertiser"], watched["channel"], watched[victim]
    own = OWN_STEP[victim]

    def blinds():
        nonce = f"heard-{mine.peer}-nonce"
        return mine.has(nonce) and mine.age(nonce) > 0.2

    ending = Phase(
        "between finish and cosignature",
        lambda: mine.heard("ending"),
        lambda: mine.heard("cosignature"),
    )
    sent = on_its_way("the first set", advertiser, 0)
    if kind == "match":
        return [
            Phase("after the commitment", lambda: mine.said("commitment"), lambda: mine.whole(own)),
            Phase("while it blinds its own set", blinds, lambda: mine.has("own.source")),
            sent,
            between("the first answer and the key", advertiser, 2, 3),
            ending,
        ]
    unsent = Phase(
        "before the release is sent", lambda: channel.whole(4), lambda: advertiser.whole(4)
    )
    return [between("the answer and the key", channel, 2, 3), unsent, ending]


def on_its_way(name, receiver, step):
    return Phase(f"{name} on its way", lambda: receiver.begun(step), lambda: receiver.whole(step))


def between(name, receiver, step, later):
    return Phase(f"between {name}", lambda: receiver.whole(step), lambda: receiver.whole(later))


@pytest.fixture
def slow(fresh, monkeypatch):
    """A pair with a slow road and workers, whose phases last long enough; the channel serves."""
    monkeypatch.setenv("COMMONGROUND_KERNEL", "none")
    fresh.road.slow(**SLOW)
    fresh.serve()
    return fresh


def watch(pair):
    return {
        "advertiser": Watched(pair.advertiser, "channel"),
        "channel": Watched(pair.channel, "advertiser"),
    }


def reach_phase(phase, dialling):
    """Wait until a phase has come, and fail when it was missed."""
    wait_until(lambda: phase.comes() or dialling.ended)
    assert not dialling.ended, f"{phase.name}: {dialling.err}"


def kill(pair, victim, dialling):
    """Kill a party's process, lose what is on the road, and return the workers it leaves."""
    running = pair.channel.listener if victim == "channel" else dialling
    running.freeze()  # now, however long the rest takes on a busy machine
    if victim == "channel":
        pair.road.lead_to(None)
    pair.road.cut()
    return running.kill()


def require_gone(workers):
    _, left = psutil.wait_procs(workers, timeout=20)
    assert left == [], "a worker outlived its party"


@pytest.mark.parametrize("victim", ["advertiser", "channel"])
@pytest.mark.parametrize("kind", COMMANDS)
def test_a_party_killed_once_in_each_phase_ends_as_if_it_had_not_been(slow, kind, victim):
    watched = watch(slow)
    dialling = slow.advertiser.start(*COMMANDS[kind], "--json")
    before, workers = {name: {} for name in watched}, []
    for phase in phases(kind, victim, watched):
        reach_phase(phase, dialling)
        workers += kill(slow, victim, dialling)
        assert not phase.passed(), f"{phase.name} was missed"
        for name, one in watched.items():
            assert before[name].items() <= one.digests().items(), (phase.name, name)
            before[name] = one.digests()
        if victim == "channel":
            slow.serve()
        else:
            request = watched["advertiser"].path.name
            dialling = slow.advertiser.start("requests", "resume", request, "--json")
    done = dialling.wait().document
    require_gone(workers)
    require_one_session(slow, kind, done["id"], watched, before)


def require_one_session(pair, kind, request, watched, before):
    """Check that a session ended once, with one charge a side, the right result and no trace."""
    for name, one in watched.items():
        assert before[name].items() <= one.digests().items()
        assert len(one.digests()) == STEPS[kind]
        require_one_charge(pair, kind, one.party, request)
        kinds = [entry["kind"] for entry in one.party.read("audit", "show")["entries"]]
        for word in ("session.started", "session.finished", "consent.snapshot"):
            assert kinds.count(word) == 1, (name, word)
        assert "session.failed" not in kinds
        assert traces(one.party.everything_said()) == set()
        assert "Traceback" not in one.party.everything_said()
    assert watched["advertiser"].digests() == watched["channel"].digests()
    compared = pair.advertiser.read("audit", "verify", "--with", pair.channel.folder)
    assert len(compared["shared"]) == 1
    assert compared["ours"]["cosignatures"] == compared["theirs"]["cosignatures"] == 1
    require_result(pair, kind, request)


def require_one_charge(pair, kind, party, request):
    rows = [
        row["what"] for row in party.read("ledger", "show")["rows"] if row["request"] == request
    ]
    discloses = kind == "match" and party is pair.advertiser
    assert sorted(rows) == (["disclosure", "session"] if discloses else ["session"])
    spent = [one["kind"] for one in party.read("audit", "show")["entries"]].count("budget.spent")
    assert spent == len(rows)


def require_result(pair, kind, request):
    if kind == "match":
        out = pair.channel.folder / "list.parquet"
        pair.channel.read("report", "show", request, "--out", out)
        expected = sorted(reference("channel", i) for i in true_match("many"))
        assert sorted(pq.read_table(out)["reference"].to_pylist()) == expected
        return
    rows = pair.advertiser.read("report", "show", request, "--private")["result"]["rows"]
    cells = {
        (row["label"], row["segment"]): row["value"]
        for row in rows
        if row["metric"] == "reach exactly" and row["segment"]
    }
    truth = true_reach("many", "advertiser")
    assert set(cells) == set(truth)
    assert all(abs(value - truth[cell]) <= STRAY for cell, value in cells.items())
    kinds = [one["kind"] for one in pair.channel.read("audit", "show")["entries"]]
    assert kinds.count("report.released") == 1, "noise that is drawn again could be averaged away"


# -- stops that are heard ------------------------------------------------------------------------


def test_ctrl_c_keeps_the_session_at_both_sides_and_says_how_to_go_on(fresh, monkeypatch):
    monkeypatch.setenv("COMMONGROUND_KERNEL", "none")
    fresh.channel.set(patience_seconds=2)
    fresh.road.slow(**SLOW)
    listener, watched = fresh.serve(), watch(fresh)
    before, dialling = {name: {} for name in watched}, fresh.advertiser.start(*MATCH)
    _, blinds, sent, *_ = phases("match", "advertiser", watched)
    for phase in (blinds, sent):
        reach_phase(phase, dialling)
        dialling.freeze()  # so that it does not end before it hears, on a busy machine
        workers = psutil.Process(dialling.process.pid).children(recursive=True)
        dialling.press_ctrl_c()
        dialling.wait(expect=130)
        request = watched["advertiser"].path.name
        assert dialling.out == ""
        assert dialling.err.splitlines()[-1] == (
            "Interrupted. The session is kept. Go on with `commonground requests resume "
            f"{request[:8]}`"
        )
        require_gone(workers)
        if phase is sent:
            await_suspension(listener, request)
        dialling = fresh.advertiser.start("requests", "resume", request[:8])
    dialling.wait()
    require_one_session(fresh, "match", request, watched, before)
    assert not listener.ended


def await_suspension(listener, request):
    said = (
        f"session {request}: 'advertiser' gave no sign for 2 seconds before acknowledging step 0. "
        "The session is on disk and goes on when they dial again"
    )
    wait_until(lambda: said in listener.err, seconds=30, every=0.1)


def test_a_listener_told_to_stop_suspends_and_a_dialler_left_waiting_says_how_to_go_on(slow):
    watched = watch(slow)
    slow.advertiser.set(patience_seconds=5)
    dialling = slow.advertiser.start(*MATCH, "--json")
    reach_phase(phases("match", "channel", watched)[2], dialling)
    stopped = slow.channel.listener.stop().err.splitlines()
    request = watched["advertiser"].path.name
    before = {name: one.digests() for name, one in watched.items()}
    word = "Stopping; sessions are suspended and go on at the next start."
    assert any(line.endswith(word) for line in stopped)
    assert any("this party is shutting down" in line and request in line for line in stopped)

    error = dialling.wait(expect=4).document["error"]
    said = (
        rf"'channel' at {slow.road.address} gave no sign for \d+ seconds before .+\. The session "
        rf"is on disk; run it again\. Go on with `commonground requests resume {request[:8]}`"
    )
    assert re.fullmatch(said, error["message"])
    assert f"Not finished: {error['message']}" in dialling.err

    slow.advertiser.set(patience_seconds=60)
    slow.serve()
    done = slow.advertiser.type("requests", "resume", request)
    require_one_session(slow, "match", done["id"], watched, before)
