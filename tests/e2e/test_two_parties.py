"""Whole sessions between two processes over mutual TLS, held against plain sets.

Covers: both outputs, each with either side as the one that asks and in either role; approval by
hand; exports; charges; logs; what is printed, and what may not be. Stops and kills are in
test_kills, bad input is in test_bad_input.
"""

import csv
import json
import re
import sqlite3

import pyarrow.parquet as pq
import pytest
from known_people import FREQUENCIES, SEGMENTS, reference, traces
from slow_road import Road
from two_processes import Party, copy_pair, make_pair, true_match, true_reach

FEW = ("--dataset", "few", "--their-dataset", "few")
REACH = ("report", "reach", "--by", "frequency", "--segment", "segment", "--epsilon", "20")
STRAY = 2  # by noise of ε 20 on two identifiers a person a cell is further off once in 10^9 times


@pytest.fixture(scope="module")
def served(template, tmp_path_factory):
    pair = copy_pair(template, tmp_path_factory.mktemp("served"))
    pair.serve()
    yield pair
    pair.end()


def require_sound_ends(pair, request):
    """Check what every session leaves behind: agreeing logs, one charge a side, nobody's data."""
    for party in pair:
        shown = party.read("requests", "show", request)
        assert (shown["state"], shown["steps"][0]["name"]) == ("finished", "rows of a person")
        charged = [
            row["what"] for row in party.read("ledger", "show")["rows"] if row["request"] == request
        ]
        assert charged.count("session") == 1
        log = json.dumps(party.read("audit", "show"))
        assert traces(party.everything_said() + log) == set()
    compared = pair.advertiser.read("audit", "verify", "--with", pair.channel.folder)
    finished = {
        one["id"]
        for one in pair.channel.read("requests", "list")["requests"]
        if one["state"] == "finished"
    }
    assert len(compared["shared"]) == len(finished)
    assert (compared["only_ours"], compared["only_theirs"]) == ([], [])


def references(people, party):
    return sorted(reference(party, i) for i in people)


def private_cells(document):
    return {
        (row["label"], row["segment"]): row["value"]
        for row in document["result"]["rows"]
        if row["metric"] == "reach exactly" and row["segment"] is not None
    }


def require_near(cells, truth):
    assert set(cells) == {(f, s) for f in FREQUENCIES for s in SEGMENTS}
    for cell, value in cells.items():
        assert abs(value - truth[cell]) <= STRAY, cell


def spends(party, request):
    """Return what a party was charged for a request: {what: (ε, δ is above zero)}."""
    return {
        row["what"]: (row["epsilon"], row["delta"] != "0")
        for row in party.read("ledger", "show")["rows"]
        if row["request"] == request
    }


# -- from nothing --------------------------------------------------------------------------------


def test_two_organisations_get_from_nothing_to_a_list_by_typing(tmp_path):
    """Every command is a process of its own, as two partners would type them."""
    road = Road()
    pair = make_pair(tmp_path, road, sizes=("few",), type_=Party.type)
    try:
        pair.serve()
        done = pair.advertiser.type("match", "--receiver", "channel", *FEW)
        shown = pair.channel.read("report", "show", done["id"])
        assert shown["result"]["people"] == len(true_match("few"))
        verified = pair.advertiser.read("audit", "verify", "--with", pair.channel.folder)
        assert verified["verified"] is True
        assert len(verified["shared"]) == 1
        ended = pair.channel.listener.stop()
        assert "Stopping" in ended.err
    finally:
        pair.end()
        road.close()


# -- match ---------------------------------------------------------------------------------------


def test_a_receiver_that_dials_gets_exactly_the_people_whom_both_hold(served, tmp_path):
    advertiser, channel = served
    out = tmp_path / "list.parquet"
    done = advertiser.type("match", *FEW, "--out", out)
    expected = references(true_match("few"), "advertiser")
    assert done["result"]["people"] == len(expected)
    assert sorted(pq.read_table(out)["reference"].to_pylist()) == expected
    advertiser.read("report", "show", done["id"], "--out", tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="", encoding="utf-8") as file:
        assert sorted(row["reference"] for row in csv.DictReader(file)) == expected
    assert channel.read("report", "show", done["id"])["result"] == {"role": "sender"}
    assert spends(advertiser, done["id"]) == {"session": ("1", True)}
    assert spends(channel, done["id"]) == {"session": ("1", True), "disclosure": ("0", False)}
    require_sound_ends(served, done["id"])


