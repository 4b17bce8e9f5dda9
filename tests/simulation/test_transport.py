"""Sessions over real gRPC and mutual TLS: the same bytes on both sides, whatever breaks."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
from wired_parties import (
    NAMES,
    PATIENCE,
    SECONDS,
    Walk,
    contract_between,
    in_background,
    make_request,
    until,
    wired,
)

from client.errors import PeerFailed
from client.line import Line
from party import artefacts
from party.artefacts import IncomingSet, SessionFolder
from party.correspondence import Correspondence
from party.decision import Decision
from party.errors import PartyError, Refusal, RefusalStatus, SessionSuspended
from party.messages import Hello
from party.terms import Terms
from party.turns import Turns
from party.wire.exchanges import EXCHANGES
from party.wire.names import SessionName
from psi.sets import LabelledSet
from server.mailbox import Mailbox
from server.meeting import Meeting

HELLO = EXCHANGES[0]
SEVERAL_CHUNKS = 5 * artefacts.CHUNK_POINTS + 17


def require_same_folders(one, request):
    """Check that both sides hold every step, and hold it alike."""
    ours, theirs = one.folder_here(request), one.desk.folder(request.id)
    for index in range(len(Terms.of(request).table.steps)):
        assert ours.digest(index) == theirs.digest(index) is not None
        mine, yours = ours.load(index), theirs.load(index)
        if isinstance(mine, LabelledSet):
            assert mine.sizes == yours.sizes
            assert np.array_equal(mine.elements, yours.elements)
        else:
            assert mine == yours


def is_in(folder, place):
    return place in folder.path.parts


class ChunkGate:
    """Records which chunks reach a disk, and stops once before the given number have."""

    def __init__(self, monkeypatch, place, stop_before):
        self.indices, self.stops = [], 0
        self.reached, self.go_on = threading.Event(), threading.Event()
        accept = IncomingSet.accept

        def counted(incoming, chunk):
            if is_in(incoming._folder, place):
                if len(self.indices) == stop_before and not self.stops:
                    self.stops += 1
                    self.reached.set()
                    self.go_on.wait(SECONDS)
                    raise ConnectionError("the process is gone")
                self.indices.append((incoming._step, chunk.index))
            accept(incoming, chunk)

        monkeypatch.setattr(IncomingSet, "accept", counted)


# -- whole sessions ------------------------------------------------------------------------------


@pytest.mark.parametrize("dials", NAMES)
@pytest.mark.parametrize("kind", ["match", "reach"])
def test_both_sides_hold_the_same_bytes_of_every_step_whoever_dials(tmp_path, kind, dials):
    with wired(tmp_path, dials=dials) as one:
        request = make_request(one.contract, kind)
        here = one.run_here(request)
        there = one.desk.walks[0]
        assert there.done.wait(SECONDS)
        require_same_folders(one, request)
    assert not there.errors
    assert {message.party for message in here.heard} == {one.listens}
    assert {message.party for message in there.heard} == {one.dials}
    assert [type(m) for m in here.heard] == [type(m) for m in there.heard]


def test_sets_of_several_hundred_thousand_points_arrive_both_ways(tmp_path):
    with wired(tmp_path, elements=300_000) as one:
        request = make_request(one.contract)
        one.run_here(request)
        require_same_folders(one, request)


def test_empty_sets_arrive(tmp_path):
    with wired(tmp_path, elements=0) as one:
        request = make_request(one.contract)
        one.run_here(request)
        require_same_folders(one, request)


def test_two_sessions_run_beside_each_other(tmp_path):
    with wired(tmp_path) as one:
        requests = [make_request(one.contract) for _ in range(2)]
        waits = [in_background(lambda r=request: one.run_here(r)) for request in requests]
        for wait, request in zip(waits, requests, strict=True):
            wait()
            require_same_folders(one, request)


# -- what breaks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dials", NAMES)
def test_a_set_goes_on_at_its_first_missing_chunk_after_the_listener_restarts(
    tmp_path, monkeypatch, dials
):
    gate = ChunkGate(monkeypatch, "listener", stop_before=3)
    with wired(tmp_path, dials=dials, elements=SEVERAL_CHUNKS) as one:
        request = make_request(one.contract)
        wait = in_background(lambda: one.run_here(request, patience_seconds=PATIENCE))
        assert gate.reached.wait(SECONDS)
        one.stop()
        gate.go_on.set()
        one.start()
        wait()
        require_same_folders(one, request)
    assert len(gate.indices) == len(set(gate.indices)), "no chunk was sent twice"


@pytest.mark.parametrize("dials", NAMES)
def test_a_set_goes_on_at_its_first_missing_chunk_after_the_dialler_restarts(
    tmp_path, monkeypatch, dials
):
    gate = ChunkGate(monkeypatch, "dialler", stop_before=3)
    gate.go_on.set()
    with wired(tmp_path, dials=dials, elements=SEVERAL_CHUNKS) as one:
        request = make_request(one.contract)
        with pytest.raises(ConnectionError):
            one.run_here(request)
        one.run_here(request)
        require_same_folders(one, request)
    assert len(gate.indices) == len(set(gate.indices)), "no chunk was fetched twice"


@pytest.mark.parametrize("step", range(6))
def test_a_dialler_that_is_gone_at_any_step_says_the_same_again(tmp_path, step):
    with wired(tmp_path) as one:
        request = make_request(one.contract)
        first = one.walk_here()
        first.before_step = stop_at(step)
        with pytest.raises(ConnectionError):
            one.run_here(request, first)
        second = one.run_here(request)
        there = one.desk.walks[-1]
        assert there.done.wait(SECONDS)
        require_same_folders(one, request)
    assert [m for m in there.heard if isinstance(m, Hello)] == there.heard[:1]
    assert second.heard[:3] == first.heard[:3]
    assert len(one.desk.walks) == 1, "the listener's driver never stopped"


@pytest.mark.parametrize("step", range(6))
def test_a_listener_that_restarts_at_any_step_says_the_same_again(tmp_path, step):
    with wired(tmp_path) as one:
        reached, go_on = threading.Event(), threading.Event()

        def pause(index, link):
            if index == step and not go_on.is_set():
                reached.set()
                go_on.wait(SECONDS)
                raise ConnectionError("the process is gone")

        one.prepare = lambda walk: setattr(walk, "before_step", pause)
        request = make_request(one.contract)
        wait = in_background(lambda: one.run_here(request, patience_seconds=PATIENCE))
        assert reached.wait(SECONDS)
        one.stop()
        go_on.set()
        one.start()
        here = wait()
        assert one.desk.walks[-1].done.wait(SECONDS)
        require_same_folders(one, request)
    assert len(one.desk.walks) == 2
    assert one.desk.walks[1].heard[:3] == one.desk.walks[0].heard[:3]
    assert len(here.heard) == 7


@pytest.mark.parametrize("step", [1, 4, 5])
def test_an_acknowledgement_that_a_restart_swallowed_is_taken_once_the_step_is_served_again(
    tmp_path, monkeypatch, step
):
    call, restarts = Line.call, []

    def restarting(line, rpc, message, **options):
        if rpc == "Acknowledge" and message.step == step and not restarts:
            restarts.append(step)
            one.prepare = lambda walk: setattr(walk, "before_step", late)
            one.stop()
            one.start()
        return call(line, rpc, message, **options)

    def late(index, link):
        if index == step:
            threading.Event().wait(0.6)  # the acknowledgement comes first, and is held for 0.3 s

    monkeypatch.setattr(Line, "call", restarting)
    with wired(tmp_path, dials="channel") as one:
        request = make_request(one.contract, requester="channel")
        one.run_here(request)
        assert one.desk.walks[-1].done.wait(SECONDS)
        require_same_folders(one, request)
    assert restarts == [step]


def test_what_was_said_before_a_restart_is_said_again_and_not_what_would_be_said_now(tmp_path):
    with wired(tmp_path) as one:
        request = make_request(one.contract)
        first = one.walk_here()
        first.before_step = stop_at(0)
        with pytest.raises(ConnectionError):
            one.run_here(request, first)
        said = Correspondence(one.folder_here(request), one.listens).said("hello")
        one.run_here(request)  # its clock has moved on, and so has its checkpoint
        heard = Correspondence(one.desk.folder(request.id), one.dials).heard("hello")
    assert heard == said


def test_a_last_answer_that_got_lost_is_repeated_after_the_session_has_finished(
    tmp_path, monkeypatch
):
    call, lost = Line.call, []

    def losing(line, rpc, message, **options):
        answer = call(line, rpc, message, **options)
        if rpc == "Cosign" and not lost:
            lost.append(answer)
            raise ConnectionError("the answer is lost")
        return answer

    monkeypatch.setattr(Line, "call", losing)
    with wired(tmp_path) as one:
        request = make_request(one.contract)
        with pytest.raises(ConnectionError):
            one.run_here(request)
        assert one.desk.walks[0].done.wait(SECONDS)
        one.stop()
        one.start()
        here = one.run_here(request)
    assert len(here.heard) == 7
    assert len(one.desk.walks) == 1, "no driver ran for it"


def test_a_finished_session_that_was_deleted_is_not_run_again(tmp_path):
    with wired(tmp_path) as one:
        one.desk.decision = Decision("finished")
        with pytest.raises(Refusal, match="its artefacts are deleted") as refused:
            one.run_here(make_request(one.contract))
    assert refused.value.status is RefusalStatus.EXPIRED
    assert not one.desk.walks


# -- silence -------------------------------------------------------------------------------------


def test_a_listener_suspends_a_session_whose_dialler_falls_silent(tmp_path):
    with wired(tmp_path, patience_seconds=1.5) as one:
        request = make_request(one.contract)
        walk = one.walk_here()
        walk.before_step = stop_at(2)
        with pytest.raises(ConnectionError):
            one.run_here(request, walk)
        there = one.desk.walks[0]
        assert there.done.wait(SECONDS)
        assert isinstance(there.errors[0], SessionSuspended)
        one.restart(patience_seconds=PATIENCE)
        one.run_here(request)
        require_same_folders(one, request)


def test_a_dialler_suspends_a_session_whose_listener_is_gone(tmp_path):
    with wired(tmp_path) as one:
        request = make_request(one.contract)
        walk = one.walk_here()
        walk.before_step = lambda index, link: one.stop() if index == 2 else None
        with pytest.raises(SessionSuspended, match="gave no sign"):
            one.run_here(request, walk, patience_seconds=2.0)
        one.start()
        one.run_here(request)
        require_same_folders(one, request)


def test_a_side_that_computes_for_longer_than_the_patience_is_not_silent(tmp_path):
    pause = threading.Event()
    with wired(tmp_path, patience_seconds=3) as one:
        slow = one.walk_here()
        slow.before_step = lambda index, link: pause.wait(4) if index == 2 else None
        one.prepare = lambda walk: setattr(
            walk, "before_step", lambda index, link: pause.wait(4) if index == 4 else None
        )
        request = make_request(one.contract)
        one.run_here(request, slow, patience_seconds=3, attend_seconds=0.1)
        require_same_folders(one, request)
    assert len(one.desk.walks) == 1


def test_a_listener_that_read_its_people_for_long_still_waits_its_patience_for_the_greeting(
    tmp_path,
):
    contract = contract_between()
    request = make_request(contract)
    name = SessionName(request.id, bytes.fromhex(request.contract))
    turns = Turns.of(Terms.of(request), "channel", "advertiser")
    read = 0.0
    meeting = Meeting(
        "advertiser", patience_seconds=2, hold_seconds=60, clock=lambda: time.monotonic() + read
    )
    mailbox = Mailbox(name, meeting, turns, SessionFolder(tmp_path))
    read = 3.0  # seconds, since the request was approved; the other side reads too
    theirs = Walk("advertiser", contract).hello(request)
    wait = in_background(lambda: mailbox.exchange(HELLO, Walk("channel", contract).hello(request)))
    mailbox.hear(HELLO, theirs)
    assert wait() == theirs
    with pytest.raises(SessionSuspended, match=r"gave no sign for 2 seconds"):
        mailbox.receive(1)


@pytest.mark.parametrize("stop", [SessionSuspended("gone"), Refusal(RefusalStatus.EXPIRED, "over")])
def test_a_session_that_has_stopped_holds_nobody_in_memory(tmp_path, stop):
    """Errors hold frames, and frames people: a session that opens again would hold them twice."""
    held = []

    def stop_with_people(index, link):
        people = np.zeros(1)
        held.append(weakref.ref(people))
        try:
            raise ValueError(people)
        except ValueError as error:
            raise stop from error

    with wired(tmp_path) as one:
        one.prepare = lambda walk: setattr(walk, "before_step", stop_with_people)
        gc.disable()
        try:
            with pytest.raises((SessionSuspended, Refusal)):
                one.run_here(make_request(one.contract), patience_seconds=0.3)
            assert one.desk.walks[0].done.wait(SECONDS)
            one.desk.walks.clear()
            until(lambda: held[0]() is None)  # the thread is ending
        finally:
            gc.enable()


def test_a_graceful_stop_suspends_the_drivers(tmp_path):
    with wired(tmp_path, patience_seconds=60) as one:
        walk = one.walk_here()
        walk.before_step = stop_at(2)
        with pytest.raises(ConnectionError):
            one.run_here(make_request(one.contract), walk)
        assert one.server.running_sessions() == 1
        one.stop(grace=3)
        there = one.desk.walks[0]
        assert there.done.is_set()
        assert isinstance(there.errors[0], SessionSuspended)
        assert one.server.running_sessions() == 0


def test_a_driver_whose_workers_a_stop_has_ended_has_not_failed(tmp_path, caplog):
    caplog.set_level("INFO")
    with wired(tmp_path, patience_seconds=60) as one:
        ended = threading.Event()

        def compute(index, link):
            if index == 1:
                ended.wait(SECONDS)
                raise RuntimeError("cannot schedule new futures after shutdown")

        one.prepare = lambda walk: setattr(walk, "before_step", compute)
        walk = one.walk_here()
        walk.before_step = stop_at(1)
        with pytest.raises(ConnectionError):
            one.run_here(make_request(one.contract), walk)
        stopping = threading.Thread(target=one.stop, kwargs={"grace": 3})
        stopping.start()
        until(lambda: one.server._sessions._stopping)
        ended.set()
        stopping.join()
    assert "this party is shutting down" in caplog.text
    assert "a fault of this program" not in caplog.text


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", RefusalStatus)
def test_a_refusal_of_the_listener_reaches_the_dialler_with_status_and_reason(tmp_path, status):
    with wired(tmp_path) as one:
        one.prepare = lambda walk: setattr(walk, "before_step", refuse_at(2, status))
        with pytest.raises(Refusal) as refused:
            one.run_here(make_request(one.contract))
    assert (refused.value.status, refused.value.message) == (status, "because of the test")


def test_a_refusal_of_the_dialler_reaches_the_listener_with_status_and_reason(tmp_path):
    with wired(tmp_path) as one:
        walk = one.walk_here()
        walk.before_step = refuse_at(2, RefusalStatus.BELOW_MINIMUM)
        with pytest.raises(Refusal):
            one.run_here(make_request(one.contract), walk)
        there = one.desk.walks[0]
        assert there.done.wait(SECONDS)
    error = there.errors[0]
    assert error.status is RefusalStatus.BELOW_MINIMUM
    assert error.message == "because of the test"


def test_a_refusal_reaches_a_dialler_that_computes(tmp_path):
    known_while_computing = []
    with wired(tmp_path) as one:
        computes = threading.Event()

        def tell(index, link):
            if index == 3:
                computes.wait(SECONDS)
                refuse_at(3, RefusalStatus.INVALID_POINT)(index, link)

        def compute(index, link):
            if index == 3:
                computes.set()
                one.desk.walks[0].done.wait(SECONDS)
                known_while_computing.append(until(lambda: link._line.refused))

        one.prepare = lambda walk: setattr(walk, "before_step", tell)
        walk = one.walk_here()
        walk.before_step = compute
        with pytest.raises(Refusal) as refused:
            one.run_here(make_request(one.contract), walk, attend_seconds=0.1)
    assert refused.value.status is RefusalStatus.INVALID_POINT
    assert known_while_computing == [refused.value]


def test_a_driver_that_fails_on_its_own_side_suspends_the_other(tmp_path, caplog):
    with wired(tmp_path) as one:

        def fail(index, link):
            if index == 1 and len(one.desk.walks) == 1:
                raise PartyError("the disk is full")

        one.prepare = lambda walk: setattr(walk, "before_step", fail)
        request = make_request(one.contract)
        with pytest.raises(SessionSuspended, match="stopped at the other party"):
            one.run_here(request)
        assert "the disk is full" in caplog.text
        one.run_here(request)
        require_same_folders(one, request)


def test_what_went_wrong_inside_a_listener_stays_there(tmp_path, caplog):
    def fail(peer, request):
        raise OSError("/home/channel/store.db is full")

    with wired(tmp_path) as one, one.dialler() as dialler:
        one.desk.submit = fail
        with pytest.raises(PeerFailed, match="ask it to look") as failed:
            dialler.submit(make_request(one.contract))
    assert "store.db" not in str(failed.value)
    assert "store.db" in caplog.text


def test_a_request_that_is_refused_or_waits_opens_no_session(tmp_path):
    with wired(tmp_path) as one:
        one.desk.decision = Decision("refused", RefusalStatus.DECLINED, "not this month")
        with pytest.raises(Refusal, match="not this month") as refused:
            one.run_here(make_request(one.contract))
        assert refused.value.status is RefusalStatus.DECLINED
        one.desk.decision = Decision("pending")
        with pytest.raises(SessionSuspended, match="waits for approval"):
            one.run_here(make_request(one.contract))
    assert not one.desk.walks


def test_a_listener_works_on_a_request_from_its_approval_on(tmp_path):
    with wired(tmp_path) as one, one.dialler() as dialler:
        request = make_request(one.contract)
        for other in (Decision("pending"), Decision("refused", RefusalStatus.DECLINED, "no")):
            one.desk.decision = other
            dialler.submit(request)
            assert not one.desk.walks
        one.desk.decision = Decision("approved")
        dialler.submit(request)
        dialler.submit(request)
        until(lambda: one.desk.walks)  # the listener does not wait to be greeted
        one.run_here(request)
        assert len(one.desk.walks) == 1
        require_same_folders(one, request)


def test_a_listener_without_room_for_an_approved_request_says_so_to_the_greeting(tmp_path):
    with wired(tmp_path, max_sessions=1) as one, one.dialler() as dialler:
        first, second = make_request(one.contract), make_request(one.contract)
        assert dialler.submit(first) == dialler.submit(second) == Decision("approved")
        with pytest.raises(SessionSuspended, match="BUSY"):
            one.run_here(second, patience_seconds=0.3)
        one.run_here(first)
        require_same_folders(one, first)


def test_more_sessions_than_allowed_wait_for_their_turn(tmp_path):
    go_on = threading.Event()
    with wired(tmp_path, max_sessions=1) as one:
        one.prepare = lambda walk: setattr(
            walk, "before_step", lambda index, link: go_on.wait(SECONDS) if index == 1 else None
        )
        first = make_request(one.contract)
        wait = in_background(lambda: one.run_here(first))
        until(lambda: one.desk.walks)
        second = make_request(one.contract)
        with pytest.raises(SessionSuspended, match="BUSY"):
            one.run_here(second, patience_seconds=0.3)
        go_on.set()
        wait()
        one.desk.decision = Decision("approved")
        one.run_here(second)
        require_same_folders(one, second)


# -- requests ------------------------------------------------------------------------------------


def test_requests_are_submitted_listed_and_decided(tmp_path):
    with wired(tmp_path) as one, one.dialler() as dialler:
        dialler.check_health()
        assert dialler.submit(make_request(one.contract)) == Decision("approved")
        one.desk.decision = Decision("refused", RefusalStatus.BUDGET_EXHAUSTED, "ε is spent")
        assert dialler.submit(make_request(one.contract)) == one.desk.decision
        assert dialler.fetch_requests() == []
        waiting = make_request(one.contract, requester=one.listens)
        one.desk.own_requests.append(waiting)
        assert dialler.fetch_requests() == [waiting]
        dialler.decide(waiting.id, Decision("refused", RefusalStatus.DECLINED, "no"))
    assert one.desk.decided == [
        (one.dials, waiting.id, Decision("refused", RefusalStatus.DECLINED, "no"))
    ]


def test_only_requests_that_wait_for_the_caller_are_decided_and_only_with_yes_or_no(tmp_path):
    with wired(tmp_path) as one, one.dialler() as dialler:
        with pytest.raises(Refusal, match="no request with this id waits"):
            dialler.decide("0" * 32, Decision("approved"))
        with pytest.raises(Refusal, match="must be APPROVED or REFUSED"):
            dialler.decide("0" * 32, Decision("finished"))
    assert not one.desk.decided


def test_a_listing_carries_no_more_than_fits_and_the_first_come_first(tmp_path):
    with wired(tmp_path) as one, one.dialler() as dialler:
        waiting = [make_request(one.contract, requester=one.listens) for _ in range(70)]
        one.desk.own_requests.extend(waiting)
        assert dialler.fetch_requests() == waiting[:64]


def stop_at(step):
    """Return a hook that kills the side, as far as its driver goes, before a step."""

    def stop(index, link):
        if index == step:
            raise ConnectionError("the process is gone")

    return stop


def refuse_at(step, status):
    """Return a hook that refuses before a step, as a session does."""

    def refuse(index, link):
        if index == step:
            link.refuse(status.value, "because of the test")
            raise Refusal(status, "because of the test")

    return refuse
