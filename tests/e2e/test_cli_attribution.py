"""Attribution between two processes that partners start, beside what a plain scan finds.

Models, padding, ledger rows, resuming and refusals are in simulation/test_attribution_sessions.py.
"""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from slow_road import Road
from two_processes import Pair, Party

from party.organisation import Organisation
from party.templates import templates
from party.yaml_text import read_yaml, write_yaml

DAY = 86_400
START = int(time.time()) // DAY * DAY - 3 * DAY
TOUCHES = [
    *((person, 0, "C8") for person in range(40)),
    *((person, 1, "C13") for person in range(20, 60)),
    *((person, 0, "C8") for person in range(60, 75)),
]
BUYS = [*((person, 1) for person in range(60)), *((person, 2) for person in range(60, 90))]
STRAY = 3  # noise of ε 20 and 9: a sum of a few cells is further off once in 10^12 times
CHANNEL = """columns: {email: id.email, at: event_time, consent: consent}
labels:
  journey: {journeys_of: campaign, time: at, campaigns: [C8, C13], in_full: 1}
"""
ADVERTISER = """columns: {email: id.email, at: event_time, consent: consent}
conversions: {time: at}
"""
CONSENT = """person: ref
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:MarketResearch]
  recipients: [advertiser, channel]
"""


def moment(day):
    return datetime.fromtimestamp(START + day * DAY + DAY // 2, UTC).isoformat()


def credited(place):
    """Return conversions by the campaign at a place of what met the buyer by the day before."""
    found = {"C8": 0, "C13": 0}
    for person, bought in BUYS:
        met = [name for who, day, name in TOUCHES if who == person and bought - 1 <= day <= bought]
        if met:
            found[met[place]] += 1
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder, road = tmp_path_factory.mktemp("attribution"), Road()
    parties = {name: Party(folder / name, folder / "said") for name in ("advertiser", "channel")}
    made = Pair(**parties, road=road)
    events = {
        "channel": (CHANNEL, [(person, day, name) for person, day, name in TOUCHES]),
        "advertiser": (ADVERTISER, [(person, day, "") for person, day in BUYS]),
    }
    drafts = {}
    for party, more in ((made.advertiser, ()), (made.channel, ("--listen", road.address))):
        party.read(
            *("init", party.folder, "--name", party.name, "--organisation", party.name),
            *("--jurisdiction", "NL", "--origin", f"{party.name}.test/log", *more),
        )
        described, rows = events[party.name]
        lines = "".join(f"r{p},p{p}@example.com,{moment(day)},{c},yes\n" for p, day, c in rows)
        (folder / f"{party.name}.csv").write_text("ref,email,at,campaign,consent\n" + lines)
        path = folder / f"{party.name}.yaml"
        path.write_text(f"dataset: {party.name}\nsource: {party.name}.csv\n{described}{CONSENT}")
        party.read("dataset", "add", path)
    for party, other in (made, reversed(tuple(made))):
        path = folder / f"{party.name}-draft.yaml"
        card = other.folder / "public.yaml"
        party.read("contract", "propose", card, "--id", "deal", "--out", path)
        drafts[party.name] = read_yaml(path.read_bytes(), path.name, ValueError)
    contract = drafts["advertiser"]
    contract["datasets"]["channel"] = drafts["channel"]["datasets"]["channel"]
    contract["budgets"] = {name: {"epsilon": "100", "delta": "1e-6"} for name in parties}
    path = folder / "contract.yaml"
    path.write_text(write_yaml(contract), encoding="utf-8")
    for step in ("sign", "import"):
        for party in made:
            party.read("contract", step, path)
    made.serve()
    yield made
    made.end()
    road.close()


def test_an_attribution_that_is_typed_finds_what_a_scan_finds_under_any_model(pair):
    window = [datetime.fromtimestamp(START + days * DAY, UTC).date().isoformat() for days in (0, 3)]
    found = pair.advertiser.read(
        *("report", "attribution", "--start", window[0], "--end", window[1], "--room", "100"),
        *("--slot-minutes", "1440", "--lookback-days", "1"),
        *("--epsilon", "20", "--epsilon-dummies", "9"),
    )
    assert (found["state"], found["result"]["kind"]) == ("finished", "shareable")
    first = pair.advertiser.read("report", "show", found["id"], "--model", "first")
    theirs = pair.channel.read("report", "show", found["id"], "--model", "first")
    for model, place, shown in (("last", -1, found), ("first", 0, first), ("first", 0, theirs)):
        rows = [row for row in shown["result"]["rows"] if row["metric"] == f"conversions, {model}"]
        released = {row["label"]: row["value"] for row in rows}
        assert released == pytest.approx(credited(place), abs=STRAY)
    paid = pair.advertiser.read("report", "show", found["id"], "--model", "last", "--cost", "600")
    [each] = [row for row in paid["result"]["rows"] if row["metric"] == "cost per acquisition"]
    assert each["value"] == pytest.approx(600 / sum(credited(-1).values()), rel=0.2)
    for party in pair:
        assert party.read("audit", "verify")["verified"] is True


def test_a_saved_attribution_asks_again_for_a_window_that_goes_along(pair, tmp_path):
    window = [datetime.fromtimestamp(START + days * DAY, UTC).isoformat() for days in (0, 3)]
    said = ("--kind", "attribution", "--start", window[0], "--end", window[1], "--room", "100")
    terms = ("--slot-minutes", "1440", "--lookback-days", "1", "--most-conversions", "2")
    privacy = ("--epsilon", "20", "--epsilon-dummies", "9")
    file = tmp_path / "credit.csv"
    saved = pair.advertiser.read(
        *("report", "save", "credit", *said, *terms, *privacy),
        *("--model", "first", "--out", str(file)),
    )
    assert (saved["kind"], saved["model"], saved["records_per_person"]) == (
        "attribution",
        "first",
        2,
    )
    assert (saved["timing"]["start"], saved["timing"]["slots"]) == (START, 3)
    found = pair.advertiser.read("report", "run", "credit")
    rows = [row for row in found["result"]["rows"] if row["metric"].startswith("conversions, ")]
    assert {row["metric"] for row in rows} == {"conversions, first"}
    assert {row["label"]: row["value"] for row in rows} == pytest.approx(credited(0), abs=STRAY)
    written = file.read_text()
    assert "conversions, first" in written
    assert "conversions, last" not in written
    assert template_called(pair.advertiser, "credit", later=2 * DAY + 5) == START + 2 * DAY


def template_called(party, name, *, later):
    """Return when the window begins of a run that is asked so much later than it was saved."""
    with closing(Organisation.open(party.folder)) as here:
        [template] = [one for one in templates(here) if one.name == name]
        return template.ask("0" * 32, template.made_at + later).parameters.timing.window.start
