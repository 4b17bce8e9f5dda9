"""What one counterpart may take of a listener, and that whoever takes more keeps nobody else out.

Over real gRPC and TLS; the time that a message may take is short here.
"""

import contextlib
import select
import socket
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from test_transport_refusals import Hostile
from wired_parties import (
    SECONDS,
    contract_between,
    make_request,
    party_called,
    raw_stubs,
    until,
    wired,
)

from commonground.v1 import (
    collaboration_pb2,
    doctor_pb2,
    doctor_pb2_grpc,
    joining_pb2,
    keys_pb2,
    parcels_pb2,
    session_pb2,
    suppression_pb2,
)
from party.artefacts import SetHeader
from party.errors import RefusalStatus
from server import serve
from server.errors import Crowded
from server.message_sizes import MOST_BYTES
from server.turnstile import CALLS_A_SECOND, CALLS_AT_A_STRETCH, Turnstile
from server.watchdog import Watchdog

SERVICE = "/commonground.v1.SessionService"
MOST = 10  # calls at once of one counterpart that may have one session
SERVED = (
    collaboration_pb2,
    doctor_pb2,
    joining_pb2,
    keys_pb2,
    parcels_pb2,
    session_pb2,
    suppression_pb2,
)


def test_every_call_of_every_service_has_its_largest_size():
    calls = {
        f"/{service.full_name}/{call.name}"
        for module in SERVED
        for service in module.DESCRIPTOR.services_by_name.values()
        for call in service.methods
    }
    health = {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}
    assert set(MOST_BYTES) == calls | health


# -- a caller that keeps everybody waiting -------------------------------------------------------


class Silence:
    """Requests of a stream that never come; let it go at the end."""

    def __init__(self, *first):
        self.first, self.over = first, threading.Event()

    def __iter__(self):
        yield from self.first
        self.over.wait(SECONDS)


def hang(channel, rpc, *first):
    """Open a call whose message does not come, and return it with what ends it here."""
    silence = Silence(*first)
    call = channel.stream_unary(f"{SERVICE}/{rpc}").future(iter(silence), timeout=SECONDS)
    return call, silence.over


def test_calls_whose_message_never_comes_are_ended(tmp_path):
    with wired(tmp_path, message_seconds=1.0) as one, raw_stubs(one) as (_, _, channel):
        hanging = [hang(channel, rpc) for rpc in ("Attend", "SendSet", "Greet")]
        for call, over in hanging:
            assert call.code() is grpc.StatusCode.CANCELLED
            over.set()


def test_a_stream_that_falls_silent_is_ended_and_its_session_goes_on(tmp_path):
    with (
        wired(tmp_path, dials="channel", message_seconds=1.0) as one,
        raw_stubs(one) as (stub, _, channel),
    ):
        hostile = Hostile(one, stub).begin()
        opening = session_pb2.SendSetRequest(
            opening={"session": hostile.session, "step": 0, "header": {"width": 32, "sizes": [9]}}
        )
        call, over = hang(channel, "SendSet", opening.SerializeToString())
        assert call.code() is grpc.StatusCode.CANCELLED
        over.set()
        assert not one.desk.walks[0].errors


def test_a_reader_that_does_not_read_is_ended(tmp_path, monkeypatch):
    ended, over = threading.Event(), Watchdog.over
    monkeypatch.setattr(
        Watchdog, "over", lambda dog, cancel: over(dog, lambda: (cancel(), ended.set()))
    )
    elements = 600_000  # 19 MB, more than connections hold on their way
    with (
        wired(tmp_path, dials="channel", message_seconds=1.0, elements=elements) as one,
        raw_stubs(one) as (stub, _, _),
    ):
        hostile = Hostile(one, stub).begin()
        hostile.send_set(0, [], SetHeader(32, (0,)))
        request = session_pb2.PullSetRequest(session=hostile.session, step=1)
        hostile.pull_set(1, first_chunk=18)  # it is there
        pull = stub.PullSet(request, timeout=SECONDS)
        assert ended.wait(SECONDS)
        with pytest.raises(grpc.RpcError) as error:
            list(pull)
        assert error.value.code() is grpc.StatusCode.CANCELLED


