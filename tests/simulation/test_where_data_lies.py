"""A party whose data moves works under no contract that says otherwise, and both logs say why."""

import time

import pytest
from far_apart import agree_across, move
from organisations import Wire, copy_pair, run_both

from client.agreeing import import_contract, sign_contract
from party.contract_file import render_contract
from party.desk import Desk
from party.errors import ContractError, Refusal, RefusalStatus
from party.evidence import StoredLog, compare_logs, verify_log
from party.places import Places
from party.request import Request
from party.yaml_text import write_yaml


@pytest.fixture
def pair(ready, tmp_path, stores):
    parties, _ = copy_pair(ready, tmp_path, stores)
    yield parties, agree_across(tmp_path, parties)
    for party in parties.values():
        party.close()


def asked(parties, contract):
    request = Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser",
        now=int(time.time()),
    )  # fmt: skip
    return Desk(parties["advertiser"]).make(request, contract, actor="test")


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


def test_with_its_bases_a_session_across_the_border_runs_and_the_logs_name_them(pair):
    parties, contract = pair
    signed = asked(parties, contract)
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))
    for party in parties.values():
        said = [e.body.transfers for e in StoredLog(party.store, party.identity).parsed()
                if e.kind == "contract.signed" and e.contract == contract.digest]  # fmt: skip
        assert [(one.out_of, one.basis) for one in said[0]] == [
            ("CN", "standard-contract"), ("EEA", "standard-clauses")
        ]  # fmt: skip


def test_who_moved_neither_asks_nor_takes_a_request(pair):
    parties, contract = pair
    signed = asked(parties, contract)
    before = {name: kinds(party) for name, party in parties.items()}
    for name, ask in (
        ("channel", lambda: Desk(parties["channel"]).submit("advertiser", signed)),
        ("advertiser", lambda: asked(parties, contract)),
    ):
        home = parties[name].own_card().places
        move(parties[name], Places("NL", ("NL", "US")))
        with pytest.raises(Refusal, match="NL, data in NL, US") as refused:
            ask()
        assert refused.value.status is RefusalStatus.EXPIRED
        move(parties[name], home)
    assert {name: kinds(party) for name, party in parties.items()} == before


def test_who_moves_before_the_session_ends_it_uncharged_in_both_logs(pair):
    parties, contract = pair
    signed = asked(parties, contract)
    Desk(parties["channel"]).submit("advertiser", signed)
    move(parties["channel"], Places.of("US"))
    ended = run_both(parties, signed, Wire())
    assert {error.status for error in ended.values()} == {RefusalStatus.EXPIRED}
    for party in parties.values():
        assert kinds(party)[-1] == "session.failed"
        assert "budget.spent" not in kinds(party)
        verify_log(StoredLog(party.store, party.identity))


def test_a_contract_that_says_otherwise_than_the_card_is_neither_signed_nor_imported(
    pair, tmp_path
):
    parties, contract = pair
    move(parties["channel"], Places.of("US"))
    file = tmp_path / "again.yaml"
    file.write_text(render_contract(contract), encoding="utf-8")
    for refuse in (sign_contract, import_contract):
        with pytest.raises(ContractError, match="Correct the card"):
            refuse(parties["channel"], file)
    assert file.read_text(encoding="utf-8") == render_contract(contract)


def test_a_transfer_without_its_basis_is_read_by_nobody(pair, tmp_path):
    parties, contract = pair
    document = contract.to_json()
    document["transfers"].pop()
    file = tmp_path / "less.yaml"
    file.write_text(write_yaml(document), encoding="utf-8")
    for refuse in (sign_contract, import_contract):
        with pytest.raises(ContractError, match="crosses 1 border without a stated basis"):
            refuse(parties["advertiser"], file)
