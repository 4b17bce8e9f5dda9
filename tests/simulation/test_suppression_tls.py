"""Suppression runs over real gRPC and mutual TLS, with either side of the list as the dialler."""

import time
from functools import partial

import grpc
import pytest
import sqlalchemy as sa
from consent_notices import document, notice
from disclosed_list import RECEIVER, RUNS, SENDER, Disclosed
from organisations import make_pair

from client import carrying
from client.carrying import Waiting
from client.dial import Dialler
from client.errors import NotAccepted
from client.suppressing import Suppressor
from commonground.v1 import suppression_pb2 as pb
from commonground.v1 import suppression_pb2_grpc
from party.consent.events import Act, State
from party.decision import CHARGED
from party.desk import Desk
from party.errors import Refusal, RefusalStatus, SessionSuspended
from party.evidence import StoredLog, compare_logs, verify_log
from party.filing import APPROVED
from party.request import Request
from party.request_parameters import Parameters
from party.schema import REQUESTS, SESSIONS
from party.suppression.owed import owed_runs
from party.suppression.run import Acknowledgement, SuppressionRun

DAY = 86_400


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One list for each side that may listen; a test uses up what it needs of its runs."""
    both = {
        name: Disclosed(tmp_path_factory.mktemp(f"{name}-listens"), name)
        for name in (SENDER, RECEIVER)
    }
    yield both
    for one in both.values():
        one.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Look for a counterpart that is not there for a moment only."""
    monkeypatch.setattr(carrying, "Dialler", partial(Dialler, connect_seconds=0.3))


def test_a_sender_that_dials_takes_people_off_the_listening_receivers_list(made):
    one = made[RECEIVER]
    before = one.listed()
    one.withdraw(20, 30)
    with one.serving():
        done = one.suppress(SENDER)
        assert (done.did, done.runs, done.runs_left) == ("sent", 1, RUNS[RECEIVER] - 1)
        assert one.suppress(SENDER).runs == 0
        assert one.suppress(RECEIVER).runs == 0, "it waits for the sender to dial"
    assert before - one.listed() == {"ref20", "ref30"}


def test_a_receiver_that_dials_fetches_the_run_that_waits(made):
    one = made[SENDER]
    before = one.listed()
    with one.serving():
        assert one.suppress(RECEIVER).runs == 0
        one.withdraw(21)
        with pytest.raises(Waiting, match="only dials"):
            one.suppress(SENDER)
        done = one.suppress(RECEIVER)
        assert (done.did, done.runs) == ("applied", 1)
        assert one.suppress(RECEIVER).runs == 0
    assert before - one.listed() == {"ref21"}
    assert one.suppress(SENDER).runs == 0, "it is acknowledged"


def test_a_run_whose_word_was_lost_is_brought_again(made, monkeypatch):
    one = made[RECEIVER]
    one.withdraw(20, 30, 31)
    with one.serving():
        honest = Dialler.suppress

        def loses_the_word(self, request_id, run):
            honest(self, request_id, run)
            raise SessionSuspended("the connection broke")

        with monkeypatch.context() as patch:
            patch.setattr(Dialler, "suppress", loses_the_word)
            with pytest.raises(SessionSuspended):
                one.suppress(SENDER)
        assert "ref31" not in one.listed()
        assert one.suppress(SENDER).runs == 1


def test_nobody_there_leaves_the_run_for_later(made):
    one = made[RECEIVER]
    one.withdraw(20, 30, 31, 32)
    with pytest.raises(SessionSuspended):
        one.suppress(SENDER)
    assert "ref32" in one.listed()
    with one.serving():
        assert one.suppress(SENDER).runs == 1
    assert "ref32" not in one.listed()


def test_the_daily_round_does_what_is_due_and_says_what_it_could_not_do(made):
    one = made[RECEIVER]
    one.withdraw(20, 30, 31, 32, 33)
    ((_, could_not),) = Suppressor(one.parties[SENDER]).suppress_all()
    assert "does not answer" in could_not
    with one.serving():
        ((_, did),) = Suppressor(one.parties[SENDER]).suppress_all()
        assert did == "1 runs sent"
        assert list(Suppressor(one.parties[SENDER]).suppress_all()) == []
    assert "ref33" not in one.listed()


