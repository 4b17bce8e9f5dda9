"""Datasets and results have an end too; what is told of ends is what is deleted at them."""

import shutil
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from interleaved import meanwhile
from organisations import Wire, copy_pair, make_pair, run_both

from audit.commitment import verify_opening
from client import registering
from client.registering import register_frame
from party import registrations, retention
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import DatasetError, PartyError, Refusal, RefusalStatus
from party.evidence import StoredLog, compare_logs, verify_log
from party.kept import kept
from party.ledger import rows as ledger_rows
from party.registrations import FRAMES, every
from party.request import Request
from party.retention import due, prune
from party.schema import DATASETS, RELEASES, RESULTS, SALTS

DAY = 86_400
DESCRIPTION = "data/advertiser/customers.yaml"


@pytest.fixture
def pair(ready, tmp_path, stores):
    parties, contract = copy_pair(ready, tmp_path, stores)
    yield parties, contract
    for party in parties.values():
        party.close()


def reach(contract, now=None):
    return Request.crosstab(
        contract,
        OutputKind.REACH,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        labels={"channel": "frequency", "advertiser": "segment"},
        now=now or int(time.time()),
    )


def match(contract):
    return Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser",
        now=int(time.time()),
    )  # fmt: skip


def ask(parties, contract, request):
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    return signed


def register(party, ready, retention, *, change=lambda text: text):
    """Register the advertiser's customers anew, with an end."""
    path = ready / DESCRIPTION
    again = path.with_name("again.yaml")
    again.write_text(change(path.read_text()) + f"retention: {retention}\n")
    definition = load_definition(again)
    party.keep_dataset(definition, inspect(definition), None)


def at(party, days):
    party.clock = lambda: time.time() + days * DAY


def logged(party, kind):
    log = StoredLog(party.store, party.identity)
    return [entry.body for entry in log.parsed() if entry.kind == kind]


def test_a_dataset_serves_nothing_after_its_end_and_is_then_erased(pair, ready):
    parties, contract = pair
    party = parties["advertiser"]
    register(party, ready, "{days: 10}")
    at(party, 11)
    with pytest.raises(Refusal, match="retention of dataset customers ended") as caught:
        Desk(party).make(reach(contract, party.now), contract, actor="test")
    assert caught.value.status is RefusalStatus.EXPIRED
    assert party.store.write(ledger_rows) == []
    assert party.datasets() == []
    (gone,) = prune(party)
    assert (gone.what, gone.name) == ("dataset", "customers")
    assert prune(party) == []
    row = party.store.row(sa.select(DATASETS))
    assert (row.definition, row.quality, row.population) == ("", "", "customers")
    assert [body.name for body in logged(party, "dataset.erased")] == ["customers"]
    verify_log(StoredLog(party.store, party.identity))
    with pytest.raises(DatasetError, match="ended"):
        party.dataset("customers")


def test_a_session_that_was_agreed_before_the_end_reads_nothing_after_it(pair, ready):
    parties, contract = pair
    register(parties["advertiser"], ready, "{days: 1}")
    request = ask(parties, contract, reach(contract))
    at(parties["advertiser"], 1.1)
    ended = run_both(parties, request, Wire())
    assert ended["advertiser"].status is RefusalStatus.EXPIRED
    assert all(party.store.write(ledger_rows) == [] for party in parties.values())
    assert logged(parties["advertiser"], "consent.snapshot") == []


def test_a_list_may_not_outlive_the_dataset_that_it_is_made_from(pair, ready):
    parties, contract = pair
    register(parties["advertiser"], ready, "{days: 29}")
    with pytest.raises(Refusal, match="the list would be kept until"):
        Desk(parties["advertiser"]).make(match(contract), contract, actor="test")
    register(parties["advertiser"], ready, "{days: 31}")
    Desk(parties["advertiser"]).make(match(contract), contract, actor="test")


def test_a_dataset_cannot_be_given_an_end_before_that_of_a_list_that_is_out(pair, ready):
    parties, contract = pair
    request = ask(parties, contract, match(contract))
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    with pytest.raises(DatasetError, match="a list that was made of it is out until"):
        register(parties["advertiser"], ready, "{days: 29}")
    register(parties["advertiser"], ready, "{days: 31}")
    at(parties["advertiser"], 30.5)  # the list has ended
    register(parties["advertiser"], ready, "{days: 31}")


def test_the_same_content_does_not_begin_again_and_other_content_does(pair, ready, tmp_path):
    party = pair[0]["advertiser"]
    first = every(party)[0].registered_at
    at(party, 8)
    register(party, ready, "{days: 10}")
    assert every(party)[0].ends_at == first + 10 * DAY
    at(party, 11)
    prune(party)
    with pytest.raises(DatasetError, match="retention of dataset customers ended"):
        register(party, ready, "{days: 10}")
    moment = party.clock()
    party.clock = lambda: moment
    other = tmp_path / "fresh.csv"
    other.write_text((ready / DESCRIPTION).with_name("customers.csv").read_text().replace("1", "7"))
    register(
        party, ready, "{days: 10}",
        change=lambda text: text.replace("source: customers.csv", f"source: {other}"),
    )  # fmt: skip
    assert every(party)[0].ends_at == party.now + 10 * DAY


UNREADABLE = [
    "{}", "{days: 0}", "{days: 5, until: 2030-01-01}", "{until: 2030-02-30}", "{until: soon}",
    "{weeks: 3}",
]  # fmt: skip


@pytest.mark.parametrize("section", UNREADABLE)
def test_an_end_that_cannot_be_read_is_refused(pair, ready, section):
    with pytest.raises(DatasetError, match="retention"):
        register(pair[0]["advertiser"], ready, section)


