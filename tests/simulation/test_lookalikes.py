"""Lookalikes of two whole parties in memory: from a released table to a scored file and its entry.

Covers: who is scored and in which order, consent, the log, every refusal. Does not cover: the
arithmetic of weights and lifts (tests/property/test_lookalike.py), the command line as processes.
"""

import csv
import json
import stat
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from drafted_contract import agree
from organisations import Wire, make_party, run_both
from typer.testing import CliRunner

from audit.bodies import LookalikeMade
from client.asking import Choice, TableChoice, table_request
from client.lookalike import make_lookalike
from client.results import shareable_of
from commonground.cli import app
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import DatasetError, PartyError, Refusal
from party.evidence import StoredLog, verify_log
from party.ledger import rows
from party.request import Request
from reports.lookalike import Lookalike

PARTIES = ("advertiser", "channel")
TARGETING, RESEARCH = "dpv:TargetedAdvertising", "dpv:MarketResearch"
PEOPLE = 1200
EVERYBODY = 3000
DESCRIPTION = """dataset: {name}
source: {name}.csv
person: ref
columns: {{email: id.email, region: attribute, age: attribute, consent: consent}}
consent: {{column: consent, given: ["yes"], purposes: [{purposes}], recipients: [{parties}]}}
labels:
  region: {{column: region, values: {regions}}}
  age: {{column: age, values: [young, old]}}
  region-age: {{all_of: [region, age]}}
"""


def region(i):
    return ("north", "south")[i % 2]


