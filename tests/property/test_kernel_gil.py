"""Every long call of the kernel lets other threads run Python meanwhile.

The proof needs no clock on the wall: while one thread holds the GIL without a pause, the CPU time
of the thread that is in the kernel moves on. With the GIL in the kernel's hands it could not.
"""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from kernel_tiers import require_kernel

POINTS, ROWS = 1 << 17, 1 << 21  # tenths of a second of work each, or more
PROGRESS, PATIENCE = 0.02, 30  # CPU seconds in the kernel; seconds for them to pass
SCALAR = bytes(range(32))


def rows(count, width=32):
    return np.random.default_rng(7).integers(0, 256, (count, width), dtype=np.uint8)


def points():
    some = rows(POINTS)
    some[:, 31] &= 0x3F  # canonical
    return some


def texts(count):
    text = b"person0000000@example.com"
    return text * count, np.arange(count + 1, dtype=np.int64) * len(text)


def raising(kernel):
    return kernel.Engine().raise_points, (points(), SCALAR, rows(POINTS))


def hashing(kernel):
    return kernel.Engine().hash, (*texts(POINTS), b"", b"dst", rows(POINTS))


def hashing_and_raising(kernel):
    return kernel.Engine().hash_and_raise, (*texts(POINTS), b"", b"dst", SCALAR, rows(POINTS))


def public_points(kernel):
    return kernel.Engine().public_points, (rows(POINTS), rows(POINTS))


def raising_to_each(kernel):
    return kernel.Engine().raise_to_each, (b"\x09" + bytes(31), rows(POINTS), rows(POINTS))


def sorting(kernel):
    return kernel.sort_order, (rows(ROWS), 32, np.empty(ROWS, dtype=np.int64))


def finding(kernel):
    return kernel.find, (rows(ROWS, 16), rows(ROWS, 16), 16, np.empty(ROWS, dtype=np.int64))


def digesting(kernel):
    taken = np.empty(ROWS, dtype=np.uint8)
    return kernel.digest, ("email", 32, *texts(ROWS), rows(ROWS), taken)


LONG_CALLS = (
    raising, hashing, hashing_and_raising, public_points, raising_to_each, sorting, finding,
    digesting,
)  # fmt: skip


def moves_on_while_python_runs(thread):
    """Say whether a thread gets CPU time although this one keeps the GIL from now on."""
    clock = time.pthread_getcpuclockid(thread.ident)
    began, patience = time.clock_gettime(clock), time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if time.clock_gettime(clock) > began + PROGRESS:
            return True
    return False


@pytest.fixture
def unhurried():
    """Let a thread keep the GIL until it waits for something."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(10 * PATIENCE)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("prepare", LONG_CALLS, ids=lambda prepare: prepare.__name__)
def test_a_long_call_lets_go_of_the_gil(unhurried, prepare):
    call, arguments = prepare(require_kernel())
    begins = threading.Event()

    def work():
        begins.set()
        call(*arguments, threads=1)

    thread = threading.Thread(target=work)
    thread.start()
    begins.wait()  # what waits lets go of the GIL; the other keeps it until it is in the kernel
    moves_on = moves_on_while_python_runs(thread)
    thread.join()
    assert moves_on, "no other thread ran Python while the kernel worked"


def test_the_proof_fails_where_a_call_keeps_the_gil(monkeypatch, unhurried):
    monkeypatch.setattr(sys.modules[__name__], "PATIENCE", 0.5)
    begins, stop = threading.Event(), threading.Event()

    def work():
        begins.wait()
        while not stop.is_set():
            pass

    thread = threading.Thread(target=work)
    thread.start()
    begins.set()  # from here on it wants the GIL, which this thread keeps as such a call would
    moves_on = moves_on_while_python_runs(thread)
    stop.set()
    thread.join()
    assert not moves_on
