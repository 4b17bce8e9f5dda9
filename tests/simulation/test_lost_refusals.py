"""How both sides come to one end when the word about it is lost (docs/protocol.md, Transport).

Two whole parties over the network in memory of `shaky_network`, without its faults: what is lost
is said.
"""

import pytest
import sqlalchemy as sa
from organisations import copy_pair
from shaky_network import DIALS, LISTENS, Network, hurry, lay_wires
from shaky_plays import ENDINGS, HOUR, MINIMUM, Quiet, make_ready

from client.carrying import Carrier
from party.decision import FAILED, FINISHED
from party.desk import Desk
from party.errors import Refusal, RefusalStatus, SessionSuspended
from party.evidence import StoredLog, verify_log
from party.expired_requests import end_expired
from party.filing import APPROVED
from party.occupied import carrying_out
from party.request import Request
from party.schema import SESSIONS

BELOW = Refusal(RefusalStatus.BELOW_MINIMUM, "fewer than the contract asks for")


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"))


@pytest.fixture
def pair(ready, tmp_path, monkeypatch):
    hurry(monkeypatch)
    one = Pair(*copy_pair(ready, tmp_path), monkeypatch)
    yield one
    one.network.stop_listener()
    for party in one.parties.values():
        party.close()


class Pair:
    """Two parties, of which one dials when `resume` is typed there."""

    def __init__(self, parties, contract, monkeypatch):
        self.parties, self.contract = parties, contract
        self.network = Network(0, parties)
        self.network.calm = True
        lay_wires(self.network, monkeypatch)

    def ask(self, contract_id, *, receiver, requester=DIALS):
        party = self.parties[requester]
        contract = party.contract(contract_id)
        sender = DIALS if receiver == LISTENS else LISTENS
        request = Request.match(
            contract, requester=requester, receiver=receiver, sender=sender, now=party.now
        )
        return Desk(party).make(request, contract, actor="test")

    def carrier(self):
        return Carrier(self.parties[DIALS], Quiet())

    def resume(self, request):
        self.carrier().go_on(Desk(self.parties[DIALS]).find(request.id))

    def fail(self, request, status):
        with pytest.raises(Refusal) as caught:
            self.resume(request)
        assert caught.value.status is status

    def state(self, name, request):
        filed = Desk(self.parties[name]).find(request.id)
        return filed.state, filed.status

    def ends(self, name, request):
        """Return the kinds of the entries that end a request in a log that verifies."""
        log = StoredLog(self.parties[name].store, self.parties[name].identity)
        verify_log(log)
        return [
            (entry.kind, getattr(entry.body, "reason", None))
            for entry in log.parsed()
            if entry.kind in ENDINGS and entry.body.request == request.id
        ]

    def require_same_end(self, request, status):
        for name in self.parties:
            assert self.state(name, request) == (FAILED, status.value), name
            assert self.ends(name, request) == [("session.failed", status.value)], name

    def fail_untold(self):
        """Let the dialling side fail a session, and lose its word."""
        request = self.ask(MINIMUM, receiver=LISTENS)
        self.network.lost.add("Refuse")
        self.fail(request, RefusalStatus.BELOW_MINIMUM)
        self.network.restart_listener()
        assert self.state(LISTENS, request) == (APPROVED, None)
        return request


def test_a_listener_that_lost_the_refusal_hears_it_when_the_dialler_comes_back(pair):
    request = pair.fail_untold()
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    assert pair.state(LISTENS, request) == (APPROVED, None), "it is lost again"
    pair.network.lost.clear()
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)


def test_a_listener_that_lost_the_refusal_hears_it_at_the_next_request(pair):
    request = pair.fail_untold()
    pair.network.lost.clear()
    other = pair.ask(MINIMUM, receiver=LISTENS)
    pair.fail(other, RefusalStatus.BELOW_MINIMUM)
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)
    pair.require_same_end(other, RefusalStatus.BELOW_MINIMUM)


def test_a_listener_that_lost_the_refusal_hears_it_when_requests_are_fetched(pair):
    request = pair.fail_untold()
    pair.network.lost.clear()
    pair.carrier().fetch(LISTENS)
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)


def test_a_refusal_that_was_heard_is_not_told_again(pair):
    request = pair.ask(MINIMUM, receiver=LISTENS)
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    calls = pair.network.calls
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    assert pair.network.calls == calls
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)