def age(i):
    return ("young", "old")[i // 2 % 2]


def consent(i):
    return "no" if i % 10 == 9 else "yes"


def is_customer(i):
    """Northerners are customers more often, and so are the young."""
    return i % 20 < 8 and (region(i) == "north" or i % 20 < 3) and (age(i) == "young" or i % 3)


def register(folder, party, name, numbers, **changed):
    words = {
        "purposes": f"{TARGETING}, {RESEARCH}", "parties": ", ".join(PARTIES),
        "regions": "[north, south]", **changed,
    }  # fmt: skip
    lines = [f"r{i},person{i}@example.com,{region(i)},{age(i)},{consent(i)}\n" for i in numbers]
    (folder / f"{name}.csv").write_text("ref,email,region,age,consent\n" + "".join(lines))
    path = folder / f"{name}.yaml"
    path.write_text(DESCRIPTION.format(name=name, **words))
    definition = load_definition(path)
    party.keep_dataset(definition, inspect(definition), None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Both parties, with finished insights and a finished overlap, and a base of the channel's."""
    folder = tmp_path_factory.mktemp("lookalikes")
    parties = {name: make_party(folder, name) for name in PARTIES}
    register(folder, parties["advertiser"], "customers", filter(is_customer, range(PEOPLE)))
    register(folder, parties["channel"], "subscribers", range(PEOPLE))
    contract = agree(folder, parties)
    register(folder, parties["channel"], "everybody", range(EVERYBODY))
    register(folder, parties["channel"], "elsewhere", range(90), regions="[north, south, east]")
    register(folder, parties["channel"], "unasked", range(90), purposes=RESEARCH)
    requests = {
        kind: carry(parties, contract, TableChoice(kind, by=by))
        for kind, by in ((OutputKind.INSIGHTS, "region-age"), (OutputKind.TABLE, "region"))
    }
    yield parties, requests
    for party in parties.values():
        party.close()


def carry(parties, contract, table):
    choice = Choice(epsilon="20", epsilon_dummies="9")
    if table.kind is OutputKind.TABLE:
        table = TableChoice(table.kind, segment="region", by=table.by)
    request = table_request(parties["advertiser"], contract, table, choice)
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    assert Desk(parties["channel"]).submit("advertiser", signed).state == "approved"
    assert set(run_both(parties, signed, Wire()).values()) == {None}
    return signed.id


def score(pair, out, request=None, party="channel", **changed):
    parties, requests = pair
    words = {"dataset": "everybody", "purpose": TARGETING, "top": 1.0, **changed}
    return make_lookalike(
        parties[party], request or requests[OutputKind.INSIGHTS], out=out, actor="test", **words
    )


def test_the_people_are_scored_by_their_attributes_the_best_first(pair, tmp_path):
    scored = score(pair, tmp_path / "scored.parquet")
    table = pq.read_table(scored.file).to_pydict()
    numbers = [int(reference[1:]) for reference in table["reference"]]
    assert sorted(numbers) == [i for i in range(EVERYBODY) if consent(i) == "yes"]
    by_label = {(region(i), age(i)): s for i, s in zip(numbers, table["score"], strict=True)}
    assert len(set(table["score"])) == 4
    assert sorted(by_label, key=by_label.get, reverse=True) == [
        ("north", "young"), ("north", "old"), ("south", "young"), ("south", "old"),
    ]  # fmt: skip
    assert table["score"] == sorted(table["score"], reverse=True)
    assert np.bincount(table["decile"]).tolist() == [0, *[len(numbers) // 10] * 10]
    assert table["decile"] == sorted(table["decile"])


def test_the_best_share_is_written_and_equal_scores_are_a_lottery(pair, tmp_path):
    whole = score(pair, tmp_path / "all.parquet")
    few = score(pair, tmp_path / "few.csv", top=0.1)
    again = score(pair, tmp_path / "again.csv", top=0.1)
    with few.file.open(newline="") as file:
        best = [row["reference"] for row in csv.DictReader(file)]
    assert best == pq.read_table(whole.file)["reference"].to_pylist()[: len(best)]
    assert few.written == len(best) == round(0.1 * whole.people)
    assert few.file.read_bytes() == again.file.read_bytes()
    in_file = [int(reference[1:]) for reference in best]
    assert in_file != sorted(in_file), "not simply who stands first in the file"


def test_the_lift_of_the_best_is_near_the_truth(pair, tmp_path):
    scored = score(pair, tmp_path / "scored.parquet", top=0.25)
    eligible = [i for i in range(PEOPLE) if consent(i) == "yes"]
    best = [i for i in eligible if (region(i), age(i)) == ("north", "young")]
    customers = [i for i in eligible if is_customer(i)]
    shared = len(set(best) & set(customers)) / len(customers)
    truth = shared / (len(best) / len(eligible))
    estimate = scored.top.estimate
    assert scored.top.tells
    assert estimate.low - 0.1 <= truth <= estimate.high + 0.1
    assert scored.deciles[0].estimate.value > 1 > scored.deciles[-1].estimate.value


def test_only_the_shareable_reading_goes_in(pair, tmp_path):
    parties, requests = pair
    scored = score(pair, tmp_path / "scored.parquet")
    stored = Desk(parties["channel"]).result(requests[OutputKind.INSIGHTS])
    assert "drawn" not in stored
    assert "noise" not in stored
    expected = Lookalike(shareable_of(stored)).scores.tolist()
    assert scored.lookalike.scores.tolist() == expected


def test_the_log_says_from_what_and_verifies_and_nothing_is_spent(pair, tmp_path):
    parties, requests = pair
    before = parties["channel"].store.write(rows)
    scored = score(pair, tmp_path / "scored.parquet", top=0.2)
    log = StoredLog(parties["channel"].store, parties["channel"].identity)
    entry = list(log.parsed())[-1]
    assert isinstance(entry.body, LookalikeMade)
    said = entry.body
    assert (said.request, said.dataset, said.snapshot, said.purpose, said.recipient) == (
        requests[OutputKind.INSIGHTS], "everybody", scored.snapshot, TARGETING, "advertiser",
    )  # fmt: skip
    assert said.steps == len(scored.steps) > 3
    assert str(scored.people) not in entry.encode().decode().replace(said.snapshot, "")
    verify_log(log)
    assert parties["channel"].store.write(rows) == before


def test_the_manifest_says_from_what_the_file_was_made(pair, tmp_path):
    scored = score(pair, tmp_path / "scored.parquet", top=0.2)
    told = json.loads(scored.manifest.read_text())
    assert told["file"] == "scored.parquet"
    assert told["steps"][-1] == {
        "name": "people with a requested label", "before": scored.people, "after": scored.people,
    }  # fmt: skip
    assert [one["name"] for one in told["weights"]][:2] == ["north × any", "south × any"]
    assert len(told["deciles"]) == 10
    for file in (scored.file, scored.manifest):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_base_the_people_of_the_request_are_scored(pair, tmp_path):
    scored = score(pair, tmp_path / "scored.parquet", dataset=None)
    assert (scored.dataset, scored.people) == ("subscribers", PEOPLE * 9 // 10)


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"top": 0.0}, PartyError, "above 0 and at most 1"),
        ({"top": 1.01}, PartyError, "above 0 and at most 1"),
        ({"top": float("nan")}, PartyError, "above 0 and at most 1"),
        ({"purpose": "dpv:Payments"}, Refusal, "grants nothing for dpv:Payments"),
        ({"dataset": "nobody"}, DatasetError, "no dataset nobody is registered"),
        ({"dataset": "elsewhere"}, DatasetError, "has other values"),
        ({"dataset": "unasked"}, DatasetError, "does not cover the purpose"),
        ({"party": "advertiser", "dataset": None}, PartyError, "only the tabulator makes"),
        ({"request": "ffff"}, PartyError, "no request starts with ffff"),
    ],
)
def test_what_does_not_serve_is_refused_and_leaves_nothing(pair, tmp_path, changed, error, says):
    parties, _ = pair
    before = {name: party.journal.checkpoint() for name, party in parties.items()}
    with pytest.raises(error, match=says):
        score(pair, tmp_path / "scored.parquet", **changed)
    assert list(tmp_path.iterdir()) == []
    assert {name: party.journal.checkpoint() for name, party in parties.items()} == before


def test_another_kind_another_ending_and_a_file_that_exists_are_refused(pair, tmp_path):
    _, requests = pair
    with pytest.raises(PartyError, match="is table, which says nothing about attributes"):
        score(pair, tmp_path / "a.csv", request=requests[OutputKind.TABLE])
    with pytest.raises(PartyError, match=r"ends in \.parquet, \.csv"):
        score(pair, tmp_path / "a.txt")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(PartyError, match="exists already"):
        score(pair, tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_request_that_is_not_finished_is_refused(pair, tmp_path):
    parties, _ = pair
    contract = parties["channel"].contract("test")
    choice = Choice(epsilon="1", epsilon_dummies="1")
    table = TableChoice(OutputKind.INSIGHTS, by="region")
    request = table_request(parties["advertiser"], contract, table, choice)
    signed: Request = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    with pytest.raises(PartyError, match="is approved and has no result"):
        score(pair, tmp_path / "scored.csv", request=signed.id)


def test_a_contract_that_has_ended_grants_nothing_more(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(pair[0]["channel"], "clock", lambda: time.time() + 3 * 86_400)
    with pytest.raises(Refusal, match="test ended"):
        score(pair, tmp_path / "scored.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_logged_does_not_appear(pair, tmp_path, monkeypatch):
    def fail(*_args, **_words):
        raise RuntimeError("no store")

    monkeypatch.setattr(pair[0]["channel"].store, "write", fail)
    with pytest.raises(RuntimeError, match="no store"):
        score(pair, tmp_path / "scored.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_weighs_and_what_the_best_are_worth(pair, tmp_path):
    parties, requests = pair
    out = tmp_path / "best.csv"
    words = [
        "lookalike",
        requests[OutputKind.INSIGHTS][:12],
        "--purpose",
        TARGETING,
        "--top",
        "0.2",
    ]
    told = CliRunner().invoke(
        app, [*words, "--out", str(out), "--party", str(parties["channel"].folder)]
    )
    assert told.exit_code == 0, told.output
    assert out.exists()
    for words in ("north × any", "best 0.2", "times as often", "nothing spent"):
        assert words in told.output
