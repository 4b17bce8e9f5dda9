"""What a counterpart sends: every message of every service, and the streams of sets and parcels."""

import struct
import tempfile
from hashlib import sha256
from pathlib import Path

from google.protobuf.message import DecodeError
from target import Target
from text_targets import introductions

from commonground.v1 import (
    collaboration_pb2,
    doctor_pb2,
    joining_pb2,
    keys_pb2,
    parcels_pb2,
    session_pb2,
    suppression_pb2,
)
from party.artefacts import Chunk, SessionFolder, SetHeader, chunk_digest
from party.decision import Decision
from party.errors import Refusal, RefusalStatus
from party.introduction import Introduction
from party.messages import (
    CheckpointOffer,
    Closing,
    Commitment,
    Cosignature,
    Finish,
    KeyArtefact,
    Nonce,
    NumberingArtefact,
    ReleaseArtefact,
    SizesArtefact,
)
from party.parcels.seal import ParcelHeader
from party.parcels.store import ParcelFile
from party.request import Request
from party.suppression.run import RUN_BYTES, Acknowledgement, SuppressionRun
from party.wire import (
    artefacts,
    collaboration,
    doctor,
    fields,
    keys,
    limits,
    parcels,
    suppression,
)
from party.wire.exchanges import EXCHANGES, kind_of
from party.wire.names import SessionName, decode_name, decode_step, encode_name
from party.wire.refusals import decode_refusal, encode_refusal
from psi.identifiers import Profile

VECTORS = Path(__file__).parents[1] / "vectors" / "contract"
MODULES = (
    collaboration_pb2, doctor_pb2, joining_pb2, keys_pb2, parcels_pb2, session_pb2, suppression_pb2
)  # fmt: skip
D = bytes(range(32))
NAME = SessionName("0f" * 16, D)
SAID = (
    Commitment("channel", D, D[::-1]),
    Nonce("channel", D),
    Closing("channel", {0: D, 4: D[::-1], 63: bytes(32)}),
    Finish("channel", D),
    CheckpointOffer("channel", "origin\n7\nAAAA\n\n— origin BBBB\n", (D, bytes(32))),
    Cosignature("channel", "— origin AAAA\n"),
)
SMALL = (
    KeyArtefact(D),
    SizesArtefact((3, 0, 2**31 - 3)),
    NumberingArtefact(("Süd", "4+")),
    ReleaseArtefact((2, 3), (1, -2, 3, -4, 2**53 - 1, 1 - 2**53), (1, 0)),
    ReleaseArtefact((1, 2, 2), (1, 2, 3, 4), (0,), (5, -6)),
)
SMALL_OF = {kind.artefact: kind for kind in artefacts.SMALL_KINDS}
HEADER = SetHeader(32, (2, 1))
CHUNK = Chunk(0, D * 3, chunk_digest(3, 0, D * 3))
PIECE = bytes(36)
LAID = struct.pack(">I", len(PIECE)) + PIECE
PARCEL = ParcelHeader(1, len(LAID), sha256(LAID).digest(), bytes(64))
ENDS = parcels.ParcelName(NAME, "vendor", 3)
DECLINED = Refusal(RefusalStatus.DECLINED, "not this time")


def _named(message):
    return decode_name(message)


def _step(message):
    return decode_name(message), decode_step(message.step)


def _of_set(message):
    part = message.WhichOneof("part")
    if part == "chunk":
        return artefacts.decode_chunk(message)
    if part == "opening":
        return artefacts.decode_opening(message)
    return artefacts.decode_pulled_header(message)


def _of_parcel(message):
    part = message.WhichOneof("part")
    if part == "chunk":
        return parcels.decode_chunk(message)
    if part == "opening":
        return parcels.decode_opening(message)
    return parcels.decode_header(message)


def _present(field, decode):
    def read(message):
        fields.require_present(message, field)
        return decode(getattr(message, field))

    return read


def _introduced(message):
    most = limits.MOST_INTRODUCTION_BYTES
    return Introduction.decode(fields.bounded_bytes(message.introduction, most, "introduction"))


