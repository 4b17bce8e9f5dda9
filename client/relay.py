"""Carrying parcels between two counterparts of one session that do not meet.

The hub reads nothing of them but who sends what number to whom, and how large it is. A parcel is
fetched whole onto disk, pushed from there, and forgotten when its receiver's word is back at its
sender; so each half goes on at its first missing chunk, whatever stopped it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import permutations
from types import TracebackType
from typing import Any, Final

from client.calls import CALL_SECONDS, STREAM_SECONDS
from client.errors import Interrupted
from client.line import Halt, Line
from client.link import DialledLink
from commonground.v1 import parcels_pb2 as pb
from party.artefacts import SessionFolder
from party.errors import SessionSuspended
from party.parcels.order import ParcelOrder
from party.parcels.store import IncomingParcel, ParcelFile
from party.request import Request
from party.terms import Terms
from party.turns import Turns
from party.wire.parcels import (
    ParcelName,
    decode_chunk,
    decode_header,
    decode_progress,
    encode_acknowledgement,
    encode_chunk,
    encode_header,
    encode_opening,
    encode_pull,
)

JOIN_SECONDS: Final = 60.0
"""How long a call that is under way when the session ends is waited for."""

Progress = tuple[int, bytes | None]


class Relay:
    """Carries what the counterparts of one session have for each other, each way on a thread.

    What stops one way ends the session: `halt` is that of the links, so that whoever waits for
    another counterpart hears of it too. With one counterpart there is nothing to carry.

    Its `with` statement ends when each counterpart has all that the others have for it, or at once
    on an error. It writes parcels into `folder`: only whoever carries out the session enters it.
    """

    def __init__(
        self, links: Iterable[DialledLink], request: Request, folder: SessionFolder, halt: Halt
    ) -> None:
        self._halt = halt
        self._ways = [
            Way(sender.another_line(), receiver.another_line(), request, folder)
            for sender, receiver in permutations(links, 2)
        ]
        self._threads = [
            threading.Thread(target=self._carry, args=(way,), name="relay", daemon=True)
            for way in self._ways
        ]

    def __enter__(self) -> Relay:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self.give_up()
            for thread in self._threads:
                thread.join(JOIN_SECONDS)

    def give_up(self) -> None:
        """Carry nothing more, and wait no longer for what a counterpart may have next."""
        self._halt.set(SessionSuspended("the session was put aside here and is on disk"))

    def _finish(self) -> None:
        """Wait until each counterpart has all that the others have for it.

        Raises:
            Refusal, SessionSuspended: one of them has ended the session, or is gone.
        """
        for thread in self._threads:
            thread.join()
        self._halt.require_none()

    def _carry(self, way: Way) -> None:
        try:
            way.run()
        except BaseException as error:  # noqa: BLE001 - it goes on in the session's own thread
            self._halt.set(error)


class Way:
    """One direction between two counterparts."""

    def __init__(
        self, sender: Line, receiver: Line, request: Request, folder: SessionFolder
    ) -> None:
        self._sender, self._receiver, self._folder = sender, receiver, folder
        ends = (sender.dialler.peer, receiver.dialler.peer)
        self._ends, self._order = ends, ParcelOrder(Turns.of(Terms.of(request), *ends))

    def run(self) -> None:
        """Carry every parcel of this direction, in order."""
        self._sender.await_greeting()
        self._receiver.await_greeting()
        for number in self._order.outgoing:
            file = ParcelFile(self._folder, *self._ends, number)
            if file.receipt is None:
                self._carry(file)

    def _carry(self, file: ParcelFile) -> None:
        sender, receiver = self._ends
        what = f"parcel {file.number} for '{receiver}'"
        if file.header is None:
            self._sender.until_answered(f"sending {what}", lambda: self._pull(file))
        what = f"parcel {file.number} of '{sender}'"
        receipt = self._receiver.until_answered(f"taking {what}", lambda: self._push(file))
        word = encode_acknowledgement(self._name(self._sender, receiver, file), receipt)
        acknowledge = self._sender.dialler.parcels.AcknowledgeParcel
        self._sender.until_answered(
            f"taking the receipt of its parcel {file.number}",
            lambda: self._sender.answer(lambda: acknowledge.future(word, timeout=CALL_SECONDS)),
        )
        file.keep_receipt(receipt)
        file.drop_data()

    # -- from the sender ----------------------------------------------------------------------

    def _pull(self, file: ParcelFile) -> None:
        """Fetch the rest of a parcel.

        Raises:
            Refusal: it may not be accepted.
            Interrupted: the stream broke off; the next attempt goes on from there.
        """
        so_far = file.interrupted()
        name = self._name(self._sender, self._ends[1], file)
        request = encode_pull(name, 0 if so_far is None else so_far.next_chunk)
        pull = self._sender.dialler.parcels.PullParcel
        incoming = self._sender.taken(
            lambda: pull(request, timeout=STREAM_SECONDS), lambda stream: self._taken(file, stream)
        )
        if not incoming.complete:
            raise Interrupted(f"the stream of parcel {file.number} ended before the parcel did")
        incoming.finish()

    def _taken(self, file: ParcelFile, stream: Any) -> IncomingParcel:  # noqa: ANN401 - gRPC's call, which iterates
        header = decode_header(next(stream, None))
        self._order.require_size(file.number, header, self._folder.most_points)
        incoming = file.incoming(header)
        for message in stream:
            incoming.accept(*decode_chunk(message))
            self._sender.sign()
        return incoming

    # -- to the receiver ----------------------------------------------------------------------

    def _push(self, file: ParcelFile) -> bytes:
        """Ask where to go on, send the rest, and return the receiver's word that it has all.

        Raises:
            Interrupted: the stream broke off; the next attempt goes on from there.
        """
        opening = encode_opening(self._name(self._receiver, self._ends[0], file))
        missing, receipt = self._stream(iter([opening]))
        if receipt is None:
            missing, receipt = self._stream(self._from(file, opening, missing))
        if receipt is None:
            raise Interrupted(f"the stream of parcel {file.number} ended before the parcel did")
        return receipt

    def _from(
        self, file: ParcelFile, opening: pb.SendParcelRequest, missing: int
    ) -> Iterator[pb.SendParcelRequest]:
        yield opening
        if file.header is not None:
            yield pb.SendParcelRequest(header=encode_header(file.header))
        for index, data in enumerate(file.chunks(missing), missing):
            yield pb.SendParcelRequest(chunk=encode_chunk(index, data))
            self._receiver.sign()

    def _stream(self, messages: Iterator[pb.SendParcelRequest]) -> Progress:
        send = self._receiver.dialler.parcels.SendParcel
        response = self._receiver.answer(lambda: send.future(messages, timeout=STREAM_SECONDS))
        return decode_progress(response)

    # -- both -----------------------------------------------------------------------------------

    def _name(self, line: Line, party: str, file: ParcelFile) -> ParcelName:
        return ParcelName(line.name, party, file.number)
