"""The data map of a dataset tells what became of it, and counts nobody."""

import json
import time

import pytest
from organisations import Wire, make_pair, run_both

from client.output import as_text
from client.render_catalogue import map_shown
from party.activation import Order, export_list
from party.catalogue import data_map
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import DatasetError
from party.lists import Lists
from party.request import Request
from party.retention import prune

DAY = 86_400
DAYS = 40


def ask(parties, contract, request):
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    return signed


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A pair whose advertiser has sent a list, which was exported, and has asked for a report."""
    folder = tmp_path_factory.mktemp("used")
    parties, contract = make_pair(folder, beside="result_days: 100\n")
    now = int(time.time())
    match = ask(parties, contract, Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser", now=now
    ))  # fmt: skip
    reach = ask(parties, contract, Request.crosstab(
        contract, OutputKind.REACH, requester="advertiser", tabulator="channel",
        recipient="advertiser", labels={"channel": "frequency", "advertiser": "segment"}, now=now,
    ))  # fmt: skip
    channel = parties["channel"]
    found = Lists(channel).of_request(match.id)
    export_list(channel, contract, found, Order("csv", folder / "out.csv"), actor="test")
    yield folder, parties, match, reach
    for party in parties.values():
        party.close()


def test_the_columns_are_said_to_be_what_they_are_read_as(used):
    _, parties, *_ = used
    columns = data_map(parties["advertiser"], "customers").columns
    assert {one.name: (one.classification, one.used_for) for one in columns} == {
        "email": ("identifier", ("matching",)),
        "phone": ("identifier", ("matching",)),
        "segment": ("attribute", ("label segment",)),
        "consent": ("consent", ("consent",)),
        "ref": ("attribute", ("telling people apart",)),
    }


def test_requests_and_who_received_what_stand_at_either_side(used):
    _, parties, match, reach = used
    ours = data_map(parties["advertiser"], "customers")
    assert [(one.request, one.kind, one.role, one.result) for one in ours.uses] == [
        (match.id, "match", "sender", "kept"), (reach.id, "reach", "recipient", "kept"),
    ]  # fmt: skip
    assert [(one.who, one.what, one.times) for one in ours.recipients] == [
        ("channel", "a list of whom both have", 1), ("channel", "a table of noisy counts", 1),
    ]  # fmt: skip
    theirs = data_map(parties["channel"], "receipts")
    assert [(one.who, one.what) for one in theirs.recipients] == [
        ("advertiser", "a table of noisy counts"), ("csv", "an exported list"),
    ]  # fmt: skip
    assert {one["what"] for one in theirs.retention} == {"dataset", "list", "session", "result"}
    assert ours.consent["snapshots"] == 2
    assert ours.consent["purposes_used"] == ["dpv:MarketResearch", "dpv:TargetedAdvertising"]
    (granted,) = ours.contracts
    assert granted.standing == "in force"
    assert "match as sender, dpv:TargetedAdvertising" in granted.outputs


def numbers_in(value, key=""):
    """Return the keys under which numbers stand in JSON values, at any depth."""
    if isinstance(value, dict):
        return {found for name, one in value.items() for found in numbers_in(one, name)}
    if isinstance(value, list):
        return {found for one in value for found in numbers_in(one, key)}
    return {key} if isinstance(value, int | float) else set()


def test_no_figure_in_a_map_is_a_count_of_people(used):
    _, parties, *_ = used
    for party, name in (("advertiser", "customers"), ("channel", "receipts")):
        found = json.loads(json.dumps(data_map(parties[party], name).to_dict()))
        assert numbers_in(found) == {"times_registered", "times", "snapshots", "uses_before"}


def test_a_dataset_that_has_ended_keeps_its_map_but_for_the_columns(used):
    folder, parties, match, _ = used
    party = parties["advertiser"]
    path = folder / "data" / "advertiser" / "customers.yaml"
    path.write_text(path.read_text() + f"retention: {{days: {DAYS}}}\n")
    definition = load_definition(path)
    party.keep_dataset(definition, inspect(definition), None)
    before = data_map(party, "customers")
    assert before.source["times_registered"] == 2
    party.clock = lambda: time.time() + (DAYS + 1) * DAY
    prune(party)
    after = data_map(party, "customers")
    assert after.columns == ()
    assert (after.source["first_registered"], after.source["snapshot"]) == (
        before.source["first_registered"], before.source["snapshot"],
    )  # fmt: skip
    assert after.source["erased"] is not None
    assert [one.request for one in after.uses] == [one.request for one in before.uses]
    assert after.recipients == before.recipients
    assert "dataset" not in {one["what"] for one in after.retention}
    assert match.id[:8] in as_text(*map_shown(after))


def test_there_is_no_map_of_what_was_never_registered(used):
    with pytest.raises(DatasetError, match="no dataset people"):
        data_map(used[1]["advertiser"], "people")
