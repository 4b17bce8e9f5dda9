"""A process that holds secrets is neither dumped nor read by others of its account."""

import sys

import pytest

from party.workers import start_workers

ASKED = "__import__('ctypes').CDLL(None).prctl(3, 0, 0, 0, 0), __import__('resource').getrlimit(4)"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_worker_is_not_dumpable_and_has_no_room_for_a_core_file():
    with start_workers(1) as workers:
        assert workers.submit(eval, ASKED).result() == (0, (0, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_service_manager_that_forbids_the_limit_stops_nobody(monkeypatch):
    """As the unit does: setrlimit is among systemd's @resources."""
    import resource

    from party import process

    def forbidden(*_):
        raise PermissionError(1, "Operation not permitted")

    asked = []
    monkeypatch.setattr(resource, "setrlimit", forbidden)
    monkeypatch.setattr(process.ctypes, "CDLL", lambda _: Prctl(asked))
    process.keep_memory_private()
    assert asked == [(4, 0, 0, 0, 0)]


class Prctl:
    def __init__(self, asked):
        self.prctl = lambda *words: asked.append(words)
