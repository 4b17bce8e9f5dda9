"""One session's calls to a listener, each repeated until it is answered.

What counts as a sign of the counterpart is an answer, its word that it is still computing, or
progress of a set. Without a sign for as long as the patience, the session is suspended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeVar

from google.protobuf.message import Message

from client.calls import CALL_SECONDS
from client.dial import Dialler
from client.errors import Deferred, DialError, Interrupted
from commonground.v1 import session_pb2 as pb
from party.correspondence import Correspondence
from party.errors import RefusedThere, SessionSuspended
from party.wire.exchanges import EXCHANGES
from party.wire.names import SessionName, encode_name
from party.wire.refusals import Condition

Value = TypeVar("Value")

FIRST_WAIT_SECONDS: Final = 0.2
MOST_WAIT_SECONDS: Final = 3.0
IN_THE_QUEUE: Final = 5
"""How many times its patience a side waits for a place among a counterpart's sessions. There is an
end to it: two sessions of three parties may each hold the place that the other waits for."""


class Call(Protocol):
    """A call that is under way."""

    def cancel(self) -> object:
        """Break it off, from any thread."""


Begun = TypeVar("Begun", bound=Call)


class Halt:
    """What has ended the calls of a session on all of its lines; the first cause stands."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: list[Call] = []
        self.cause: BaseException | None = None

    def set(self, cause: BaseException) -> None:
        """Break off every line's call, and let each raise `cause` at its next one.

        A counterpart holds a call for long while it waits; what ended the session at another
        would be heard only then.
        """
        with self._lock:
            if self.cause is not None:
                return
            self.cause = cause
            calls = list(self._under_way)
        for call in calls:
            call.cancel()

    @contextmanager
    def breaking_off(self, call: Begun) -> Iterator[Begun]:
        """Break `call` off if the session is halted while it is under way."""
        with self._lock:
            self._under_way.append(call)
            halted = self.cause is not None
        if halted:
            call.cancel()
        try:
            yield call
        finally:
            with self._lock:
                self._under_way.remove(call)

    def require_none(self) -> None:
        """Raise what has ended the session, if anything has."""
        if self.cause is not None:
            raise self.cause


