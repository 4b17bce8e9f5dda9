"""Who is next when a listener carries as many sessions as it may.

A counterpart that finds no room is told so and asks again, so the queue is of those who have asked
lately. A place that becomes free goes to the counterpart that carries the fewest sessions here, of
several such to the one that got a place longest ago, and among one counterpart's sessions to the
first that asked. So nobody waits behind another's backlog, and nobody takes every place.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

ASKED_SECONDS: Final = 15.0
"""How long somebody who asked is taken to be waiting; a dialler asks again every few seconds."""
MOST_WAITING: Final = 256
MOST_WAITING_A_PEER: Final = 64


@dataclass
class Waiting:
    """A session that waits for a place: since when, and when its dialler asked last."""

    since: float
    asked: float


@dataclass
class Queue:
    """The order in which sessions get their places; whoever calls it holds a lock.

    `most` are all places, `most_a_peer` those of one counterpart.
    """

    most: int
    most_a_peer: int
    clock: Callable[[], float] = time.monotonic
    _waiting: dict[tuple[str, str], Waiting] = field(default_factory=dict)
    _placed: dict[str, float] = field(default_factory=dict)

    def admit(self, peer: str, request_id: str, running: Counter[str]) -> bool:
        """Say whether a session gets a place now; if not, it waits for one.

        `running` are the sessions that have one, by counterpart.
        """
        now = self.clock()
        self._forget(now)
        key = (peer, request_id)
        if key not in self._waiting and self._is_full_for(peer):
            return False
        self._waiting.setdefault(key, Waiting(now, now)).asked = now
        if key not in self._next(running):
            return False
        del self._waiting[key]
        self._placed[peer] = now
        return True

    def leave(self, peer: str, request_id: str) -> None:
        """Forget a session that needs no place any more."""
        self._waiting.pop((peer, request_id), None)

    @property
    def full(self) -> bool:
        """Whether nobody more can wait."""
        self._forget(self.clock())
        return len(self._waiting) >= MOST_WAITING

    def _is_full_for(self, peer: str) -> bool:
        own = sum(waits == peer for waits, _ in self._waiting)
        return len(self._waiting) >= MOST_WAITING or own >= MOST_WAITING_A_PEER

    def _next(self, running: Counter[str]) -> set[tuple[str, str]]:
        """Return those who would get the places that are free."""
        carried, placed = Counter(running), dict(self._placed)
        left, chosen = sorted(self._waiting, key=lambda key: self._waiting[key].since), set()
        for turn in range(self.most - running.total()):
            able = [key for key in left if carried[key[0]] < self.most_a_peer]
            if not able:
                break
            best = min(able, key=lambda key: (carried[key[0]], placed.get(key[0], float("-inf"))))
            chosen.add(best)
            left.remove(best)
            carried[best[0]] += 1
            placed[best[0]] = self.clock() + turn
        return chosen

    def _forget(self, now: float) -> None:
        for key, waiting in list(self._waiting.items()):
            if now - waiting.asked > ASKED_SECONDS:
                del self._waiting[key]
