"""The parcels that a listener has from and for a party which it does not meet.

The dialler's calls bring and fetch them; the driver makes and opens them. What the dialler brings
is hostile: a parcel is taken only when its sender has signed it, in its turn, and within the size
that its number allows, all of it before a chunk is written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from party.artefacts import SessionFolder
from party.correspondence import Correspondence
from party.errors import Refusal, RefusalStatus
from party.parcels.order import ParcelOrder
from party.parcels.seal import ParcelHeader, Seal
from party.parcels.store import IncomingParcel, ParcelFile
from party.turns import out_of_turn
from party.wire import fields
from server.errors import Superseded
from server.meeting import Meeting


class ParcelBox:
    """What this side and the party `seal.peer` send each other by way of the dialler."""

    def __init__(
        self, seal: Seal, order: ParcelOrder, folder: SessionFolder, meeting: Meeting
    ) -> None:
        self.seal, self.order, self.folder, self.meeting = seal, order, folder, meeting
        self.letters = Correspondence(folder, seal.peer)
        self._published: set[int] = set()
        self._lock = threading.Lock()
        self._newest: ParcelStream | None = None

    def outgoing(self, number: int) -> ParcelFile:
        """Return where a parcel for the other party lies."""
        return ParcelFile(self.folder, self.seal.own, self.seal.peer, number)

    def incoming(self, number: int) -> ParcelFile:
        """Return where a parcel of the other party lies."""
        return ParcelFile(self.folder, self.seal.peer, self.seal.own, number)

    # -- for calls ------------------------------------------------------------------------

    def open(self, number: int) -> ParcelStream:
        """Open a stream of a parcel, in the place of any older stream.

        Raises:
            Refusal: it is not this parcel's turn.
        """
        if number not in self.order.incoming:
            raise self._no_turn(number, "comes from the other side")
        for earlier in self.order.incoming[: self.order.incoming.index(number)]:
            if self.incoming(earlier).header is None:
                raise out_of_turn(f"parcel {number}", f"parcel {earlier}")
        with self._lock:
            self._newest = ParcelStream(self, self.incoming(number))
            return self._newest

    @contextmanager
    def only(self, stream: ParcelStream) -> Iterator[None]:
        """Let the newest stream write, alone."""
        with self._lock:
            if stream is not self._newest:
                raise Superseded("a newer stream of this session has taken over")
            yield
        self.meeting.notice()

    def receipt(self, number: int) -> bytes | None:
        """Return this party's word that it has a parcel on disk, None before.

        That of the last one is held back until the driver has stored what came of it: the dialler
        carries nothing after it, and does not come back.

        Raises:
            NotNow: the driver has not come so far.
        """
        header = self.incoming(number).header
        if header is None:
            return None
        if number == self.order.incoming[-1]:
            self.meeting.held(lambda: True if self.letters.concluded else None)
        return self.seal.receipt(number, header.digest)

    def pull(self, number: int, first: int) -> tuple[ParcelHeader, Iterator[bytes]]:
        """Return a parcel once the driver has published it: its header, and chunks from `first` on.

        Raises:
            NotNow: it is not published yet.
            Refusal: it goes to nobody, or has fewer chunks.
        """
        if number not in self.order.outgoing:
            raise self._no_turn(number, "goes to the other side")
        file = self.outgoing(number)
        header = self.meeting.held(lambda: file.header if self._served(file) else None)
        if first > header.chunks:
            raise fields.malformed("first_chunk", "is beyond the end of the parcel")
        return header, file.chunks(first)

    def acknowledge(self, number: int, receipt: bytes) -> None:
        """Take the other party's word that it has a parcel on disk.

        Raises:
            Refusal: there is no such parcel, or the word is not the other party's.
        """
        file = self.outgoing(number)
        header = file.header
        if number not in self.order.outgoing or header is None:
            raise out_of_turn(f"the receipt of parcel {number}", "the parcel itself")
        self.seal.verify_receipt(number, header.digest, receipt)
        with self.meeting.changed:
            if file.receipt is None:
                file.keep_receipt(receipt)
            self.meeting.changed.notify_all()

    # -- for the driver -------------------------------------------------------------------

    def publish(self, number: int) -> None:
        """Let the dialler pull a parcel."""
        with self.meeting.changed:
            self._published.add(number)
            self.meeting.changed.notify_all()

    def conclude(self) -> None:
        """Let the dialler have the receipt of the last parcel: what it brought is stored."""
        with self.meeting.changed:
            self.letters.conclude()
            self.meeting.changed.notify_all()

    def await_receipt(self, number: int, what: str) -> None:
        """Wait until the other party has a parcel on disk."""
        file = self.outgoing(number)
        self.meeting.awaited(lambda: file.receipt, what)

    def await_parcel(self, number: int, what: str) -> tuple[ParcelHeader, Iterator[bytes]]:
        """Wait until a parcel of the other party is on disk, and return it still sealed."""
        file = self.incoming(number)
        header = self.meeting.awaited(lambda: file.header, what)
        return header, file.chunks()

    # -- inside -----------------------------------------------------------------------------

    def _served(self, file: ParcelFile) -> bool:
        """Say whether a parcel may leave: what was said may at once, as on a connection.

        A step may when the driver has come to it, also after a restart, which first looks whether
        the input is still the same.
        """
        is_step = self.order.step_of(file.number) is not None
        return not is_step or file.number in self._published or file.receipt is not None

    def _no_turn(self, number: int, why: str) -> Refusal:
        return Refusal(
            RefusalStatus.BAD_REQUEST,
            f"parcel {number} of the session is not one that {why}; all sides must follow the same "
            "table of legs",
        )


class ParcelStream:
    """One stream of one parcel: where it goes on, and when the parcel is whole."""

    def __init__(self, box: ParcelBox, file: ParcelFile) -> None:
        self._box, self._file = box, file
        self._incoming: IncomingParcel | None = None
        if file.header is None:
            self._incoming = file.interrupted()
            self._finish_if_complete()

    @property
    def first_missing(self) -> int:
        """The first chunk that is not on disk."""
        if self._file.header is not None:
            return self._file.header.chunks
        return 0 if self._incoming is None else self._incoming.next_chunk

    def begin(self, header: ParcelHeader) -> None:
        """Take the header, which comes before the chunks.

        Raises:
            Refusal: its sender has not signed it, it is too large, or it came otherwise before.
        """
        number = self._file.number
        self._box.order.require_size(number, header, self._box.folder.most_points)
        self._box.seal.verify_header(number, header)
        with self._box.only(self):
            if self._file.header is None:
                self._incoming = self._file.incoming(header)
                self._finish_if_complete()
            elif self._file.header != header:
                raise self._file.refusal("came again with another header")

    def accept(self, index: int, data: bytes) -> None:
        """Take one chunk: the next one, or one that is here already, unchanged."""
        with self._box.only(self):
            if self._incoming is not None:
                self._incoming.accept(index, data)
                self._finish_if_complete()
            elif next(self._file.chunks(index), None) != data:
                raise self._file.refusal(f"came again with another chunk {index}")

    def _finish_if_complete(self) -> None:
        if self._incoming is not None and self._incoming.complete:
            self._incoming.finish()
            self._incoming = None
            self._box.meeting.wake()
