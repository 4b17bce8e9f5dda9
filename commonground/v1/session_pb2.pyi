from commonground.v1 import collaboration_pb2 as _collaboration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SessionName(_message.Message):
    __slots__ = ("request_id", "contract_hash")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    contract_hash: bytes
    def __init__(self, request_id: _Optional[str] = ..., contract_hash: _Optional[bytes] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("version", "unicode", "idna", "phone_metadata", "gmail")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNICODE_FIELD_NUMBER: _ClassVar[int]
    IDNA_FIELD_NUMBER: _ClassVar[int]
    PHONE_METADATA_FIELD_NUMBER: _ClassVar[int]
    GMAIL_FIELD_NUMBER: _ClassVar[int]
    version: str
    unicode: str
    idna: str
    phone_metadata: str
    gmail: bool
    def __init__(self, version: _Optional[str] = ..., unicode: _Optional[str] = ..., idna: _Optional[str] = ..., phone_metadata: _Optional[str] = ..., gmail: _Optional[bool] = ...) -> None: ...

class ConsentStatement(_message.Message):
    __slots__ = ("root", "sequence", "taken_at")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    sequence: int
    taken_at: int
    def __init__(self, root: _Optional[bytes] = ..., sequence: _Optional[int] = ..., taken_at: _Optional[int] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("party", "request", "contract_hash", "profile", "consent", "checkpoint", "seen_size")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    SEEN_SIZE_FIELD_NUMBER: _ClassVar[int]
    party: str
    request: _collaboration_pb2.SignedRequest
    contract_hash: bytes
    profile: Profile
    consent: ConsentStatement
    checkpoint: str
    seen_size: int
    def __init__(self, party: _Optional[str] = ..., request: _Optional[_Union[_collaboration_pb2.SignedRequest, _Mapping]] = ..., contract_hash: _Optional[bytes] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ..., consent: _Optional[_Union[ConsentStatement, _Mapping]] = ..., checkpoint: _Optional[str] = ..., seen_size: _Optional[int] = ...) -> None: ...

class Commitment(_message.Message):
    __slots__ = ("party", "seed", "nonce")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    party: str
    seed: bytes
    nonce: bytes
    def __init__(self, party: _Optional[str] = ..., seed: _Optional[bytes] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class Nonce(_message.Message):
    __slots__ = ("party", "nonce")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    party: str
    nonce: bytes
    def __init__(self, party: _Optional[str] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class StepDigest(_message.Message):
    __slots__ = ("step", "digest")
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    step: int
    digest: bytes
    def __init__(self, step: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class Closing(_message.Message):
    __slots__ = ("party", "digests")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    party: str
    digests: _containers.RepeatedCompositeFieldContainer[StepDigest]
    def __init__(self, party: _Optional[str] = ..., digests: _Optional[_Iterable[_Union[StepDigest, _Mapping]]] = ...) -> None: ...

class Ending(_message.Message):
    __slots__ = ("party", "transcript")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    party: str
    transcript: bytes
    def __init__(self, party: _Optional[str] = ..., transcript: _Optional[bytes] = ...) -> None: ...

class CheckpointOffer(_message.Message):
    __slots__ = ("party", "checkpoint", "proof")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    party: str
    checkpoint: str
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, party: _Optional[str] = ..., checkpoint: _Optional[str] = ..., proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Cosignature(_message.Message):
    __slots__ = ("party", "line")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    party: str
    line: str
    def __init__(self, party: _Optional[str] = ..., line: _Optional[str] = ...) -> None: ...

class GreetRequest(_message.Message):
    __slots__ = ("session", "hello")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    hello: Hello
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ...) -> None: ...

class GreetResponse(_message.Message):
    __slots__ = ("hello",)
    HELLO_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ...) -> None: ...

class CommitRequest(_message.Message):
    __slots__ = ("session", "commitment")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    commitment: Commitment
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., commitment: _Optional[_Union[Commitment, _Mapping]] = ...) -> None: ...

class CommitResponse(_message.Message):
    __slots__ = ("commitment",)
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    commitment: Commitment
    def __init__(self, commitment: _Optional[_Union[Commitment, _Mapping]] = ...) -> None: ...

class RevealRequest(_message.Message):
    __slots__ = ("session", "nonce")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    nonce: Nonce
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., nonce: _Optional[_Union[Nonce, _Mapping]] = ...) -> None: ...

class RevealResponse(_message.Message):
    __slots__ = ("nonce",)
    NONCE_FIELD_NUMBER: _ClassVar[int]
    nonce: Nonce
    def __init__(self, nonce: _Optional[_Union[Nonce, _Mapping]] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("session", "closing")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    closing: Closing
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., closing: _Optional[_Union[Closing, _Mapping]] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ("closing",)
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    closing: Closing
    def __init__(self, closing: _Optional[_Union[Closing, _Mapping]] = ...) -> None: ...

class FinishRequest(_message.Message):
    __slots__ = ("session", "ending")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    ending: Ending
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., ending: _Optional[_Union[Ending, _Mapping]] = ...) -> None: ...

class FinishResponse(_message.Message):
    __slots__ = ("ending",)
    ENDING_FIELD_NUMBER: _ClassVar[int]
    ending: Ending
    def __init__(self, ending: _Optional[_Union[Ending, _Mapping]] = ...) -> None: ...

class OfferCheckpointRequest(_message.Message):
    __slots__ = ("session", "offer")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    offer: CheckpointOffer
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., offer: _Optional[_Union[CheckpointOffer, _Mapping]] = ...) -> None: ...

class OfferCheckpointResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: CheckpointOffer
    def __init__(self, offer: _Optional[_Union[CheckpointOffer, _Mapping]] = ...) -> None: ...

