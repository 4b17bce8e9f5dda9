"""A table of three between three processes, each of which is killed on the way and comes back.

A phase is found from outside, by the files in the sessions' folders; slow roads make it long
enough to be hit. After each kill what was on disk is there unchanged.
"""

import psutil
import pytest
from three_processes import make_three
from two_processes import wait_until

SLOW = {"latency_seconds": 0.02, "bytes_per_second": 800_000}


@pytest.fixture
def three(tmp_path):
    made = make_three(tmp_path)
    yield made
    made.end()


class Watched:
    """One party's folder of the session, seen from outside."""

    def __init__(self, party):
        self._sessions = party.folder / "sessions"

    def files(self, pattern):
        return {path.name for path in self._sessions.glob(f"*/{pattern}")}

    def kept(self):
        """Return what is never to change: digests of steps, and what was sealed here."""
        names = ("*.digest", f"parcel-{self._sessions.parent.name}-*.data")
        return {
            path.name: path.read_bytes()
            for name in names
            for path in self._sessions.glob(f"*/{name}")
        }


def test_each_of_three_is_killed_and_the_table_comes_to_its_end(three, monkeypatch):
    monkeypatch.setenv("COMMONGROUND_KERNEL", "none")
    for road in three.roads.values():
        road.slow(**SLOW)
    three.serve()
    request = three.file()
    watched = {name: Watched(party) for name, party in three.parties.items()}
    hub = three.parties["advertiser"]
    dialling = hub.start("requests", "resume", request.id, "--json")
    falls = (
        ("vendor", lambda: watched["vendor"].files("parcel-vendor-channel-04.header")),
        ("channel", lambda: watched["channel"].files("03.digest")),
        ("advertiser", lambda: watched["advertiser"].files("parcel-vendor-channel-0[5-9].*")),
    )
    left = []
    for name, comes in falls:
        wait_until(lambda comes=comes, dialling=dialling: comes() or dialling.ended)
        assert not dialling.ended, f"{name}: {dialling.err}"
        before = watched[name].kept()
        if name == "advertiser":
            left += dialling.kill()
            dialling = hub.start("requests", "resume", request.id, "--json")
        else:
            left += three.parties[name].listener.kill()
            three.roads[name].cut()
            three.roads[name].lead_to(None)
            three.serve(name)
        after = watched[name].kept()
        assert {one: after.get(one) for one in before} == before
    assert dialling.wait().document["state"] == "finished"
    for name in three.roads:
        three.parties[name].listener.stop()
    compared = three.compared()
    assert len(compared) == 3
    for one in compared:
        assert one.shared == (request.id,)
        assert one.checkpoints == 2
    psutil.wait_procs(left, timeout=10)
    assert not [one for one in left if one.is_running()], "a worker outlived its process"
    for party in three.parties.values():
        assert "Traceback" not in party.everything_said()


def test_a_partner_types_one_command_and_has_a_table_of_three(three):
    three.serve()
    hub = three.parties["advertiser"]
    words = ("--by", "group", "--third", "vendor", "--attribute", "group", "--epsilon", "20")
    shown = hub.start("report", "insights", *words).wait()
    assert "matched and known" in shown.out
    asked = hub.read("requests", "list")["requests"][0]
    assert asked["state"] == "finished"
    assert [one["party"] for one in asked["peers"]] == ["channel", "vendor"]
    assert {one["word"] for one in asked["peers"]} == {"approved"}
    for name in three.roads:
        three.parties[name].listener.stop()
        assert three.parties[name].read("requests", "list")["requests"][0]["state"] == "finished"
    assert [len(one.shared) for one in three.compared()] == [1, 1, 1]
