"""Health checks, answered to those whom a contract in force or an invitation has pinned.

`` is the listener: it serves as long as its store answers. A service serves if the listener does,
and those of sessions as long as there is a place for another one, or room to wait for it. The same
is told over HTTP (`server.http`), from the same look.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2

from party.events import Event, note
from server.peers import Peers

LOOK_SECONDS: Final = 2.0
"""How often the listener looks."""
SESSIONS: Final = "commonground.v1.SessionService"
"""The service of which one asks whether another session is taken."""
STALE_SECONDS: Final = 10.0
"""An answer that is older says that the store, asked since, has not answered."""
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
_log: Final = logging.getLogger("commonground.server")


class HealthService(health.HealthServicer):
    """The health service of gRPC, for known peers only.

    `store_answers` raises when it does not; `has_room` says whether the services named in
    `of_sessions` take another session.
    """

    def __init__(
        self,
        peers: Peers,
        services: Iterable[str],
        of_sessions: Iterable[str],
        *,
        store_answers: Callable[[], object],
        has_room: Callable[[], bool],
    ) -> None:
        super().__init__(experimental_non_blocking=False)
        self._peers, self._services, self._of_sessions = peers, tuple(services), set(of_sessions)
        self._store_answers, self._has_room = store_answers, has_room
        self._told: dict[str, health_pb2.HealthCheckResponse.ServingStatus] = {}
        self._looked, self._answered, self._room = float("-inf"), True, True
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="health", daemon=True)

    def start(self) -> None:
        """Begin to look how things stand, for those who watch."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Say from now on that nothing is served."""
        self._ended.set()
        self.enter_graceful_shutdown()

    def look(self) -> None:
        """Set every status to what is so now."""
        self._try_store()
        self._room = self._has_room()
        self._looked = time.monotonic()
        for name in ("", *self._services):
            self._tell(name, _SERVING if self.trouble(name) is None else _NOT_SERVING)

    def trouble(self, service: str) -> str | None:
        """Return why a service ("" for all) does not serve, by the last look; None if it does."""
        if self._ended.is_set():
            return "it is stopping"
        if not self._answered or time.monotonic() - self._looked > STALE_SECONDS:
            return "the store does not answer"
        if service in self._of_sessions and not self._room:
            return "as many sessions wait as may"
        return None

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Say how a service stands.

        While the store is away nobody can be looked up in it, and nothing but that nothing is
        served is said, to whomever TLS has let in.
        """
        if self.trouble("") is not None:
            return health_pb2.HealthCheckResponse(status=_NOT_SERVING)
        self._peers.require_known(context)
        return super().Check(request, context)

    def Watch(  # noqa: N802
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Callable[[Any], None] | None = None,
    ) -> Any:  # noqa: ANN401 - gRPC's experimental form of a call that streams
        """Say how a service stands, now and whenever that changes."""
        self._peers.require_known(context)
        return super().Watch(request, context, send_response_callback)

    def _tell(self, name: str, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        """Set a status if it is another one: whoever watches hears of changes."""
        if self._told.get(name) != status:
            self._told[name] = status
            self.set(name, status)

    def _try_store(self) -> None:
        try:
            self._store_answers()
        except Exception as error:  # noqa: BLE001 - whatever it is, the store does not serve
            if self._answered:
                sentence = "the store does not answer; this party says that it does not serve"
                note(_log, Event("store.away"), sentence, level=logging.ERROR, fault=error)
            self._answered = False
            return
        if not self._answered:
            note(_log, Event("store.back"), "the store answers again")
        self._answered = True

    def _keep_looking(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()
