"""The symmetrical exchanges of a session, in the order in which they first happen.

A message travels, is stored and is compared as the bytes of its own protobuf message, encoded
deterministically from our type: fields that this version does not know do not survive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from google.protobuf.message import DecodeError, Message

from commonground.v1 import session_pb2 as pb
from party.correspondence import Correspondence
from party.messages import (
    COMMITMENT_BYTES,
    MAX_NOTE_BYTES,
    MAX_PROOF_HASHES,
    NONCE_BYTES,
    CheckpointOffer,
    Closing,
    Commitment,
    ConsentStatement,
    Cosignature,
    Exchange,
    Finish,
    Hello,
    Nonce,
)
from party.wire import fields, limits
from party.wire.collaboration import decode_request, encode_request
from party.wire.names import SessionName, encode_name
from psi.identifiers import Profile

Said = TypeVar("Said", bound=Exchange)


@dataclass(frozen=True)
class ExchangeKind:
    """One type of exchange: its RPC, the field that carries it there, and both translations."""

    rpc: str
    field: str
    message: type[Exchange]
    wire: type[Message]
    encode: Callable[[Any], Message]
    decode: Callable[[Any], Exchange]

    def to_bytes(self, message: Exchange) -> bytes:
        """Return the bytes that stand for `message` on the wire and on disk."""
        return self.encode(message).SerializeToString(deterministic=True)

    def from_bytes(self, data: bytes) -> Exchange:
        """Read a message back from its bytes."""
        return self.decode(self._parse(data))

    def request(self, session: SessionName, data: bytes) -> Message:
        """Return the RPC's request that carries the message in `data`."""
        build: type[Message] = getattr(pb, f"{self.rpc}Request")
        return build(session=encode_name(session), **{self.field: self._parse(data)})

    def response(self, data: bytes) -> Message:
        """Return the RPC's response that carries the message in `data`."""
        build: type[Message] = getattr(pb, f"{self.rpc}Response")
        return build(**{self.field: self._parse(data)})

    def carried(self, envelope: Any) -> Exchange:  # noqa: ANN401 - a request or a response
        """Return the message that an RPC's request or response carries."""
        fields.require_present(envelope, self.field)
        return self.decode(getattr(envelope, self.field))

    def _parse(self, data: bytes) -> Message:
        try:
            return self.wire.FromString(data)
        except DecodeError:
            raise fields.malformed(self.field, "is not a message of its type") from None


def kind_of(message: Exchange) -> ExchangeKind:
    """Return the kind of a message."""
    return kind_for(type(message))


def kind_for(message: type[Said]) -> ExchangeKind:
    """Return the kind of a type of message."""
    return next(kind for kind in EXCHANGES if kind.message is message)


def said_before(letters: Correspondence, message: type[Said]) -> Said | None:
    """Return what was said of a type to one counterpart, or None."""
    kind = kind_for(message)
    data = letters.said(kind.field)
    return None if data is None else cast("Said", kind.from_bytes(data))


def encode_profile(profile: Profile) -> pb.Profile:
    """Return a profile as a message."""
    return pb.Profile(
        version=profile.version,
        unicode=profile.unicode,
        idna=profile.idna,
        phone_metadata=profile.phone,
        gmail=profile.gmail,
    )


def decode_profile(message: pb.Profile) -> Profile:
    """Return the profile in a message."""
    most = limits.MOST_VERSION
    return Profile(
        version=fields.line(message.version, most, "profile.version"),
        unicode=fields.line(message.unicode, most, "profile.unicode"),
        idna=fields.line(message.idna, most, "profile.idna"),
        phone=fields.line(message.phone_metadata, most, "profile.phone_metadata"),
        gmail=message.gmail,
    )


def _encode_consent(consent: ConsentStatement) -> pb.ConsentStatement:
    return pb.ConsentStatement(
        root=consent.root, sequence=consent.sequence, taken_at=consent.taken_at
    )


def _decode_consent(message: pb.ConsentStatement) -> ConsentStatement:
    if not message.sequence:
        raise fields.malformed("consent.sequence", "names no snapshot: they are numbered from 1")
    return ConsentStatement(
        root=fields.digest(message.root, "consent.root"),
        sequence=fields.whole(message.sequence, limits.MOST_WHOLE, "consent.sequence"),
        taken_at=fields.whole(message.taken_at, limits.MOST_WHOLE, "consent.taken_at"),
    )


def _encode_hello(hello: Hello) -> pb.Hello:
    return pb.Hello(
        party=hello.party,
        request=encode_request(hello.request),
        contract_hash=hello.contract_hash,
        profile=encode_profile(hello.profile),
        consent=_encode_consent(hello.consent),
        checkpoint=hello.checkpoint,
        seen_size=hello.seen_size,
    )


