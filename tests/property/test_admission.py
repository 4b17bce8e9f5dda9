"""Places among a listener's sessions: never too many, none left empty, nobody starved."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.admission import ASKED_SECONDS, MOST_WAITING_A_PEER, Queue

PEERS = st.sampled_from(["anna", "bert", "cleo"])
STEPS = st.lists(st.tuples(st.sampled_from(["ask", "end"]), PEERS, st.integers(0, 5)), max_size=80)


@given(STEPS, st.integers(1, 4), st.integers(1, 4))
def test_places_are_never_more_than_there_are_and_none_is_left_empty(steps, most, of_a_peer):
    now, running = [0.0], set()
    queue = Queue(most, of_a_peer, clock=lambda: now[0])
    for what, peer, number in steps:
        now[0] += 0.01
        key = (peer, str(number))
        if what == "end":
            running.discard(key)
        elif key not in running and queue.admit(*key, Counter(p for p, _ in running)):
            running.add(key)
        by_peer = Counter(p for p, _ in running)
        assert by_peer.total() <= most
        assert all(count <= of_a_peer for count in by_peer.values())
    waiting = set(queue._waiting)
    for key in sorted(waiting):  # all ask again: what is free goes to somebody
        if queue.admit(*key, Counter(p for p, _ in running)):
            running.add(key)
    for key in sorted(waiting - running):
        if queue.admit(*key, Counter(p for p, _ in running)):
            running.add(key)
    by_peer = Counter(p for p, _ in running)
    left = {peer for peer, _ in waiting - running}
    assert by_peer.total() == most or all(by_peer[peer] >= of_a_peer for peer in left)


@given(st.integers(1, 4), st.integers(2, 40))
def test_a_counterpart_waits_behind_nobodys_backlog(most, backlog):
    """Whoever asks for one session gets one of the next places, however many another waits for."""
    now = [0.0]
    queue = Queue(most, most, clock=lambda: now[0])
    running = Counter()
    for number in range(most):
        assert queue.admit("busy", f"first {number}", running)
        running["busy"] += 1
    for number in range(backlog):
        assert not queue.admit("busy", str(number), running)
    assert not queue.admit("small", "one", running)
    running["busy"] -= 1
    now[0] += 1
    assert not queue.admit("busy", "0", running), "the place is the other's"
    assert queue.admit("small", "one", running)


def test_who_asks_no_more_keeps_no_place():
    now = [0.0]
    queue = Queue(1, 1, clock=lambda: now[0])
    assert not queue.admit("gone", "one", Counter(other=1))
    now[0] = 1.0
    assert not queue.admit("here", "two", Counter())
    now[0] = 1.0 + ASKED_SECONDS
    assert queue.admit("here", "two", Counter())


def test_one_counterpart_does_not_fill_the_queue():
    queue = Queue(1, 1, clock=lambda: 0.0)
    full = Counter(other=1)
    for number in range(2 * MOST_WAITING_A_PEER):
        queue.admit("many", str(number), full)
    assert not queue.full
    assert not queue.admit("few", "one", full)
    assert queue.admit("few", "one", Counter()) or queue.admit("many", "0", Counter())
