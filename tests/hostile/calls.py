"""What a liar says on the wire by itself: calls that no honest client makes."""

import contextlib
import hashlib
import socket
import struct
from dataclasses import replace

import grpc
from changes import ROOT

from commonground.v1 import collaboration_pb2, collaboration_pb2_grpc
from commonground.v1 import session_pb2 as pb
from party.artefacts import Chunk, SetHeader, header_of, read_chunks
from party.wire import artefacts as wire
from party.wire.names import encode_name


def stream(link, step, header, *chunks):
    session, _ = link.stubs
    opening = wire.encode_opening(wire.SetOpening(link.name, step, header))
    parts = [pb.SendSetRequest(chunk=wire.encode_chunk(chunk)) for chunk in chunks]
    session.SendSet(iter([opening, *parts]), timeout=20)


def with_chunks(change):
    def send(link, step, artefact):
        stream(link, step, header_of(artefact), *change(list(read_chunks(artefact, step))))

    return send


def with_header(change):
    return lambda link, step, artefact: stream(link, step, change(header_of(artefact)))


def short_tags(header):
    return SetHeader(8, header.sizes)


def many_points(header):
    return SetHeader(header.width, (2**31 + 1, *header.sizes[1:]))


def many_labels(header):
    return SetHeader(header.width, (0,) * 4_097)


def cut_short(chunks):
    data = chunks[0].data[:-16]
    digest = hashlib.sha256(struct.pack(">II", 0, 0) + data).digest()
    return [Chunk(0, data, digest)]


def before_its_turn(link, step, artefact):
    session, _ = link.stubs
    session.PullKey(pb.PullKeyRequest(session=encode_name(link.name), step=5), timeout=20)


def raw(rpc, data):
    """Send bytes as the message of a call."""

    def send(attack, dialler):
        call = dialler._channel.unary_unary(f"/commonground.v1.SessionService/{rpc}")
        call(data, timeout=20)

    return send


def many_small_parts():
    return pb.CloseRequest(
        closing=pb.Closing(digests=[pb.StepDigest()] * 1_000_000)
    ).SerializeToString()


def compressed(attack, dialler):
    request = pb.AttendRequest(session={"request_id": "0" * 4_000_000})
    dialler.sessions.Attend(request, compression=grpc.Compression.Gzip, timeout=20)


def header_flood(attack, dialler):
    flood = [(f"x-{number}", "y" * 64) for number in range(200)]
    dialler.sessions.Attend(pb.AttendRequest(), metadata=flood, timeout=20)


def silent_connections(attack, dialler):
    """Take every connection that is free, and say nothing; whoever is connected is served on."""
    dialler.check_health()
    place = dialler.address.rsplit(":", 1)
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection((place[0], int(place[1])), 20))
        dialler.check_health()


def submit_bytes(change):
    def send(attack, dialler):
        document = change(attack)
        stub = collaboration_pb2_grpc.CollaborationServiceStub(dialler._channel)
        request = collaboration_pb2.SubmitRequestRequest(request={"document": document})
        stub.SubmitRequest(request, timeout=20)

    return send


def forged_signature(attack):
    request = attack.request("recipient").sign(attack.liar.identity)
    return replace(request, created=request.created - 1).encode()


def of_another_author(attack):
    request = attack.request("recipient")
    return replace(request, requester="channel").sign(attack.liar.identity).encode()


class Honest:
    """No lie at all."""

    def said(self, message, link):
        return message

    def sent(self, step, artefact, link):
        return artefact

    def asked(self, step, link):
        pass


def replayed_session(attack, dialler):
    """Say the first words of a session that has its result with another content."""
    request = attack.file(attack.request("recipient"))
    attack.run_session(dialler, request, Honest())
    name = pb.SessionName(
        request_id=request.id, contract_hash=bytes.fromhex(attack.contract.digest)
    )
    commitment = pb.Commitment(party="advertiser", seed=ROOT, nonce=ROOT)
    dialler.sessions.Commit(pb.CommitRequest(session=name, commitment=commitment), timeout=20)


def anothers_id(attack, dialler):
    """Put another request under the id of one that is known."""
    first = attack.file(attack.request("recipient"))
    dialler.submit(first)
    again = attack.request("receives", id=first.id).sign(attack.liar.identity)
    dialler.submit(again)
