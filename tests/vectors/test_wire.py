"""Every message survives the wire as it was, and none gets in that is out of shape."""

import pytest
from grpc import StatusCode

from commonground.v1 import collaboration_pb2 as collaboration_pb
from commonground.v1 import session_pb2 as pb
from party.artefacts import Chunk, SetHeader
from party.decision import Decision
from party.errors import Refusal, RefusalStatus
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
from party.wire import artefacts, limits, refusals
from party.wire.collaboration import decode_decision, decode_listing, encode_decision
from party.wire.exchanges import EXCHANGES, kind_of
from party.wire.names import SessionName, decode_name, decode_step, encode_name

D = bytes(range(32))
NAME = SessionName("0f" * 16, D)
MESSAGES = [
    Commitment("channel", D, D[::-1]),
    Nonce("channel", D),
    Closing("channel", {0: D, 4: D[::-1], 63: bytes(32)}),
    Finish("channel", D),
    CheckpointOffer("channel", "origin\n7\nAAAA\n\n— origin BBBB\n", (D, bytes(32))),
    CheckpointOffer("channel", "origin\n0\n", ()),
    Cosignature("channel", "— origin AAAA\n"),
    Cosignature("channel", ""),
]
ARTEFACTS = [
    KeyArtefact(D),
    SizesArtefact((3, 0, 2**31 - 3)),
    NumberingArtefact(("Süd", "4+")),
    ReleaseArtefact((2, 3), (1, -2, 3, -4, 2**53 - 1, 1 - 2**53), (1, 0)),
    ReleaseArtefact((1, 2, 2), (1, 2, 3, 4), (0,), (5, -6)),
]
SMALL_OF = {kind.artefact: kind for kind in artefacts.SMALL_KINDS}


def name_of(value):
    return type(value).__name__


# -- what is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize("message", MESSAGES, ids=name_of)
def test_a_message_survives_request_response_and_disk(message):
    kind = kind_of(message)
    data = kind.to_bytes(message)
    assert kind.from_bytes(data) == message
    assert kind.carried(kind.response(data)) == message
    request = kind.request(NAME, data)
    assert kind.carried(type(request).FromString(request.SerializeToString())) == message
    assert decode_name(request) == NAME


def test_fields_that_this_version_does_not_know_do_not_survive():
    message = MESSAGES[1]
    kind = kind_of(message)
    extended = kind.to_bytes(message) + b"\x7a\x03abc"  # field 15
    assert kind.to_bytes(kind.from_bytes(extended)) == kind.to_bytes(message)


@pytest.mark.parametrize("kind", EXCHANGES, ids=lambda kind: kind.rpc)
def test_a_call_without_its_message_is_refused(kind):
    for envelope in (getattr(pb, f"{kind.rpc}Request")(), getattr(pb, f"{kind.rpc}Response")()):
        with pytest.raises(Refusal, match="is missing"):
            kind.carried(envelope)


def with_fields(message, **changes):
    """Return the protobuf message of `message` with fields changed or (None) cleared."""
    wire = kind_of(message).encode(message)
    for name, value in changes.items():
        wire.ClearField(name)
        if isinstance(value, list):
            getattr(wire, name).extend(value)
        elif value is not None:
            setattr(wire, name, value)
    return wire