def test_connections_are_bounded_and_those_that_shake_no_hands_are_closed(tmp_path, monkeypatch):
    bounds = {"grpc.max_allowed_incoming_connections": 4, "grpc.server_handshake_timeout_ms": 3_000}
    monkeypatch.setattr(serve, "_OPTIONS", tuple({**dict(serve._OPTIONS), **bounds}.items()))
    with wired(tmp_path) as one, contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(("127.0.0.1", one.port), 5))
            for _ in range(8)
        ]
        until(lambda: sum(map(is_closed, opened)) >= 4)
        until(lambda: all(map(is_closed, opened)))
        with one.dialler() as dialler:
            dialler.check_health()


def is_closed(connection):
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and not connection.recv(64)
    except OSError:
        return True


def test_one_counterpart_has_its_share_of_calls_and_another_the_rest(tmp_path):
    other = party_called("advertiser", copy=3)
    with wired(tmp_path, max_sessions=2, max_sessions_a_peer=1, message_seconds=SECONDS) as one:
        one.desk._contracts.append(contract_between(other, contract_id="another"))
        with raw_stubs(one) as (_, _, channel), raw_stubs(one, other) as (stub, _, _):
            hanging = [hang(channel, "Attend") for _ in range(30)]
            until(lambda: sum(call.done() for call, _ in hanging) >= 30 - MOST)
            refused = [call for call, _ in hanging if call.done()]
            assert {call.code() for call in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
            with pytest.raises(grpc.RpcError) as error:
                stub.Attend(session_pb2.AttendRequest(), timeout=SECONDS)
            assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT, "the other is answered"
            for call, over in hanging:
                call.cancel()
                over.set()


def test_calls_come_no_faster_than_their_rate():
    now = [0.0]
    turnstile = Turnstile(10, clock=lambda: now[0])

    def passes(who):
        try:
            with turnstile.passing(who):
                return True
        except Crowded:
            return False

    assert sum(passes(b"one") for _ in range(2_000)) == CALLS_AT_A_STRETCH
    assert passes(b"another")
    now[0] += 2
    assert sum(passes(b"one") for _ in range(2_000)) == 2 * CALLS_A_SECOND


def test_chunks_beyond_their_rate_are_slowed_down_and_not_refused():
    turnstile = Turnstile(10, clock=lambda: 0.0)
    with turnstile.passing(b"one") as count:
        waits = [count() for _ in range(2_400)]
    assert set(waits[:2_000]) == {0.0}
    assert waits[-1] == pytest.approx(2.0)


# -- what is too large, or no message -------------------------------------------------------------


@pytest.mark.parametrize(
    ("rpc", "data", "status"),
    [
        ("Attend", b"\x0a\x84\x20" + bytes(4_100), RefusalStatus.LIMIT_EXCEEDED),
        ("Close", b"\x12\x00" * 100_000, RefusalStatus.LIMIT_EXCEEDED),
        ("Commit", b"\x0b" * 3_000, RefusalStatus.BAD_REQUEST),  # groups in groups
        ("Attend", b"\x0a\x02\xff\xff", RefusalStatus.BAD_REQUEST),
        ("SendSet", b"\xff" * 20, RefusalStatus.BAD_REQUEST),
    ],
    ids=["huge", "many small parts", "deep", "text that is none", "no message in a stream"],
)
def test_a_message_that_is_none_is_a_breach_and_opens_nothing(tmp_path, rpc, data, status):
    with wired(tmp_path) as one, raw_stubs(one) as (_, _, channel):
        with pytest.raises(grpc.RpcError) as error:
            channel.stream_unary(f"{SERVICE}/{rpc}")(iter([data]), timeout=SECONDS)
        assert dict(error.value.trailing_metadata())["commonground-status"] == status.value
        assert one.desk.breaches == [("advertiser", one.contract.digest, status)]
        assert not one.desk.walks


def test_a_call_without_a_message_is_refused(tmp_path):
    with wired(tmp_path) as one, raw_stubs(one) as (_, _, channel):
        with pytest.raises(grpc.RpcError) as error:
            channel.stream_unary(f"{SERVICE}/Attend")(iter([]), timeout=SECONDS)
        assert "is missing" in error.value.details()


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_message_is_not_opened(tmp_path, algorithm):
    with wired(tmp_path) as one, raw_stubs(one) as (stub, _, _):
        with pytest.raises(grpc.RpcError) as error:
            stub.Attend(
                session_pb2.AttendRequest(session={"request_id": "0" * 4_000_000}),
                compression=algorithm,
                timeout=SECONDS,
            )
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_listener_that_compresses_is_not_understood(tmp_path, monkeypatch):
    """A bomb may come from either end, and neither opens one."""
    options = dict(serve._OPTIONS)
    del options["grpc.compression_enabled_algorithms_bitset"]
    options["grpc.default_compression_algorithm"] = int(grpc.Compression.Gzip)
    monkeypatch.setattr(serve, "_OPTIONS", tuple(options.items()))
    with wired(tmp_path) as one, one.dialler() as dialler:
        with raw_stubs(one) as (_, _, channel):
            assert len(carried(doctor_pb2_grpc.DoctorServiceStub(channel))) == 100_000
        with pytest.raises(grpc.RpcError) as error:
            carried(doctor_pb2_grpc.DoctorServiceStub(dialler._channel))
        assert error.value.details() == "Compression algorithm not supported: gzip"


def carried(stub):
    return stub.Carry(doctor_pb2.CarryRequest(wanted=100_000), timeout=SECONDS).payload


def test_a_flood_of_headers_is_refused(tmp_path):
    flood = [(f"x-{number}", "y" * 64) for number in range(200)]
    with wired(tmp_path) as one, raw_stubs(one) as (stub, _, _):
        with pytest.raises(grpc.RpcError) as error:
            stub.Attend(session_pb2.AttendRequest(), metadata=flood, timeout=SECONDS)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


# -- health ---------------------------------------------------------------------------------------


def standing(channel, service=""):
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def test_health_says_when_the_store_is_away_and_when_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr("server.health_service.LOOK_SECONDS", 0.05)
    with wired(tmp_path) as one, raw_stubs(one) as (_, _, channel):
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(), timeout=SECONDS
        )
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        one.desk.away = True
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert standing(channel) == standing(channel, SERVICE[1:]) == "NOT_SERVING"
        one.desk.away = False
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        assert standing(channel) == standing(channel, SERVICE[1:]) == "SERVING"
        watch.cancel()


def test_health_of_sessions_says_when_nobody_more_can_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("server.health_service.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("server.admission.MOST_WAITING", 1)
    with (
        wired(tmp_path, dials="channel", max_sessions=1) as one,
        one.dialler() as dialler,
        raw_stubs(one) as (_, _, channel),
    ):
        assert standing(channel, SERVICE[1:]) == "SERVING"
        for _ in range(2):
            dialler.submit(make_request(one.contract))
        until(lambda: standing(channel, SERVICE[1:]) == "NOT_SERVING")
        assert standing(channel) == "SERVING"


def test_a_store_that_is_asked_and_does_not_answer_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr("server.health_service.STALE_SECONDS", 2.0)
    monkeypatch.setattr("server.health_service.LOOK_SECONDS", 0.05)
    hang = threading.Event()
    with wired(tmp_path) as one, raw_stubs(one) as (_, _, channel):
        until(lambda: standing(channel) == "SERVING")
        one.server._status._store_answers = lambda: hang.wait(SECONDS)
        until(lambda: standing(channel) == "NOT_SERVING")
        hang.set()
