"""Start and stop the listener: services, TLS, threads, and the limits that bound a peer."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from grpc_health.v1 import health_pb2_grpc

from commonground.v1 import (
    collaboration_pb2_grpc,
    doctor_pb2_grpc,
    joining_pb2_grpc,
    keys_pb2_grpc,
    parcels_pb2_grpc,
    session_pb2_grpc,
    suppression_pb2_grpc,
)
from party.errors import Breach, CannotListen
from party.identity import Identity
from party.wire.limits import CHANNEL_OPTIONS, HOLD_SECONDS, PATIENCE_SECONDS
from server.collaboration_service import CollaborationService
from server.credentials import server_credentials
from server.doctor_service import DoctorService
from server.gate import Gate
from server.health_service import SESSIONS, HealthService
from server.join_service import JoinService
from server.key_service import KeyService
from server.message_sizes import MOST_BYTES
from server.parcel_service import ParcelService
from server.peers import Peers, Reception
from server.session_service import SessionService
from server.sessions import Desk, Patience, Places, Sessions
from server.suppression_service import SuppressionService
from server.turnstile import Turnstile
from server.watchdog import MESSAGE_SECONDS, Watchdog

MAX_SESSIONS: Final = 8
MAX_SESSIONS_A_PEER: Final = 6
CALLS_A_SESSION: Final = 6  # one at work, one attending, two with parcels, what breaks left
SPARE_CALLS: Final = 8  # health and requests
STREAMS_A_CONNECTION: Final = 32
CONNECTIONS: Final = 256
HANDSHAKE_SECONDS: Final = 10
IDLE_SECONDS: Final = 300
HEADER_BYTES: Final = 8_192
PING_STRIKES: Final = 16

_OPTIONS: Final = (
    *CHANNEL_OPTIONS,
    ("grpc.max_concurrent_streams", STREAMS_A_CONNECTION),
    ("grpc.max_allowed_incoming_connections", CONNECTIONS),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1_000),
    ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1_000),
    ("grpc.max_metadata_size", HEADER_BYTES),
    ("grpc.absolute_max_metadata_size", HEADER_BYTES),
    ("grpc.so_reuseport", 0),  # two servers on one port would each get some of the calls
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", PING_STRIKES),
)

_OF_SESSIONS: Final = (SESSIONS, "commonground.v1.ParcelService")
_SERVICES: Final = (
    *_OF_SESSIONS,
    "commonground.v1.CollaborationService",
    "commonground.v1.SuppressionService",
)


class RunningServer:
    """A listener at work."""

    def __init__(
        self,
        server: grpc.Server,
        sessions: Sessions,
        status: HealthService,
        watchdog: Watchdog,
        calls: ThreadPoolExecutor,
        port: int,
    ) -> None:
        self._server, self._sessions, self._status, self._calls = server, sessions, status, calls
        self._watchdog, self.port = watchdog, port

    def running_sessions(self) -> int:
        """Return the number of sessions whose driver is at work."""
        return self._sessions.running()

    def end_refused(self) -> None:
        """Let open sessions whose requests have been refused meanwhile end at once."""
        self._sessions.end_refused()

    def trouble(self, service: str) -> str | None:
        """Return why a service ("" for all) does not serve, as health checks say; None if so."""
        return self._status.trouble(service)

    def wait(self) -> None:
        """Block until the server is stopped."""
        self._server.wait_for_termination()

    def stop(self, grace_seconds: float) -> None:
        """Take no new call, suspend the sessions, and end within about `grace_seconds`.

        What a driver is computing stays as it is on disk, and goes on at the next start.
        """
        deadline = time.monotonic() + grace_seconds
        self._status.stop()
        stopped = self._server.stop(grace_seconds)
        self._sessions.stop(grace_seconds)
        stopped.wait(max(0.0, deadline - time.monotonic()) + 1.0)
        self._watchdog.stop()
        self._calls.shutdown(wait=False, cancel_futures=True)


def start(
    desk: Desk,
    identity: Identity,
    address: str,
    *,
    reception: Reception | None = None,
    max_sessions: int = MAX_SESSIONS,
    max_sessions_a_peer: int = MAX_SESSIONS_A_PEER,
    patience_seconds: float = PATIENCE_SECONDS,
    hold_seconds: float = HOLD_SECONDS,
    message_seconds: float = MESSAGE_SECONDS,
    now: Callable[[], float] = time.time,
) -> RunningServer:
    """Listen on `address` (host:port; port 0 takes a free one) and return at once.

    Without a `reception` only parties of contracts in force are let in, and nobody can join.

    Raises:
        CannotListen: the address is taken, malformed, or not this machine's.
        IdentityError: the party's certificate is not valid at `now` (Unix seconds).
    """
    identity.certificate.require_valid(int(now()))
    peers = Peers(identity, desk.contracts, now, reception, desk.suppressions.ended_contracts)
    of_a_peer = min(max_sessions, max_sessions_a_peer)
    sessions = Sessions(
        desk,
        places=Places(max_sessions, of_a_peer),
        patience=Patience(patience_seconds, hold_seconds),
    )
    most_calls = CALLS_A_SESSION * max_sessions + SPARE_CALLS
    calls = ThreadPoolExecutor(most_calls, thread_name_prefix="call")
    watchdog = Watchdog(message_seconds)
    gate = Gate(
        MOST_BYTES,
        Turnstile(min(most_calls - 1, CALLS_A_SESSION * of_a_peer + SPARE_CALLS // 2)),
        watchdog,
        lambda context, breach: _blame(peers, desk, context, breach),
    )
    server = grpc.server(
        calls, options=_OPTIONS, interceptors=[gate], maximum_concurrent_rpcs=most_calls
    )
    status = _add_services(server, peers, sessions, desk)
    doctor_pb2_grpc.add_DoctorServiceServicer_to_server(  # type: ignore[no-untyped-call]
        DoctorService(peers, now, desk.seen_checkpoint), server
    )
    keys_pb2_grpc.add_KeyServiceServicer_to_server(  # type: ignore[no-untyped-call]
        KeyService(peers, desk), server
    )
    if reception is not None:
        joining_pb2_grpc.add_JoinServiceServicer_to_server(  # type: ignore[no-untyped-call]
            JoinService(peers, reception), server
        )
    port = _bind(server, address, server_credentials(identity, peers))
    watchdog.start()
    status.start()
    server.start()
    return RunningServer(server, sessions, status, watchdog, calls, port)


def _blame(peers: Peers, desk: Desk, context: grpc.ServicerContext, breach: Breach) -> None:
    known = peers.known_as(context)
    if known is not None:
        desk.note_breach(*known, breach)


def _add_services(
    server: grpc.Server, peers: Peers, sessions: Sessions, desk: Desk
) -> HealthService:
    status = HealthService(
        peers,
        _SERVICES,
        _OF_SESSIONS,
        store_answers=desk.require_ready,
        has_room=sessions.has_room,
    )
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    session_pb2_grpc.add_SessionServiceServicer_to_server(  # type: ignore[no-untyped-call]
        SessionService(peers, sessions), server
    )
    parcels_pb2_grpc.add_ParcelServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ParcelService(peers, sessions), server
    )
    collaboration_pb2_grpc.add_CollaborationServiceServicer_to_server(  # type: ignore[no-untyped-call]
        CollaborationService(peers, desk, sessions), server
    )
    suppression_pb2_grpc.add_SuppressionServiceServicer_to_server(  # type: ignore[no-untyped-call]
        SuppressionService(peers, desk.suppressions), server
    )
    return status


def _bind(server: grpc.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if port == 0:
        raise CannotListen(
            f"cannot listen on {address}: another program does, or the address is not this "
            "machine's; choose another with --listen"
        )
    return port