def test_the_last_day_of_use_is_whole_and_in_utc(pair, ready):
    party = pair[0]["advertiser"]
    register(party, ready, "{until: 2099-12-31}")
    assert every(party)[0].ends_at == 4102444800  # 2100-01-01T00:00:00Z


def keep_frame(party, *names):
    """Register people of these names from memory, to be kept for five days."""
    frame = pd.DataFrame({"email": [f"{name}@x.example" for name in names], "ok": "yes"})
    register_frame(party, frame, {
        "dataset": "framed",
        "columns": {"email": "id.email", "ok": "consent"},
        "consent": {"column": "ok", "given": ["yes"], "purposes": ["dpv:MarketResearch"],
                    "recipients": ["channel"]},
        "retention": {"days": 5},
    })  # fmt: skip


def emails(party):
    """Return what the table holds that its dataset is read from, which is the only one kept."""
    source = party.dataset("framed").definition["source"]
    assert [str(path) for path in (party.folder / FRAMES / "framed").iterdir()] == [source]
    return pq.read_table(source)["email"].to_pylist()


def test_a_copy_in_the_partys_folder_goes_with_its_dataset(pair):
    party = pair[0]["advertiser"]
    keep_frame(party, "a", "b")
    assert emails(party) == ["a@x.example", "b@x.example"]
    at(party, 6)
    (gone,) = prune(party)
    assert gone.source is None  # nothing is left to its owner
    assert not (party.folder / FRAMES / "framed").exists()


@pytest.fixture
def ended(pair):
    """A party of which a table that it keeps has come to its end, at a clock that stands."""
    party = pair[0]["advertiser"]
    keep_frame(party, "a", "b")
    now = party.now + 6 * DAY
    party.clock = lambda: now
    return party


def is_whole(party):
    """Say that the new table is there and stays, and that the log has what happened."""
    assert emails(party) == ["c@x.example", "d@x.example"]
    assert prune(party) == []
    verify_log(StoredLog(party.store, party.identity))


@pytest.mark.parametrize("step", ["find", "erase"])
def test_a_table_is_registered_anew_before_the_old_one_is_deleted_or_after(
    ended, monkeypatch, step
):
    waits = meanwhile(monkeypatch, registrations, step, lambda: keep_frame(ended, "c", "d"))
    prune(ended)
    assert len(waits) == 1
    keep_frame(ended, "c", "d")
    is_whole(ended)


def test_a_table_that_was_registered_anew_just_before_is_not_deleted(ended, monkeypatch):
    meanwhile(monkeypatch, retention, "writing_table", lambda: keep_frame(ended, "c", "d"))
    prune(ended)
    is_whole(ended)


def test_a_table_that_is_being_registered_is_not_deleted(ended, monkeypatch):
    meanwhile(monkeypatch, registering, "inspect", lambda: prune(ended))
    keep_frame(ended, "c", "d")
    is_whole(ended)


def test_a_file_takes_the_place_of_a_table_that_is_deleted_meanwhile(ended, ready, monkeypatch):
    path = ready / DESCRIPTION
    again = path.with_name("framed.yaml")
    again.write_text(path.read_text().replace("dataset: customers", "dataset: framed"))
    folder = ended.folder / FRAMES / "framed"
    meanwhile(monkeypatch, registering, "writing_table", lambda: shutil.rmtree(folder))
    registering.register(ended, load_definition(again))
    assert ended.dataset("framed").since == ended.now
    assert prune(ended) == []


def test_of_two_tables_that_are_registered_at_once_the_last_is_whole(pair, monkeypatch):
    party = pair[0]["advertiser"]
    keep_frame(party, "a", "b")
    waits = meanwhile(monkeypatch, registering, "inspect", lambda: keep_frame(party, "c", "d"))
    keep_frame(party, "e", "f")
    assert len(waits) == 1
    assert emails(party) == ["e@x.example", "f@x.example"]


def deleted(party):
    """Prune, and return what went, which is what a dry run tells and the log says."""
    told, head, before = due(party), party.journal.checkpoint(), logged(party, "retention.pruned")
    assert told == [one for one in kept(party) if one.has_ended(party.now)]
    assert party.journal.checkpoint() == head
    assert prune(party) == told
    entered = logged(party, "retention.pruned")[len(before) :]
    assert [(body.what, body.request) for body in entered] == [(o.what, o.name) for o in told]
    assert due(party) == []
    return [one.what for one in told]


def test_numbers_and_openings_go_at_their_ends_and_the_logs_still_agree(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores, beside="result_days: 100\n")
    request = ask(parties, contract, reach(contract))
    run_both(parties, request, Wire())
    tabulator, recipient = parties["channel"], parties["advertiser"]
    (opening,) = tabulator.store.rows(sa.select(SALTS))
    verify_opening(opening.commitment, "noise", opening.value, opening.salt)
    for party in parties.values():
        at(party, 91)
        assert deleted(party) == ["session"]
    assert tabulator.store.rows(sa.select(SALTS)) == []  # with it, the counts would be exact
    filed = Desk(recipient).find(request.id)
    assert "table" in Desk(recipient).require_result(filed)
    for party in parties.values():
        at(party, 101)
        assert deleted(party) == ["result"]
    assert tabulator.store.rows(sa.select(RELEASES)) == []
    assert [row.body for row in recipient.store.rows(sa.select(RESULTS.c.body))] == [""]
    with pytest.raises(PartyError, match="was deleted at the end that its contract states"):
        Desk(recipient).require_result(filed)
    assert Desk(recipient).steps(request.id) == ()
    logs = [StoredLog(party.store, party.identity) for party in parties.values()]
    assert compare_logs(*logs).shared
    for party in parties.values():
        party.close()