def _readers():
    """Return how each request and each response that carries something is read, by its name."""
    found = {}
    for kind in EXCHANGES:
        found[f"{kind.rpc}Request"] = lambda m, kind=kind: (decode_name(m), kind.carried(m))
        found[f"{kind.rpc}Response"] = kind.carried
    for kind in artefacts.SMALL_KINDS:
        found[f"Send{kind.rpc}Request"] = lambda m, kind=kind: (_step(m), kind.carried(m))
        found[f"Send{kind.rpc}Response"] = lambda m: fields.digest(m.digest, "digest")
        found[f"Pull{kind.rpc}Request"] = _step
        found[f"Pull{kind.rpc}Response"] = kind.carried
    decided = _present("decision", collaboration.decode_decision)
    word = _present("acknowledgement", suppression.decode_acknowledgement)
    run = _present("run", suppression.decode_run)
    return found | {
        "SendSetRequest": _of_set,
        "SendSetResponse": artefacts.decode_progress,
        "PullSetRequest": _step,
        "PullSetResponse": _of_set,
        "AcknowledgeRequest": lambda m: (_step(m), fields.digest(m.digest, "digest")),
        "AttendRequest": _named,
        "RefuseRequest": lambda m: (_named(m), _present("refusal", decode_refusal)(m)),
        "SendParcelRequest": _of_parcel,
        "SendParcelResponse": parcels.decode_progress,
        "PullParcelRequest": parcels.decode_pull,
        "PullParcelResponse": _of_parcel,
        "AcknowledgeParcelRequest": parcels.decode_acknowledgement,
        "SubmitRequestRequest": _present("request", collaboration.decode_request),
        "SubmitRequestResponse": decided,
        "ListRequestsRequest": lambda m: fields.digest(m.contract_hash, "contract_hash"),
        "ListRequestsResponse": collaboration.decode_listing,
        "DecideRequestRequest": lambda m: (
            fields.request_id(m.request_id, "request_id"),
            collaboration.decode_decision(m.decision),
        ),
        "SuppressRequest": lambda m: (_named(m), run(m)),
        "SuppressResponse": word,
        "FetchRunRequest": _named,
        "FetchRunResponse": lambda m: run(m) if m.HasField("run") else None,
        "AcknowledgeRunRequest": lambda m: (_named(m), word(m)),
        "JoinRequest": _introduced,
        "JoinResponse": _introduced,
        "ExchangeStatementsRequest": keys.decode_statements,
        "ExchangeStatementsResponse": keys.decode_statements,
        "ExamineResponse": doctor.decode_examination,
        "CarryRequest": lambda m: fields.whole(m.wanted, limits.MOST_PROBE_BYTES, "wanted"),
    }


READERS = _readers()


def messages_of(module):
    """Return the messages that are asked and answered with in one of our proto files."""
    names = sorted(module.DESCRIPTOR.message_types_by_name)
    return [getattr(module, name) for name in names if name.endswith(("Request", "Response"))
            and name != "SignedRequest"]  # fmt: skip


def _read(module):
    """Return the parser of a module's messages: the first byte says which of them it is."""
    kinds = [kind for kind in messages_of(module) if kind.DESCRIPTOR.name in READERS]

    def read(data):
        kind = kinds[(data[0] if data else 0) % len(kinds)]
        try:
            message = kind.FromString(data[1:])
        except DecodeError:  # gRPC's own refusal, before anything of ours
            return None
        return READERS[kind.DESCRIPTOR.name](message)

    def seeds():
        made = {type(message): message for message in _messages()}
        return [
            bytes([number]) + (made[kind].SerializeToString() if kind in made else b"")
            for number, kind in enumerate(kinds)
        ]

    return read, seeds


