"""What the steps of a leg table carry, as the wire has it: sets by chunks, the rest whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError, Message

from commonground.v1 import session_pb2 as pb
from party.artefacts import Chunk, SetHeader
from party.messages import (
    Artefact,
    KeyArtefact,
    NumberingArtefact,
    ReleaseArtefact,
    SizesArtefact,
)
from party.wire import fields, limits
from party.wire.names import SessionName, decode_name, decode_step, encode_name
from psi.legs import Form, Leg, Numbering, Release, RouteKey, Sizes, Step

Parsed = TypeVar("Parsed", bound=Message)

RELEASE_AXES: Final = (2, 3)
AXIS_MOST: Final = limits.MOST_LABELS + 1  # one more index for `∅`


@dataclass(frozen=True)
class SmallKind:
    """An artefact that travels whole: its RPCs, the field that carries it, both translations."""

    rpc: str
    field: str
    artefact: type[Artefact]
    encode: Callable[[Any], Message]
    decode: Callable[[Any], Artefact]

    def to_bytes(self, artefact: Artefact) -> bytes:
        """Return the bytes of the message that stands for an artefact."""
        return self.encode(artefact).SerializeToString(deterministic=True)

    def from_bytes(self, data: bytes) -> Artefact:
        """Read an artefact back from its message's bytes."""
        return self.decode(_parse(getattr(pb, self.rpc), data, self.field))

    def send_request(self, session: SessionName, step: int, artefact: Artefact) -> Message:
        """Return the request that pushes an artefact."""
        build: type[Message] = getattr(pb, f"Send{self.rpc}Request")
        return build(
            session=encode_name(session),
            step=step,
            **{self.field: self.encode(artefact)},
        )

    def pull_request(self, session: SessionName, step: int) -> Message:
        """Return the request that pulls an artefact."""
        build: type[Message] = getattr(pb, f"Pull{self.rpc}Request")
        return build(session=encode_name(session), step=step)

    def pull_response(self, artefact: Artefact) -> Message:
        """Return the response that carries an artefact."""
        build: type[Message] = getattr(pb, f"Pull{self.rpc}Response")
        return build(**{self.field: self.encode(artefact)})

    def carried(self, envelope: Any) -> Artefact:  # noqa: ANN401 - a request or a response
        """Return the artefact that a request or a response carries."""
        fields.require_present(envelope, self.field)
        return self.decode(getattr(envelope, self.field))


@dataclass(frozen=True)
class SetOpening:
    """What opens a stream that pushes a set."""

    session: SessionName
    step: int
    header: SetHeader


def small_kind(step: Step) -> SmallKind | None:
    """Return how a step's artefact travels, or None when it is a set."""
    return _SMALL.get(type(step))


def form_of(step: Step) -> Form:
    """Return the form of the elements that a step which carries a set has."""
    return step.form if isinstance(step, Leg) else Form.POINTS


def encode_opening(opening: SetOpening) -> pb.SendSetRequest:
    """Return the first message of a stream that pushes a set."""
    return pb.SendSetRequest(
        opening=pb.SetOpening(
            session=encode_name(opening.session),
            step=opening.step,
            header=encode_header(opening.header),
        )
    )


def decode_opening(message: pb.SendSetRequest | None) -> SetOpening:
    """Return what the first message of a pushed stream says."""
    if message is None or message.WhichOneof("part") != "opening":
        raise fields.malformed("opening", "must come first in the stream of a set")
    opening = message.opening
    fields.require_present(opening, "header")
    return SetOpening(
        session=decode_name(opening),
        step=decode_step(opening.step),
        header=decode_header(opening.header),
    )


def encode_header(header: SetHeader) -> pb.SetHeader:
    """Return a set's header as a message."""
    return pb.SetHeader(width=header.width, sizes=header.sizes)


def decode_header(message: pb.SetHeader) -> SetHeader:
    """Return a set's header; a set of no label, too many labels or too many keys is refused."""
    if message.width not in {form.value for form in Form}:
        raise fields.malformed("header.width", "must be 32 (points) or 16 (tags)")
    return SetHeader(message.width, fields.set_sizes(message.sizes, "header.sizes"))


def decode_pulled_header(message: pb.PullSetResponse | None) -> SetHeader:
    """Return the header that must come first in a pulled stream."""
    if message is None or message.WhichOneof("part") != "header":
        raise fields.malformed("header", "must come first in the stream of a set")
    return decode_header(message.header)


def header_to_bytes(header: SetHeader) -> bytes:
    """Return the bytes of the message that stands for a set's header."""
    return encode_header(header).SerializeToString(deterministic=True)


def header_from_bytes(data: bytes) -> SetHeader:
    """Read a set's header from its message's bytes."""
    return decode_header(_parse(pb.SetHeader, data, "header"))


