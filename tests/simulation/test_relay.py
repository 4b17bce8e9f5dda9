"""Three parties, two of whom never meet: the same bytes at all of them, whatever breaks."""

import threading
import time

import numpy as np
import pytest
from wired_parties import SECONDS, in_background
from wired_three import HUB, LISTEN, TABULATES, THIRD, make_request, table_of_three

import client.relay
from party import artefacts
from party.errors import Refusal, RefusalStatus, SessionSuspended
from party.parcels.contents import introduction
from party.parcels.store import IncomingParcel, ParcelFile
from party.terms import Terms
from party.wire.names import SessionName
from party.wire.parcels import (
    ParcelName,
    encode_acknowledgement,
    encode_chunk,
    encode_opening,
)
from psi.sets import LabelledSet

SEVERAL_CHUNKS = 5 * artefacts.CHUNK_POINTS + 17


def require_same_folders(table, request):
    """Check that both ends of every step hold it, and hold it alike, and nobody else does."""
    terms = Terms.of(request)
    folders = {name: table.folder_of(name, request) for name in (HUB, *LISTEN)}
    for index, step in enumerate(terms.table.steps):
        ends = {terms.party_of(step.sender), terms.party_of(step.receiver)}
        held = {name: folder.digest(index) for name, folder in folders.items()}
        assert {name for name, digest in held.items() if digest} == ends
        assert len({held[name] for name in ends}) == 1
        one, other = (folders[name].load(index) for name in ends)
        if isinstance(one, LabelledSet):
            assert one.sizes == other.sizes
            assert np.array_equal(one.elements, other.elements)
        else:
            assert one == other


def require_all_done(table):
    for desk in table.desks.values():
        assert desk.walks[-1].done.wait(SECONDS)
        assert not desk.walks[-1].errors


def test_all_three_hold_the_same_bytes_of_every_step(tmp_path):
    with table_of_three(tmp_path) as table:
        request = make_request()
        hub = table.run_hub(request)
        require_all_done(table)
        require_same_folders(table, request)
        assert [m.party for m in hub.heard[:2]] == [THIRD, TABULATES]
        for name, other in ((THIRD, TABULATES), (TABULATES, THIRD)):
            heard = table.desks[name].walks[0].heard
            assert [m.party for m in heard[:2]] == [HUB, other]
            assert len(heard) == len(hub.heard) == 14


def test_sets_of_several_chunks_arrive_and_the_hub_keeps_none_of_them(tmp_path):
    with table_of_three(tmp_path, elements=SEVERAL_CHUNKS) as table:
        request = make_request()
        table.run_hub(request, patience_seconds=20)
        require_all_done(table)
        require_same_folders(table, request)
        kept = [file.name for file in table.folder_of(HUB, request).path.glob("parcel-*.data")]
    assert not kept


# -- what breaks -----------------------------------------------------------------------------------


class ParcelGate:
    """Records which chunks reach a disk, and stops once before the given number of one parcel."""

    def __init__(self, monkeypatch, place, stop_before):
        self.seen, self.stopped = [], False
        self.reached, self.go_on = threading.Event(), threading.Event()
        accept = IncomingParcel.accept

        def counted(incoming, index, data):
            if place in incoming._path.parts:
                if index == stop_before and not self.stopped:
                    self.stopped = True
                    self.reached.set()
                    self.go_on.wait(SECONDS)
                    raise ConnectionError("the process is gone")
                self.seen.append((incoming._path.name, index))
            accept(incoming, index, data)

        monkeypatch.setattr(IncomingParcel, "accept", counted)


def test_a_parcel_goes_on_at_its_first_missing_chunk_after_its_receiver_restarts(
    tmp_path, monkeypatch
):
    gate = ParcelGate(monkeypatch, TABULATES, stop_before=3)
    with table_of_three(tmp_path, elements=SEVERAL_CHUNKS) as table:
        request = make_request()
        wait = in_background(lambda: table.run_hub(request, patience_seconds=20))
        assert gate.reached.wait(SECONDS)
        table.stop(TABULATES)
        gate.go_on.set()
        table.start(TABULATES)
        wait()
        require_same_folders(table, request)
    assert len(gate.seen) == len(set(gate.seen)), "no chunk was sent twice"


