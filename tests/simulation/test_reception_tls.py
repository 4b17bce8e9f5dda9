"""Over real gRPC and mutual TLS: what the holder of an invitation may ask, what a pinned peer may,
and what each hears that may not.
"""

import contextlib
import dataclasses
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wired_parties import ScriptedDesk, contract_between, make_request, party_called

from client.channel import open_channel
from commonground.v1 import (
    collaboration_pb2,
    collaboration_pb2_grpc,
    doctor_pb2,
    doctor_pb2_grpc,
    joining_pb2,
    joining_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
)
from party.card import IdentityCard
from party.errors import Refusal, RefusalStatus
from party.invitation import Invitation
from party.reception import Welcomed
from party.wire.collaboration import encode_request
from party.wire.limits import MOST_INTRODUCTION_BYTES, MOST_PROBE_BYTES
from psi.identifiers import Profile
from server import serve

SECONDS = 60


class Scripted:
    """A reception that knows one invitation and one peer, and welcomes everybody."""

    def __init__(self, invitation, peer):
        card = IdentityCard.of(peer, organisation="The peer", address=None)
        self.certificates = {invitation.certificate.fingerprint: invitation.certificate.pem}
        self.cards = {"vendor": card}
        self.came = []

    def invitations(self):
        return dict(self.certificates)

    def peers(self):
        return dict(self.cards)

    def welcome(self, invitation, introduction):
        self.came.append((invitation, introduction))
        return Welcomed("joiner", "sha256:00", b"welcome")


@dataclasses.dataclass
class Listening:
    reception: Scripted
    desk: ScriptedDesk
    address: str
    invitation: Invitation


@pytest.fixture
def listening(tmp_path):
    """The channel listens, with a contract with the advertiser, a peer and an invitation."""
    channel = party_called("channel")
    invitation = Invitation.make("127.0.0.1:1", channel.fingerprint)
    reception = Scripted(invitation, party_called("vendor"))
    desk = ScriptedDesk(tmp_path, [contract_between()], None)
    server = serve.start(desk, channel, "127.0.0.1:0", reception=reception)
    yield Listening(reception, desk, f"127.0.0.1:{server.port}", invitation)
    server.stop(0)


@contextlib.contextmanager
def speaking(one, who):
    """Dial as the holder of the invitation, or as a party."""
    pinned = party_called("channel").certificate
    if isinstance(who, Invitation):
        key, certificate = who.key_pem(), who.certificate
    else:
        key, certificate = who.tls_key_pem(), who.certificate
    with open_channel(one.address, None, [pinned], key, certificate) as channel:
        yield channel


def submit(channel):
    stub = collaboration_pb2_grpc.CollaborationServiceStub(channel)
    request = encode_request(make_request(contract_between()))
    return stub.SubmitRequest(
        collaboration_pb2.SubmitRequestRequest(request=request), timeout=SECONDS
    )


def submit_rubbish(channel):
    """What is not let in is not read either."""
    stub = collaboration_pb2_grpc.CollaborationServiceStub(channel)
    request = collaboration_pb2.SignedRequest(document=b"rubbish")
    return stub.SubmitRequest(
        collaboration_pb2.SubmitRequestRequest(request=request), timeout=SECONDS
    )


def attend(channel):
    stub = session_pb2_grpc.SessionServiceStub(channel)
    digest = bytes.fromhex(contract_between().digest)
    name = session_pb2.SessionName(request_id="0" * 32, contract_hash=digest)
    return stub.Attend(session_pb2.AttendRequest(session=name), timeout=SECONDS)


def examine(channel):
    stub = doctor_pb2_grpc.DoctorServiceStub(channel)
    return stub.Examine(doctor_pb2.ExamineRequest(), timeout=SECONDS)


def carry(channel, payload=b"", wanted=0):
    stub = doctor_pb2_grpc.DoctorServiceStub(channel)
    request = doctor_pb2.CarryRequest(payload=payload, wanted=wanted)
    return stub.Carry(request, timeout=SECONDS)


def check(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)


def watch(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    return next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS))


def join(channel, introduction=b"hello"):
    stub = joining_pb2_grpc.JoinServiceStub(channel)
    return stub.Join(joining_pb2.JoinRequest(introduction=introduction), timeout=SECONDS)


def refused(code, call, *words, **more):
    with pytest.raises(grpc.RpcError) as found:
        call(*words, **more)
    assert found.value.code() is code
    return found.value.details()


