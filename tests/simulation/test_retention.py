"""What a contract says ends is deleted at its end, and the log says so and still verifies."""

import time

import pytest
from organisations import Wire, make_pair, run_both

from party.desk import Desk
from party.evidence import StoredLog, compare_logs, verify_log
from party.request import Request
from party.retention import prune

DAY = 86_400


@pytest.fixture
def matched(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores)
    request = Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser",
        now=int(time.time()),
    )  # fmt: skip
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    yield parties, signed
    for party in parties.values():
        party.close()


def lists(party):
    return sorted((party.folder / "lists").glob("*.parquet"))


def pruned(party):
    log = StoredLog(party.store, party.identity)
    return [entry.body.what for entry in log.parsed() if entry.kind == "retention.pruned"]


def at(party, days):
    party.clock = lambda: time.time() + days * DAY


def test_nothing_is_deleted_before_its_end(matched):
    parties, _ = matched
    at(parties["channel"], 29)
    assert prune(parties["channel"]) == 0
    assert len(lists(parties["channel"])) == 1


def test_a_list_is_deleted_at_its_expiry_once_and_logged(matched):
    parties, _ = matched
    at(parties["channel"], 31)
    assert prune(parties["channel"]) == 1
    assert lists(parties["channel"]) == []
    assert prune(parties["channel"]) == 0
    assert pruned(parties["channel"]) == ["list"]


def test_artefacts_and_seed_are_deleted_after_the_retention(matched):
    parties, request = matched
    party = parties["advertiser"]
    folder = party.folder / "sessions" / request.id
    assert folder.exists()
    at(party, 91)
    assert prune(party) == 1
    assert not folder.exists()
    assert pruned(party) == ["session"]


def test_logs_still_verify_and_agree_after_deletion(matched):
    parties, _ = matched
    for party in parties.values():
        at(party, 91)
        prune(party)
        verify_log(StoredLog(party.store, party.identity))
    assert compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values())).shared
