"""Sealed parcels as the wire has them: what is said of them, never what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from commonground.v1 import parcels_pb2 as pb
from party.parcels.seal import ParcelHeader
from party.wire import fields, limits
from party.wire.names import SessionName, decode_name, encode_name

_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True)
class ParcelName:
    """A parcel in one session: the party at its other end, and its number between the two."""

    session: SessionName
    party: str
    number: int


def encode_opening(name: ParcelName) -> pb.SendParcelRequest:
    """Return the first message of a stream that pushes a parcel."""
    return pb.SendParcelRequest(
        opening=pb.ParcelOpening(
            session=encode_name(name.session), sender=name.party, number=name.number
        )
    )


def decode_opening(message: pb.SendParcelRequest | None) -> ParcelName:
    """Return what the first message of a pushed stream says."""
    if message is None or message.WhichOneof("part") != "opening":
        raise fields.malformed("opening", "must come first in the stream of a parcel")
    opening = message.opening
    return _name(decode_name(opening), opening.sender, opening.number)


def encode_pull(name: ParcelName, first_chunk: int) -> pb.PullParcelRequest:
    """Return the request that pulls a parcel from a chunk on."""
    return pb.PullParcelRequest(
        session=encode_name(name.session),
        receiver=name.party,
        number=name.number,
        first_chunk=first_chunk,
    )


def decode_pull(message: pb.PullParcelRequest) -> tuple[ParcelName, int]:
    """Return which parcel is pulled, and its first chunk that is wanted."""
    name = _name(decode_name(message), message.receiver, message.number)
    return name, fields.whole(message.first_chunk, limits.MOST_PARCEL_CHUNKS, "first_chunk")


def encode_acknowledgement(name: ParcelName, receipt: bytes) -> pb.AcknowledgeParcelRequest:
    """Return the request that brings a receipt."""
    return pb.AcknowledgeParcelRequest(
        session=encode_name(name.session), receiver=name.party, number=name.number, receipt=receipt
    )


def decode_acknowledgement(message: pb.AcknowledgeParcelRequest) -> tuple[ParcelName, bytes]:
    """Return which parcel is acknowledged, and the receipt, which is not verified here."""
    name = _name(decode_name(message), message.receiver, message.number)
    return name, fields.exact_bytes(message.receipt, _SIGNATURE_BYTES, "receipt")


def encode_header(header: ParcelHeader) -> pb.ParcelHeader:
    """Return a parcel's header as a message."""
    return pb.ParcelHeader(
        chunks=header.chunks, size=header.size, digest=header.digest, signature=header.signature
    )


def decode_header(message: pb.SendParcelRequest | pb.PullParcelResponse | None) -> ParcelHeader:
    """Return the header in a message of a stream; its signature is not verified here."""
    if message is None or message.WhichOneof("part") != "header":
        raise fields.malformed("header", "must come before the chunks of a parcel")
    header = message.header
    if not header.chunks or not header.size:
        raise fields.malformed("header", "is of an empty parcel")
    return ParcelHeader(
        chunks=fields.whole(header.chunks, limits.MOST_PARCEL_CHUNKS, "header.chunks"),
        size=fields.whole(header.size, limits.MOST_PARCEL_BYTES, "header.size"),
        digest=fields.digest(header.digest, "header.digest"),
        signature=fields.exact_bytes(header.signature, _SIGNATURE_BYTES, "header.signature"),
    )


def encode_chunk(index: int, data: bytes) -> pb.ParcelChunk:
    """Return a chunk as a message."""
    return pb.ParcelChunk(index=index, data=data)


def decode_chunk(message: pb.SendParcelRequest | pb.PullParcelResponse) -> tuple[int, bytes]:
    """Return index and bytes of the chunk in a message of a stream."""
    if message.WhichOneof("part") != "chunk":
        raise fields.malformed("chunk", "is missing: only chunks follow the header")
    most = limits.MOST_CHUNK_BYTES + limits.SEAL_BYTES
    return (
        fields.whole(message.chunk.index, limits.MOST_PARCEL_CHUNKS - 1, "chunk.index"),
        fields.bounded_bytes(message.chunk.data, most, "chunk.data"),
    )


def decode_progress(message: pb.SendParcelResponse) -> tuple[int, bytes | None]:
    """Return the first missing chunk, and the receipt once none is missing."""
    missing = fields.whole(message.first_missing, limits.MOST_PARCEL_CHUNKS, "first_missing")
    if not message.receipt:
        return missing, None
    return missing, fields.exact_bytes(message.receipt, _SIGNATURE_BYTES, "receipt")


def _name(session: SessionName, party: str, number: int) -> ParcelName:
    name = fields.line(party, limits.MOST_PARTY_NAME, "party")
    return ParcelName(session, name, fields.whole(number, limits.MOST_PARCELS - 1, "number"))