def test_a_list_that_is_out_is_reached_though_its_sender_did_not_hear_the_end(tmp_path):
    """The receiver has stored its list; the sender was stopped before the session's last words."""
    one = Disclosed(tmp_path, RECEIVER)
    store = one.parties[SENDER].store

    def reopen(connection):
        connection.execute(sa.update(SESSIONS).values(state=CHARGED, ended_at=None))
        connection.execute(sa.update(REQUESTS).values(state=APPROVED))

    store.write(reopen)
    one.withdraw(40)
    with one.serving():
        ((_, did),) = Suppressor(one.parties[SENDER]).suppress_all()
    assert did == "1 runs sent"
    assert "ref40" not in one.listed()
    one.close()


def test_a_request_that_has_disclosed_nothing_has_no_daily_round(tmp_path):
    parties, contract = make_pair(tmp_path)
    request = Request.match(
        contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time()),
        parameters=Parameters(suppression_runs=1),
    )  # fmt: skip
    Desk(parties[SENDER]).make(request, contract, actor="test")
    assert list(Suppressor(parties[SENDER]).suppress_all(cover=True)) == []
    for party in parties.values():
        party.close()


def test_with_cover_there_is_one_round_a_day_whether_or_not_anybody_withdrew(tmp_path):
    one = Disclosed(tmp_path, RECEIVER)
    one.withdraw()
    sender = one.parties[SENDER]
    with one.serving():
        sender.clock = lambda: time.time() + DAY
        ((_, did),) = Suppressor(sender).suppress_all(cover=True)
        assert did == "1 runs sent", "nobody had withdrawn"
        one.withdraw(34)
        assert list(Suppressor(sender).suppress_all(cover=True)) == [], "today's is made"
        sender.clock = lambda: time.time() + 2 * DAY
        ((_, did),) = Suppressor(sender).suppress_all(cover=True)
        assert did == "1 runs sent"
        assert "ref34" not in one.listed()
        sender.clock = lambda: time.time() + 3 * DAY
        left = one.filed(SENDER).request.parameters.suppression_runs + 1 - one.next_number()
        while left:
            left = one.suppress(SENDER, cover=True).runs_left
        sender.clock = lambda: time.time() + 5 * DAY
        assert list(Suppressor(sender).suppress_all(cover=True)) == [], "cover needs no excuse"
    one.close()


# -- after the contract's end ----------------------------------------------------------------------


def test_parties_of_an_ended_contract_may_speak_of_its_lists_and_of_nothing_else(tmp_path):
    one = Disclosed(tmp_path, RECEIVER, ends=int(time.time()) + 5 * DAY)
    one.withdraw(20, 30)
    for party in one.parties.values():
        party.clock = lambda: time.time() + 6 * DAY
    with one.serving():
        assert one.suppress(SENDER).runs == 1
        assert one.listed() == {f"ref{i}" for i in range(20, 60)} - {"ref20", "ref30"}
        with one.dialler() as dialler:
            for call in (
                lambda: dialler.submit(one.request),
                dialler.fetch_requests,
                lambda: dialler.refuse(one.request.id, Refusal(RefusalStatus.DECLINED, "no")),
            ):
                with pytest.raises(NotAccepted):
                    call()
    one.close()


