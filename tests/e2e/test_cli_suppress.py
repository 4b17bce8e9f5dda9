"""`suppress` as it is typed: who has withdrawn comes off a list that is out, and nobody else."""

import csv
import sqlite3

import pytest
from known_people import reference, traces
from slow_road import Road
from two_processes import holding, make_pair, true_match

FEW = ("--dataset", "few", "--their-dataset", "few")


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A pair of which the channel serves and has a list of the advertiser's people."""
    folder, road = tmp_path_factory.mktemp("suppressed"), Road()
    pair = make_pair(folder, road, sizes=("few",))
    pair.serve()
    done = pair.advertiser.read("match", "--receiver", "channel", *FEW)
    yield pair, folder / "data" / "advertiser", done["id"]
    pair.end()
    road.close()


def withdraw(data, people):
    """Let people of the advertiser say no, in its file."""
    gone = {reference("advertiser", i) for i in people}
    path = data / "few.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for row in rows:
        if row[0] in gone:
            row[-1] = "no"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def references_in(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {row["reference"] for row in csv.DictReader(file)}


def test_people_who_withdraw_come_off_the_list_and_off_what_is_exported(listed, tmp_path):
    pair, data, request = listed
    people = sorted(true_match("few"))
    assert people[0] in holding("advertiser", "few").consenting
    nothing = pair.advertiser.read("suppress", request)
    assert nothing == {"request": request, "runs": {"sent": 0, "left": 2}}
    withdraw(data, people[:3])
    done = pair.advertiser.read("suppress", request[:8])
    assert done["runs"] == {"sent": 1, "left": 1}
    out = tmp_path / "list.csv"
    shown = pair.channel.read("report", "show", request, "--out", out)
    assert shown["result"]["suppressed"]["run"] == 1
    assert references_in(out) == {reference("channel", i) for i in people[3:]}
    compared = pair.advertiser.read("audit", "verify", "--with", pair.channel.folder)
    assert compared["verified"] is True
    assert traces(pair.channel.everything_said()) == set()
    require_no_counts(pair, request)


def require_no_counts(pair, request):
    """Store and log say that a run was, and not how many it took off."""
    with sqlite3.connect(pair.advertiser.folder / "party.db") as store:
        rows = store.execute("SELECT points, signature FROM suppression_runs").fetchall()
    assert [(len(points), len(signature)) for points, signature in rows] == [(32 * 1024, 64)]
    log = pair.channel.read("audit", "show")["entries"]
    assert [one["body"].keys() for one in log if one["kind"] == "list.suppressed"] == [
        {"request": request, "recipient": 0, "run": 0, "digest": 0}.keys()
    ]


def test_the_receiver_is_told_that_the_sender_brings_its_runs(listed):
    pair, _, request = listed
    assert pair.channel.read("suppress", request)["runs"] == {"awaited": 0, "left": None}


@pytest.mark.parametrize(("words", "code"), [(("0f",), 6), (("--cover",), 2)])
def test_what_was_typed_wrongly_is_said(listed, words, code):
    pair, _, _ = listed
    if code == 2:
        pair.advertiser._run("suppress", *words, expect=2)
    else:
        assert "no request" in pair.advertiser.read_error("suppress", *words, expect=code)


def test_more_runs_than_may_be_are_refused_before_anything_is_asked(listed):
    pair, _, _ = listed
    words = ("match", "--receiver", "channel", "--suppression-runs", "32", *FEW)
    assert "suppression_runs" in pair.advertiser._run(*words, expect=3).output


def test_an_erased_person_is_answered_before_and_comes_off_the_list_that_is_out(listed, tmp_path):
    pair, _, request = listed
    who = sorted(true_match("few"))[3]
    name = reference("advertiser", who)
    told = pair.advertiser.read("subject", "access", name, "--out", tmp_path / "answer")
    assert [session["request"] for session in told["sessions"]] == [request]
    assert told["sessions"][0]["list_for"] == "channel"
    consent = pair.advertiser.read("subject", "consent", name, "--dataset", "few")
    assert consent["datasets"][0]["dataset"] == "few"
    done = pair.advertiser.read("subject", "erase", name, "--out", tmp_path / "receipt.json")
    assert done["suppressed"] == {request: "1 runs, all acknowledged"}
    assert done["waiting"] == []
    out = tmp_path / "list.csv"
    pair.channel.read("report", "show", request, "--out", out)
    left = references_in(out)
    assert reference("channel", who) not in left
    assert left
    again = pair.advertiser.read("subject", "access", name, "--out", tmp_path / "again")
    assert again["sessions"] == []
    kinds = [one["kind"] for one in pair.advertiser.read("audit", "show")["entries"]]
    assert kinds.count("subject.access") == 3
    assert kinds.count("subject.erasure") == 1
    compared = pair.advertiser.read("audit", "verify", "--with", pair.channel.folder)
    assert compared["verified"] is True