@pytest.mark.parametrize(
    ("message", "changes", "status"),
    [
        (MESSAGES[0], {"party": ""}, "BAD_REQUEST"),
        (MESSAGES[0], {"party": "x" * 65}, "LIMIT_EXCEEDED"),
        (MESSAGES[0], {"party": "a\nb"}, "BAD_REQUEST"),
        (MESSAGES[0], {"seed": D[:31]}, "BAD_REQUEST"),
        (MESSAGES[0], {"nonce": D + b"\0"}, "BAD_REQUEST"),
        (MESSAGES[1], {"nonce": None}, "BAD_REQUEST"),
        (MESSAGES[2], {"digests": []}, "BAD_REQUEST"),
        (MESSAGES[2], {"digests": [pb.StepDigest(step=1, digest=D)] * 2}, "BAD_REQUEST"),
        (
            MESSAGES[2],
            {"digests": [pb.StepDigest(step=s, digest=D) for s in (2, 1)]},
            "BAD_REQUEST",
        ),
        (MESSAGES[2], {"digests": [pb.StepDigest(step=64, digest=D)]}, "BAD_REQUEST"),
        (MESSAGES[2], {"digests": [pb.StepDigest(step=1, digest=D[1:])]}, "BAD_REQUEST"),
        (
            MESSAGES[2],
            {"digests": [pb.StepDigest(step=s, digest=D) for s in range(65)]},
            "LIMIT_EXCEEDED",
        ),
        (MESSAGES[3], {"transcript": b""}, "BAD_REQUEST"),
        (MESSAGES[4], {"checkpoint": ""}, "BAD_REQUEST"),
        (MESSAGES[4], {"checkpoint": "é" * 8193}, "LIMIT_EXCEEDED"),
        (MESSAGES[4], {"checkpoint": "a\0b"}, "BAD_REQUEST"),
        (MESSAGES[4], {"proof": [D] * 64}, "LIMIT_EXCEEDED"),
        (MESSAGES[4], {"proof": [D, D[1:]]}, "BAD_REQUEST"),
        (MESSAGES[6], {"line": "— a\0b"}, "BAD_REQUEST"),
        (MESSAGES[6], {"line": "é" * 513}, "LIMIT_EXCEEDED"),
    ],
)
def test_a_message_out_of_shape_is_refused(message, changes, status):
    with pytest.raises(Refusal) as refused:
        kind_of(message).decode(with_fields(message, **changes))
    assert refused.value.status.value == status


@pytest.mark.parametrize(
    ("request_id", "contract_hash"),
    [("", D), ("0F" * 16, D), ("0f" * 15, D), ("0f" * 17, D), ("../" * 10, D), ("0f" * 16, b"")],
)
def test_a_session_is_named_by_32_hex_digits_and_a_hash(request_id, contract_hash):
    name = encode_name(SessionName(request_id, contract_hash))
    with pytest.raises(Refusal):
        decode_name(pb.AttendRequest(session=name))


def test_a_call_without_a_session_and_a_step_beyond_all_tables_are_refused():
    with pytest.raises(Refusal, match="session is missing"):
        decode_name(pb.AttendRequest())
    assert decode_step(63) == 63
    with pytest.raises(Refusal, match="step must be below 64"):
        decode_step(64)


# -- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=name_of)
def test_an_artefact_that_travels_whole_survives_both_ways(artefact):
    kind = SMALL_OF[type(artefact)]
    pushed = kind.send_request(NAME, 5, artefact)
    assert kind.carried(type(pushed).FromString(pushed.SerializeToString())) == artefact
    assert (decode_name(pushed), pushed.step) == (NAME, 5)
    assert kind.carried(kind.pull_response(artefact)) == artefact