def _decode_hello(message: pb.Hello) -> Hello:
    fields.require_present(message, "request", "profile", "consent")
    return Hello(
        party=_party(message.party),
        request=decode_request(message.request),
        contract_hash=fields.digest(message.contract_hash, "contract_hash"),
        profile=decode_profile(message.profile),
        consent=_decode_consent(message.consent),
        checkpoint=fields.block(message.checkpoint, MAX_NOTE_BYTES, "checkpoint"),
        seen_size=fields.whole(message.seen_size, limits.MOST_WHOLE, "seen_size"),
    )


def _encode_commitment(commitment: Commitment) -> pb.Commitment:
    return pb.Commitment(party=commitment.party, seed=commitment.seed, nonce=commitment.nonce)


def _decode_commitment(message: pb.Commitment) -> Commitment:
    return Commitment(
        party=_party(message.party),
        seed=fields.exact_bytes(message.seed, COMMITMENT_BYTES, "commitment.seed"),
        nonce=fields.exact_bytes(message.nonce, COMMITMENT_BYTES, "commitment.nonce"),
    )


def _encode_nonce(nonce: Nonce) -> pb.Nonce:
    return pb.Nonce(party=nonce.party, nonce=nonce.nonce)


def _decode_nonce(message: pb.Nonce) -> Nonce:
    return Nonce(_party(message.party), fields.exact_bytes(message.nonce, NONCE_BYTES, "nonce"))


def _encode_closing(closing: Closing) -> pb.Closing:
    return pb.Closing(
        party=closing.party,
        digests=[
            pb.StepDigest(step=step, digest=digest)
            for step, digest in sorted(closing.digests.items())
        ],
    )


def _decode_closing(message: pb.Closing) -> Closing:
    steps = [entry.step for entry in message.digests]
    fields.counted(steps, 1, limits.MOST_STEPS, "closing.digests")
    if steps != sorted(set(steps)) or steps[-1] >= limits.MOST_STEPS:
        raise fields.malformed("closing.digests", "must name each step once, in order")
    return Closing(
        party=_party(message.party),
        digests={
            entry.step: fields.digest(entry.digest, "closing.digests") for entry in message.digests
        },
    )


def _encode_finish(finish: Finish) -> pb.Ending:
    return pb.Ending(party=finish.party, transcript=finish.transcript)


def _decode_finish(message: pb.Ending) -> Finish:
    return Finish(_party(message.party), fields.digest(message.transcript, "ending.transcript"))


def _encode_offer(offer: CheckpointOffer) -> pb.CheckpointOffer:
    return pb.CheckpointOffer(party=offer.party, checkpoint=offer.checkpoint, proof=offer.proof)


def _decode_offer(message: pb.CheckpointOffer) -> CheckpointOffer:
    fields.counted(message.proof, 0, MAX_PROOF_HASHES, "offer.proof")
    return CheckpointOffer(
        party=_party(message.party),
        checkpoint=fields.block(message.checkpoint, MAX_NOTE_BYTES, "offer.checkpoint"),
        proof=tuple(fields.digest(node, "offer.proof") for node in message.proof),
    )


def _encode_cosignature(cosignature: Cosignature) -> pb.Cosignature:
    return pb.Cosignature(party=cosignature.party, line=cosignature.line)


def _decode_cosignature(message: pb.Cosignature) -> Cosignature:
    if not message.line:  # the sender has witnessed a newer checkpoint meanwhile
        return Cosignature(_party(message.party), "")
    line = fields.block(message.line, limits.MOST_SIGNATURE_LINE, "cosignature.line")
    return Cosignature(_party(message.party), line)


def _party(name: str) -> str:
    return fields.line(name, limits.MOST_PARTY_NAME, "party")


EXCHANGES: Final = (
    ExchangeKind("Greet", "hello", Hello, pb.Hello, _encode_hello, _decode_hello),
    ExchangeKind(
        "Commit", "commitment", Commitment, pb.Commitment, _encode_commitment, _decode_commitment
    ),
    ExchangeKind("Reveal", "nonce", Nonce, pb.Nonce, _encode_nonce, _decode_nonce),
    ExchangeKind("Close", "closing", Closing, pb.Closing, _encode_closing, _decode_closing),
    ExchangeKind("Finish", "ending", Finish, pb.Ending, _encode_finish, _decode_finish),
    ExchangeKind(
        "OfferCheckpoint",
        "offer",
        CheckpointOffer,
        pb.CheckpointOffer,
        _encode_offer,
        _decode_offer,
    ),
    ExchangeKind(
        "Cosign",
        "cosignature",
        Cosignature,
        pb.Cosignature,
        _encode_cosignature,
        _decode_cosignature,
    ),
)
"""In the order of a session; the steps of the leg table stand between Reveal and Close."""

BEFORE_STEPS: Final = 3
"""How many exchanges come before the first step."""