def test_a_sender_that_asks_learns_nothing_of_the_listening_receivers_list(served, tmp_path):
    advertiser, channel = served
    words = ("--dataset", "many", "--their-dataset", "many")
    done = advertiser.type("match", "--receiver", "channel", *words)
    assert done["result"] == {"role": "sender"}
    out = tmp_path / "list.csv"
    channel.read("report", "show", done["id"], "--out", out)
    people = true_match("many")
    with out.open(newline="", encoding="utf-8") as file:
        found = sorted(row["reference"] for row in csv.DictReader(file))
    assert found == references(people, "channel")
    require_sound_ends(served, done["id"])

    count = re.compile(rf"(?<![\d.,])({len(people)}|{len(people):,})(?![\d]|[.,]\d)")
    log = json.dumps([advertiser.read("audit", "show"), channel.read("audit", "show")])
    shown = json.dumps(advertiser.read("requests", "show", done["id"]))
    with sqlite3.connect(advertiser.folder / "party.db") as store:
        kept = str(store.execute("select body from results").fetchall())
    said = advertiser.everything_said() + channel.listener.err
    assert count.findall(said + log + shown + kept) == []


# -- tables --------------------------------------------------------------------------------------


def test_a_recipient_that_dials_reads_the_true_table_within_its_noise(served, tmp_path):
    advertiser, channel = served
    shareable = tmp_path / "reach.csv"
    done = advertiser.type(*REACH, *FEW, "--out", shareable)
    assert done["result"]["kind"] == "shareable"
    private = advertiser.read("report", "show", done["id"], "--private")
    require_near(private_cells(private), true_reach("few", "advertiser"))
    assert spends(advertiser, done["id"]) == {"session": ("1", True)}
    assert spends(channel, done["id"]) == {"session": ("21", True)}
    require_sound_ends(served, done["id"])
    require_equal_exports(advertiser, done, shareable, tmp_path)


def require_equal_exports(party, done, written, folder):
    """Check that the three forms of a report parse, and say what the command said."""
    rows = done["result"]["rows"]
    texts = [
        (row["metric"], row["label"] or "", row["segment"] or "", row["shown"]) for row in rows
    ]
    with written.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [(r["metric"], r["label"], r["segment"], r["shown"]) for r in table] == texts
    for suffix in ("json", "parquet"):
        party.read("report", "show", done["id"], "--out", folder / f"reach.{suffix}")
    assert json.loads((folder / "reach.json").read_text(encoding="utf-8")) == done["result"]
    columns = pq.read_table(folder / "reach.parquet").to_pylist()
    assert [row["value"] for row in columns] == [row["value"] for row in rows]


def test_a_listening_recipient_files_a_report_and_the_dialling_side_carries_it_out(served):
    """A party that opens no port is asked, looks at what it is asked, approves it, and dials."""
    advertiser, channel = served
    filed = channel.start(*REACH, *FEW, "--json").wait(expect=4)
    request = filed.document["error"]["request"]
    assert f"requests approve {request[:8]}" in filed.err
    fetched = advertiser.type("requests", "list", "--from", "channel")["requests"]
    assert next(one["state"] for one in fetched if one["id"] == request) == "pending"
    said = advertiser.read_error("requests", "resume", request, expect=6)
    assert f"commonground requests approve {request[:8]}" in said
    approved = advertiser.type("requests", "approve", request)
    assert approved["state"] == "finished"
    private = channel.read("report", "show", request, "--private")
    require_near(private_cells(private), true_reach("few", "channel"))
    assert spends(advertiser, request) == {"session": ("21", True)}
    assert spends(channel, request) == {"session": ("1", True)}
    require_sound_ends(served, request)


# -- approval by hand ----------------------------------------------------------------------------

OVERLAP = ("report", "overlap", *FEW)


def test_a_request_waits_for_a_persons_approval_and_then_runs(served):
    advertiser, channel = served
    waiting = advertiser.type(*OVERLAP, expect=4)["error"]
    request = waiting["request"]
    assert waiting["message"] == (
        f"request {request[:8]} waits for somebody at channel to approve it: they type "
        f"`commonground requests approve {request[:8]}`. Go on with "
        f"`commonground requests resume {request[:8]}`"
    )
    assert channel.read("requests", "show", request)["state"] == "pending"
    assert spends(advertiser, request) == spends(channel, request) == {}
    channel.read("requests", "approve", request)
    assert channel.read("requests", "show", request)["state"] == "approved"
    done = advertiser.type("requests", "resume", request)
    assert (done["state"], done["result"]["report"]) == ("finished", "overlap")
    require_sound_ends(served, request)


def test_a_request_that_somebody_refuses_ends_with_3_and_costs_nothing(served):
    advertiser, channel = served
    request = advertiser.type(*OVERLAP, expect=4)["error"]["request"]
    channel.read("requests", "refuse", request, "--reason", "not in this quarter")
    said = advertiser.error("requests", "resume", request, expect=3)
    assert said == "DECLINED: not in this quarter"
    assert advertiser.read_error("requests", "resume", request, expect=3) == said
    for party in served:
        assert party.read("requests", "show", request)["state"] == "refused"
        assert spends(party, request) == {}
        logged = party.read("audit", "show")["entries"]
        refused = [one["body"] for one in logged if one["kind"] == "request.refused"]
        assert [one["request"] for one in refused].count(request) == 1