# -- what the wire refuses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alter", "status"),
    [
        (lambda n: SuppressionRun(n, bytes(32)), RefusalStatus.LIMIT_EXCEEDED),
        (lambda n: SuppressionRun(n, b""), RefusalStatus.BAD_REQUEST),
        (lambda n: SuppressionRun(n, bytes(32 * 1024)), RefusalStatus.INVALID_POINT),
        (lambda n: SuppressionRun(n, bytes(32 * 8192)), RefusalStatus.LIMIT_EXCEEDED),
        (lambda n: SuppressionRun(n + 1, bytes(32 * 1024)), RefusalStatus.BAD_REQUEST),
        (lambda _: SuppressionRun(0, bytes(32 * 1024)), RefusalStatus.BAD_REQUEST),
        (lambda _: SuppressionRun(31, bytes(32 * 1024)), RefusalStatus.LIMIT_EXCEEDED),
        (lambda _: SuppressionRun(32, bytes(32 * 1024)), RefusalStatus.BAD_REQUEST),
    ],
    ids=["few", "none", "not of it", "many", "out of order", "no 0", "used up", "no 32"],
)
def test_a_run_out_of_shape_is_refused_with_its_status(made, alter, status):
    one = made[RECEIVER]
    before, number = one.listed(), one.next_number()
    with one.serving(), one.dialler() as dialler, pytest.raises(Refusal) as refused:
        dialler.suppress(one.request.id, alter(number))
    assert refused.value.status is status
    assert (one.listed(), one.next_number()) == (before, number)


def test_a_run_under_another_contract_or_in_the_wrong_role_is_refused(made):
    one = made[RECEIVER]
    with one.serving(), one.dialler() as dialler:
        with pytest.raises(Refusal) as refused:
            dialler.fetch_run(one.request.id)
        assert refused.value.status is RefusalStatus.NOT_GRANTED
        with pytest.raises(Refusal) as refused:
            dialler.fetch_run("0" * 32)
        assert refused.value.status is RefusalStatus.BAD_REQUEST
        dialler.contract_hash = bytes(32)
        with pytest.raises(Refusal) as refused:
            dialler.fetch_run(one.request.id)
        assert refused.value.status is RefusalStatus.CONTRACT_UNKNOWN


def test_a_word_that_is_not_on_the_run_that_waits_is_refused(made):
    one = made[SENDER]
    word = Acknowledgement(1, bytes(32), bytes(64))
    with one.serving(), one.dialler() as dialler, pytest.raises(Refusal) as refused:
        dialler.acknowledge_run(one.request.id, word)
    assert refused.value.status is RefusalStatus.BAD_REQUEST


@pytest.mark.parametrize("call", ["Suppress", "AcknowledgeRun"])
def test_a_call_without_its_content_is_refused(made, call):
    one = made[RECEIVER]
    with one.serving(), one.dialler() as dialler:
        stub = suppression_pb2_grpc.SuppressionServiceStub(dialler._channel)
        request = {"Suppress": pb.SuppressRequest, "AcknowledgeRun": pb.AcknowledgeRunRequest}[call]
        with pytest.raises(grpc.RpcError) as refused:
            getattr(stub, call)(request(session=dialler._name(one.request.id)), timeout=60)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("listens", [SENDER, RECEIVER])
def test_a_list_that_owes_a_run_gets_one_over_the_connection_whoever_withdrew(tmp_path, listens):
    """Somebody withdraws who is on no list; a list that was let go would tell that they are not."""
    one = Disclosed(tmp_path, listens, beside="suppression_days: 2\n")
    sender, before = one.parties[SENDER], one.listed()
    shown = notice(document())
    said = Act("elsewhere", State.GIVEN, sender.consent.now - 1_000_000)
    sender.consent.record(shown, [said], actor="test")
    with one.serving():
        one.suppress(listens)
        assert one.next_number() == 1, "nobody has withdrawn, so nothing is owed"
        sender.consent.withdraw("elsewhere", actor="test")
        (owed,) = owed_runs(sender)
        assert (owed.request, owed.recipient) == (one.request.id, RECEIVER)
        if listens == RECEIVER:
            assert one.suppress(SENDER).runs == 1
        else:
            with pytest.raises(Waiting):
                one.suppress(SENDER)
            assert owed_runs(sender), "a run that nobody has acknowledged settles nothing"
            assert one.suppress(RECEIVER).runs == 1
    assert owed_runs(sender) == ()
    assert one.listed() == before
    logs = [StoredLog(party.store, party.identity) for party in one.parties.values()]
    assert verify_log(logs[0]).overdue == ()
    assert compare_logs(*logs).shared == (one.request.id,)
    one.close()