def test_a_parcel_goes_on_at_its_first_missing_chunk_after_the_hub_restarts(tmp_path, monkeypatch):
    gate = ParcelGate(monkeypatch, HUB, stop_before=3)
    gate.go_on.set()
    with table_of_three(tmp_path, elements=SEVERAL_CHUNKS) as table:
        request = make_request()
        with pytest.raises(ConnectionError):
            table.run_hub(request, patience_seconds=20)
        table.run_hub(request, patience_seconds=20)
        require_same_folders(table, request)
    assert len(gate.seen) == len(set(gate.seen)), "no chunk was fetched twice"


@pytest.mark.parametrize(
    ("name", "step"), [(THIRD, 1), (THIRD, 6), (THIRD, 15), (TABULATES, 3), (TABULATES, 14)]
)
def test_a_listener_that_restarts_at_any_step_says_the_same_again(tmp_path, name, step):
    with table_of_three(tmp_path) as table:
        reached, go_on = threading.Event(), threading.Event()

        def pause(index, links):
            if index == step and not go_on.is_set():
                reached.set()
                go_on.wait(SECONDS)
                raise ConnectionError("the process is gone")

        table.prepare[name] = lambda walk: setattr(walk, "before_step", pause)
        request = make_request()
        wait = in_background(lambda: table.run_hub(request, patience_seconds=20))
        assert reached.wait(SECONDS)
        sealed = sealed_bytes(table, name, request)
        table.stop(name)
        go_on.set()
        table.start(name)
        wait()
        walks = table.desks[name].walks
        assert walks[-1].done.wait(SECONDS)
        require_same_folders(table, request)
        now = sealed_bytes(table, name, request)
        assert {one: now[one] for one in sealed} == sealed
    assert len(walks) == 2
    assert walks[1].heard[:6] == walks[0].heard[:6]


@pytest.mark.parametrize("step", [0, 7, 16])
def test_a_hub_that_is_gone_at_any_step_says_the_same_again(tmp_path, step):
    with table_of_three(tmp_path) as table:
        request = make_request()
        first = table.walk_of(HUB)
        first.before_step = stop_at(step)
        with pytest.raises(ConnectionError):
            table.run_hub(request, first)
        second = table.run_hub(request)
        require_all_done(table)
        require_same_folders(table, request)
        assert second.heard[:6] == first.heard[:6]
        assert all(len(desk.walks) == 1 for desk in table.desks.values())


def sealed_bytes(table, name, request):
    """Return what a party has sealed and kept, by the name of its file."""
    files = table.folder_of(name, request).path.glob(f"parcel-{name}-*.data")
    return {file.name: file.read_bytes() for file in files}


def stop_at(step):
    def stop(index, links):
        if index == step:
            raise ConnectionError("the process is gone")

    return stop


# -- one ends it -----------------------------------------------------------------------------------


def refuse_at(step, status):
    def refuse(index, links):
        if index == step:
            raise Refusal(status, "because of the test")

    return refuse


@pytest.mark.parametrize(
    ("name", "step"), [(HUB, 4), (HUB, 16), (THIRD, 6), (THIRD, 15), (TABULATES, 3), (TABULATES, 6)]
)
def test_what_one_refuses_ends_it_with_all_for_the_same_reason(tmp_path, name, step):
    status = RefusalStatus.WRONG_ANSWER
    with table_of_three(tmp_path) as table:
        if name in LISTEN:
            table.prepare[name] = lambda walk: setattr(walk, "before_step", refuse_at(step, status))
        hub = table.walk_of(HUB)
        if name == HUB:
            hub.before_step = refuse_at(step, status)
        with pytest.raises(Refusal):
            table.run_hub(make_request(), hub)
        walks = {HUB: hub, **{one: desk.walks[0] for one, desk in table.desks.items()}}
        for walk in walks.values():
            assert walk.done.wait(SECONDS)
    said = {one: (walk.errors[0].status, walk.errors[0].message) for one, walk in walks.items()}
    assert set(said.values()) == {(status, "because of the test")}
    assert len(said) == 3


def test_a_refusal_reaches_a_hub_that_another_keeps_waiting_at_once(tmp_path):
    """The hub waits in a call that the tabulator, which computes, holds for a minute."""
    go_on, computed = threading.Event(), threading.Event()

    def compute(index, links):
        if index == 2:
            go_on.wait(SECONDS)
            computed.set()

    def refuse(index, links):
        if index == 3:
            time.sleep(0.5)  # the hub is in that call by now
            raise Refusal(RefusalStatus.WRONG_ANSWER, "because of the test")

    with table_of_three(tmp_path, hold_seconds=SECONDS, patience_seconds=2 * SECONDS) as table:
        table.prepare[TABULATES] = lambda walk: setattr(walk, "before_step", compute)
        table.prepare[THIRD] = lambda walk: setattr(walk, "before_step", refuse)
        with pytest.raises(Refusal, match="because of the test"):
            table.run_hub(make_request(), patience_seconds=2 * SECONDS, attend_seconds=SECONDS)
        assert not computed.is_set()
        go_on.set()
        assert table.desks[TABULATES].walks[0].done.wait(SECONDS)
    assert "because of the test" in str(table.desks[TABULATES].walks[0].errors[0])


