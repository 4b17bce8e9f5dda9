"""A revoked counterpart can do nothing, from the moment on and in spite of a contract in force."""

import threading
import time

import pytest
from organisations import Wire, run_both
from serving_pair import HUB, SPOKE

from audit.verify import verify
from client.errors import DialError, NotAccepted, Unreachable
from client.listening import listening
from commonground.listening import listen
from party.access import Role
from party.contract_file import load_contract, render_contract, sign_contract_file
from party.desk import Desk
from party.errors import (
    ContractError,
    InvitationError,
    NotEntitled,
    PartyError,
    Refusal,
    RefusalStatus,
    SessionSuspended,
)
from party.evidence import StoredLog
from party.known_peers import KnownPeers
from party.ledger import Balance
from party.revocation import Revocations
from party.rotation import rotate
from party.standing import standing_of

WHY = "its laptop was stolen"


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


def spent(party) -> list[Balance]:
    return list(standing_of(party).budgets)


def test_every_call_is_refused_at_once_also_over_a_connection_that_stands(pair):
    request = pair.make_request()
    with pair.listening(), pair.dialled() as dialler:
        dialler.check_health()
        Revocations(pair.hub).revoke(SPOKE, WHY)
        for call in (
            dialler.check_health,
            lambda: dialler.submit(request),
            dialler.fetch_requests,
            lambda: dialler.fetch_run(request.id),
            lambda: dialler.exchange_statements(Desk(pair.spoke).renewals.own(0)),
        ):
            with pytest.raises((NotAccepted, Unreachable, Refusal)) as refused:
                call()
            assert "stolen" not in str(refused.value), "it is not told why"
    assert Desk(pair.hub).filed() == []


def test_new_connections_are_not_let_in_and_new_keys_change_nothing(pair):
    Revocations(pair.hub).revoke(SPOKE, WHY)
    rotate(pair.spoke, "tls", use_after_hours=0)
    with pair.listening(), pytest.raises((DialError, SessionSuspended)), pair.dialled():
        pass
    assert "peer.renewed" not in kinds(pair.hub)


def test_its_own_side_asks_nothing_of_it_either(pair):
    request = pair.make_request()
    Revocations(pair.spoke).revoke(HUB, WHY)
    assert Desk(pair.spoke).find(request.id).decision.refusal.status is RefusalStatus.DECLINED
    with pytest.raises(Refusal, match="revoked here"):
        pair.make_request()
    with pytest.raises(Refusal, match="revoked here"), pair.dialled():
        pass
    assert Desk(pair.spoke).contracts() == []


def test_a_request_that_was_filed_before_cannot_be_approved(pair):
    request = pair.make_request()
    Desk(pair.hub).submit(SPOKE, request)
    assert Revocations(pair.hub).revoke(SPOKE, WHY) == 1
    filed = Desk(pair.hub).find(request.id)
    assert filed.decision.refusal.status is RefusalStatus.DECLINED
    with pytest.raises(PartyError):
        Desk(pair.hub).approve(request.id, actor="operator")


def test_a_session_that_runs_ends_at_its_next_step_and_spends_and_sends_no_more(anywhere):
    """Revoked while the hub waits to answer the first commitment: it has not charged yet."""
    request = anywhere.make_request()
    Desk(anywhere.hub).submit(SPOKE, request)
    before = spent(anywhere.hub)

    def revoke_then(kind, data):
        if kind == "Hello":
            Revocations(anywhere.hub).revoke(SPOKE, WHY)
        return data

    ended = run_both(anywhere.parties, request, Wire(), channel={"tamper": revoke_then})
    assert isinstance(ended[HUB], Refusal)
    assert ended[HUB].status is RefusalStatus.DECLINED
    assert "stolen" not in str(ended[SPOKE])
    assert spent(anywhere.hub) == before
    log = kinds(anywhere.hub)
    assert "list.disclosed" not in log
    assert "budget.spent" not in log
    assert log.count("session.failed") == 1
    for party in anywhere.parties.values():
        verify(StoredLog(party.store, party.identity))


