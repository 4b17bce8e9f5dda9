"""Where the calls of one session and its driver meet (docs/protocol.md, Transport).

The counterpart's calls arrive on threads of their own, at any time, repeated or not; the driver
waits in one thread. The mailbox holds what is done between the two sides, all of it on disk, and
lets nothing happen before its turn: every refusal here ends the session.
"""

from __future__ import annotations

from typing import cast

from party.artefacts import SessionFolder
from party.correspondence import Correspondence
from party.errors import Refusal, RefusalStatus
from party.messages import Artefact, Exchange
from party.turns import Turns, out_of_turn
from party.wire.exchanges import BEFORE_STEPS, EXCHANGES, ExchangeKind
from party.wire.names import SessionName
from party.wire.refusals import Condition
from server.errors import NotNow
from server.meeting import Meeting


class Mailbox:
    """What both sides of one session have said, sent and acknowledged."""

    def __init__(
        self,
        name: SessionName,
        meeting: Meeting,
        turns: Turns,
        folder: SessionFolder,
    ) -> None:
        """Open the mailbox on what the folder holds."""
        self.name, self.turns, self.folder = name, turns, folder
        self.peer, self._meeting = meeting.peer, meeting
        self.letters = Correspondence(folder, meeting.peer)
        self._published: set[int] = set()

    # -- for calls -----------------------------------------------------------------------

    def hear(self, kind: ExchangeKind, message: Exchange) -> bytes:
        """Take the counterpart's message and return the own one of the same kind.

        The last is answered once the driver has stored what came of it: whoever has the answer
        will never come back.

        Raises:
            Refusal: it is not the turn of this kind, or the message contradicts its first copy.
            NotNow: the driver has not said its own yet.
        """
        if message.party != self.peer:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the message states another sender than the certificate, which is '{self.peer}'",
            )
        with self._meeting.changed:
            if self.letters.heard(kind.field) is None:
                self._require_turn_of(kind)
            self.letters.hear(kind.field, kind.to_bytes(message))
            self._meeting.changed.notify_all()
        return self._meeting.held(lambda: self._answer_to(kind))

    def require_turn(self, step: int) -> None:
        """Refuse a step before the exchanges and the pair's earlier steps are done."""
        for kind in EXCHANGES[:BEFORE_STEPS]:
            if not self.letters.exchanged(kind.field):
                raise out_of_turn(f"step {step}", f"the exchange {kind.rpc}")
        for earlier in self.turns.before(step):
            if not self._done(earlier):
                raise out_of_turn(f"step {step}", f"step {earlier}")

    def pull(self, step: int) -> Artefact:
        """Return the artefact of a step once the driver has published it, or raise NotNow."""
        self.turns.outgoing(step)
        self.require_turn(step)
        self._meeting.held(lambda: True if self._served(step) else None)
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
        self._meeting.held(lambda: True if self._served(step) else None)
        with self._meeting.changed:
            if digest != self.folder.digest(step):
                raise Refusal(
                    RefusalStatus.TRANSCRIPT_MISMATCH,
                    f"'{self.peer}' has another content for step {step} than was sent to it",
                )
            if not self.letters.acknowledged(step):
                self.letters.acknowledge(step)
            self._meeting.changed.notify_all()

    # -- for the driver ------------------------------------------------------------------

    def exchange(self, kind: ExchangeKind, message: Exchange) -> Exchange:
        """Say a message and wait for the counterpart's."""
        with self._meeting.changed:
            self.letters.say(kind.field, kind.to_bytes(message))
            self._meeting.changed.notify_all()
        heard = self._meeting.awaited(lambda: self.letters.heard(kind.field), kind.rpc)
        return kind.from_bytes(heard)

    def publish(self, step: int) -> None:
        """Let the counterpart pull a step, and wait until it has it on disk."""
        self.turns.outgoing(step)
        with self._meeting.changed:
            self._published.add(step)
            self._meeting.changed.notify_all()
        self._meeting.awaited(
            lambda: True if self.letters.acknowledged(step) else None, f"acknowledging step {step}"
        )

    def receive(self, step: int) -> Artefact:
        """Wait until a step is here, and return what it carried."""
        self.turns.incoming(step)
        return cast(
            Artefact, self._meeting.awaited(lambda: self.folder.load(step), f"sending step {step}")
        )

    def conclude(self) -> None:
        """Let the counterpart's last call be answered: all that it said is stored."""
        with self._meeting.changed:
            self.letters.conclude()
            self._meeting.changed.notify_all()

    def refuse(self, refusal: Refusal) -> None:
        """End the session: the counterpart's present and later calls get this refusal."""
        self._meeting.stop(refusal)

    # -- inside --------------------------------------------------------------------------

    def _answer_to(self, kind: ExchangeKind) -> bytes | None:
        if kind is EXCHANGES[-1] and not self.letters.concluded:
            return None
        return self.letters.said(kind.field)

    def _require_turn_of(self, kind: ExchangeKind) -> None:
        position = EXCHANGES.index(kind)
        for earlier in EXCHANGES[:position]:
            if not self.letters.exchanged(earlier.field):
                raise out_of_turn(kind.rpc, f"the exchange {earlier.rpc}")
        if position >= BEFORE_STEPS:
            for step in self.turns.steps:
                if not self._done(step):
                    raise out_of_turn(kind.rpc, f"step {step}")

    def _done(self, step: int) -> bool:
        if self.turns.sends(step):
            return self.letters.acknowledged(step)
        return self.folder.digest(step) is not None

    def _served(self, step: int) -> bool:
        return step in self._published or self.letters.acknowledged(step)
