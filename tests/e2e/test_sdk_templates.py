"""`party.templates` and `party.schedules` over two parties on loopback TLS."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from sdk_pair import make_pair

from commonground import errors
from party.schedule import Every, Schedule
from party.series import SeriesBook
from party.templates import template_called

DAY = 86_400
TABLE = {"segment": "segment", "by": "frequency", "epsilon": "2", "epsilon_dummies": "0.5"}


@pytest.fixture(scope="module")
def brand(tmp_path_factory):
    advertiser, channel = make_pair(tmp_path_factory.mktemp("sdk-templates"))
    with advertiser, channel, channel.serve():
        yield advertiser


def day(offset):
    return datetime.fromtimestamp(time.time() + offset * DAY, UTC).strftime("%Y-%m-%d")


@pytest.fixture(scope="module")
def report(brand, tmp_path_factory):
    """Save a report, quote it, and run it in a task."""
    folder = tmp_path_factory.mktemp("reports")
    brand.templates.save("nightly", "reach", **TABLE, cost="100", out=str(folder / "{date}.csv"))
    charges = brand.templates.quote("nightly").to_dict()["charges"]
    charged = {one["role"]: one["epsilon_nano"] for one in charges}
    assert charged == {"tabulator": 2_500_000_000, "recipient": 500_000_000}
    return folder, asyncio.run(brand.aio.templates.run("nightly"))


def test_a_run_is_the_report_that_was_saved_and_its_file(brand, report):
    folder, made = report
    [filed] = brand.requests.list()
    assert filed.request.parameters.epsilon_release_nano == 2 * 10**9
    assert "cost per person reached" in set(made.to_pandas()["metric"])
    [written] = folder.iterdir()
    assert written.name in (f"{day(-1)}.csv", f"{day(0)}.csv")  # midnight may have passed since
    assert written.read_text().count("cost per person reached") > 0
    [line] = brand.templates.to_pandas().to_dict("records")
    assert (line["name"], line["kind"], line["epsilon"]) == ("nightly", "reach", "2")


def test_what_was_asked_for_can_be_saved(brand, report):
    asked = brand.requests.list()[0]
    kept = brand.templates.save("copy", from_=asked.id)
    assert kept.request.labels == asked.request.labels
    brand.templates.remove("copy")
    assert [one.name for one in brand.templates.list()] == ["nightly"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "say what to save"),
        ({"kind": "reach", "from_": "00"}, "say what to save"),
        ({"from_": "00", "epsilon": "1"}, "takes every choice"),
        ({"kind": "match"}, "is no report"),
        ({"from_": "00", "room": 9}, "takes every choice"),
        ({"kind": "attribution", "start": "2026-01-01"}, "need --start, --end and --room"),
        ({"kind": "reach", "most_conversions": 2}, "only attribution and delay have a window"),
        ({"kind": "delay", "epsilon_people": "1"}, "only an attribution counts people"),
    ],
)
def test_what_cannot_be_saved_is_refused(brand, arguments, says):
    with pytest.raises(errors.PartyError, match=says):
        brand.templates.save("other", **arguments)


def test_a_schedule_is_quoted_held_listed_and_cancelled(brand, report):
    quote = brand.schedules.quote("nightly", every="day", at="02:00", until=day(5), from_=day(1))
    assert quote.runs == 5
    assert sum(quote.to_pandas()["runs"]) == 5
    assert "5 runs, every day" in str(quote)
    series = brand.schedules.make("nightly", every="day", at="02:00", until=day(5), from_=day(1))
    assert series.held.epsilon_nano == 5 * 500_000_000
    assert [one.state for one in brand.schedules.list()] == ["active"]
    assert brand.schedules.due() == []
    with pytest.raises(errors.PartyError, match="cancel it first"):
        brand.templates.remove("nightly")
    assert brand.schedules.cancel("nightly").held.epsilon_nano == 0
    assert list(brand.schedules.to_pandas()["state"]) == ["cancelled"] * 5


def test_more_than_the_windows_bear_is_refused_as_a_whole(brand, report):
    with pytest.raises(errors.Refusal) as refused:
        brand.schedules.make("nightly", every="hour", until=day(20))
    assert refused.value.status is errors.RefusalStatus.BUDGET_EXHAUSTED
    assert brand.ledger().to_dict()["balances"][0]["held"]["epsilon"] == "0"


def test_what_is_due_is_run_in_the_thread_of_the_caller(brand, report):
    book, now = SeriesBook(brand._party), int(time.time())
    template = template_called(brand._party, "nightly")
    book.make(template, Schedule(Every.DAY, now, now))
    told = []
    [went] = brand.schedules.due(progress=told.append)
    assert (went.state, went.series.name) == ("done", "nightly")
    assert told
    assert brand.result(went.run.request).to_dict()["report"] == "reach"
    assert brand.schedules.due() == []