def encode_chunk(chunk: Chunk) -> pb.SetChunk:
    """Return a chunk as a message."""
    return pb.SetChunk(index=chunk.index, data=chunk.data, digest=chunk.digest)


def decode_chunk(message: pb.SendSetRequest | pb.PullSetResponse) -> Chunk:
    """Return the chunk in any message of a stream but its first."""
    if message.WhichOneof("part") != "chunk":
        raise fields.malformed("chunk", "is missing: only chunks follow the first message")
    chunk = message.chunk
    return Chunk(
        index=fields.whole(chunk.index, limits.MOST_CHUNKS - 1, "chunk.index"),
        data=fields.bounded_bytes(chunk.data, limits.MOST_CHUNK_BYTES, "chunk.data"),
        digest=fields.digest(chunk.digest, "chunk.digest"),
    )


def decode_progress(message: pb.SendSetResponse) -> tuple[int, bytes | None]:
    """Return the first missing chunk, and the set's digest once none is missing."""
    missing = fields.whole(message.first_missing, limits.MOST_CHUNKS, "first_missing")
    return missing, fields.digest(message.digest, "digest") if message.digest else None


def _parse(kind: type[Parsed], data: bytes, field: str) -> Parsed:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise fields.malformed(field, "is not a message of its type") from None


def _encode_key(key: KeyArtefact) -> pb.Key:
    return pb.Key(point=key.point)


def _decode_key(message: pb.Key) -> KeyArtefact:
    return KeyArtefact(fields.exact_bytes(message.point, Form.POINTS.value, "key.point"))


def _encode_sizes(sizes: SizesArtefact) -> pb.Sizes:
    return pb.Sizes(sizes=sizes.sizes)


def _decode_sizes(message: pb.Sizes) -> SizesArtefact:
    return SizesArtefact(fields.set_sizes(message.sizes, "sizes.sizes"))


def _encode_numbering(numbering: NumberingArtefact) -> pb.Numbering:
    return pb.Numbering(names=numbering.names)


def _decode_numbering(message: pb.Numbering) -> NumberingArtefact:
    fields.counted(message.names, 1, limits.MOST_LABELS, "numbering.names")
    if len(set(message.names)) != len(message.names):
        raise fields.malformed("numbering.names", "has a name twice")
    return NumberingArtefact(tuple(_label_name(name) for name in message.names))


def _label_name(name: str) -> str:
    fields.bounded_bytes(name.encode(), limits.MOST_LABEL_NAME_BYTES, "numbering.names")
    return fields.line(name, limits.MOST_LABEL_NAME_BYTES, "numbering.names")


def _encode_release(release: ReleaseArtefact) -> pb.Release:
    return pb.Release(
        shape=release.shape,
        cells=release.cells,
        totals=release.totals,
        numbering=release.numbering,
    )


def _decode_release(message: pb.Release) -> ReleaseArtefact:
    _require_shape(message.shape)
    fields.counted(message.cells, 1, limits.MOST_CELLS, "release.cells")
    fields.counted(message.totals, 0, limits.MOST_CELLS, "release.totals")
    if prod(message.shape) != len(message.cells):
        raise fields.malformed("release.cells", "does not have the number of cells of its shape")
    if sorted(message.numbering) != list(range(message.shape[0])):
        raise fields.malformed("release.numbering", "must name each number of its labels once")
    return ReleaseArtefact(
        shape=tuple(message.shape),
        cells=fields.signed(message.cells, "release.cells"),
        totals=fields.signed(message.totals, "release.totals"),
        numbering=tuple(message.numbering),
    )


def _require_shape(shape: Sequence[int]) -> None:
    fields.counted(shape, min(RELEASE_AXES), max(RELEASE_AXES), "release.shape")
    if 0 in shape:
        raise fields.malformed("release.shape", "has an axis without labels")
    for axis in shape:
        fields.whole(axis, AXIS_MOST, "release.shape")


_KEY = SmallKind("Key", "key", KeyArtefact, _encode_key, _decode_key)
_SIZES = SmallKind("Sizes", "sizes", SizesArtefact, _encode_sizes, _decode_sizes)
_NUMBERING = SmallKind(
    "Numbering", "numbering", NumberingArtefact, _encode_numbering, _decode_numbering
)
_RELEASE = SmallKind("Release", "release", ReleaseArtefact, _encode_release, _decode_release)

_SMALL: Final[dict[type[Step], SmallKind]] = {
    RouteKey: _KEY,
    Sizes: _SIZES,
    Numbering: _NUMBERING,
    Release: _RELEASE,
}
SMALL_KINDS: Final = tuple(_SMALL.values())
"""Every kind of artefact that travels whole; a `Leg` and `Answers` carry sets."""
