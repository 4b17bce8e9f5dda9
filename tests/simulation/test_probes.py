"""What probes hear over HTTP is what gRPC's health checks say, from the start to the end.

Covers: a party that starts, serves, lacks its store, has no room, stops; that nothing is needed to
ask, and that nothing but the state is told. Does not cover: Kubernetes.
"""

import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from client.listening import listening
from commonground.listening import listen, listen_http
from party.errors import StoreError
from server.health_service import SESSIONS

SECONDS = 60


def ask(url, path):
    """Return status and sentence of a probe."""
    try:
        with urllib.request.urlopen(f"{url}/{path}", timeout=SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def over_grpc(dialler, service):
    channel = dialler._channel
    asked = health_pb2.HealthCheckRequest(service=service)
    answer = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=SECONDS)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def until(holds):
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_probes_tell_the_truth_from_the_start_to_the_end(pair, monkeypatch):
    monkeypatch.setattr("server.health_service.LOOK_SECONDS", 0.05)
    hub, heard, http = pair.hub, {}, SimpleNamespace()

    def hear(moment):
        heard[moment] = [ask(http.url, path) for path in ("healthz", "readyz")]

    def over_http(party, address, health):
        answering = listen_http(party, address, health)
        http.url = answering.url
        return answering

    def slowly(party, desk, address):
        hear("starting")
        return listen(party, desk, address)

    with listening(hub, slowly, pair.address, over_http, "127.0.0.1:0") as now, pair.dialled() as d:
        assert now.url == http.url
        hear("serving")
        assert over_grpc(d, "")
        assert over_grpc(d, SESSIONS)

        health = now.listener._status
        room, health._has_room = health._has_room, lambda: False
        until(lambda: not over_grpc(d, SESSIONS))
        hear("full")
        assert over_grpc(d, "")
        health._has_room = room

        answers = hub.store.require_answer
        monkeypatch.setattr(hub.store, "require_answer", away)
        until(lambda: not over_grpc(d, ""))
        hear("away")
        monkeypatch.setattr(hub.store, "require_answer", answers)
        until(lambda: over_grpc(d, SESSIONS))
        hear("back")

        end = now.listener.stop

        def stop(grace_seconds):
            end(grace_seconds)
            hear("stopping")

        now.listener.stop = stop
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(http.url, "healthz")

    fine = (200, "serving\n")
    assert heard == {
        "starting": [(503, "not serving: it is starting\n")] * 2,
        "serving": [fine, fine],
        "full": [fine, (503, "not serving: as many sessions wait as may\n")],
        "away": [(503, "not serving: the store does not answer\n")] * 2,
        "back": [fine, fine],
        "stopping": [(503, "not serving: it is stopping\n")] * 2,
    }


def away():
    raise StoreError("the store does not answer")