def test_a_serving_party_ends_a_session_that_waits_within_seconds(pair):
    """The spoke has greeted and says no more: its driver here would wait out its patience."""
    request = pair.make_request()
    with listening(pair.hub, listen, pair.address) as now:
        listener = now.listener
        with pair.dialled() as dialler:
            assert dialler.submit(request).state == "approved"
        deadline = time.monotonic() + 30
        while not listener.running_sessions():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        Revocations(pair.hub).revoke(SPOKE, WHY)
        while listener.running_sessions():
            assert time.monotonic() < deadline + 30
            time.sleep(0.05)
    assert Desk(pair.hub).find(request.id).decision.refusal is not None


def test_what_was_revoked_is_restored_by_hand_and_by_nothing_else(anywhere, tmp_path):
    Revocations(anywhere.hub).revoke(SPOKE, WHY)
    draft = load_contract_of(anywhere, tmp_path, "again")
    with pytest.raises(ContractError, match="peers restore"):
        anywhere.hub.keep_contract(draft)
    with anywhere.listening():
        with pytest.raises((DialError, SessionSuspended)):
            anywhere.carry_out()
        Revocations(anywhere.hub).restore(SPOKE, "it was found")
        assert anywhere.carry_out().state == "finished"
    anywhere.hub.keep_contract(draft)
    assert [k for k in kinds(anywhere.hub) if k.startswith("peer.re")] == [
        "peer.revoked",
        "peer.restored",
    ]
    for party in anywhere.parties.values():
        verify(StoredLog(party.store, party.identity))


def load_contract_of(pair, folder, name):
    from dataclasses import replace

    path = folder / f"{name}.yaml"
    path.write_text(render_contract(replace(pair.contract, id=name, signatures={})))
    for party in pair.parties.values():
        sign_contract_file(path, party.identity)
    return load_contract(path)


def test_revoking_again_ends_what_a_kill_left_and_enters_nothing(pair):
    Revocations(pair.hub).revoke(SPOKE, WHY)
    assert Revocations(pair.hub).revoke(SPOKE, "another reason") == 0
    assert kinds(pair.hub).count("peer.revoked") == 1
    [one] = Revocations(pair.hub).all()
    assert (one.name, one.reason) == (SPOKE, WHY)
    [peer] = KnownPeers(pair.hub).peers()
    assert peer.revoked == one


@pytest.mark.parametrize("reason", ["", "call 2025550123 first", "x" * 501])
def test_a_reason_that_the_log_cannot_hold_revokes_nobody(pair, reason):
    with pytest.raises(InvitationError, match="the reason"):
        Revocations(pair.hub).revoke(SPOKE, reason)
    assert Revocations(pair.hub).all() == []
    assert "peer.revoked" not in kinds(pair.hub)


def test_nobody_can_be_revoked_whom_nobody_knows_nor_restored_who_is_not_revoked(pair):
    with pytest.raises(InvitationError, match="known here"):
        Revocations(pair.hub).revoke("stranger", WHY)
    with pytest.raises(InvitationError, match="not revoked"):
        Revocations(pair.hub).restore(SPOKE, WHY)


def test_only_an_operator_revokes_and_restores(pair, monkeypatch):
    from party import accounts

    account = accounts.current()
    pair.hub.access.add(account, Role.OPERATOR)
    monkeypatch.setattr(accounts, "current", lambda: "somebody")
    for verb in (Revocations(pair.hub).revoke, Revocations(pair.hub).restore):
        with pytest.raises(NotEntitled):
            verb(SPOKE, WHY)


def test_of_two_at_once_a_charge_and_a_revocation_one_is_first(anywhere):
    """Whatever the order, no entry of a charge stands behind the revocation."""
    request = anywhere.make_request()
    Desk(anywhere.hub).submit(SPOKE, request)
    revoking = threading.Timer(0.05, lambda: Revocations(anywhere.hub).revoke(SPOKE, WHY))
    revoking.start()
    run_both(anywhere.parties, request, Wire())
    revoking.join()
    log = kinds(anywhere.hub)
    behind = log[log.index("peer.revoked") :]
    assert not {"budget.spent", "session.started", "list.disclosed"} & set(behind)
    verify(StoredLog(anywhere.hub.store, anywhere.hub.identity))
