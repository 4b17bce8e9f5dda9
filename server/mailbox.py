"""Where the calls of one session and its driver meet (docs/protocol.md, Transport).

The counterpart's calls arrive on threads of their own, at any time, repeated or not; the driver
waits in one thread. The mailbox holds what is done between the two sides, all of it on disk, and
lets nothing happen before its turn: every refusal here ends the session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar, cast

from party.artefacts import SessionFolder
from party.correspondence import Correspondence
from party.errors import Refusal, RefusalStatus, SessionSuspended
from party.messages import Artefact, Exchange
from party.turns import Turns, out_of_turn
from party.wire.exchanges import BEFORE_STEPS, EXCHANGES, ExchangeKind
from party.wire.names import SessionName
from party.wire.refusals import Condition
from server.errors import DriverFailed, NotNow

Value = TypeVar("Value")
Clock = Callable[[], float]

_TICK_SECONDS: Final = 1.0  # how often a waiting driver looks at the clock


class Mailbox:
    """What both sides of one session have said, sent and acknowledged."""

    def __init__(
        self,
        name: SessionName,
        peer: str,
        turns: Turns,
        folder: SessionFolder,
        *,
        patience_seconds: float,
        hold_seconds: float,
        clock: Clock = time.monotonic,
    ) -> None:
        """Open the mailbox on what the folder holds.

        The driver waits `patience_seconds` without a sign of the counterpart; a call that waits
        for the driver is held for `hold_seconds`.
        """
        self.name, self.peer, self.turns, self.folder = name, peer, turns, folder
        self.letters = Correspondence(folder, peer)
        self._patience, self._hold, self._clock = patience_seconds, hold_seconds, clock
        self._changed = threading.Condition()
        self._published: set[int] = set()
        self._last_sign = clock()
        self._stop: Refusal | SessionSuspended | DriverFailed | None = None

    # -- for calls -----------------------------------------------------------------------

    def notice(self) -> None:
        """Note a sign of life of the counterpart, and raise what has stopped the session."""
        with self._changed:
            self._last_sign = self._clock()
            self._raise_stop_to_caller()

    def silent_seconds(self) -> float:
        """Return the time since the counterpart's last sign."""
        return self._clock() - self._last_sign

    def hear(self, kind: ExchangeKind, message: Exchange) -> bytes:
        """Take the counterpart's message and return the own one of the same kind.

        Raises:
            Refusal: it is not the turn of this kind, or the message contradicts its first copy.
            NotNow: the driver has not said its own yet.
        """
        if message.party != self.peer:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the message states another sender than the certificate, which is '{self.peer}'",
            )
        with self._changed:
            if self.letters.heard(kind.field) is None:
                self._require_turn_of(kind)
            self.letters.hear(kind.field, kind.to_bytes(message))
            self._changed.notify_all()
        return self._held(lambda: self.letters.said(kind.field))

    def require_turn(self, step: int) -> None:
        """Refuse a step before the exchanges and the pair's earlier steps are done."""
        for kind in EXCHANGES[:BEFORE_STEPS]:
            if not self._exchanged(kind):
                raise out_of_turn(f"step {step}", f"the exchange {kind.rpc}")
        for earlier in self.turns.before(step):
            if not self._done(earlier):
                raise out_of_turn(f"step {step}", f"step {earlier}")

    def wake(self) -> None:
        """Tell the driver that a step has arrived in the folder."""
        with self._changed:
            self._changed.notify_all()

    def pull(self, step: int) -> Artefact:
        """Return the artefact of a step once the driver has published it, or raise NotNow."""
        self.turns.outgoing(step)
        self.require_turn(step)
        self._held(lambda: True if self._served(step) else None)
        artefact = self.folder.load(step)
        if artefact is None:
            raise NotNow(Condition.NOT_READY)
        return artefact

    def acknowledge(self, step: int, digest: bytes) -> None:
        """Take the counterpart's word that it has a step on disk.

        A step that is on disk and not served may have been, before a restart: whoever asks is
        held until the driver serves it again.

        Raises:
            Refusal: the step was not served yet, or the digest is of something else.
            NotNow: the driver has not come back to it yet.
        """
        self.turns.outgoing(step)
        self.require_turn(step)
        if self.folder.digest(step) is None:
            raise out_of_turn(f"the acknowledgement of step {step}", "the step itself")
        self._held(lambda: True if self._served(step) else None)
        with self._changed:
            if digest != self.folder.digest(step):
                raise Refusal(
                    RefusalStatus.TRANSCRIPT_MISMATCH,
                    f"'{self.peer}' has another content for step {step} than was sent to it",
                )
            if not self.letters.acknowledged(step):
                self.letters.acknowledge(step)
            self._changed.notify_all()

    # -- for the driver ------------------------------------------------------------------

    def exchange(self, kind: ExchangeKind, message: Exchange) -> Exchange:
        """Say a message and wait for the counterpart's."""
        with self._changed:
            self.letters.say(kind.field, kind.to_bytes(message))
            self._changed.notify_all()
        heard = self._awaited(lambda: self.letters.heard(kind.field), kind.rpc)
        return kind.from_bytes(heard)

    def publish(self, step: int) -> None:
        """Let the counterpart pull a step, and wait until it has it on disk."""
        self.turns.outgoing(step)
        with self._changed:
            self._published.add(step)
            self._changed.notify_all()
        self._awaited(
            lambda: True if self.letters.acknowledged(step) else None, f"acknowledging step {step}"
        )

    def receive(self, step: int) -> Artefact:
        """Wait until a step is here, and return what it carried."""
        self.turns.incoming(step)
        return cast(Artefact, self._awaited(lambda: self.folder.load(step), f"sending step {step}"))

    def exchanged(self) -> tuple[bool, ...]:
        """Say for each kind of exchange whether both sides have said theirs."""
        return tuple(self._exchanged(kind) for kind in EXCHANGES)

    # -- for whoever ends it -------------------------------------------------------------

    def stop(self, cause: Refusal | SessionSuspended | DriverFailed) -> None:
        """End the session for its calls and its driver; the first cause stands."""
        with self._changed:
            if self._stop is None:
                self._stop = cause
            self._changed.notify_all()

    @property
    def stopped(self) -> Refusal | SessionSuspended | DriverFailed | None:
        """What has ended the session, or None."""
        return self._stop

    # -- inside --------------------------------------------------------------------------

    def _require_turn_of(self, kind: ExchangeKind) -> None:
        position = EXCHANGES.index(kind)
        for earlier in EXCHANGES[:position]:
            if not self._exchanged(earlier):
                raise out_of_turn(kind.rpc, f"the exchange {earlier.rpc}")
        if position >= BEFORE_STEPS:
            for step in self.turns.steps:
                if not self._done(step):
                    raise out_of_turn(kind.rpc, f"step {step}")

    def _exchanged(self, kind: ExchangeKind) -> bool:
        said, heard = self.letters.said(kind.field), self.letters.heard(kind.field)
        return said is not None and heard is not None

    def _done(self, step: int) -> bool:
        if self.turns.sends(step):
            return self.letters.acknowledged(step)
        return self.folder.digest(step) is not None

    def _served(self, step: int) -> bool:
        return step in self._published or self.letters.acknowledged(step)

    def _held(self, ready: Callable[[], Value | None]) -> Value:
        """Hold a call until `ready` returns something, for as long as a call is held."""
        deadline = self._clock() + self._hold
        with self._changed:
            while True:
                self._raise_stop_to_caller()
                value = ready()
                if value is not None:
                    return value
                left = deadline - self._clock()
                if left <= 0:
                    raise NotNow(Condition.NOT_READY)
                self._changed.wait(min(left, _TICK_SECONDS))

    def _awaited(self, ready: Callable[[], Value | None], what: str) -> Value:
        """Let the driver wait until `ready` returns something."""
        with self._changed:
            while True:
                if self._stop is not None:
                    raise self._stop
                value = ready()
                if value is not None:
                    return value
                left = self._patience - self.silent_seconds()
                if left <= 0:
                    raise SessionSuspended(
                        f"'{self.peer}' gave no sign for {self._patience:g} seconds before "
                        f"{what}. The session is on disk and goes on when they dial again"
                    )
                self._changed.wait(min(left, _TICK_SECONDS))

    def _raise_stop_to_caller(self) -> None:
        if isinstance(self._stop, SessionSuspended):
            raise NotNow(Condition.GREET_FIRST)
        if self._stop is not None:
            raise self._stop