@pytest.mark.parametrize("name", LISTEN)
def test_one_that_falls_silent_suspends_it_with_all_and_it_goes_on_when_it_is_back(tmp_path, name):
    with table_of_three(tmp_path, patience_seconds=3.0) as table:
        request = make_request()
        reached = threading.Event()

        def leave(index, links):
            if index == 6 and not reached.is_set():
                reached.set()
                threading.Event().wait(30)

        table.prepare[name] = lambda walk: setattr(walk, "before_step", leave)
        wait = in_background(lambda: table.run_hub(request, patience_seconds=3.0))
        assert reached.wait(SECONDS)
        table.stop(name)
        with pytest.raises(SessionSuspended):
            wait()
        other = next(one for one in LISTEN if one != name)
        assert table.desks[other].walks[0].done.wait(SECONDS)
        assert isinstance(table.desks[other].walks[0].errors[0], SessionSuspended)
        table.start(name)
        table.run_hub(request)
        require_same_folders(table, request)


# -- a hub that lies -------------------------------------------------------------------------------


def flip(index, data):
    return encode_chunk(index, data[:-1] + bytes([data[-1] ^ 1]))


def drop_last(index, data):
    return encode_chunk(index, data[:-1])


@pytest.mark.parametrize("lie", [flip, drop_last])
def test_a_hub_that_alters_a_parcel_is_found_out_and_nothing_of_it_is_taken(
    tmp_path, monkeypatch, lie
):
    lied = []

    def lying(index, data):
        if len(data) < 1000 or lied:
            return encode_chunk(index, data)
        lied.append(index)
        return lie(index, data)

    monkeypatch.setattr(client.relay, "encode_chunk", lying)
    with table_of_three(tmp_path) as table:
        request = make_request()
        with pytest.raises(Refusal) as refused:
            table.run_hub(request)
        assert refused.value.status is RefusalStatus.BAD_REQUEST
        for desk in table.desks.values():
            assert desk.walks[0].done.wait(SECONDS)
            assert desk.walks[0].errors[0].status is RefusalStatus.BAD_REQUEST
    assert lied


def test_a_hub_cannot_introduce_itself_in_anothers_name(tmp_path, monkeypatch):
    made = introduction(bytes([9]) + bytes(31))

    def lying(file, start=0):
        return iter([made]) if file.number == 0 else chunks(file, start)

    chunks = ParcelFile.chunks
    monkeypatch.setattr(client.relay.ParcelFile, "chunks", lying)
    with table_of_three(tmp_path) as table, pytest.raises(Refusal) as refused:
        table.run_hub(make_request())
    assert refused.value.status is RefusalStatus.BAD_REQUEST


def test_a_hub_cannot_say_that_a_party_has_what_it_does_not_have(tmp_path, monkeypatch):
    """Else the third would give its route key while the tabulator still lacks its answer."""

    def lying(name, receipt):
        return encode_acknowledgement(name, receipt[::-1])

    monkeypatch.setattr(client.relay, "encode_acknowledgement", lying)
    with table_of_three(tmp_path) as table, pytest.raises(Refusal, match="receipt") as refused:
        table.run_hub(make_request())
    assert refused.value.status is RefusalStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("sender", "number", "problem"),
    [
        (THIRD, 12, "before its turn"),
        (THIRD, 70, "not one that comes from the other side"),
        (HUB, 0, "no such party"),
        ("nobody", 0, "no such party"),
    ],
)
def test_a_parcel_out_of_turn_or_from_nobody_ends_the_session(tmp_path, sender, number, problem):
    with table_of_three(tmp_path) as table:
        request = make_request()
        first = table.walk_of(HUB)
        first.before_step = stop_at(0)
        with pytest.raises(ConnectionError):
            table.run_hub(request, first)
        name = SessionName(request.id, bytes.fromhex(request.contract))
        opening = encode_opening(ParcelName(name, sender, number))
        with table.dialler(TABULATES) as dialler, pytest.raises(Refusal, match=problem):
            dialler.attempt(lambda: dialler.parcels.SendParcel(iter([opening]), timeout=10))
