"""What a parcel holds: an exchange or a small artefact in pieces, or a set by header and chunks.

Everything that comes out was sealed by a party that may be hostile, and is read as strictly as
what comes over a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from google.protobuf.message import DecodeError

from commonground.v1 import parcels_pb2 as pb
from party.artefacts import Chunk, SessionFolder, chunk_digest, header_of, read_chunks
from party.errors import PartyError, Refusal, RefusalStatus
from party.messages import Artefact
from party.wire import fields
from party.wire.artefacts import form_of, header_from_bytes, header_to_bytes, small_kind
from party.wire.limits import MOST_CHUNK_BYTES, MOST_MESSAGE_BYTES
from psi.legs import Step
from psi.sets import LabelledSet

_KEY_BYTES: Final = 32


def pieces_of(data: bytes) -> list[bytes]:
    """Cut the bytes of one message into chunks."""
    return [
        data[start : start + MOST_CHUNK_BYTES]
        for start in range(0, max(1, len(data)), MOST_CHUNK_BYTES)
    ]


def joined(pieces: Iterable[bytes]) -> bytes:
    """Put the bytes of one message together again."""
    data = b"".join(pieces)
    if len(data) > MOST_MESSAGE_BYTES:
        raise fields.too_large("parcel", MOST_MESSAGE_BYTES, "bytes")
    return data


def introduction(key: bytes) -> bytes:
    """Return the message in which a party states its session key (32 bytes)."""
    return pb.Introduction(key=key).SerializeToString(deterministic=True)


def read_introduction(data: bytes) -> bytes:
    """Return the session key (32 bytes) of the party that introduces itself."""
    try:
        message = pb.Introduction.FromString(data)
    except DecodeError:
        raise fields.malformed("introduction", "is not a message of its type") from None
    return fields.exact_bytes(message.key, _KEY_BYTES, "introduction.key")


def chunks_of(index: int, step: Step, artefact: Artefact) -> tuple[int, Iterator[bytes]]:
    """Return how many chunks a step's parcel has, and what they hold."""
    kind = small_kind(step)
    if kind is not None:
        pieces = pieces_of(kind.to_bytes(artefact))
        return len(pieces), iter(pieces)
    if not isinstance(artefact, LabelledSet):
        raise PartyError(f"step {index} carries a set")
    header = header_of(artefact)
    data = (chunk.data for chunk in read_chunks(artefact, index))
    return 1 + header.chunks, chain([header_to_bytes(header)], data)


def take_step(
    index: int, step: Step, pieces: Iterator[bytes], count: int, folder: SessionFolder
) -> None:
    """Put what a step's parcel of `count` chunks holds into the session's folder.

    Raises:
        Refusal: it is not what the step carries.
    """
    kind = small_kind(step)
    if kind is not None:
        folder.store(index, kind.from_bytes(joined(pieces)))
        return
    header = header_from_bytes(next(pieces))
    if header.width != form_of(step).value or count != 1 + header.chunks:
        raise Refusal(
            RefusalStatus.BAD_REQUEST,
            f"step {index} came in another form than its leg has; the session ends here",
        )
    incoming = folder.incoming(index, header)
    for place, data in enumerate(pieces):
        incoming.accept(Chunk(place, data, chunk_digest(index, place, data)))
    incoming.finish()
