"""What one process does at a time: a second one is told, and a kill leaves nothing behind."""

import multiprocessing
import os
import signal
import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from party import lock_file, occupied
from party.errors import InUse, SessionSuspended
from party.occupied import (
    carrying_out,
    changing_list,
    deleting,
    is_carried_out,
    listens_at,
    one_listener,
)

REQUEST = "ab" * 16


def hold(folder, ready):
    with one_listener(folder) as tell, carrying_out(folder, REQUEST):
        tell("127.0.0.1:7443")
        ready.set()
        threading.Event().wait()


@pytest.fixture
def holder(tmp_path):
    """A process that listens and carries out a session."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(30)
    yield process
    process.kill()
    process.join()


def test_a_second_listener_is_refused_and_told_where_the_first_is(tmp_path, holder):
    assert listens_at(tmp_path) == "127.0.0.1:7443"
    with pytest.raises(InUse, match=r"127\.0\.0\.1:7443"), one_listener(tmp_path):
        pass


def test_a_session_that_another_process_carries_out_is_left_to_it(tmp_path, holder):
    assert is_carried_out(tmp_path, REQUEST)
    with pytest.raises(SessionSuspended, match="another command"):
        carrying_out(tmp_path, REQUEST).__enter__()
    with carrying_out(tmp_path, "cd" * 16):
        pass


def test_a_killed_process_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    assert listens_at(tmp_path) is None
    assert not is_carried_out(tmp_path, REQUEST)
    with one_listener(tmp_path), carrying_out(tmp_path, REQUEST):
        assert listens_at(tmp_path) == ""


def test_threads_of_one_process_do_not_share_a_session(tmp_path):
    with carrying_out(tmp_path, REQUEST), pytest.raises(SessionSuspended):
        carrying_out(tmp_path, REQUEST).__enter__()


LOCKS = {
    "a list": lambda folder: changing_list(folder, REQUEST),
    "what is deleted": lambda folder: deleting(folder, patiently=True),
}


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_what_is_soon_done_is_waited_for(tmp_path, monkeypatch, lock):
    with ExitStack() as first:
        first.enter_context(lock(tmp_path))
        paused = SimpleNamespace(sleep=lambda _: first.close())  # the first is done meanwhile
        monkeypatch.setattr(lock_file, "time", paused)
        with lock(tmp_path):
            monkeypatch.undo()
            monkeypatch.setattr(occupied, "PATIENCE_SECONDS", 0.0)
            with pytest.raises(InUse, match="repeat this"):
                lock(tmp_path).__enter__()


def test_what_is_over_leaves_no_file(tmp_path):
    with one_listener(tmp_path) as tell:
        tell("here")
    assert list((tmp_path / "locks").iterdir()) == []
    assert listens_at(tmp_path) is None


def test_many_threads_take_turns_and_never_hold_together(tmp_path):
    """The file is deleted by who lets go: nobody may hold a file that another one has deleted."""
    inside, most, turns = [], [], []

    def work():
        for _ in range(30):
            try:
                with carrying_out(tmp_path, REQUEST):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
                    turns.append(1)
            except SessionSuspended:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert turns
