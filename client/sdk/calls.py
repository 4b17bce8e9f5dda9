"""What a caller hands in with a verb: whom to tell how far it is, and how to stop it.

A party knows which of its verbs are under way, so that closing it suspends them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from client.actors import OPERATOR
from client.cancelling import CancelToken
from client.carrying import Carrier
from client.sdk.asking import Asked
from party.driver import Progress, ProgressHook
from party.errors import PartyError
from party.filing import Filed
from party.organisation import Organisation

Value = TypeVar("Value")


class Callback:
    """Tells a caller's callback how far a session is (`client.carrying.Observer`)."""

    def __init__(self, progress: ProgressHook | None) -> None:
        self._progress = progress

    def begun(self, request_id: str) -> None:
        """Nothing: the request is found with `requests.list`."""

    def say(self, sentence: str) -> None:
        """Nothing: a program reads states, not sentences."""

    @contextmanager
    def watching(self, peer: str) -> Iterator[ProgressHook]:
        """Return the caller's callback, or one that does nothing."""
        yield self._progress or _nothing


def _nothing(progress: Progress) -> None:
    del progress


class Calls:
    """The verbs of one party that are under way, in whatever threads."""

    def __init__(self, party: Organisation) -> None:
        self._party = party
        self._changed = threading.Condition()
        self._running: list[tuple[CancelToken, int]] = []
        self._listening: list[ExitStack] = []
        self._closed = False

    @contextmanager
    def carrying(
        self, progress: ProgressHook | None, cancel: CancelToken | None, *, wait: bool = False
    ) -> Iterator[Carrier]:
        """Yield what carries requests, stopped by `cancel` or when the party is closed.

        Raises:
            PartyError: the party was closed.
            Cancelled: somebody has cancelled before.
        """
        token = cancel or CancelToken()
        token.require_going()
        entry = token, threading.get_ident()
        with self._changed:
            self._require_open()
            self._running.append(entry)
        try:
            yield Carrier(self._party, Callback(progress), wait, token)
        finally:
            with self._changed:
                self._running.remove(entry)
                self._changed.notify_all()

    @contextmanager
    def listening(self, listener: AbstractContextManager[Value]) -> Iterator[Value]:
        """Enter what listens, and leave it at the end of the block or when the party is closed."""
        with self._changed:
            self._require_open()
        with ExitStack() as stack:
            entered = stack.enter_context(listener)
            self._listening.append(stack)
            try:
                yield entered
            finally:
                self._listening.remove(stack)

    def ask(
        self,
        asked: Asked,
        progress: ProgressHook | None,
        cancel: CancelToken | None,
        *,
        wait: bool,
    ) -> Filed:
        """File a request and carry it through; see `client.carrying.Carrier.ask`."""
        with self.carrying(progress, cancel, wait=wait) as carrier:
            return carrier.ask(asked.request, asked.contract, actor=OPERATOR, naming=asked.naming)

    def suspend(self) -> None:
        """Stop listening, suspend what is under way, wait until it is, and begin nothing more.

        A callback may close the party of its own session, which is not waited for.
        """
        with self._changed:
            self._closed = True
            running = [token for token, _ in self._running]
        for stack in list(self._listening):
            stack.close()
        for token in running:
            token.cancel()
        own = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: all(thread == own for _, thread in self._running))

    def _require_open(self) -> None:
        if self._closed:
            raise PartyError("this party was closed; open it again")
