"""The dialling end of a session, as its driver sees it.

A connection that breaks is dialled again, a listener that starts anew is greeted again with the
same words, and a set goes on at its first missing chunk, also after this process was killed.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final, TypeVar, cast

from client.dial import Dialler
from client.errors import DialError
from client.line import Attendance, Halt, Line
from client.transfer import Pull, Push
from commonground.v1 import session_pb2 as pb
from party.artefacts import SessionFolder
from party.correspondence import Correspondence
from party.errors import PartyError, Refusal, RefusalStatus, SessionSuspended
from party.messages import Artefact, Exchange, Hello
from party.request import Request
from party.terms import Terms
from party.turns import Turns
from party.wire import fields
from party.wire.artefacts import SmallKind, small_kind
from party.wire.exchanges import kind_of, said_before
from party.wire.limits import ATTEND_SECONDS, PATIENCE_SECONDS
from party.wire.names import SessionName, encode_name
from party.wire.refusals import encode_refusal
from psi.sets import LabelledSet

REFUSE_SECONDS: Final = 5.0
"""How long a counterpart is looked for to be told that it is over, before it waits to be told."""

Message = TypeVar("Message", bound=Exchange)


class DialledLink:
    """A `party.link.Link` whose counterpart listens; close it when the session is over.

    `folder` is the session's; `patience_seconds` the time without any sign of the counterpart
    after which the session is suspended; a sign of this side goes out every `attend_seconds`. The
    links of one session share a `halt`.
    """

    def __init__(
        self,
        dialler: Dialler,
        request: Request,
        folder: SessionFolder,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        attend_seconds: float = ATTEND_SECONDS,
        halt: Halt | None = None,
    ) -> None:
        self._folder = folder
        self._turns = Turns.of(Terms.of(request), dialler.own, dialler.peer)
        self._letters = Correspondence(folder, dialler.peer)
        name = SessionName(request.id, dialler.contract_hash)
        self._line = Line(
            dialler, name, self._letters, patience_seconds=patience_seconds, halt=halt
        )
        self._attendance = Attendance(self._line, every_seconds=attend_seconds)

    def __enter__(self) -> DialledLink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Show no more signs of life; the dialler stays open."""
        self._line.close()
        self._attendance.end()

    def give_up(self) -> None:
        """Let the session be suspended at its next call, or in the one that waits."""
        self._line.close()

    def another_line(self) -> Line:
        """Return a line to the counterpart for what goes on beside the session's own thread."""
        return self._line.another()

    @property
    def peer(self) -> str:
        """The counterpart's name in the contract."""
        return self._line.dialler.peer

    def exchange(self, message: Message) -> Message:
        """Say `message`, or what was said before a restart, and return the counterpart's.

        The first words are always said again, since they open the session at a listener that
        has started anew; the others are taken from disk where both were said.
        """
        kind = kind_of(message)
        said = self._letters.say(kind.field, kind.to_bytes(message))
        heard = self._letters.heard(kind.field)
        if heard is None or isinstance(message, Hello):
            request = kind.request(self._line.name, said)
            response = self._line.until_answered(
                f"answering {kind.rpc}", lambda: self._line.call(kind.rpc, request)
            )
            theirs = kind.carried(response)
            self._require_sender(theirs)
            heard = kind.to_bytes(theirs)
            self._letters.hear(kind.field, heard)
        self._attendance.begin()
        return cast(Message, kind.from_bytes(heard))

    def said(self, kind: type[Message]) -> Message | None:
        """Return what this side has said of a type in this session, also before a restart."""
        return said_before(self._letters, kind)

    def send(self, step: int, artefact: Artefact) -> None:
        """Deliver a step; a set goes on at the chunk that the counterpart misses first."""
        kind = small_kind(self._turns.outgoing(step))
        if self._letters.acknowledged(step):
            return
        digest = self._folder.digest(step) or self._folder.store(step, artefact)
        theirs = self._push(kind, step, artefact)
        if theirs != digest:
            raise Refusal(
                RefusalStatus.TRANSCRIPT_MISMATCH,
                f"'{self.peer}' has another content for step {step} than was sent to it",
            )
        self._letters.acknowledge(step)

    def receive(self, step: int) -> Artefact:
        """Fetch a step unless it is on disk, and tell the counterpart that it is."""
        kind = small_kind(self._turns.incoming(step))
        if self._folder.digest(step) is None:
            self._pull(kind, step)
        artefact, digest = self._folder.load(step), self._folder.digest(step)
        if artefact is None or digest is None:
            raise PartyError(f"step {step} was removed from {self._folder.path} while it was used")
        request = pb.AcknowledgeRequest(
            session=encode_name(self._line.name), step=step, digest=digest
        )
        self._line.until_answered(
            f"taking the acknowledgement of step {step}",
            lambda: self._line.call("Acknowledge", request),
        )
        return artefact

    def conclude(self) -> None:
        """Do nothing: whoever is dialled is never told how far this side has come."""

    def refuse(self, status: str, reason: str) -> None:
        """Tell the counterpart that the session ends, unless it was the one to end it.

        One that cannot be reached is told at the next contact (`client.endings`).
        """
        if self._line.refused is not None:
            self._letters.note_end()
            return
        refusal = Refusal(RefusalStatus(status), reason)
        request = pb.RefuseRequest(
            session=encode_name(self._line.name), refusal=encode_refusal(refusal)
        )
        try:
            self._line.tell(
                "taking the refusal", "Refuse", request, patience_seconds=REFUSE_SECONDS
            )
        except (SessionSuspended, DialError):
            return
        except Refusal:
            pass  # the other side ended it, or does not know it
        self._letters.note_end()

    def _push(self, kind: SmallKind | None, step: int, artefact: Artefact) -> bytes:
        what = f"taking step {step}"
        if kind is None:
            if not isinstance(artefact, LabelledSet):
                raise PartyError(f"step {step} carries a set")
            return self._line.until_answered(what, Push(self._line, step, artefact).attempt)
        request, rpc = kind.send_request(self._line.name, step, artefact), f"Send{kind.rpc}"
        response = self._line.until_answered(what, lambda: self._line.call(rpc, request))
        return fields.digest(response.digest, "digest")

    def _pull(self, kind: SmallKind | None, step: int) -> None:
        what = f"sending step {step}"
        if kind is None:
            pull = Pull(self._line, self._folder, step, self._turns.incoming(step))
            self._line.until_answered(what, pull.attempt)
            return
        request, rpc = kind.pull_request(self._line.name, step), f"Pull{kind.rpc}"
        response = self._line.until_answered(what, lambda: self._line.call(rpc, request))
        self._folder.store(step, kind.carried(response))

    def _require_sender(self, message: Exchange) -> None:
        if message.party != self.peer:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the message states another sender than the certificate, which is '{self.peer}'",
            )
