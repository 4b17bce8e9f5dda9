"""Budgets raced for, templates, and standing reports, by processes that a partner would start.

The race runs on both kinds of store. Covers what simulation/test_series.py leaves out: the
counterpart, `serve`, and the files that are written.
"""

import csv
import json
import time
from datetime import UTC, datetime

import pytest
from slow_road import Road
from two_processes import make_pair, wait_until

from client.dial import Dialler
from party.organisation import Organisation
from party.schedule import Every, Schedule
from party.series import SeriesBook
from party.templates import template_called

HOUR = 3600
NOBODY = 0  # a port at which nobody listens
ASKED = ("--segment", "segment", "--by", "frequency", "--dataset", "few", "--their-dataset", "few")
THEIRS = ("--recipient", "channel", "--segment", "segment", "--by", "frequency", *ASKED[4:])
HALF_OF_THE_CHANNELS = ("--epsilon", "40", "--epsilon-dummies", "11")


@pytest.fixture
def pair(stores, tmp_path):
    """A pair on each kind of store; the channel listens."""
    road = Road()
    made = make_pair(tmp_path, road, sizes=("few",), new_store=stores.new)
    yield made
    made.end()
    road.close()


def charges(party):
    return [row["epsilon"] for row in party.read("ledger", "show")["rows"]]


def save(party, name, *more):
    return party.read("report", "save", name, "--kind", "reach", *ASKED, *more)


def test_of_two_processes_that_race_for_the_last_of_a_budget_exactly_one_wins(pair):
    pair.serve()
    racers = [
        pair.advertiser.start("report", "reach", *ASKED, *HALF_OF_THE_CHANNELS, "--json")
        for _ in range(2)
    ]
    codes = sorted(racer.process.wait(120) for racer in racers)
    assert codes == [0, 3]
    loser = next(racer for racer in racers if racer.process.returncode == 3)
    assert "Error: BUDGET_EXHAUSTED" in loser.err
    assert charges(pair.channel) == ["51"]
    states = [one["state"] for one in pair.advertiser.read("requests", "list")["requests"]]
    assert sorted(states) in (["failed", "finished"], ["finished", "refused"])
    for party in pair:
        party.read("audit", "verify")

    for name in ("one", "two"):  # either fits, and both do not
        save(pair.advertiser, name, "--epsilon", "0.1", "--epsilon-dummies", "45")
    until = datetime.fromtimestamp(time.time() + 3 * 86_400, UTC).strftime("%Y-%m-%d")
    racers = [
        pair.advertiser.start(
            *("report", "schedule", name, "--every", "day", "--at", "02:00"),
            *("--from", until, "--until", until, "--json"),
        )
        for name in ("one", "two")
    ]
    assert sorted(racer.process.wait(120) for racer in racers) == [0, 3]
    schedules = pair.advertiser.read("report", "schedules", "list")["schedules"]
    assert [one["state"] for one in schedules].count("active") == 1


def began_hours_ago(party, name, hours, monkeypatch):
    """Make a schedule as its owner did some hours ago, and return its runs.

    The certificates were not made then, which is the one thing that is overlooked.
    """
    monkeypatch.setattr("party.series._require_in_force", lambda contract, schedule: None)
    here = Organisation.open(party.folder)
    now = int(time.time())
    here.clock = lambda: now - hours * HOUR
    try:
        first = now - (hours - 1) * HOUR - 60
        schedule = Schedule(Every.HOUR, first, first + (hours - 1) * HOUR)
        return SeriesBook(here).make(template_called(here, name), schedule).runs
    finally:
        here.close()


