"""Sets that are raised while they come in: the same answers, the same refusals, nothing before."""

import threading
import time

import numpy as np
import pytest

from party import artefacts
from party.ahead import Ahead, ArrivingSet
from party.artefacts import SessionFolder, header_of, read_chunks
from psi.curve import Scalar, public_points
from psi.errors import InvalidPoint
from psi.legs import Form, Order
from psi.sets import LabelledSet, raise_set

SECONDS = 60
SCALAR = Scalar.from_bytes(bytes(range(32)))
POINTS = public_points([Scalar.from_bytes(bytes([n]) * 32) for n in range(1, 31)])
SET = LabelledSet((12, 18), POINTS)
TO = {"labels": 2, "form": Form.TAGS, "order": Order.SORTED}


@pytest.fixture(autouse=True)
def chunks_of_eight(monkeypatch):
    monkeypatch.setattr(artefacts, "CHUNK_POINTS", 8)


class Raised:
    """How many points have been raised; whoever wants more of them waits."""

    def __init__(self):
        self._changed, self._done = threading.Condition(), 0

    def tell(self, done):
        with self._changed:
            self._done = done
            self._changed.notify_all()

    def wait_for(self, points):
        with self._changed:
            return self._changed.wait_for(lambda: self._done >= points, SECONDS)


def begin(ahead, folder, tell=None):
    """Begin to raise the set of step 0, as far as it comes."""
    ahead.begin(0, lambda: raise_set(ArrivingSet(folder, 0, ahead), SCALAR, progress=tell, **TO))


def test_each_chunk_is_raised_when_it_is_here_and_the_answer_is_that_of_the_whole(tmp_path):
    folder, raised = SessionFolder(tmp_path), Raised()
    with Ahead() as ahead:
        begin(ahead, folder, raised.tell)
        incoming = folder.incoming(0, header_of(SET))
        for number, chunk in enumerate(read_chunks(SET, 0), start=1):
            incoming.accept(chunk)
            assert raised.wait_for(min(8 * number, len(SET))), "a chunk was not raised as it came"
        incoming.finish()
        answer = ahead.take(0)
    whole = raise_set(SET, SCALAR, **TO)
    assert answer.sizes == whole.sizes
    assert np.array_equal(answer.elements, whole.elements)


def test_a_set_that_is_here_is_raised_as_a_whole(tmp_path):
    folder = SessionFolder(tmp_path)
    folder.store(0, SET)
    with Ahead() as ahead:
        begin(ahead, folder)
        assert np.array_equal(ahead.take(0).elements, raise_set(SET, SCALAR, **TO).elements)
        assert ahead.take(0) is None


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (bytes(32), "image of zero"),
        (b"\xff" * 32, "not canonical"),
        (POINTS[0].tobytes(), "repeat"),
    ],
)
def test_a_fault_at_its_very_end_refuses_the_set_when_its_turn_has_come(tmp_path, last, says):
    points = POINTS.copy()
    points[-1] = np.frombuffer(last, np.uint8)
    folder, faulty = SessionFolder(tmp_path), LabelledSet((12, 18), points)
    with Ahead() as ahead:
        begin(ahead, folder)
        incoming = folder.incoming(0, header_of(faulty))
        for chunk in read_chunks(faulty, 0):
            incoming.accept(chunk)
        incoming.finish()
        with pytest.raises(InvalidPoint, match=says):
            ahead.take(0)


def test_what_has_come_of_a_chunk_is_not_looked_at_before_it_is_whole(tmp_path):
    folder = SessionFolder(tmp_path)
    incoming = folder.incoming(0, header_of(SET))
    assert folder.arrived(0, 0) is None
    first, second, *_ = read_chunks(SET, 0)
    incoming.accept(first)
    with (tmp_path / "00.part").open("ab") as file:
        file.write(second.data[:100])  # killed before its digest was there
    assert np.array_equal(folder.arrived(0, 0), POINTS[:8])
    assert np.array_equal(folder.arrived(0, 3), POINTS[3:8])
    assert folder.arrived(0, 8) is None


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_session_that_ends_waits_for_no_set(tmp_path, has_begun):
    folder, raised = SessionFolder(tmp_path), Raised()
    began = time.monotonic()
    with Ahead() as ahead:
        begin(ahead, folder, raised.tell)
        if has_begun:
            incoming = folder.incoming(0, header_of(SET))
            incoming.accept(next(read_chunks(SET, 0)))
            assert raised.wait_for(8)
    assert time.monotonic() - began < SECONDS