RELEASE = {"shape": [2, 2], "cells": [1, 2, 3, 4], "numbering": [0, 1]}


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (pb.Key(point=D[:16]), "BAD_REQUEST"),
        (pb.Key(), "BAD_REQUEST"),
        (pb.Sizes(), "BAD_REQUEST"),
        (pb.Sizes(sizes=[0] * 4097), "LIMIT_EXCEEDED"),
        (pb.Sizes(sizes=[2**31, 1]), "LIMIT_EXCEEDED"),
        (pb.Sizes(sizes=[2**64 - 1, 1]), "LIMIT_EXCEEDED"),
        (pb.Numbering(), "BAD_REQUEST"),
        (pb.Numbering(names=["a", "b", "a"]), "BAD_REQUEST"),
        (pb.Numbering(names=["a", ""]), "BAD_REQUEST"),
        (pb.Numbering(names=["a\u202eb"]), "BAD_REQUEST"),
        (pb.Numbering(names=["é" * 257]), "LIMIT_EXCEEDED"),
        (pb.Numbering(names=[str(n) for n in range(4097)]), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "shape": [4]}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "shape": [1, 1, 2, 2]}), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "shape": [2, 3]}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "shape": [0, 4]}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "shape": [2**31, 2**31]}), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "cells": []}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "cells": [1, 2, 3, 2**53]}), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "cells": [1, 2, 3, -(2**53)]}), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "shape": [256, 257], "cells": [0] * 65_792}), "LIMIT_EXCEEDED"),
        (pb.Release(**RELEASE, totals=[0] * 65_537), "LIMIT_EXCEEDED"),
        (pb.Release(**{**RELEASE, "numbering": [0, 0]}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "numbering": [1, 2]}), "BAD_REQUEST"),
        (pb.Release(**{**RELEASE, "numbering": []}), "BAD_REQUEST"),
    ],
)
def test_an_artefact_out_of_shape_is_refused(wire, status):
    kind = next(k for k in artefacts.SMALL_KINDS if k.rpc == type(wire).__name__)
    envelope = getattr(pb, f"Pull{kind.rpc}Response")(**{kind.field: wire})
    with pytest.raises(Refusal) as refused:
        kind.carried(envelope)
    assert refused.value.status.value == status


def test_the_parts_of_a_set_survive():
    header = SetHeader(32, (5, 0, 7))
    opening = artefacts.SetOpening(NAME, 2, header)
    assert artefacts.decode_opening(artefacts.encode_opening(opening)) == opening
    assert artefacts.decode_pulled_header(
        pb.PullSetResponse(header=artefacts.encode_header(header))
    ) == header  # fmt: skip
    chunk = Chunk(3, b"x" * 32, D)
    sent = pb.SendSetRequest(chunk=artefacts.encode_chunk(chunk))
    assert artefacts.decode_chunk(sent) == chunk
    assert artefacts.decode_progress(pb.SendSetResponse(first_missing=4)) == (4, None)
    assert artefacts.decode_progress(pb.SendSetResponse(first_missing=4, digest=D)) == (4, D)


@pytest.mark.parametrize(
    ("decode", "wire", "status"),
    [
        (artefacts.decode_opening, None, "BAD_REQUEST"),
        (artefacts.decode_opening, pb.SendSetRequest(), "BAD_REQUEST"),
        (artefacts.decode_opening, pb.SendSetRequest(opening={"step": 1}), "BAD_REQUEST"),
        (artefacts.decode_opening, pb.SendSetRequest(chunk={"index": 0}), "BAD_REQUEST"),
        (artefacts.decode_pulled_header, pb.PullSetResponse(chunk={"index": 0}), "BAD_REQUEST"),
        (artefacts.decode_header, pb.SetHeader(width=33, sizes=[1]), "BAD_REQUEST"),
        (artefacts.decode_header, pb.SetHeader(width=32), "BAD_REQUEST"),
        (artefacts.decode_header, pb.SetHeader(width=32, sizes=[2**31 + 1]), "LIMIT_EXCEEDED"),
        (artefacts.decode_header, pb.SetHeader(width=32, sizes=[1] * 4097), "LIMIT_EXCEEDED"),
        (artefacts.decode_chunk, pb.SendSetRequest(opening={"step": 1}), "BAD_REQUEST"),
        (artefacts.decode_chunk, pb.SendSetRequest(chunk={"digest": D}), "BAD_REQUEST"),
        (artefacts.decode_chunk, pb.SendSetRequest(chunk={"data": b"x"}), "BAD_REQUEST"),
        (
            artefacts.decode_chunk,
            pb.SendSetRequest(chunk={"data": bytes(2**20 + 1), "digest": D}),
            "LIMIT_EXCEEDED",
        ),
        (
            artefacts.decode_chunk,
            pb.SendSetRequest(chunk={"index": 65_536, "data": b"x", "digest": D}),
            "LIMIT_EXCEEDED",
        ),
        (artefacts.decode_progress, pb.SendSetResponse(first_missing=65_537), "LIMIT_EXCEEDED"),
        (artefacts.decode_progress, pb.SendSetResponse(digest=b"x"), "BAD_REQUEST"),
    ],
)
def test_a_part_of_a_set_out_of_shape_is_refused(decode, wire, status):
    with pytest.raises(Refusal) as refused:
        decode(wire)
    assert refused.value.status.value == status