class Line:
    """The calls of one session, over a connection that may break and a listener that may restart.

    `letters` holds what was said and heard; the first words in it are said again to a listener
    that has started anew. The lines of one session share a `halt`: what one counterpart refuses is
    over with all.
    """

    def __init__(
        self,
        dialler: Dialler,
        name: SessionName,
        letters: Correspondence,
        *,
        patience_seconds: float,
        halt: Halt | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dialler, self.name, self.letters = dialler, name, letters
        self._patience, self._clock = patience_seconds, clock
        self._halt = halt or Halt()
        self._last_sign = clock()
        self._refused: RefusedThere | None = None
        self._closed = threading.Event()

    @property
    def refused(self) -> RefusedThere | None:
        """The refusal with which the counterpart ended the session, or None."""
        return self._refused

    def note_refusal(self, refusal: RefusedThere) -> None:
        """Let the next call raise a refusal that came beside it, on every line."""
        self._refused = refusal
        self._halt.set(refusal)

    def sign(self) -> None:
        """Note a sign of the counterpart."""
        self._last_sign = self._clock()

    def close(self) -> None:
        """Let a call that waits to be repeated give up, and make no more."""
        self._closed.set()

    def await_greeting(self) -> None:
        """Wait until the session's own thread has greeted the counterpart for the first time."""
        while not self.letters.exchanged(EXCHANGES[0].field):
            self._require_going()
            self._closed.wait(FIRST_WAIT_SECONDS)

    def call(self, rpc: str, message: Message, *, timeout_seconds: float = CALL_SECONDS) -> Any:  # noqa: ANN401 - the RPC's response
        """Make one call of the session, once."""
        method = getattr(self.dialler.sessions, rpc)
        return self.answer(lambda: method.future(message, timeout=timeout_seconds))

    def answer(self, begin: Callable[[], Any]) -> Any:  # noqa: ANN401 - the RPC's response
        """Return what answers the call that `begin` begins, unless the session is halted first."""

        def result() -> Any:  # noqa: ANN401
            with self._halt.breaking_off(begin()) as call:
                return call.result()

        return self.dialler.attempt(result)

    def taken(self, begin: Callable[[], Any], take: Callable[[Any], Value]) -> Value:
        """Return what `take` makes of the stream that `begin` begins, unless halted first."""

        def whole() -> Value:
            with self._halt.breaking_off(begin()) as stream:
                try:
                    return take(stream)
                finally:
                    stream.cancel()  # a stream that is given up is not left to run

        return self.dialler.attempt(whole)

    def tell(self, what: str, rpc: str, message: Message, *, patience_seconds: float) -> None:
        """Make a call until it is answered, also when the session has ended with another party."""
        line = self._another(patience_seconds, Halt())
        line._closed = self._closed
        line.until_answered(what, lambda: line.call(rpc, message))

    def another(self) -> Line:
        """Return a line of the same session to the same counterpart, for another thread."""
        return self._another(self._patience, self._halt)

    def _another(self, patience_seconds: float, halt: Halt) -> Line:
        return Line(
            self.dialler,
            self.name,
            self.letters,
            patience_seconds=patience_seconds,
            halt=halt,
            clock=self._clock,
        )

    def until_answered(self, what: str, attempt: Callable[[], Value]) -> Value:
        """Repeat `attempt` until it is answered, with the session's patience.

        Raises:
            RefusedThere: the counterpart refused.
            SessionSuspended: it gave no sign for the patience, or cannot go on.
        """
        self.sign()
        waiting, greeting = FIRST_WAIT_SECONDS, False
        queued_until: float | None = None
        while True:
            self._require_going()
            try:
                if greeting:
                    self._greet_again()
                    greeting = False
                return attempt()
            except RefusedThere as refusal:
                self.note_refusal(refusal)
                raise
            except Deferred as deferred:
                self._require_open(deferred.condition)
                greeting = greeting or deferred.condition is Condition.GREET_FIRST
                if deferred.condition is Condition.NOT_READY:
                    self.sign()
                    waiting = FIRST_WAIT_SECONDS
                    continue
                if deferred.condition is Condition.BUSY:
                    now = self._clock()
                    queued_until = queued_until or now + IN_THE_QUEUE * self._patience
                    self._sign_until(queued_until)
                cause = f"it answered {deferred.condition.value}"
            except Interrupted as error:
                cause = str(error)
            except DialError as error:
                raise SessionSuspended(f"{error}. The session is on disk") from error
            self._require_patience(what, cause)
            self._pause(waiting)
            waiting = min(2 * waiting, MOST_WAIT_SECONDS)

    def _pause(self, seconds: float) -> None:
        """Wait, unless the session ends meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._halt.cause is None:
            if self._closed.wait(min(left, FIRST_WAIT_SECONDS)):
                return

    def _sign_until(self, end: float) -> None:
        if self._clock() < end:
            self.sign()

    def _require_going(self) -> None:
        if self._refused is not None:
            raise self._refused
        self._halt.require_none()
        if self._closed.is_set():
            raise SessionSuspended("the session was put aside here and is on disk")

    def _greet_again(self) -> None:
        greet = EXCHANGES[0]
        said = self.letters.said(greet.field)
        if said is None:
            raise SessionSuspended("the session has not begun here; run it again")
        response = self.call(greet.rpc, greet.request(self.name, said))
        self.letters.hear(greet.field, greet.to_bytes(greet.carried(response)))

    def _require_open(self, condition: Condition) -> None:
        if condition is Condition.PENDING:
            raise SessionSuspended(
                f"the request {self.name.request_id} waits for approval at '{self.dialler.peer}'; "
                "run it again once they have approved it"
            )

    def _require_patience(self, what: str, cause: str) -> None:
        silent = self._clock() - self._last_sign
        if self._closed.is_set() or silent > self._patience:
            raise SessionSuspended(
                f"'{self.dialler.peer}' at {self.dialler.address} gave no sign for "
                f"{silent:.0f} seconds before {what} ({cause}). The session is on "
                "disk; run it again"
            )


class Attendance:
    """Shows the listener, while this side computes, that the dialler is there."""

    def __init__(self, line: Line, *, every_seconds: float) -> None:
        self._line, self._every = line, every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attendance", daemon=True)

    def begin(self) -> None:
        """Start, unless it has started."""
        if self._thread.ident is None:
            self._thread.start()

    def end(self) -> None:
        """Stop, and wait for the last call."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _attend(self) -> None:
        message = pb.AttendRequest(session=encode_name(self._line.name))
        while not self._ended.wait(self._every):
            try:
                self._line.call("Attend", message, timeout_seconds=self._every)
            except RefusedThere as refusal:
                self._line.note_refusal(refusal)
                return
            except DialError:
                continue  # the session's own calls find out whether it is lasting