def test_a_schedule_is_caught_up_by_a_command_and_writes_its_files(fresh, tmp_path, monkeypatch):
    brand = fresh.advertiser
    assert brand.read("report", "templates", "list") == {"templates": []}
    saved = save(brand, "hourly", "--epsilon", "4", "--out", tmp_path / "reach-{date}-{time}.csv")
    assert (saved["kind"], saved["epsilon"]) == ("reach", "4")
    runs = began_hours_ago(brand, "hourly", 3, monkeypatch)
    fresh.road.lead_to(NOBODY)
    with monkeypatch.context() as impatient:
        impatient.setitem(Dialler.__init__.__kwdefaults__, "connect_seconds", 0.0)
        waits = json.loads(brand._run("report", "due", "--json", expect=4).stdout)["runs"]
    assert [one["state"] for one in waits] == ["planned"]
    fresh.serve()
    [done] = brand.read("report", "due")["runs"]
    assert (done["state"], done["request"]) == ("done", runs[-1].request)
    assert brand.read("report", "due") == {"runs": []}
    slot = datetime.fromtimestamp(runs[-1].slot, UTC)
    [written] = tmp_path.glob("reach-*.csv")
    assert written.name == f"reach-{slot:%Y-%m-%d-%H%M}.csv"
    with written.open(encoding="utf-8") as file:
        assert {row["kind"] for row in csv.DictReader(file)} == {"shareable"}
    [series] = brand.read("report", "schedules", "list")["schedules"]
    assert [run["state"] for run in series["runs"]] == ["missed", "missed", "done"]
    assert charges(brand) == ["1"]

    again = brand.read("report", "run", "hourly")
    assert again["state"] == "finished"
    assert charges(brand) == ["1", "1"]
    kept = brand.read("report", "save", "copy", "--from", again["id"])
    assert (kept["labels"], kept["epsilon"]) == (saved["labels"], "4")
    for party in fresh:
        party.read("audit", "verify")


def test_serve_asks_by_itself_for_what_is_due_and_the_other_carries_it_out(
    fresh, tmp_path, monkeypatch
):
    channel, brand = fresh.channel, fresh.advertiser
    save(channel, "hourly", "--out", tmp_path / "reach.csv")
    [run] = began_hours_ago(channel, "hourly", 1, monkeypatch)
    fresh.serve()

    def asked():
        return channel.read("requests", "list")["requests"]

    [filed] = wait_until(asked, every=0.2)
    assert filed["id"] == run.request
    brand.read("requests", "list", "--from", "channel")
    brand.read("requests", "approve", run.request)
    channel.listener.stop()
    assert "standing report hourly: planned" in channel.listener.err
    assert channel.read("report", "due")["runs"][0]["state"] == "done"
    assert (tmp_path / "reach.csv").exists()
    assert len(charges(channel)) == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "nightly"), 6, "there is no template called nightly"),
        (("templates", "remove", "nightly"), 6, "there is no template called nightly"),
        (("schedules", "cancel", "nightly"), 6, "no schedule that goes on"),
        (("schedule", "nightly", "--every", "day", "--until", "2026-12-31"), 6, "no template"),
        (("save", "nightly"), 2, None),
        (("save", "nightly", "--kind", "match"), 6, "'match' is no report"),
        (("save", "nightly", "--kind", "delay"), 2, None),
        (("save", "nightly", "--kind", "reach", *ASKED, "--room", "9"), 2, None),
        (("save", "nightly", "--kind", "reach", *ASKED, "--model", "last"), 6, "has a model"),
        (("save", "nightly", "--from", "00", "--lookback-days", "7"), 2, None),
        (("save", "nightly", "--from", "00", "--kind", "reach"), 2, None),
        (("save", "nightly", "--from", "00", "--epsilon", "2"), 2, None),
        (("save", "nightly", "--from", "00"), 6, "no request starts with 00"),
        (("save", "a b", "--kind", "reach", *ASKED), 6, "no name for a template"),
        (("save", "x", "--kind", "reach", *ASKED, "--out", "{day}.csv"), 6, "only {date}"),
        (("save", "x", "--kind", "funnel", *ASKED), 3, "NOT_GRANTED"),
        (("save", "x", "--kind", "reach", *ASKED, "--cost", "C9.csv"), 6, "cannot be read"),
        (("save", "x", "--kind", "reach", *THEIRS, "--private"), 6, "only the recipient"),
        (("reach", *THEIRS, "--private"), 6, "only the recipient"),
    ],
)
def test_what_does_not_serve_is_one_sentence_and_changes_nothing(template, words, code, says):
    brand = template.advertiser
    if says is None:
        done = brand._run("report", *words, expect=code)
        assert done.stdout == ""
    else:
        assert says in brand.read_error("report", *words, expect=code)
    assert brand.read("report", "templates", "list") == {"templates": []}
    assert brand.read("report", "schedules", "list") == {"schedules": []}
