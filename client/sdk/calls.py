"""What a caller hands in with a verb: whom to tell how far it is, and how to stop it.

A party knows which of its verbs are under way, so that closing it suspends them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from client.actors import OPERATOR
from client.cancelling import CancelToken
from client.carrying import Carrier
from client.sdk.asking import Asked
from party.desk import Filed
from party.driver import Progress, ProgressHook
from party.errors import PartyError
from party.organisation import Organisation


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
        self._running: list[CancelToken] = []
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
        with self._changed:
            if self._closed:
                raise PartyError("this party was closed; open it again")
            self._running.append(token)
        try:
            yield Carrier(self._party, Callback(progress), wait, token)
        finally:
            with self._changed:
                self._running.remove(token)
                self._changed.notify_all()

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
            return carrier.ask(asked.request, asked.contract, actor=OPERATOR)

    def suspend(self) -> None:
        """Suspend whatever is under way, wait until it is, and begin nothing more."""
        with self._changed:
            self._closed = True
            running = list(self._running)
        for token in running:
            token.cancel()
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