@pytest.mark.parametrize("call", [submit, submit_rubbish, attend, examine, carry, check, watch])
def test_the_holder_of_an_invitation_may_do_nothing_but_join(listening, call):
    with speaking(listening, listening.invitation) as channel:
        refused(grpc.StatusCode.UNAUTHENTICATED, call, channel)
        assert join(channel).introduction == b"welcome"
    assert listening.reception.came == [(listening.invitation.certificate.fingerprint, b"hello")]


@pytest.mark.parametrize("call", [submit, submit_rubbish, attend, join])
def test_a_pinned_peer_without_a_contract_may_only_look(listening, call):
    with speaking(listening, party_called("vendor")) as channel:
        refused(grpc.StatusCode.UNAUTHENTICATED, call, channel)
        assert check(channel).status == health_pb2.HealthCheckResponse.SERVING
        assert watch(channel).status == health_pb2.HealthCheckResponse.SERVING
        assert list(examine(channel).contracts) == []
    assert listening.reception.came == []


def test_a_party_of_a_contract_may_all_but_join(listening):
    with speaking(listening, party_called("advertiser")) as channel:
        submit(channel)
        check(channel)
        refused(grpc.StatusCode.UNAUTHENTICATED, join, channel)
        found = examine(channel)
    assert list(found.contracts) == [bytes.fromhex(contract_between().digest)]
    assert abs(found.time_ms / 1000 - time.time()) < 5
    assert found.profile.version == Profile.current().version


def test_a_join_that_is_refused_is_told_to_the_operator(listening, caplog):
    def refuse(invitation, introduction):
        raise Refusal(RefusalStatus.EXPIRED, "this invitation has ended")

    listening.reception.welcome = refuse
    with speaking(listening, listening.invitation) as channel:
        refused(grpc.StatusCode.FAILED_PRECONDITION, join, channel)
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    assert record.commonground_event.name == "join.refused"
    assert record.commonground_event.status == "EXPIRED"
    assert listening.invitation.id in record.getMessage()


def test_an_invitation_that_is_not_known_is_not_let_in(listening):
    other = Invitation.make("127.0.0.1:1", party_called("channel").fingerprint)
    with speaking(listening, other) as channel:
        refused(grpc.StatusCode.UNAVAILABLE, join, channel)


def test_an_invitation_that_is_forgotten_joins_no_more_over_an_open_connection(listening):
    with speaking(listening, listening.invitation) as channel:
        join(channel)
        listening.reception.certificates.clear()
        refused(grpc.StatusCode.UNAUTHENTICATED, join, channel)


def test_a_peer_that_is_forgotten_looks_no_more_over_an_open_connection(listening):
    with speaking(listening, party_called("vendor")) as channel:
        examine(channel)
        listening.reception.cards.clear()
        refused(grpc.StatusCode.UNAUTHENTICATED, examine, channel)


def test_an_invitation_made_while_the_server_runs_is_let_in(listening):
    new = Invitation.make("127.0.0.1:1", party_called("channel").fingerprint)
    with speaking(listening, new) as channel:
        refused(grpc.StatusCode.UNAVAILABLE, join, channel)
    listening.reception.certificates[new.certificate.fingerprint] = new.certificate.pem
    with speaking(listening, new) as channel:
        join(channel)


@pytest.mark.parametrize("introduction", [b"", bytes(MOST_INTRODUCTION_BYTES + 1)])
def test_an_introduction_of_no_size_or_too_large_is_refused_unread(listening, introduction):
    with speaking(listening, listening.invitation) as channel, pytest.raises(grpc.RpcError):
        join(channel, introduction)
    assert listening.reception.came == []


def test_a_probe_carries_a_megabyte_each_way_and_not_a_byte_more(listening):
    with speaking(listening, party_called("vendor")) as channel:
        assert len(carry(channel, bytes(MOST_PROBE_BYTES), MOST_PROBE_BYTES).payload) == 1_048_576
        said = refused(grpc.StatusCode.OUT_OF_RANGE, carry, channel, bytes(MOST_PROBE_BYTES + 1))
        assert "payload" in said
        said = refused(grpc.StatusCode.OUT_OF_RANGE, carry, channel, b"", MOST_PROBE_BYTES + 1)
        assert "wanted" in said


def test_without_a_reception_nobody_joins(tmp_path):
    server = serve.start(
        ScriptedDesk(tmp_path, [contract_between()], None), party_called("channel"), "127.0.0.1:0"
    )
    one = Listening(None, None, f"127.0.0.1:{server.port}", None)
    try:
        with speaking(one, party_called("advertiser")) as channel:
            refused(grpc.StatusCode.UNIMPLEMENTED, join, channel)
    finally:
        server.stop(0)
