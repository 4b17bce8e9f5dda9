"""What is said of a parcel survives the wire, and nothing gets in that is out of shape."""

import pytest

from commonground.v1 import parcels_pb2 as pb
from party.errors import Refusal
from party.parcels.contents import introduction, joined, read_introduction
from party.parcels.seal import ParcelHeader
from party.wire import limits, parcels
from party.wire.names import SessionName, encode_name

D, S = bytes(range(32)), bytes(64)
SESSION = SessionName("0f" * 16, D)
NAME = parcels.ParcelName(SESSION, "vendor", 7)
WIRE = encode_name(SESSION)
HEADER = ParcelHeader(limits.MOST_PARCEL_CHUNKS, limits.MOST_PARCEL_BYTES, D, S)
MOST_DATA = limits.MOST_CHUNK_BYTES + limits.SEAL_BYTES


def test_every_part_survives():
    assert parcels.decode_opening(parcels.encode_opening(NAME)) == NAME
    assert parcels.decode_pull(parcels.encode_pull(NAME, 3)) == (NAME, 3)
    assert parcels.decode_acknowledgement(parcels.encode_acknowledgement(NAME, S)) == (NAME, S)
    for message in (pb.SendParcelRequest, pb.PullParcelResponse):
        assert parcels.decode_header(message(header=parcels.encode_header(HEADER))) == HEADER
        chunk = message(chunk=parcels.encode_chunk(65_536, bytes(MOST_DATA)))
        assert parcels.decode_chunk(chunk) == (65_536, bytes(MOST_DATA))
    assert parcels.decode_progress(pb.SendParcelResponse(first_missing=65_537)) == (65_537, None)
    assert parcels.decode_progress(pb.SendParcelResponse(receipt=S)) == (0, S)
    assert read_introduction(introduction(D)) == D


@pytest.mark.parametrize(
    ("decode", "wire", "status"),
    [
        (parcels.decode_opening, None, "BAD_REQUEST"),
        (parcels.decode_opening, pb.SendParcelRequest(), "BAD_REQUEST"),
        (parcels.decode_opening, pb.SendParcelRequest(header={"chunks": 1}), "BAD_REQUEST"),
        (parcels.decode_opening, pb.SendParcelRequest(opening={"sender": "x"}), "BAD_REQUEST"),
        (
            parcels.decode_opening,
            pb.SendParcelRequest(opening={"session": WIRE, "sender": "a\nb"}),
            "BAD_REQUEST",
        ),
        (
            parcels.decode_opening,
            pb.SendParcelRequest(opening={"session": WIRE, "sender": "x" * 65}),
            "LIMIT_EXCEEDED",
        ),
        (
            parcels.decode_opening,
            pb.SendParcelRequest(opening={"session": WIRE, "sender": "x", "number": 72}),
            "LIMIT_EXCEEDED",
        ),
        (
            parcels.decode_pull,
            pb.PullParcelRequest(session=WIRE, receiver="x", first_chunk=65_538),
            "LIMIT_EXCEEDED",
        ),
        (
            parcels.decode_acknowledgement,
            pb.AcknowledgeParcelRequest(session=WIRE, receiver="x", receipt=S[1:]),
            "BAD_REQUEST",
        ),
        (parcels.decode_header, None, "BAD_REQUEST"),
        (parcels.decode_header, pb.SendParcelRequest(chunk={"index": 0}), "BAD_REQUEST"),
        *(
            (parcels.decode_header, pb.SendParcelRequest(header=header), status)
            for header, status in (
                ({"size": 1, "digest": D, "signature": S}, "BAD_REQUEST"),
                ({"chunks": 1, "digest": D, "signature": S}, "BAD_REQUEST"),
                ({"chunks": 1, "size": 1, "digest": D[1:], "signature": S}, "BAD_REQUEST"),
                ({"chunks": 1, "size": 1, "digest": D, "signature": S[1:]}, "BAD_REQUEST"),
                ({"chunks": 65_538, "size": 1, "digest": D, "signature": S}, "LIMIT_EXCEEDED"),
                ({"chunks": 1, "size": 2**37 + 1, "digest": D, "signature": S}, "LIMIT_EXCEEDED"),
            )
        ),
        (parcels.decode_chunk, pb.SendParcelRequest(), "BAD_REQUEST"),
        (parcels.decode_chunk, pb.SendParcelRequest(chunk={"index": 1}), "BAD_REQUEST"),
        (
            parcels.decode_chunk,
            pb.PullParcelResponse(chunk={"data": bytes(MOST_DATA + 1)}),
            "LIMIT_EXCEEDED",
        ),
        (
            parcels.decode_chunk,
            pb.PullParcelResponse(chunk={"index": 65_537, "data": b"x"}),
            "LIMIT_EXCEEDED",
        ),
        (parcels.decode_progress, pb.SendParcelResponse(first_missing=65_538), "LIMIT_EXCEEDED"),
        (parcels.decode_progress, pb.SendParcelResponse(receipt=b"x"), "BAD_REQUEST"),
        (read_introduction, b"", "BAD_REQUEST"),
        (read_introduction, b"\xff\xff", "BAD_REQUEST"),
        (read_introduction, introduction(D[1:]), "BAD_REQUEST"),
        (joined, [bytes(limits.MOST_CHUNK_BYTES)] * 5, "LIMIT_EXCEEDED"),
    ],
)
def test_a_part_out_of_shape_is_refused(decode, wire, status):
    with pytest.raises(Refusal) as refused:
        decode(wire)
    assert refused.value.status.value == status
