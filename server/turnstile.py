"""How much of a listener one counterpart may take: calls at once, calls and chunks a second.

Counterparts are told apart by the certificate that TLS has verified, so that nobody takes another's
share. Nothing here waits for a counterpart, and what is kept of each is a few numbers.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from server.errors import Crowded

CALLS_A_SECOND: Final = 50.0
CALLS_AT_A_STRETCH: Final = 500.0
CHUNKS_A_SECOND: Final = 200.0
CHUNKS_AT_A_STRETCH: Final = 2_000.0
_MOST_KNOWN: Final = 1_024  # certificates remembered while they do nothing

Clock = Callable[[], float]


class Bucket:
    """A token bucket: `rate` a second on average, `burst` at a stretch (RFC 2697)."""

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self) -> float:
        """Take one token; return how long to wait until it is there, 0 when it is."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def take_if_there(self) -> bool:
        """Take one token if it is there."""
        if self.take() == 0.0:
            return True
        self._tokens += 1
        return False


@dataclass
class Share:
    """What one counterpart uses."""

    calls: Bucket
    chunks: Bucket
    at_once: int = 0


class Turnstile:
    """Lets calls in, each counterpart's as far as its share goes."""

    def __init__(self, calls_at_once: int, clock: Clock = time.monotonic) -> None:
        self._most, self._clock = calls_at_once, clock
        self._lock = threading.Lock()
        self._shares: OrderedDict[bytes, Share] = OrderedDict()

    @contextmanager
    def passing(self, certificate: bytes) -> Iterator[Callable[[], float]]:
        """Count a call of a certificate's holder, and yield what counts its chunks.

        That takes one more chunk and returns the seconds to wait before it, so that the caller is
        slowed down and not refused.

        Raises:
            Crowded: the holder has as many calls here as it may, or makes them too fast.
        """
        with self._lock:
            share = self._share(certificate)
            if share.at_once >= self._most:
                raise Crowded(
                    f"the caller has {self._most} calls at work here, the most that one may have"
                )
            if not share.calls.take_if_there():
                raise Crowded(
                    f"the caller makes more than {CALLS_A_SECOND:g} calls a second; ask again later"
                )
            share.at_once += 1
        try:
            yield lambda: self._count_chunk(share)
        finally:
            with self._lock:
                share.at_once -= 1

    def _count_chunk(self, share: Share) -> float:
        with self._lock:
            return share.chunks.take()

    def _share(self, certificate: bytes) -> Share:
        share = self._shares.get(certificate)
        if share is None:
            share = Share(
                Bucket(CALLS_A_SECOND, CALLS_AT_A_STRETCH, self._clock),
                Bucket(CHUNKS_A_SECOND, CHUNKS_AT_A_STRETCH, self._clock),
            )
            self._shares[certificate] = share
            self._forget_idle()
        self._shares.move_to_end(certificate)
        return share

    def _forget_idle(self) -> None:
        for certificate in list(self._shares)[: max(0, len(self._shares) - _MOST_KNOWN)]:
            if not self._shares[certificate].at_once:
                del self._shares[certificate]