def test_a_refusal_of_a_fetched_request_that_was_lost_is_told_at_the_next_fetch(pair):
    request = pair.ask("test", receiver=LISTENS, requester=LISTENS)
    pair.carrier().fetch(LISTENS)
    party = pair.parties[DIALS]
    refusal = Refusal(RefusalStatus.CONSENT_STALE, "it has changed")
    Desk(party).end(LISTENS, request.id, bytes.fromhex(request.contract), refusal)
    pair.carrier().fetch(LISTENS)
    assert pair.state(LISTENS, request)[1] == RefusalStatus.CONSENT_STALE.value


@pytest.mark.parametrize("restarted", [False, True], ids=["listener stays", "listener restarts"])
def test_a_dialler_that_lost_the_answer_hears_how_the_listener_ended(pair, restarted):
    request = pair.ask(MINIMUM, receiver=DIALS)
    pair.network.dark_after = "SendKey"  # the last that the listener needs for its count
    with pytest.raises(SessionSuspended):
        pair.resume(request)
    pair.network.wait_for_listener()
    assert pair.state(LISTENS, request) == (FAILED, RefusalStatus.BELOW_MINIMUM.value)
    assert pair.state(DIALS, request) == (APPROVED, None)
    pair.network.lost.clear()
    pair.network.dark_after = None
    if restarted:
        pair.network.restart_listener()
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)


# -- what a counterpart may end ------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["request", "peer", "contract"])
def test_only_the_counterpart_of_a_request_ends_its_session(pair, wrong):
    request = pair.ask("test", receiver=LISTENS)
    Desk(pair.parties[LISTENS]).submit(DIALS, request)
    words = {
        "peer": "somebody-else" if wrong == "peer" else DIALS,
        "request_id": "0" * 32 if wrong == "request" else request.id,
        "contract_hash": bytes(32) if wrong == "contract" else bytes.fromhex(request.contract),
    }
    with pytest.raises(Refusal, match="no request with this id"):
        Desk(pair.parties[LISTENS]).end(**words, refusal=BELOW)
    assert pair.state(LISTENS, request) == (APPROVED, None)


def test_a_result_stands_whatever_the_counterpart_says_afterwards(pair):
    request = pair.ask("test", receiver=LISTENS)
    pair.resume(request)
    desk = Desk(pair.parties[LISTENS])
    desk.end(DIALS, request.id, bytes.fromhex(request.contract), BELOW)
    assert pair.state(LISTENS, request)[0] == FINISHED
    assert desk.result(request.id)["people"] == 40
    assert pair.ends(LISTENS, request) == [("session.finished", None)]


def test_a_driver_at_work_writes_nothing_after_its_session_was_ended(pair):
    """The counterpart's word is on disk before the driver hears of it."""
    request = pair.ask("test", receiver=DIALS)
    desk, contract = Desk(pair.parties[LISTENS]), bytes.fromhex(request.contract)
    pair.network.events[4] = lambda: desk.end(DIALS, request.id, contract, BELOW)
    pair.fail(request, RefusalStatus.BELOW_MINIMUM)
    pair.network.wait_for_listener()
    pair.require_same_end(request, RefusalStatus.BELOW_MINIMUM)


# -- requests whose time is over -----------------------------------------------------------------


def test_each_side_ends_a_session_that_expired_without_a_word(pair):
    request = pair.ask("test", receiver=LISTENS)
    pair.network.dark_after = "Reveal"
    with pytest.raises(SessionSuspended):
        pair.resume(request)
    pair.network.restart_listener()
    assert end_expired(pair.parties[LISTENS]) == 0
    pair.network.skew = {name: skew + 7 * HOUR for name, skew in pair.network.skew.items()}
    for party in pair.parties.values():
        assert end_expired(party) == 1
        assert end_expired(party) == 0
        assert party.store.row(sa.select(SESSIONS.c.ended_at)).ended_at, "retention counts from it"
    pair.require_same_end(request, RefusalStatus.EXPIRED)
    pair.fail(request, RefusalStatus.EXPIRED)


def test_a_session_that_is_carried_out_ends_there_and_not_by_its_time(pair):
    request = pair.ask("test", receiver=LISTENS)
    party = pair.parties[DIALS]
    pair.network.skew[DIALS] += 7 * HOUR
    with carrying_out(party.folder, request.id):
        assert end_expired(party) == 0
    assert pair.state(DIALS, request) == (APPROVED, None)