def _messages():
    """Return a well-formed message of each kind that is easily made."""
    name = encode_name(NAME)
    for said in SAID:
        kind = kind_of(said)
        data = kind.to_bytes(said)
        yield kind.request(NAME, data)
        yield kind.response(data)
    for artefact in SMALL:
        kind = SMALL_OF[type(artefact)]
        yield kind.send_request(NAME, 3, artefact)
        yield kind.pull_request(NAME, 3)
        yield kind.pull_response(artefact)
    session, parcel = session_pb2, parcels_pb2
    yield artefacts.encode_opening(artefacts.SetOpening(NAME, 3, HEADER))
    yield session.PullSetResponse(chunk=artefacts.encode_chunk(CHUNK))
    yield session.AcknowledgeRequest(session=name, step=3, digest=D)
    yield session.RefuseRequest(session=name, refusal=encode_refusal(DECLINED))
    yield parcels.encode_opening(ENDS)
    yield parcels.encode_pull(ENDS, 2)
    yield parcels.encode_acknowledgement(ENDS, bytes(64))
    yield parcel.PullParcelResponse(header=parcels.encode_header(PARCEL))
    asked = Request.decode((VECTORS / "cross-channel-request.json").read_bytes())
    decision = Decision("refused", DECLINED.status, DECLINED.message)
    yield collaboration_pb2.SubmitRequestRequest(request=collaboration.encode_request(asked))
    yield collaboration_pb2.SubmitRequestResponse(decision=collaboration.encode_decision(decision))
    yield collaboration.encode_listing([asked])
    run = suppression.encode_run(SuppressionRun(1, bytes(RUN_BYTES)))
    yield suppression_pb2.SuppressRequest(session=name, run=run)
    word = suppression.encode_acknowledgement(Acknowledgement(1, D, bytes(64)))
    yield suppression_pb2.SuppressResponse(acknowledgement=word)
    yield doctor.encode_examination(
        doctor.Examination(1, Profile.current(), ("0f" * 32,), "origin\n0\n")
    )
    yield joining_pb2.JoinRequest(introduction=introductions()[0])
    yield joining_pb2.JoinResponse(introduction=introductions()[1])


def framed(messages):
    """Return messages behind each other, each after its length."""
    parts = [message.SerializeToString() for message in messages]
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def _unframed(data, kind):
    while len(data) >= 2:
        (length,) = struct.unpack_from(">H", data)
        try:
            yield kind.FromString(data[2 : 2 + length])
        except DecodeError:
            return
        data = data[2 + length :]


def _take_set(data):
    stream = _unframed(data, session_pb2.PullSetResponse)
    header = artefacts.decode_pulled_header(next(stream, None))
    with tempfile.TemporaryDirectory() as place:
        incoming = SessionFolder(Path(place)).incoming(3, header)
        for message in stream:
            incoming.accept(artefacts.decode_chunk(message))
        return incoming.finish().sizes


def _take_parcel(data):
    stream = _unframed(data, parcels_pb2.PullParcelResponse)
    header = parcels.decode_header(next(stream, None))
    with tempfile.TemporaryDirectory() as place:
        file = ParcelFile(SessionFolder(Path(place)), "channel", "vendor", 3)
        incoming = file.incoming(header)
        for message in stream:
            incoming.accept(*parcels.decode_chunk(message))
        incoming.finish()


def _sets():
    pulled = session_pb2.PullSetResponse
    header = pulled(header=artefacts.encode_header(HEADER))
    return [framed([header, pulled(chunk=artefacts.encode_chunk(CHUNK))]), framed([header])]


def _parcels():
    pulled = parcels_pb2.PullParcelResponse
    chunk = pulled(chunk=parcels.encode_chunk(0, PIECE))
    return [framed([pulled(header=parcels.encode_header(PARCEL)), chunk])]


TARGETS = [
    *(
        Target(f"messages of {module.DESCRIPTOR.name.rpartition('/')[2]}", read, (Refusal,), seeds)
        for module in MODULES
        for read, seeds in [_read(module)]
    ),
    Target("stream of a set", _take_set, (Refusal,), _sets),
    Target("stream of a parcel", _take_parcel, (Refusal,), _parcels),
]
