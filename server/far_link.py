"""A counterpart that this listener does not meet, as the session's driver sees it.

Everything goes through the parcel box, sealed and signed; the dialler in between carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, cast

from party.errors import PartyError, Refusal, RefusalStatus
from party.messages import Artefact, Exchange
from party.parcels.contents import (
    chunks_of,
    introduction,
    joined,
    pieces_of,
    read_introduction,
    take_step,
)
from party.parcels.order import INTRODUCTION
from party.parcels.store import Sign
from party.wire.exchanges import kind_of, said_before
from server.parcel_box import ParcelBox

Message = TypeVar("Message", bound=Exchange)


class FarLink:
    """A `party.link.Link` whose counterpart is reached by way of the dialler."""

    def __init__(self, box: ParcelBox) -> None:
        self._box, self._seal = box, box.seal
        self._turns, self._folder, self._letters = box.order.turns, box.folder, box.letters
        self._their_key: bytes | None = None

    @property
    def peer(self) -> str:
        """The counterpart's name in the contract."""
        return self._seal.peer

    def exchange(self, message: Message) -> Message:
        """Say `message` and return the counterpart's message of the same type."""
        kind = kind_of(message)
        number = self._box.order.of_exchange(kind)
        said = self._letters.say(kind.field, kind.to_bytes(message))
        own = pieces_of(said)
        self._post(number, len(own), iter(own))
        heard = self._letters.heard(kind.field)
        if heard is None:
            _, pieces = self._opened(number, f"'{self.peer}' answered {kind.rpc}")
            theirs = kind.from_bytes(joined(pieces))
            self._require_sender(theirs)
            heard = kind.to_bytes(theirs)
            self._letters.hear(kind.field, heard)
        return cast(Message, kind.from_bytes(heard))

    def said(self, kind: type[Message]) -> Message | None:
        """Return what this side has said of a type in this session, also before a restart."""
        return said_before(self._letters, kind)

    def send(self, step: int, artefact: Artefact) -> None:
        """Post a step, which the driver has stored, and wait until the counterpart has it."""
        number, leg = self._box.order.of_step(step), self._turns.outgoing(step)
        if self._box.outgoing(number).receipt is not None:
            return
        self._post(number, *chunks_of(step, leg, artefact))
        self._box.await_receipt(number, f"'{self.peer}' had step {step}")

    def receive(self, step: int) -> Artefact:
        """Wait for the artefact of a step; a set is in file-backed memory."""
        number, leg = self._box.order.of_step(step), self._turns.incoming(step)
        if self._folder.digest(step) is None:
            count, pieces = self._opened(number, f"'{self.peer}' sent step {step}")
            take_step(step, leg, pieces, count, self._folder)
        artefact = self._folder.load(step)
        if artefact is None:
            raise PartyError(f"step {step} was removed from {self._folder.path} while it was used")
        return artefact

    def conclude(self) -> None:
        """Let the dialler have the receipt of the counterpart's last parcel."""
        self._box.conclude()

    def refuse(self, status: str, reason: str) -> None:
        """End the session; the dialler, which hears it first, tells the counterpart."""
        self._box.meeting.stop(Refusal(RefusalStatus(status), reason))

    # -- inside -----------------------------------------------------------------------------

    def _meet(self) -> bytes:
        """Return the counterpart's session key: what both say first."""
        if self._their_key is not None:
            return self._their_key
        own = introduction(self._seal.public_key)
        self._write(INTRODUCTION, iter([own]))
        self._box.publish(INTRODUCTION)
        _, pieces = self._box.await_parcel(INTRODUCTION, f"'{self.peer}' introduced itself")
        self._their_key = read_introduction(joined(pieces))
        return self._their_key

    def _post(self, number: int, count: int, pieces: Iterator[bytes]) -> None:
        """Seal what a parcel holds, unless that was done before, and let the dialler fetch it."""
        seal, key = self._seal, self._meet()
        sealed = (seal.seal(number, index, count, piece, key) for index, piece in enumerate(pieces))
        self._write(number, sealed)
        self._box.publish(number)

    def _write(self, number: int, chunks: Iterator[bytes]) -> None:
        file = self._box.outgoing(number)
        if file.header is None:
            sign: Sign = lambda *parcel: self._seal.signed(number, *parcel)  # noqa: E731
            file.write(chunks, sign)

    def _opened(self, number: int, what: str) -> tuple[int, Iterator[bytes]]:
        """Wait for a parcel, and return its number of chunks and what they hold."""
        header, chunks = self._box.await_parcel(number, what)
        count = header.chunks
        opened = (
            self._seal.open(number, index, count, chunk) for index, chunk in enumerate(chunks)
        )
        return count, opened

    def _require_sender(self, message: Exchange) -> None:
        if message.party != self.peer:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the message states another sender than '{self.peer}', who sealed it",
            )