# -- decisions and refusals -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision",
    [
        Decision("pending"),
        Decision("approved"),
        Decision("finished"),
        *(Decision("refused", status, "because") for status in RefusalStatus),
    ],
)
def test_a_decision_survives(decision):
    assert decode_decision(encode_decision(decision)) == decision


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"state": 9},
        {"state": 3},
        {"state": 2, "refusal": {"status": 1, "reason": "x"}},
        {"state": 3, "refusal": {"reason": "x"}},
        {"state": 3, "refusal": {"status": 99, "reason": "x"}},
        {"state": 3, "refusal": {"status": 1}},
        {"state": 3, "refusal": {"status": 1, "reason": "a\nb"}},
        {"state": 3, "refusal": {"status": 1, "reason": "x" * 501}},
    ],
)
def test_a_decision_out_of_shape_is_refused(wire):
    with pytest.raises(Refusal):
        decode_decision(collaboration_pb.Decision(**wire))


@pytest.mark.parametrize(
    "documents", [[b""], [b"{}"], [b"[" * 100_000], [b'{"a":NaN}'], [b" {}"], [b"\xff"]]
)
def test_a_request_that_is_no_canonical_document_is_refused(documents):
    wire = collaboration_pb.ListRequestsResponse(requests=[{"document": d} for d in documents])
    with pytest.raises(Refusal):
        decode_listing(wire)


def test_more_requests_than_a_listing_has_are_refused():
    wire = collaboration_pb.ListRequestsResponse(requests=[{}] * (limits.MOST_LISTED_REQUESTS + 1))
    with pytest.raises(Refusal, match="larger than the protocol allows"):
        decode_listing(wire)


def test_each_refusal_has_a_status_on_the_wire_and_a_grpc_status():
    names = set(collaboration_pb.RefusalStatus.keys())
    ours = {f"REFUSAL_STATUS_{status.value}" for status in RefusalStatus}
    assert names == {*ours, "REFUSAL_STATUS_UNSPECIFIED"}
    assert set(refusals.STATUS_CODES) == set(RefusalStatus)
    assert StatusCode.OK not in refusals.STATUS_CODES.values()
    assert set(refusals.CONDITION_CODES) == set(refusals.Condition)


def test_a_failure_says_which_refusal_or_condition_it_is():
    said = refusals.read_failure("too\nold", [("commonground-status", "CONSENT_STALE")])
    assert (said.status, said.message) == (RefusalStatus.CONSENT_STALE, "too old")
    waits = refusals.read_failure("", [("commonground-condition", "NOT_READY")])
    assert waits is refusals.Condition.NOT_READY
    assert refusals.read_failure("Socket closed", [("grpc-server", "x")]) is None


@pytest.mark.parametrize("key", ["commonground-status", "commonground-condition"])
def test_a_failure_in_words_that_nobody_knows_is_refused(key):
    with pytest.raises(Refusal, match="names a state"):
        refusals.read_failure("", [(key, "NONSENSE")])


def test_a_reason_fits_into_metadata_whatever_it_was():
    assert refusals.tidy("a\r\nb\0c ") == "a  b c"
    assert len(refusals.tidy("长" * 5000)) == limits.MOST_REASON
    assert refusals.tidy("") == "no reason was given"