class CosignRequest(_message.Message):
    __slots__ = ("session", "cosignature")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    COSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    cosignature: Cosignature
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., cosignature: _Optional[_Union[Cosignature, _Mapping]] = ...) -> None: ...

class CosignResponse(_message.Message):
    __slots__ = ("cosignature",)
    COSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    cosignature: Cosignature
    def __init__(self, cosignature: _Optional[_Union[Cosignature, _Mapping]] = ...) -> None: ...

class SetHeader(_message.Message):
    __slots__ = ("width", "sizes")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    width: int
    sizes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, width: _Optional[int] = ..., sizes: _Optional[_Iterable[int]] = ...) -> None: ...

class SetChunk(_message.Message):
    __slots__ = ("index", "data", "digest")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    index: int
    data: bytes
    digest: bytes
    def __init__(self, index: _Optional[int] = ..., data: _Optional[bytes] = ..., digest: _Optional[bytes] = ...) -> None: ...

class SetOpening(_message.Message):
    __slots__ = ("session", "step", "header")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    header: SetHeader
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., header: _Optional[_Union[SetHeader, _Mapping]] = ...) -> None: ...

class SendSetRequest(_message.Message):
    __slots__ = ("opening", "chunk")
    OPENING_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    opening: SetOpening
    chunk: SetChunk
    def __init__(self, opening: _Optional[_Union[SetOpening, _Mapping]] = ..., chunk: _Optional[_Union[SetChunk, _Mapping]] = ...) -> None: ...

class SendSetResponse(_message.Message):
    __slots__ = ("first_missing", "digest")
    FIRST_MISSING_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    first_missing: int
    digest: bytes
    def __init__(self, first_missing: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class PullSetRequest(_message.Message):
    __slots__ = ("session", "step", "first_chunk")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    FIRST_CHUNK_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    first_chunk: int
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., first_chunk: _Optional[int] = ...) -> None: ...

class PullSetResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: SetHeader
    chunk: SetChunk
    def __init__(self, header: _Optional[_Union[SetHeader, _Mapping]] = ..., chunk: _Optional[_Union[SetChunk, _Mapping]] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ("point",)
    POINT_FIELD_NUMBER: _ClassVar[int]
    point: bytes
    def __init__(self, point: _Optional[bytes] = ...) -> None: ...

class SendKeyRequest(_message.Message):
    __slots__ = ("session", "step", "key")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    key: Key
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class SendKeyResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    def __init__(self, digest: _Optional[bytes] = ...) -> None: ...

class PullKeyRequest(_message.Message):
    __slots__ = ("session", "step")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ...) -> None: ...

class PullKeyResponse(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: Key
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class Sizes(_message.Message):
    __slots__ = ("sizes",)
    SIZES_FIELD_NUMBER: _ClassVar[int]
    sizes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, sizes: _Optional[_Iterable[int]] = ...) -> None: ...

class SendSizesRequest(_message.Message):
    __slots__ = ("session", "step", "sizes")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    sizes: Sizes
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., sizes: _Optional[_Union[Sizes, _Mapping]] = ...) -> None: ...

class SendSizesResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    def __init__(self, digest: _Optional[bytes] = ...) -> None: ...

class PullSizesRequest(_message.Message):
    __slots__ = ("session", "step")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ...) -> None: ...

class PullSizesResponse(_message.Message):
    __slots__ = ("sizes",)
    SIZES_FIELD_NUMBER: _ClassVar[int]
    sizes: Sizes
    def __init__(self, sizes: _Optional[_Union[Sizes, _Mapping]] = ...) -> None: ...

class Numbering(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class SendNumberingRequest(_message.Message):
    __slots__ = ("session", "step", "numbering")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NUMBERING_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    numbering: Numbering
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., numbering: _Optional[_Union[Numbering, _Mapping]] = ...) -> None: ...

class SendNumberingResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    def __init__(self, digest: _Optional[bytes] = ...) -> None: ...

class PullNumberingRequest(_message.Message):
    __slots__ = ("session", "step")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ...) -> None: ...

class PullNumberingResponse(_message.Message):
    __slots__ = ("numbering",)
    NUMBERING_FIELD_NUMBER: _ClassVar[int]
    numbering: Numbering
    def __init__(self, numbering: _Optional[_Union[Numbering, _Mapping]] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("shape", "cells", "totals", "numbering")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    NUMBERING_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    cells: _containers.RepeatedScalarFieldContainer[int]
    totals: _containers.RepeatedScalarFieldContainer[int]
    numbering: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., cells: _Optional[_Iterable[int]] = ..., totals: _Optional[_Iterable[int]] = ..., numbering: _Optional[_Iterable[int]] = ...) -> None: ...

class SendReleaseRequest(_message.Message):
    __slots__ = ("session", "step", "release")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    release: Release
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., release: _Optional[_Union[Release, _Mapping]] = ...) -> None: ...

class SendReleaseResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    def __init__(self, digest: _Optional[bytes] = ...) -> None: ...

class PullReleaseRequest(_message.Message):
    __slots__ = ("session", "step")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ...) -> None: ...

class PullReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: Release
    def __init__(self, release: _Optional[_Union[Release, _Mapping]] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("session", "step", "digest")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    step: int
    digest: bytes
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., step: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AttendRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ...) -> None: ...

class AttendResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RefuseRequest(_message.Message):
    __slots__ = ("session", "refusal")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    session: SessionName
    refusal: _collaboration_pb2.Refusal
    def __init__(self, session: _Optional[_Union[SessionName, _Mapping]] = ..., refusal: _Optional[_Union[_collaboration_pb2.Refusal, _Mapping]] = ...) -> None: ...

class RefuseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
