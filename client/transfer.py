"""How a set travels to and from a listener, from its first missing chunk on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from client.calls import STREAM_SECONDS
from client.errors import Interrupted
from client.line import Line
from commonground.v1 import session_pb2 as pb
from party.artefacts import (
    IncomingSet,
    SessionFolder,
    SetHeader,
    header_of,
    read_chunks,
)
from party.errors import Refusal, RefusalStatus
from party.wire import fields
from party.wire.artefacts import (
    SetOpening,
    decode_chunk,
    decode_progress,
    decode_pulled_header,
    encode_chunk,
    encode_opening,
    form_of,
)
from party.wire.names import encode_name
from psi.legs import Step
from psi.sets import LabelledSet


class Push:
    """One set on its way to the listener."""

    def __init__(self, line: Line, step: int, labelled: LabelledSet) -> None:
        self._line, self._step, self._set = line, step, labelled
        self._header = header_of(labelled)
        self._opening = encode_opening(SetOpening(line.name, step, self._header))
        self._arrived = 0

    def attempt(self) -> bytes:
        """Ask where to go on, send the rest, and return the digest that the listener has.

        Raises:
            Interrupted: the stream broke off; the next attempt goes on from there.
        """
        missing, digest = self._stream(iter([self._opening]))
        if digest is None:
            missing, digest = self._stream(self._from(missing))
        if digest is None:
            raise Interrupted(f"the stream of step {self._step} ended before the set did")
        return digest

    def _from(self, missing: int) -> Iterator[pb.SendSetRequest]:
        yield self._opening
        for chunk in read_chunks(self._set, self._step, start=missing):
            yield pb.SendSetRequest(chunk=encode_chunk(chunk))

    def _stream(self, messages: Iterator[pb.SendSetRequest]) -> tuple[int, bytes | None]:
        send = self._line.dialler.sessions.SendSet
        response = self._line.answer(lambda: send.future(messages, timeout=STREAM_SECONDS))
        missing, digest = decode_progress(response)
        if missing > self._header.chunks:
            raise fields.malformed("first_missing", "is beyond the end of the set")
        if missing > self._arrived:
            self._arrived = missing
            self._line.sign()
        return missing, digest


class Pull:
    """One set on its way from the listener into the folder."""

    def __init__(self, line: Line, folder: SessionFolder, index: int, step: Step) -> None:
        self._line, self._folder, self._index = line, folder, index
        self._width = form_of(step).value

    def attempt(self) -> None:
        """Take the rest of the set.

        Raises:
            Refusal: a chunk may not be accepted.
            Interrupted: the stream broke off; the next attempt goes on from there.
        """
        so_far = self._folder.interrupted(self._index)
        request = pb.PullSetRequest(
            session=encode_name(self._line.name),
            step=self._index,
            first_chunk=0 if so_far is None else so_far.next_chunk,
        )
        pull = self._line.dialler.sessions.PullSet
        incoming = self._line.taken(lambda: pull(request, timeout=STREAM_SECONDS), self._taken)
        if not incoming.complete:
            raise Interrupted(f"the stream of step {self._index} ended before the set did")
        incoming.finish()

    def _taken(self, stream: Any) -> IncomingSet:  # noqa: ANN401 - gRPC's call, which iterates
        incoming = self._folder.incoming(self._index, self._first(stream))
        for message in stream:
            incoming.accept(decode_chunk(message))
            self._line.sign()
        return incoming

    def _first(self, messages: Iterator[pb.PullSetResponse]) -> SetHeader:
        header = decode_pulled_header(next(messages, None))
        if header.width != self._width:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"step {self._index} came in another form than its leg has; the session ends here",
            )
        return header
