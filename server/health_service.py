"""Health checks, answered to those whom a contract in force or an invitation has pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

from server.answering import answering
from server.peers import Peers


class HealthService(health.HealthServicer):
    """The health service of gRPC, for known peers only."""

    def __init__(self, peers: Peers) -> None:
        super().__init__()
        self._peers = peers

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Say how a service stands."""
        with answering(context):
            self._peers.require_known(context)
        return super().Check(request, context)

    def Watch(  # noqa: N802
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Callable[[Any], None] | None = None,
    ) -> Any:  # noqa: ANN401 - gRPC's experimental form of a call that streams
        """Say how a service stands, now and whenever that changes."""
        with answering(context):
            self._peers.require_known(context)
        return super().Watch(request, context, send_response_callback)
