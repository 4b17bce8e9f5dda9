"""`commonground lists` as it is typed: after one match and one refresh between two processes."""

import csv
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from known_people import email, reference
from two_processes import copy_pair, true_match

from client.completion import offer_lists

FEW = ("--dataset", "few", "--their-dataset", "few")
NAME = "summer"


@pytest.fixture(scope="module")
def refreshed(template, tmp_path_factory):
    """The advertiser has a list to exclude, which it has refreshed; with what it was told."""
    pair = copy_pair(template, tmp_path_factory.mktemp("lists"))
    pair.serve()
    words = ("--name", NAME, "--use", "exclude", "--json")
    first = pair.advertiser._run("match", *FEW, *words, expect=0)
    again = pair.advertiser._run("lists", "refresh", NAME, "--json", expect=0)
    pair.channel.listener.stop()
    yield pair, first, again
    pair.end()


@pytest.fixture
def party(refreshed, tmp_path):
    return copy_pair(refreshed[0], tmp_path / "rest").advertiser


def exported(party, out, *words):
    return party.read("lists", "export", NAME, "--out", out, *words)


def test_a_match_says_what_its_list_is_for_and_a_refresh_that_it_discloses_in_full(refreshed):
    pair, first, again = refreshed
    assert "a list to exclude: a disclosure" in first.stderr
    assert json.loads(first.stdout)["request"]["use"] == "exclude"
    assert "A refresh of summer is a full disclosure again" in again.stderr
    result = json.loads(again.stdout)["result"]
    assert (result["name"], result["use"]) == (NAME, "exclude")
    assert result["people"] == len(true_match("few"))
    assert (result["added"]["people"], result["removed"]["people"]) == (0, 0)
    spent = [row["what"] for row in pair.channel.read("ledger", "show")["rows"]]
    assert spent.count("disclosure") == 2


def test_lists_are_listed_and_shown_to_their_owner_alone(refreshed, party):
    listed = party.read("lists", "list")
    assert [(one["name"], one["state"]) for one in listed["lists"]] == [(NAME, "live")]
    assert listed["under_way"] == []
    assert party.read("lists", "show", NAME)["people"] == len(true_match("few"))
    assert refreshed[0].channel.read("lists", "list") == {"lists": [], "under_way": []}
    request = listed["lists"][0]["request"]
    said = refreshed[0].channel.read_error("lists", "refresh", request[:12], expect=6)
    assert "only its receiver has one" in said


def test_a_list_goes_by_its_name_in_status_in_suppress_and_after_tab(party):
    [kept] = party.read("status")["lists"]
    assert (kept["name"], kept["use"]) == (NAME, "exclude")
    assert (
        f"lists          {NAME}, to exclude, with channel; ends "
        in party._run("status", expect=0).stdout
    )
    assert "No run waits" not in party.read_error("suppress", "winter", expect=6)
    said = party.read_error("suppress", NAME, expect=4)  # the counterpart is not there now
    assert "channel" in said
    ctx = SimpleNamespace(params={"party": party.folder})
    assert list(offer_lists(ctx, "s")) == [(NAME, "list with channel")]
    assert list(offer_lists(ctx, "w")) == []


def test_a_name_that_is_taken_is_said_before_anything_is_quoted(party):
    said = party._run("match", *FEW, "--name", NAME, expect=6).stderr
    assert "there is a list called summer already" in said
    assert "Quote" not in said


def test_an_export_is_the_list_hashed_and_the_audit_shows_it(refreshed, party, tmp_path):
    out = tmp_path / "meta.csv"
    done = exported(party, out, "--to", "meta", "--identifier", "email")
    with out.open(newline="", encoding="utf-8") as file:
        found = {row["email"] for row in csv.DictReader(file)}
    assert found == {hashlib.sha256(email(i).encode()).hexdigest() for i in true_match("few")}
    assert json.loads((tmp_path / "meta.csv.manifest.json").read_text())["use"] == "exclude"
    assert done["left_out"] == 0
    entries = [e for e in party.read("audit", "show")["entries"] if e["kind"] == "export.made"]
    assert [(e["body"]["to"], e["body"]["expires_at"]) for e in entries] == [
        ("meta", done["expires_at"])
    ]
    party.read("audit", "verify", "--with", refreshed[0].channel.folder)


def test_own_references_are_exported_without_a_grant(party, tmp_path):
    exported(party, tmp_path / "own.csv", "--to", "csv")
    with (tmp_path / "own.csv").open(newline="", encoding="utf-8") as file:
        found = {row["reference"] for row in csv.DictReader(file)}
    assert found == {reference("advertiser", i) for i in true_match("few")}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--to", "tiktok"), 3, "NOT_GRANTED: contract contract does not grant"),
        (("--to", "tiktok"), 3, "Agree on one that does"),
        (
            ("--to", "meta", "--part", "removed"),
            6,
            "the list before this one was not taken to meta",
        ),
        (("--to", "meta", "--identifier", "imei"), 6, "there is no column for imei"),
    ],
)
def test_an_export_that_does_not_serve_says_why_and_writes_nothing(
    party, tmp_path, words, code, says
):
    out = tmp_path / "list.csv"
    said = party.read_error("lists", "export", NAME, "--out", out, *words, expect=code)
    assert says in said
    assert not list(tmp_path.glob("list.csv*"))


def test_an_unknown_platform_and_an_unknown_list_are_refused(party, tmp_path):
    party._run("lists", "export", NAME, "--to", "fax", "--out", tmp_path / "x.csv", expect=2)
    said = party.read_error("lists", "show", "winter", expect=6)
    assert "there is no list called winter" in said
    said = party.read_error("lists", "refresh", NAME, "--contract", "other", expect=6)
    assert "there is no contract other" in said


def test_nothing_is_written_over_and_a_changed_list_is_not_exported(party, tmp_path):
    out = tmp_path / "list.csv"
    out.write_text("mine")
    said = party.read_error("lists", "export", NAME, "--to", "csv", "--out", out, expect=6)
    assert "exists already" in said
    assert out.read_text() == "mine"
    file = Path(party.read("lists", "show", NAME)["list_file"])
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    out.unlink()
    for words in (("show",), ("export", "--to", "csv", "--out", out), ("refresh",)):
        verb, *rest = words
        said = party.read_error("lists", verb, NAME, *rest, expect=5)
        assert said == f"the list {file} was changed after it was made: do not use it"
    assert not out.exists()
