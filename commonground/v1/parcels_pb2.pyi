from commonground.v1 import session_pb2 as _session_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Introduction(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    def __init__(self, key: _Optional[bytes] = ...) -> None: ...

class ParcelHeader(_message.Message):
    __slots__ = ("chunks", "size", "digest", "signature")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    chunks: int
    size: int
    digest: bytes
    signature: bytes
    def __init__(self, chunks: _Optional[int] = ..., size: _Optional[int] = ..., digest: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ParcelChunk(_message.Message):
    __slots__ = ("index", "data")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    index: int
    data: bytes
    def __init__(self, index: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class ParcelOpening(_message.Message):
    __slots__ = ("session", "sender", "number")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    sender: str
    number: int
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ..., sender: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class SendParcelRequest(_message.Message):
    __slots__ = ("opening", "header", "chunk")
    OPENING_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    opening: ParcelOpening
    header: ParcelHeader
    chunk: ParcelChunk
    def __init__(self, opening: _Optional[_Union[ParcelOpening, _Mapping]] = ..., header: _Optional[_Union[ParcelHeader, _Mapping]] = ..., chunk: _Optional[_Union[ParcelChunk, _Mapping]] = ...) -> None: ...

class SendParcelResponse(_message.Message):
    __slots__ = ("first_missing", "receipt")
    FIRST_MISSING_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    first_missing: int
    receipt: bytes
    def __init__(self, first_missing: _Optional[int] = ..., receipt: _Optional[bytes] = ...) -> None: ...

class PullParcelRequest(_message.Message):
    __slots__ = ("session", "receiver", "number", "first_chunk")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FIRST_CHUNK_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    receiver: str
    number: int
    first_chunk: int
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ..., receiver: _Optional[str] = ..., number: _Optional[int] = ..., first_chunk: _Optional[int] = ...) -> None: ...

class PullParcelResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ParcelHeader
    chunk: ParcelChunk
    def __init__(self, header: _Optional[_Union[ParcelHeader, _Mapping]] = ..., chunk: _Optional[_Union[ParcelChunk, _Mapping]] = ...) -> None: ...

class AcknowledgeParcelRequest(_message.Message):
    __slots__ = ("session", "receiver", "number", "receipt")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    receiver: str
    number: int
    receipt: bytes
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ..., receiver: _Optional[str] = ..., number: _Optional[int] = ..., receipt: _Optional[bytes] = ...) -> None: ...

class AcknowledgeParcelResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
